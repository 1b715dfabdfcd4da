"""Snapshots of a lab: what the engine knew goes with the machine."""

import errno
import fcntl
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from maillab.cli import where
from maillab.cli.problem import MaillabError
from maillab.cli.snapshot import drop, keep, put_back
from maillab.cli.stack import Engine, Stack
from maillab.where.home import Home
from maillab.where.problem import WhereError
from tests.unit.conftest import Program
from tests.unit.maillab.cli.conftest import save_lab

Act = Callable[[Stack, str], object]
# pulumi with `--file PATH`; the steps of the machine's part are in the same file.
PULUMI = """
echo "$1 $2 $6" >>steps
case $2 in export) echo '{"pulumi": 1}' >"$6";; import) cat "$6" >imported;; esac
"""


@dataclass
class Machine:
    """The machine's part, which works: it remembers the notes of snapshots, and what it was told to do."""

    root: Path
    notes: dict[str, dict[str, object]] = field(default_factory=dict)

    def step(self, name: str) -> None:
        with (self.root / "steps").open("a", encoding="utf-8") as file:
            file.write(f"{name}\n")

    def take(self, _home: Home, name: str, known: Mapping[str, str]) -> float:
        self.step("take")
        self.notes[name] = {"known": known}
        return 1.0

    def restore(self, _home: Home, _name: str) -> float:
        self.step("restore")
        return 1.0

    def drop(self, _home: Home, name: str) -> None:
        self.step("drop")
        self.notes.pop(name, None)


