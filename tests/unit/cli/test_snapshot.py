"""Snapshots of a lab: what the engine knew goes with the machine."""

import fcntl
from collections.abc import Callable
from pathlib import Path

import pytest

from cli import where
from cli.problem import MaillabError
from cli.snapshot import drop, keep, put_back
from cli.stack import Engine, Stack
from tests.unit.cli.conftest import save_lab
from tests.unit.conftest import Program
from where.problem import WhereError

Act = Callable[[Stack, str], float]
# pulumi with `--file PATH`; the steps of the machine's part are in the same file.
PULUMI = 'echo "$1 $2 $6" >>steps; touch "$6"'


@pytest.fixture(autouse=True)
def folder(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The machine's folder; the machine's part works."""
    home = where.home_of(stack)
    home.folder.mkdir(parents=True)
    for name in ("take", "restore", "drop", "set_clock"):
        monkeypatch.setattr(f"where.snapshots.{name}", lambda *_, name=name: step(stack, name))
    return home.folder


def step(stack: Stack, name: str) -> float:
    """Remember it; answers the seconds it took."""
    with (stack.root / "steps").open("a", encoding="utf-8") as file:
        file.write(f"{name}\n")
    return 1.0


def steps(stack: Stack) -> list[str]:
    path = stack.root / "steps"
    return path.read_text("utf-8").splitlines() if path.exists() else []


def test_a_snapshot_knows_what_the_engine_knew(stack: Stack) -> None:
    save_lab(stack, "vm")
    state = stack.state_file(Engine.OFFLINE)
    before = state.read_text("utf-8")
    keep(stack, "before")
    state.write_text(before.replace("vm", "edited"), "utf-8")
    put_back(stack, "before")
    assert state.read_text("utf-8") == before


def test_pulumis_state_is_put_back_before_the_clock(stack: Stack, folder: Path, program: Program) -> None:
    """Without its clock a lab is usable, without its state it is an orphan."""
    save_lab(stack, "vm", Engine.PULUMI)
    program("pulumi", PULUMI)
    keep(stack, "before")
    put_back(stack, "before")
    path = folder / "snapshot-before.pulumi.json"
    assert steps(stack) == ["take", f"stack export {path}", "restore", f"stack import {path}", "set_clock"]


def test_a_state_of_an_older_snapshot_of_that_name_is_not_put_back(stack: Stack) -> None:
    save_lab(stack, "vm")
    keep(stack, "before")
    stack.state_file(Engine.OFFLINE).unlink()
    keep(stack, "before")
    save_lab(stack, "vm", Engine.OFFLINE, "new")
    now = stack.state_file(Engine.OFFLINE).read_text("utf-8")
    put_back(stack, "before")
    assert stack.state_file(Engine.OFFLINE).read_text("utf-8") == now


def test_a_clock_that_can_not_be_set_is_said(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise WhereError("ssh-silent", "no answer within 60 s")

    save_lab(stack, "vm")
    monkeypatch.setattr("where.snapshots.set_clock", fail)
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


def test_what_the_engine_knew_goes_with_a_snapshot_that_is_dropped(stack: Stack, folder: Path) -> None:
    save_lab(stack, "vm")
    keep(stack, "before")
    drop(stack, "before")
    assert steps(stack) == ["take", "drop"]
    assert list(folder.glob("snapshot-*")) == []


def test_a_snapshot_that_is_not_dropped_keeps_what_the_engine_knew(
    stack: Stack, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise WhereError("snapshot-failed", "qemu: Error")

    save_lab(stack, "vm")
    keep(stack, "before")
    monkeypatch.setattr("where.snapshots.drop", fail)
    with pytest.raises(WhereError, match="Error"):
        drop(stack, "before")
    assert (folder / "snapshot-before.offline.json").exists()
