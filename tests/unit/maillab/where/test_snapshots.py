"""Snapshots: which there are, and which names they may have."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from maillab.where import snapshots as module
from maillab.where.home import Home
from maillab.where.problem import WhereError
from maillab.where.snapshots import Snapshot, drop, note, restore, set_clock, snapshots, take
from tests.unit.conftest import Program
from tests.unit.maillab.where.conftest import Monitor, Runs, settings

INFO = {"snapshots": [
    {"id": "2", "name": "after", "date-sec": 200, "date-nsec": 0, "vm-state-size": 7 << 20, "vm-clock-sec": 1},
    {"id": "1", "name": "before", "date-sec": 100, "date-nsec": 250000000, "vm-state-size": 5 << 20, "vm-clock-sec": 1},
]}  # fmt: skip
Act = Callable[[Home, str], object]
EXPECTED = [Snapshot(name="before", made=100.25, size=5 << 20), Snapshot(name="after", made=200, size=7 << 20)]


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


NOTE = "snapshot-before.machine.json"


@pytest.mark.parametrize("act", [restore, drop])
def test_a_snapshot_that_is_not_there_names_those_that_are(home: Home, monitor: Monitor, act: Act) -> None:
    with pytest.raises(WhereError, match="there is no snapshot never") as refusal:
        act(home, "never")
    assert (refusal.value.id, refusal.value.remedy) == ("no-snapshot", ("there are: before, x",))
    assert monitor.lines == []


def test_a_snapshot_remembers_the_hardware(home: Home, monitor: Monitor) -> None:
    take(home, "before")
    assert monitor.lines == ["savevm before"]
    assert {"cpus": 2, "memory": 1024, "disk": 8, "accelerator": "tcg"}.items() <= note(home, "before").items()


@pytest.mark.usefixtures("monitor")
def test_a_snapshot_remembers_what_else_was_known(home: Home) -> None:
    take(home, "before", {"engine": "text"})
    assert note(home, "before")["known"] == {"engine": "text"}


@pytest.mark.usefixtures("monitor")
def test_a_note_is_its_owners_alone(home: Home) -> None:
    """The states of engines have passwords in them."""
    take(home, "before", {"engine": "secret"})
    assert [path.stat().st_mode & 0o777 for path in home.folder.glob("snapshot-*")] == [0o600]


def test_a_damaged_note_is_told_with_what_to_do(home: Home, monitor: Monitor) -> None:
    (home.folder / NOTE).write_text('{"cpus": 2', "utf-8")
    with pytest.raises(WhereError, match=r"snapshot-before\.machine\.json can't be read") as damaged:
        restore(home, "before")
    assert (damaged.value.id, monitor.lines) == ("snapshot-damaged", [])
    assert damaged.value.remedy[0].endswith("bin/maillab --stack lab vm forget before")


def test_a_machine_is_put_back(home: Home, monitor: Monitor) -> None:
    take(home, "before")
    monitor.lines.clear()
    restore(home, "before")
    assert monitor.lines == ["loadvm before", "cont"]


def test_the_connection_of_now_ends_first(home: Home, monitor: Monitor) -> None:
    restore(home, "before")
    assert "-O exit" in Path("ssh.calls").read_text("utf-8")
    assert monitor.lines


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        pytest.param({"cpus": 1}, "cpus 2 (now 1)", id="processors"),
        pytest.param({"cpus": 1, "memory": 2048}, "cpus 2 (now 1), memory 1024 (now 2048)", id="both"),
    ],
)
def test_other_hardware_is_refused_before_anything_is_touched(
    home: Home, monitor: Monitor, changes: dict[str, int], words: str
) -> None:
    take(home, "before")
    monitor.lines.clear()
    home.save(settings(**changes))
    with pytest.raises(WhereError) as refusal:
        restore(home, "before")
    assert str(refusal.value) == f"the snapshot before is of a machine with {words}"
    assert (refusal.value.id, monitor.lines, Path("ssh.calls").exists()) == ("other-hardware", [], False)


def test_a_disk_that_grew_is_told_as_what_can_not_be_undone(home: Home, monitor: Monitor) -> None:
    """A disk does not shrink: nobody can set vm.disk as it was."""
    take(home, "before")
    monitor.lines.clear()
    home.save(settings(disk=9, cpus=1))
    with pytest.raises(WhereError, match="is of a disk of 8 GiB, which grew to 9 GiB since") as refusal:
        restore(home, "before")
    assert (refusal.value.id, monitor.lines) == ("disk-grew", [])
    assert refusal.value.remedy == (
        "it can't be gone back to any more; remove it: bin/maillab --stack lab vm forget before",
    )


def test_another_accelerator_is_other_hardware(home: Home, monitor: Monitor) -> None:
    take(home, "before")
    home.write("accelerator", "kvm\n")
    with pytest.raises(WhereError, match=r"a machine with accelerator tcg \(now kvm\)$"):
        restore(home, "before")
    assert monitor.lines == ["savevm before"]


@pytest.mark.parametrize("lost", [NOTE, "machine.json"])
def test_without_a_note_it_is_put_back(home: Home, monitor: Monitor, lost: str) -> None:
    """A snapshot from before there were notes; and one of a machine whose own was lost."""
    take(home, "before")
    (home.folder / lost).unlink()
    restore(home, "before")
    assert monitor.lines[1:] == ["loadvm before", "cont"]


@pytest.mark.usefixtures("monitor")
def test_its_clock_is_set_by_itself(home: Home) -> None:
    restore(home, "before")
    assert "date" not in Path("ssh.calls").read_text("utf-8")


@pytest.mark.usefixtures("monitor")
def test_its_clock_is_set_to_this_computers(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: 1234.5)
    set_clock(home)
    assert Path("ssh.calls").read_text("utf-8").endswith("vm date --set=@1234.500\n")


def test_a_snapshot_is_dropped_with_its_note(home: Home, monitor: Monitor) -> None:
    take(home, "before")
    drop(home, "before")
    assert monitor.lines == ["savevm before", "delvm before"]
    assert not (home.folder / NOTE).exists()


@pytest.mark.usefixtures("monitor")
def test_a_snapshot_without_a_note_is_dropped(home: Home) -> None:
    drop(home, "x")


@pytest.mark.usefixtures("monitor")
@pytest.mark.parametrize(
    ("act", "id"), [(take, "snapshot-failed"), (restore, "restore-failed"), (drop, "snapshot-failed")]
)
def test_qemus_words_are_a_failure(home: Home, monkeypatch: pytest.MonkeyPatch, act: Act, id: str) -> None:
    monkeypatch.setattr(module, "monitor", lambda *_: "Error: no space")
    with pytest.raises(WhereError, match="qemu: Error: no space") as failure:
        act(home, "before")
    assert failure.value.id == id
