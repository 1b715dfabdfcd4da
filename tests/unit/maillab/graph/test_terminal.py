"""The picture in a terminal: within its columns, of characters that are as wide everywhere, and whole."""

import unicodedata

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from components.config.lab import LabConfig
from components.plan import plan_of
from maillab.graph.network import Picture, picture_of
from maillab.graph.terminal import drawn, wrapped
from tests.support.documents import LANGUAGES
from tests.support.language import speaking
from tests.unit.maillab.graph.labs import LONG, MANY, drawn_of, make_large, two_schools, without_relayhost
from tests.unit.strategies import labs


def columns(line: str) -> int:
    """As a terminal for Chinese counts them: what is narrow elsewhere and wide there too."""
    return sum(2 if unicodedata.east_asian_width(one) in "WFA" else 1 for one in line)


def check(picture: Picture, width: int, *, brief: bool) -> None:
    lines = drawn(picture, width, brief=brief)
    assert max(map(columns, lines)) <= width
    assert all(line == line.rstrip() and line.isprintable() for line in lines)
    assert not [one for line in lines for one in line if unicodedata.east_asian_width(one) == "A"]
    text = "\n".join(lines)
    # A name or an address that is wider than its box goes on in the next line.
    assert all(name[: width // 4] in text for name in picture.stations)
    if width == 80 and not brief:
        assert all(word in text for one in picture.stations.values() for row in one.addresses for word in row)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(labs(), st.integers(40, 120), st.booleans(), st.sampled_from(LANGUAGES))
def test_any_lab_fits(lab: LabConfig, width: int, brief: bool, language: str) -> None:
    with speaking(language):
        check(picture_of(plan_of(lab)), width, brief=brief)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("width", [40, 80])
def test_large_lab_fits(language: str, width: int) -> None:
    with speaking(language):
        picture = drawn_of(make_large)
        check(picture, width, brief=False)
    assert sum(LONG in line for line in drawn(picture, 80)) >= MANY


@pytest.mark.parametrize("language", LANGUAGES)
def test_boxes_are_closed(language: str) -> None:
    """The lines of a box end below each other, whatever is in them."""
    with speaking(language):
        lines = drawn(two_schools())
    ends = {columns(line) for line in lines if line.endswith(("-+", " |"))}
    assert ends == {80}
    assert sum(line.endswith("-+") for line in lines) == 3 + 3 + 3


def test_router_has_a_wire_to_every_network() -> None:
    lines = drawn(two_schools())
    assert sum(line.startswith("+---|") for line in lines) == 3
    first, last = (next(i for i, line in enumerate(lines) if name in line) for name in ("| internet", "| dns3"))
    assert all(line[0] in "|+r" for line in lines[first : last + 1])
    assert lines[last + 1].startswith("    |")


def test_ways_of_mail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILLAB_LANG", "en")
    lines = drawn(drawn_of(without_relayhost))
    assert lines[lines.index("") + 1 :] == [
        "Mail to dc1es.tnc.edu.tw, dns.dc1es.tnc.edu.tw",
        "    MX 0  --> spamfilter --> mail",
        "    MX 10 --> mail  (port 25: some senders)",
        "Mail to mail2.dc1es.tnc.edu.tw",
        "    MX 10 --> spamfilter --> mail2",
        "    MX 20 --> mail2  (port 25: some senders)",
        "Outgoing mail",
        "    mail --relayhost--> spamfilter --> the Internet",
        "    mail2 --> the Internet",
    ]


def test_brief_picture_is_shorter_and_has_no_ipv6_address_of_a_machine() -> None:
    long, brief = drawn(drawn_of()), drawn(drawn_of(), brief=True)
    assert len(brief) < len(long) - 10
    assert "2001:db8:182::249" in "\n".join(long)
    assert "2001:db8:182::249" not in "\n".join(brief)


@given(st.text(st.sampled_from("ab 郵件"), max_size=60), st.integers(10, 30))
def test_nothing_gets_lost_where_lines_are_broken(words: str, width: int) -> None:
    lines = list(wrapped(words, width, "  "))
    assert "".join("".join(lines).split()) == "".join(words.split())
    assert all(columns(line) <= width for line in lines)
