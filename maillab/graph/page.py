"""A page about messages: one file that loads nothing and needs no script, to be read, printed and handed round."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import jinja2
from markupsafe import Markup

from components.config.catalogue import CHINESE, language
from maillab.graph.network import Picture
from maillab.graph.svg import TONES, svg
from maillab.graph.way import way_of
from maillab.graph.words import listed, printable, text
from maillab.trace.events import Kind
from maillab.trace.journey import Journey

TEMPLATE = "page.html.j2"
# What stands on the page itself, by its key in the catalogue.
WORDS = ("page-title", "page-ends", "page-picture", "page-what", "page-time", "page-event", "page-verdict")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A line of the timeline. `tone`: a key of the picture's TONES, or empty; `depth`: how far it is indented.

    `heading`: it says to which machine the message came. `symbols`: the filter's, with their points.
    """

    time: str
    words: str
    depth: int
    tone: str = ""
    heading: str = ""
    symbols: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message, with where each copy is as (tone, words), and the timeline."""

    journey: Journey
    ends: Sequence[tuple[str, str]]
    rows: Sequence[Row]


def page(picture: Picture, messages: Sequence[Message], unread: Sequence[str] = ()) -> str:
    """The page, as HTML. `unread`: machines whose logs could not be read."""
    parts = [
        {
            "title": _title(message.journey),
            "facts": [(text("page-lab"), picture.stack), *_facts(message.journey)],
            "picture": Markup(_drawn(picture, message.journey, f"m{number}-")),
            "ends": message.ends,
            "rows": message.rows,
        }
        for number, message in enumerate(messages, 1)
    ]
    return (
        _environment()
        .get_template(TEMPLATE)
        .render(
            messages=parts,
            unread=text("page-unread", names=listed(unread)) if unread else "",
            words={key.removeprefix("page-"): text(key) for key in WORDS},
            tones={name: colour for name, (colour, _) in TONES.items()},
            language="zh-TW" if language() == CHINESE else "en",
        )
    )


def _title(journey: Journey) -> str:
    return journey.message_id or journey.roots[0].queue_id or text("page-unknown")


def _facts(journey: Journey) -> Iterator[tuple[str, str]]:
    """What the logs have of its envelope and its headers."""
    yield text("page-id"), journey.message_id or text("page-unknown")
    yield text("page-from"), text("page-unknown") if journey.sender is None else journey.sender or "<>"
    yield text("page-to"), listed(journey.recipients) or text("page-unknown")
    if queued := journey.roots[0].first(Kind.QUEUED):
        yield text("page-size"), text("page-bytes", size=queued.values["size"])
    yield text("page-began"), f"{journey.began:%Y-%m-%d %H:%M:%S}"


def _drawn(picture: Picture, journey: Journey, prefix: str) -> str:
    title = text("page-about", what=text("page-picture"), title=_title(journey))
    return svg(picture, title, way_of(journey, picture.stations), prefix)


@functools.cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        undefined=jinja2.StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_finished,
    )


def _finished(value: object) -> object:
    """What comes into the page: nothing that a machine says has a character that is none to look at."""
    return printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value
