"""The slides of a lesson: one page that loads nothing, with one part for each slide."""

import re

import pytest

from maillab.slides import page, slides_of
from tests.support.documents import LANGUAGES, ROOT, blocks, read

PICTURE = "<svg><title>the network</title></svg>"
LESSONS = sorted(path.name for path in (ROOT / "docs" / "en" / "slides").glob("*.md"))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", LESSONS)
def test_page_has_every_slide_and_loads_nothing(name: str, language: str) -> None:
    text = read(ROOT / "docs" / language / "slides" / name)
    html = page(text, PICTURE, language)
    assert html.count("<section>") == len(slides_of(text)) > 5
    assert html.count("<h1>") + html.count("<h2>") == len(slides_of(text)), "a slide has one heading"
    assert f'<html lang="{language}">' in html
    assert html.count(PICTURE) == 1
    assert html.count("<pre>") == len(blocks(text))
    assert re.findall(r"<script|<link|<img|\b(?:src|href)=|url\(", html) == []
    assert "test:" not in html


def test_what_is_written_is_shown_and_no_more() -> None:
    html = page("# A & B\n\n---\n\n## Two\n\n<b>bold</b>\n\n```sh\nls <x>\n```\n", PICTURE, "en")
    assert "<title>A &amp; B</title>" in html
    assert "&lt;b&gt;bold&lt;/b&gt;" in html
    assert "ls &lt;x&gt;" in html
    assert PICTURE not in html
