"""Snapshots: which there are, and which names they may have."""

import json

import pytest

from tests.unit.conftest import Program
from tests.unit.where.conftest import Runs
from where import snapshots as module
from where.home import Home
from where.problem import WhereError
from where.snapshots import Snapshot, restore, snapshots, take

INFO = {"snapshots": [
    {"id": "2", "name": "after", "date-sec": 200, "date-nsec": 0, "vm-state-size": 7 << 20, "vm-clock-sec": 1},
    {"id": "1", "name": "before", "date-sec": 100, "date-nsec": 0, "vm-state-size": 5 << 20, "vm-clock-sec": 1},
]}  # fmt: skip
EXPECTED = [Snapshot(name="before", made=100, size=5 << 20), Snapshot(name="after", made=200, size=7 << 20)]


def test_of_a_machine_that_runs(home: Home, runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    runs()
    devices = [{"device": "virtio0", "inserted": {"image": INFO}}, {"inserted": {"image": {}}}, {"device": "none"}]
    monkeypatch.setattr(module, "order", lambda *_: devices)
    assert snapshots(home) == EXPECTED


def test_of_a_machine_that_is_off(home: Home, program: Program) -> None:
    program("qemu-img", f"[ \"$1 $3\" = 'info {home.disk}' ] && echo '{json.dumps(INFO)}'")
    home.disk.touch()
    assert snapshots(home) == EXPECTED


def test_of_a_machine_that_has_none(home: Home, program: Program) -> None:
    program("qemu-img", "echo '{}'")
    home.disk.touch()
    assert snapshots(home) == []


def test_of_no_machine(home: Home) -> None:
    assert snapshots(home) == []


@pytest.mark.parametrize("name", ["", "1", "-x", "a b", "a\n", "a/b", "x" * 42])
def test_a_name_that_is_none(home: Home, runs: Runs, name: str) -> None:
    runs()
    with pytest.raises(WhereError, match="is no name of a snapshot") as refusal:
        take(home, name)
    assert refusal.value.id == "bad-name"


def test_a_machine_that_is_off_has_nothing_to_keep(home: Home) -> None:
    with pytest.raises(WhereError, match="does not run") as refusal:
        take(home, "before")
    assert refusal.value.id == "vm-stopped"


def test_a_snapshot_that_is_not_there_names_those_that_are(
    home: Home, runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs()
    monkeypatch.setattr(module, "snapshots", lambda _: EXPECTED)
    with pytest.raises(WhereError, match="there is no snapshot never") as refusal:
        restore(home, "never")
    assert refusal.value.remedy == ("there are: before, after",)


def test_qemus_words_are_a_failure(home: Home, runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    runs()
    monkeypatch.setattr(module, "monitor", lambda *_: "Error: no space")
    with pytest.raises(WhereError, match="qemu: Error: no space") as failure:
        take(home, "before")
    assert failure.value.id == "snapshot-failed"
