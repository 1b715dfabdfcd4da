"""Slides: a Markdown page, one slide to each `---`, as one HTML page that loads nothing and runs no script."""

from __future__ import annotations

import re
from pathlib import Path

import jinja2
from markdown_it import MarkdownIt
from markupsafe import Markup

BREAK = re.compile(r"(?m)^---\n")
GRAPH = re.compile(r"(?m)^<!-- graph -->\n")
COMMENT = re.compile(r"(?s)<!--.*?-->\n?")
# A paragraph of its own, in whose place the picture comes.
PLACE = "graph-comes-here"


def slides_of(text: str) -> list[str]:
    """The Markdown of each slide."""
    return [part.strip() for part in BREAK.split(text)]


def page(text: str, picture: str, language: str) -> str:
    """The page of the slides in `text`; `picture` is the SVG for `<!-- graph -->`."""
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    slides = []
    for slide in slides_of(text):
        marked = COMMENT.sub("", GRAPH.sub(f"{PLACE}\n", slide + "\n"))
        html = markdown.render(marked).replace(f"<p>{PLACE}</p>", f"<figure>{picture}</figure>")
        slides.append(Markup(html))
    title = slides_of(text)[0].partition("\n")[0].lstrip("# ")
    template = (Path(__file__).parent / "slides.html.j2").read_text("utf-8")
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, keep_trailing_newline=True)
    return environment.from_string(template).render(slides=slides, title=title, language=language)
