"""What a killed run made and could not record is told by what was there before, whatever the engine's clock says."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from offline import providers
from offline.providers import Target, find_leftover, namesakes
from offline.schema import COMMAND, CONTAINER, NETWORK, VOLUME
from offline.state import Store
from offline.values import Props

# An engine that has lost its time: whatever it makes is older than everything here.
LONG_AGO = "1970-01-01T00:00:02Z"
OURS = {"maillab.stack": "dc1es"}
INPUTS: Props = {"name": "box", "labels": [{"label": "maillab.stack", "value": "dc1es"}]}
URN = "urn:pulumi:test::maillab::docker:index/container:Container::box"


class Engine:
    """As much of Docker's API as a look at names takes; `things` are id to name and labels."""

    def __init__(self, things: dict[str, tuple[str, dict[str, str]]]) -> None:
        self.things = things

    def _all(self) -> list[dict[str, object]]:
        return [
            {"Id": one, "Name": name, "Labels": has or None, "Created": LONG_AGO, "CreatedAt": LONG_AGO}
            for one, (name, has) in self.things.items()
        ]

    def networks(self, names: list[str]) -> list[dict[str, object]]:
        return [one for one in self._all() if any(name in str(one["Name"]) for name in names)]

    def volumes(self, filters: dict[str, str]) -> dict[str, object]:
        return {"Volumes": [one for one in self._all() if filters["name"] in str(one["Name"])] or None}

    def containers(self, *, all: bool, filters: dict[str, str]) -> list[dict[str, object]]:
        assert all
        return [one for one in self._all() if f"^/{one['Name']}$" == filters["name"]]


def target(monkeypatch: pytest.MonkeyPatch, kind: str, things: dict[str, tuple[str, dict[str, str]]]) -> Target:
    monkeypatch.setattr(providers, "client", lambda _host: Engine(things))
    return Target(kind=kind, name="box", host="ssh://other")


BOTH = pytest.mark.parametrize("kind", [CONTAINER, NETWORK])


@BOTH
def test_what_was_not_there_before_is_the_runs(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    there = target(monkeypatch, kind, {"old": ("box", OURS), "new": ("box", OURS)})
    assert find_leftover(there, INPUTS, ["old"]) == "new"


@BOTH
def test_what_was_there_before_is_spared(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    there = target(monkeypatch, kind, {"old": ("box", OURS)})
    assert find_leftover(there, INPUTS, ["old"]) is None


@BOTH
def test_what_has_other_labels_or_another_name_is_spared(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    there = target(monkeypatch, kind, {"one": ("box", {}), "two": ("box2", OURS)})
    assert find_leftover(there, INPUTS, []) is None


def test_a_volume_that_was_kept_is_spared(monkeypatch: pytest.MonkeyPatch) -> None:
    there = target(monkeypatch, VOLUME, {"box": ("box", OURS), "box2": ("box2", OURS)})
    assert find_leftover(there, INPUTS, [*namesakes(there, INPUTS)]) is None
    assert find_leftover(there, INPUTS, []) == "box"


def test_where_nobody_looked_before_all_is_spared(monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_leftover(target(monkeypatch, VOLUME, {"box": ("box", OURS)}), INPUTS, None) is None


def test_a_command_has_no_namesakes(monkeypatch: pytest.MonkeyPatch) -> None:
    assert namesakes(target(monkeypatch, COMMAND, {"box": ("box", OURS)}), {"create": "true"}) == {}


CALLED_BOX = {"urn": URN, "inputs": {"name": "box"}}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """The empty state of a stack."""
    return Store(cast("Any", SimpleNamespace(state_dir=tmp_path, stack="test", salt="")))


def test_a_creation_that_is_begun_again_keeps_what_was_there_before_the_first(store: Store) -> None:
    store.begin("creating", CALLED_BOX, ["old"])
    store.begin("creating", CALLED_BOX, ["old", "new"])
    assert store.pending[URN]["before"] == ["old"]


def test_a_creation_under_another_name_looks_itself(store: Store) -> None:
    """What has the new name may be another lab's."""
    store.begin("creating", CALLED_BOX, [])
    store.begin("creating", {"urn": URN, "inputs": {"name": "chest"}}, ["others"])
    assert store.pending[URN]["before"] == ["others"]


def test_a_creation_after_an_interrupted_deletion_looks_itself(store: Store) -> None:
    store.begin("deleting", CALLED_BOX)
    store.begin("creating", CALLED_BOX, ["old"])
    assert store.pending[URN]["before"] == ["old"]


def test_what_was_there_before_is_in_the_file(store: Store, tmp_path: Path) -> None:
    store.begin("creating", CALLED_BOX, {"old": OURS})
    again = Store(cast("Any", SimpleNamespace(state_dir=tmp_path, stack="test", salt="")))
    assert again.pending[URN]["before"] == ["old"]
