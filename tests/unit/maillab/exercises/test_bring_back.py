"""The end of an exercise: the lab as it was before, also when that takes two tries."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from components.plan import Plan
from maillab.cli import lab_of_exercise
from maillab.cli.lab_of_exercise import StackLab
from maillab.cli.problem import MaillabError
from maillab.cli.stack import Stack
from maillab.exercises.progress import Book, Progress
from maillab.exercises.session import Session
from tests.unit.labs import model
from tests.unit.maillab.verify.fakes import FakeMachines


class Stubborn:
    """A lab that can't be brought to its stack file."""

    machines = FakeMachines()

    def plan_of(self, _: str) -> Plan:
        """The tutorial's, whatever the file says."""
        return model().plan

    def bring_back(self) -> None:
        """It fails."""
        raise MaillabError("no")


def test_reset_that_fails_can_be_tried_again(tmp_path: Path) -> None:
    """The stack file tells the next one that the lab is not what it was."""
    book = Book(root=tmp_path, stack="mine")
    book.write("stack-file", "right")
    book.stack_file.write_text("wrong", "utf-8")
    book.save(Progress(name="x", stack="mine", student="", started="2026-11-30T08:00:00+00:00"))
    with pytest.raises(MaillabError):
        Session(lab=cast("Any", Stubborn()), book=book).reset()
    assert book.stack_file.read_text("utf-8") == "wrong"
    assert book.current() is not None


def test_machine_that_refuses_its_files_is_reset_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule of the student's keeps a server from answering its own probe."""
    done: list[str] = []

    def up(_: StackLab) -> None:
        done.append("up")
        if done == ["up"]:
            raise MaillabError("port 25 does not answer")

    def reset(_: StackLab, names: Sequence[str]) -> None:
        done.append(f"reset {' '.join(names)}")

    monkeypatch.setattr(StackLab, "up", up)
    monkeypatch.setattr(StackLab, "reset", reset)
    monkeypatch.setattr(StackLab, "edited", lambda *_: ["mail"])
    monkeypatch.setattr(lab_of_exercise, "of_stack", lambda _: [])
    StackLab(stack=Stack(name="mine", root=tmp_path)).bring_back()
    assert done == ["up", "reset mail", "up"]
