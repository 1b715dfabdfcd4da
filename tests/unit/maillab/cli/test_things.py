"""Names of what is on an engine, for people."""

import pytest

from maillab.cli.things import all_named, some_of
from maillab.where.known import Thing


def thing(kind: str, name: str) -> Thing:
    return Thing(kind=kind, id=name, name=name, owner="", label="")


def test_few_names_are_all_shown() -> None:
    assert some_of(["a", "b", "c", "d"]) == "a, b, c, d"


def test_of_many_names_the_number_is_shown() -> None:
    assert some_of(list("abcdefghi")) == "a, b, c and 6 more"


def test_things_stand_by_their_kinds() -> None:
    things = [thing("volume", "v"), thing("network", "n"), thing("container", "b"), thing("container", "a")]
    assert all_named(things) == "containers a, b, network n, volume v"


def test_things_in_chinese(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILLAB_LANG", "zh-TW")
    assert all_named([thing("volume", f"v{number}") for number in range(9)]) == "磁碟區 v0, v1, v2 與另外 6 個"
