"""What a killed run made and could not record is known by what was there before, whatever the engine's clock says."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from maillab.offline import providers
from maillab.offline.deployment import Deployment
from maillab.offline.display import Display
from maillab.offline.providers import Target, find_leftover, namesakes, refuse_in_the_way
from maillab.offline.schema import COMMAND, CONTAINER, NETWORK, VOLUME
from maillab.offline.state import Store
from maillab.offline.values import OfflineError, Props
from maillab.where.known import STATE, note_kept

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

    def create_volume(self, name: str, **_: object) -> None:
        assert name in self.things

    def inspect_volume(self, name: str) -> dict[str, object]:
        return {"Name": name, "Driver": "local", "Mountpoint": "/x", "Labels": self.things[name][1] or None}

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


def test_a_volume_is_spared(monkeypatch: pytest.MonkeyPatch) -> None:
    there = target(monkeypatch, VOLUME, {"box": ("box", OURS), "box2": ("box2", OURS)})
    assert [*namesakes(there, INPUTS)] == ["box"]
    assert find_leftover(there, INPUTS, ["box"]) is None
    assert find_leftover(there, INPUTS, []) is None


def test_where_nobody_looked_before_all_is_spared(monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_leftover(target(monkeypatch, CONTAINER, {"box": ("box", OURS)}), INPUTS, None) is None


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


def test_what_an_interrupted_run_replaced_and_cant_be_deleted_is_reported(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = {"urn": URN, "type": CONTAINER, "custom": True, "id": "old", "inputs": {"name": "box"}, "outputs": {}}
    store.begin("creating", entry, [])
    display = Display(quiet=True)
    deployment = Deployment(store, display, dry_run=False)
    store.keep(entry)

    def refuse(*_: object) -> None:
        raise OfflineError("it is in use")

    monkeypatch.setattr(providers, "delete", refuse)
    deployment.delete_all([{**entry, "delete": True}])
    assert display.failed


@pytest.mark.parametrize(("has", "of_lab"), [({}, False), (OURS, True)], ids=["nobody's", "a lab's"])
@BOTH
def test_what_is_in_the_way_is_not_advised_away(
    monkeypatch: pytest.MonkeyPatch, kind: str, has: dict[str, str], of_lab: bool
) -> None:
    there = target(monkeypatch, kind, {"one": ("box", has)})
    with pytest.raises(OfflineError, match="did not make") as refused:
        refuse_in_the_way(there, INPUTS, own=())
    assert " rm " not in str(refused.value)
    assert (" inspect box" in str(refused.value)) is not of_lab
    assert ("the lab dc1es" in str(refused.value)) is of_lab


@pytest.mark.parametrize(
    ("has", "kept", "taken"),
    [
        pytest.param({}, ["box"], True, id="without labels, and a removal of this stack left it"),
        pytest.param({}, [], False, id="without labels"),
        pytest.param({"maillab.stack": "other"}, ["box"], False, id="another's by now"),
    ],
)
def test_which_volume_is_taken_over(
    monkeypatch: pytest.MonkeyPatch, has: dict[str, str], kept: list[str], taken: bool
) -> None:
    there = target(monkeypatch, VOLUME, {"box": ("box", has)})
    with nullcontext() if taken else pytest.raises(OfflineError, match="did not make"):
        assert providers.create(there, INPUTS, print, kept)[0] == "box"


def test_what_down_left_is_known_to_the_engine(tmp_path: Path) -> None:
    note_kept(tmp_path, "test", ["box", "chest"])
    project = SimpleNamespace(state_dir=tmp_path / STATE, stack="test", salt="")
    assert Store(cast("Any", project)).kept == {"box", "chest"}
