"""How a lab comes back to its stack file, whatever was done on its machines."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from maillab.cli import lab_of_exercise
from maillab.cli.lab_of_exercise import FORGET_SERIALS, StackLab
from maillab.cli.machines import MachineRow
from maillab.cli.problem import MaillabError
from maillab.cli.stack import Stack
from tests.unit.maillab.verify.fakes import Asked, FakeMachines

NAMES = ("dns", "mail")


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is done to the lab; the first `up` of it fails."""
    found: list[str] = []

    def up(_: StackLab) -> None:
        found.append("up")
        if found.count("up") == 1:
            raise MaillabError("port 25 does not answer")

    def reset(_: StackLab, names: Sequence[str]) -> None:
        found.append(f"reset {' '.join(names)}")

    def forget(asked: Asked) -> str:
        found.extend(["forget"] if asked.command == FORGET_SERIALS and asked.machine == "dns" else [])
        return ""

    rows = [MachineRow(name=name, container=f"x-{name}", ipv4="", ipv6="", state="running", role="") for name in NAMES]
    monkeypatch.setattr(StackLab, "up", up)
    monkeypatch.setattr(StackLab, "reset", reset)
    monkeypatch.setattr(StackLab, "machines", FakeMachines(answer=forget))
    monkeypatch.setattr(lab_of_exercise, "of_stack", lambda _: rows)
    return found


@pytest.fixture
def lab(tmp_path: Path) -> StackLab:
    return StackLab(stack=Stack(name="mine", root=tmp_path))


def test_machine_that_refuses_its_files_is_reset_first(
    lab: StackLab, done: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rule of the student's keeps a server from answering its own probe."""
    monkeypatch.setattr(StackLab, "edited", lambda *_: ["mail"])
    lab.bring_back()
    assert done == ["forget", "up", "reset mail", "forget", "up"]


def test_failure_that_is_no_machines_fault_resets_none(
    lab: StackLab, done: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(StackLab, "edited", lambda *_: [])
    with pytest.raises(MaillabError, match="port 25"):
        lab.bring_back()
    assert done == ["forget", "up"]


def test_lab_that_is_gone_is_made(lab: StackLab, done: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def none(_: Stack) -> list[MachineRow]:
        raise MaillabError("there is no lab")

    monkeypatch.setattr(lab_of_exercise, "of_stack", none)
    with pytest.raises(MaillabError, match="port 25"):
        lab.bring_back()
    assert done == ["up"]