@pytest.fixture(autouse=True)
def machine(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """The stack's."""
    where.home_of(stack).folder.mkdir(parents=True)
    found = Machine(stack.root)
    for name in ("take", "restore", "drop"):
        monkeypatch.setattr(f"maillab.where.snapshots.{name}", getattr(found, name))
    monkeypatch.setattr("maillab.where.snapshots.note", lambda _, name: found.notes.get(name, {}))
    monkeypatch.setattr("maillab.where.snapshots.set_clock", lambda _: found.step("set_clock"))
    return found


def steps(stack: Stack) -> list[str]:
    path = stack.root / "steps"
    return path.read_text("utf-8").splitlines() if path.exists() else []


def states(stack: Stack) -> list[str]:
    """What lies where the offline engine keeps its state."""
    return sorted(path.name for path in stack.state_file(Engine.OFFLINE).parent.iterdir())


def test_a_snapshot_knows_what_the_engine_knew(stack: Stack) -> None:
    save_lab(stack, "vm")
    state = stack.state_file(Engine.OFFLINE)
    before = state.read_text("utf-8")
    keep(stack, "before")
    state.write_text(before.replace("vm", "edited"), "utf-8")
    put_back(stack, "before")
    assert state.read_text("utf-8") == before


def test_a_state_that_is_put_back_is_its_owners_alone(stack: Stack) -> None:
    """It has the lab's passwords in it."""
    save_lab(stack, "vm")
    keep(stack, "before")
    stack.state_file(Engine.OFFLINE).chmod(0o644)
    put_back(stack, "before")
    assert stack.state_file(Engine.OFFLINE).stat().st_mode & 0o777 == 0o600
    assert states(stack) == ["lab.json", "lab.lock"]


def test_the_state_is_known_before_the_machine_is_asked(stack: Stack, program: Program) -> None:
    """And put back before the clock: without that a lab is usable, without its state it is an orphan."""
    save_lab(stack, "vm", Engine.PULUMI)
    program("pulumi", PULUMI)
    keep(stack, "before")
    put_back(stack, "before")
    assert [line.rpartition(" ")[0] or line for line in steps(stack)] == [
        "stack export", "take", "restore", "stack import", "set_clock",
    ]  # fmt: skip
    assert (stack.root / "imported").read_text("utf-8") == '{"pulumi": 1}\n'
    assert list(where.home_of(stack).folder.iterdir()) == []


def test_a_state_that_can_not_be_read_is_not_kept(stack: Stack, program: Program) -> None:
    save_lab(stack, "vm", Engine.PULUMI)
    program("pulumi", 'echo "{" >"$6"')
    with pytest.raises(MaillabError, match="what the pulumi engine knew now is damaged") as refusal:
        keep(stack, "before")
    assert "nothing was kept" in refusal.value.remedy[0]
    assert steps(stack) == []


@pytest.mark.parametrize("text", ["", '{"version": 3, "deploy'])
def test_a_damaged_state_does_not_replace_that_of_now(stack: Stack, machine: Machine, text: str) -> None:
    save_lab(stack, "vm")
    now = stack.state_file(Engine.OFFLINE).read_text("utf-8")
    machine.notes["before"] = {"known": {"offline": text}}
    with pytest.raises(MaillabError, match="knew at the snapshot before is damaged") as refusal:
        put_back(stack, "before")
    assert refusal.value.remedy == (f"remove it: bin/maillab --stack {stack.name} vm forget before",)
    assert (stack.state_file(Engine.OFFLINE).read_text("utf-8"), steps(stack)) == (now, [])


def test_a_machine_that_is_not_put_back_leaves_the_state(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise WhereError("restore-failed", "qemu: Error")

    save_lab(stack, "vm")
    keep(stack, "before")
    save_lab(stack, "vm", Engine.OFFLINE, "new")
    now = stack.state_file(Engine.OFFLINE).read_text("utf-8")
    monkeypatch.setattr("maillab.where.snapshots.restore", fail)
    with pytest.raises(WhereError, match="Error"):
        put_back(stack, "before")
    assert stack.state_file(Engine.OFFLINE).read_text("utf-8") == now
    assert states(stack) == ["lab.json", "lab.lock"]


def test_a_disk_without_room_for_the_state_is_told_before_the_machine_goes_back(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    save_lab(stack, "vm")
    keep(stack, "before")
    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(MaillabError, match="the state can't be written: No space left on device"):
        put_back(stack, "before")
    assert steps(stack) == ["take"]
    assert states(stack) == ["lab.json", "lab.lock"]


def test_a_snapshot_of_before_has_its_state_in_a_file(stack: Stack, machine: Machine) -> None:
    save_lab(stack, "vm")
    old = where.home_of(stack).folder / "snapshot-before.offline.json"
    old.write_text('{"old": 1}', "utf-8")
    machine.notes["before"] = {"cpus": 2}
    put_back(stack, "before")
    assert json.loads(stack.state_file(Engine.OFFLINE).read_text("utf-8")) == {"old": 1}


@pytest.mark.parametrize("act", [keep, drop])
def test_such_a_file_goes_with_it(stack: Stack, act: Act) -> None:
    """Also when the name is used again: the new one has its own."""
    save_lab(stack, "vm")
    old = where.home_of(stack).folder / "snapshot-before.offline.json"
    old.touch()
    act(stack, "before")
    assert not old.exists()


def test_a_clock_that_can_not_be_set_is_reported(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise WhereError("ssh-silent", "no answer within 60 s")

    save_lab(stack, "vm")
    monkeypatch.setattr("maillab.where.snapshots.set_clock", fail)
    assert put_back(stack, "before") == 1.0
    assert capsys.readouterr().err == "  its clock is behind: no answer within 60 s\n"


def test_a_lab_that_belonged_to_the_other_engine_then_is_refused(stack: Stack, program: Program) -> None:
    program("pulumi", PULUMI)
    save_lab(stack, "vm", Engine.PULUMI)
    keep(stack, "before")
    stack.state_file(Engine.PULUMI).unlink()
    save_lab(stack, "vm", Engine.OFFLINE)
    with pytest.raises(MaillabError, match="at the snapshot before the lab belonged to the pulumi engine") as refusal:
        put_back(stack, "before")
    assert refusal.value.remedy[0].endswith("bin/maillab --stack lab state move --to pulumi")
    assert "restore" not in steps(stack)


@pytest.mark.parametrize("act", [keep, put_back])
def test_a_run_of_the_offline_engine_is_not_disturbed(stack: Stack, act: Act) -> None:
    save_lab(stack, "vm")
    with stack.state_file(Engine.OFFLINE).with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(MaillabError, match="another run works on stack lab"):
            act(stack, "before")
    assert steps(stack) == []


@pytest.mark.parametrize("act", [keep, put_back])
def test_a_run_of_pulumi_is_not_disturbed(stack: Stack, act: Act) -> None:
    save_lab(stack, "vm", Engine.PULUMI)
    lock = stack.root / ".pulumi-state/.pulumi/locks/organization/maillab/lab/1.json"
    lock.parent.mkdir(parents=True)
    lock.touch()
    with pytest.raises(MaillabError, match="a run of Pulumi works on stack lab"):
        act(stack, "before")
    assert steps(stack) == []


def test_a_snapshot_that_is_not_dropped_keeps_its_state(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise WhereError("snapshot-failed", "qemu: Error")

    old = where.home_of(stack).folder / "snapshot-before.offline.json"
    old.touch()
    monkeypatch.setattr("maillab.where.snapshots.drop", fail)
    with pytest.raises(WhereError, match="Error"):
        drop(stack, "before")
    assert old.exists()
