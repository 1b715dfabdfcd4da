"""The page about messages: alone in the world, whole, in the reader's language, and nothing in it is markup."""

import html.parser
import re
from dataclasses import replace
from pathlib import Path

import pytest

from components.plan import Plan
from maillab.cli.problem import MaillabError
from maillab.cli.stack import Stack
from maillab.cli.trace import write_page
from maillab.cli.trace_page import TONES, page_of
from maillab.cli.trace_tree import QUIET, STYLES
from maillab.trace.events import Event, Kind
from tests.unit.labs import model
from tests.unit.maillab.trace.captured import traced

NAMES = ("plain", "alias", "spam", "virus", "nosuch", "bounce", "two", "deferred", "noclam", "partly", "mail2")
HOSTILE = "</td></text></title><script>alert(1)</script><img src=x onerror=alert(1)>\x1b]0;red\x07\u202e&lt;"
VOID = {"meta", "rect", "path", "circle", "polygon", "img"}


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILLAB_LANG", "en")


@pytest.fixture(scope="module")
def plan() -> Plan:
    return model().plan


class Tags(html.parser.HTMLParser):
    """The tags of a page, which must be closed in their order, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.names: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("name", NAMES)
def test_page_is_whole_and_loads_nothing(name: str, plan: Plan) -> None:
    page = page_of(plan, [traced(name)])
    tags = Tags(page)
    assert tags.open == []
    assert not {"script", "link", "img", "iframe", "object", "image"} & set(tags.names)
    assert not [
        pair for pair in tags.attributes if pair[0] in ("src", "href", "style") and "padding" not in str(pair[1])
    ]
    assert not [pair for pair in tags.attributes if pair[0].startswith("on")]
    assert not re.search(r"url\(|@import", page)
    assert f"<{name}@trace.invalid>" in tags.text


def test_what_the_tree_says_is_there(plan: Plan) -> None:
    text = " ".join(Tags(page_of(plan, [traced("spam")])).text.split())
    assert "wendy@example.com" in text
    assert "lin@dc1es.tnc.edu.tw: taken by spamfilter: 250 2.0.0 Ok: queued as 4jd4wj3kV8z8hMN" in text
    assert "1 taken" in text
    assert "… on hold: Spam message quarantined" in text
    assert "spamfilter 4jd4wj3kV8z8hMN" in text
    assert "08:42:13.566" in text


def test_every_symbol_of_the_filter_is_there(plan: Plan) -> None:
    journey = traced("virus")
    (verdict,) = (event.verdict for event in journey.roots[0].following[0].events if event.verdict)
    text = Tags(page_of(plan, [journey])).text
    assert len(verdict.symbols) > 6
    assert all(name in text for name, _ in verdict.symbols)


def test_in_chinese(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILLAB_LANG", "zh-TW")
    page = page_of(plan, [traced("spam")])
    assert '<html lang="zh-TW">' in page
    assert "一封信經過的路線" in page
    assert "1 收下" in page


def test_what_others_write_is_no_markup(plan: Plan) -> None:
    journey = traced("plain")
    stay = journey.roots[0]
    stay.events.append(Event(when=stay.began, kind=Kind.OTHER, values={"program": "x", "text": HOSTILE}))
    stay.events.append(
        Event(when=stay.began, kind=Kind.REFUSED, values={"stage": "DATA", "text": HOSTILE, "to": HOSTILE})
    )
    page = page_of(plan, [replace(journey, message_id=HOSTILE)], [HOSTILE])
    tags = Tags(page)
    assert tags.open == []
    assert not {"script", "img"} & set(tags.names)
    assert tags.text.count("<script>alert(1)</script>") >= 5
    assert not [one for one in page if not one.isprintable() and one != "\n"]


def test_several_messages_have_ids_of_their_own(plan: Plan) -> None:
    tags = Tags(page_of(plan, [traced("plain"), traced("two")]))
    ids = [value for name, value in tags.attributes if name == "id"]
    assert len(ids) == len(set(ids)) == 4


def test_log_that_was_not_read_is_named(plan: Plan) -> None:
    assert "the log of mail2" in Tags(page_of(plan, [traced("plain")], ["mail2"])).text
    assert "the log of" not in Tags(page_of(plan, [traced("plain")])).text


def test_what_is_bad_in_the_terminal_is_bad_on_the_page() -> None:
    assert set(TONES) == {kind for kind, style in STYLES.items() if style != QUIET}


def test_page_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "way.html"
    write_page(path, Stack(name="dc1es"), [traced("plain")], [])
    assert path.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert capsys.readouterr().err == f"written: {path}\n"
    with pytest.raises(MaillabError, match="can't be written"):
        write_page(tmp_path / "none" / "way.html", Stack(name="dc1es"), [traced("plain")], [])
