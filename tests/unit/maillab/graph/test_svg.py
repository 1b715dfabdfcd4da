"""The SVG: well formed whatever is in it, alone in the world, with words for what colours say."""

import re
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from maillab.graph.network import Arrow
from maillab.graph.scene import Hop, Way, numbered
from maillab.graph.svg import INK, TONES, WALL, svg
from tests.unit.maillab.graph.labs import drawn_of, two_schools

NAMESPACE = "{http://www.w3.org/2000/svg}"


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILLAB_LANG", "en")


def texts(drawn: str) -> list[str]:
    return [found.text or "" for found in ET.fromstring(drawn).iter(f"{NAMESPACE}text")]


def way(*hops: tuple[str, str, str], notes: dict[str, list[tuple[str, str]]] | None = None) -> Way:
    return Way(
        hops=[Hop(number=n, source=s, target=t, tone=o) for n, (s, t, o) in enumerate(hops, 1)], notes=notes or {}
    )


def test_every_machine_and_every_address_is_there() -> None:
    picture = two_schools()
    words = " ".join(" ".join(texts(svg(picture, "Two"))).split())
    for station in picture.stations.values():
        assert station.name in words
        assert all(f"{ipv4} {ipv6}" in words for _, ipv4, ipv6 in station.addresses)


def test_arrows_have_words() -> None:
    words = texts(svg(drawn_of(), "One"))
    assert {"MX 0", "MX 10", "MX 20", "relayhost", "passes on", "port 25: some senders"} <= set(words)


def test_nothing_is_loaded() -> None:
    drawn = svg(drawn_of(), "One")
    assert not re.search(r"href|url\(|@import|<image|<script|<style|http(?!://www\.w3\.org/2000/svg)", drawn)


def test_title_and_description_for_those_who_do_not_see_it() -> None:
    root = ET.fromstring(svg(drawn_of(), "The network", prefix="one-"))
    names = {found.get("id"): found.text for found in root if found.get("id")}
    assert root.get("role") == "img"
    assert str(root.get("aria-labelledby")).split() == list(names)
    assert names["one-title"] == "The network"
    assert "mail → spamfilter (relayhost)" in str(names["one-description"])


def test_colours_can_be_read_on_white_and_dashes_differ() -> None:
    def luminance(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts]
        return sum(one * weight for one, weight in zip(linear, (0.2126, 0.7152, 0.0722), strict=True))

    for colour in (INK, WALL, *(colour for colour, _ in TONES.values())):
        assert 1.05 / (luminance(colour) + 0.05) > 4.5, colour
    for kinds in (list(Arrow), ["good", "bad", "wait", "notice"]):
        assert len({TONES[kind][1] for kind in kinds}) == len(kinds)


def test_hostile_words_are_words() -> None:
    hostile = '</text><script>alert(1)</script>\x00\x1b]0;\u202e"&'
    picture = drawn_of()
    drawn = svg(replace(picture, router=replace(picture.router, role=hostile)), hostile)
    ET.fromstring(drawn)
    assert "<script" not in drawn
    assert not [one for one in drawn if not one.isprintable() and one != "\n"]


def test_hops_have_numbers_and_words() -> None:
    drawn = svg(drawn_of(), "Way", way(("outside", "spamfilter", "good"), ("spamfilter", "mail", "bad")))
    words = texts(drawn)
    assert {"1 taken", "2 refused"} <= set(words)
    assert not {"MX 0", "relayhost"} & set(words)


def test_what_became_of_the_message_stands_at_its_machine() -> None:
    drawn = svg(drawn_of(), "Way", way(("outside", "spamfilter", "good"), notes={"spamfilter": [("wait", "on hold")]}))
    assert "on hold" in texts(drawn)


def test_same_hop_again_is_drawn_once_with_all_its_numbers() -> None:
    loop = [(("mail", "mail2"), ("mail2", "mail"))[n % 2] for n in range(50)]
    drawn = svg(drawn_of(), "Loop", way(*((source, target, "good") for source, target in loop)))
    assert {"1,3,…,49 taken", "2,4,…,50 taken"} <= set(texts(drawn))


def test_few_numbers_all_stand_there() -> None:
    assert [numbered(one) for one in ([4], [1, 2, 3], [1, 3, 5, 7])] == ["4", "1,2,3", "1,3,…,7"]
