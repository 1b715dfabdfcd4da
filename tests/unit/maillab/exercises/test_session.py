"""A reset has the stack file as it was, whatever was asked for in it meanwhile."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from components.plan import Plan
from maillab.exercises.progress import Book, Progress
from maillab.exercises.session import BEFORE, FORGET_SERIALS, Session
from tests.unit.labs import model
from tests.unit.maillab.verify.fakes import Asked, FakeMachines


@dataclass(kw_only=True)
class FakeLab:
    """A lab that notes what is done to it, in its order."""

    done: list[str] = field(default_factory=list)

    @property
    def machines(self) -> FakeMachines:
        def answer(asked: Asked) -> str:
            self.done += [f"{asked.machine} forgets"] if asked.command == FORGET_SERIALS else []
            return ""

        return FakeMachines(answer=answer)

    def plan_of(self, _: str) -> Plan:
        return model().plan

    def up(self) -> None:
        self.done.append("up")

    bring_back = up

    def reset(self, names: Sequence[str]) -> None:
        self.done.append(f"reset {' '.join(names)}")

    def edited(self, _: Sequence[str]) -> list[str]:
        return []


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    """Of an exercise in whose stack file a student has written something; Docker is not asked."""
    monkeypatch.setattr(Session, "_reset_touched", lambda *_: None)
    monkeypatch.setattr(Session, "_put_back_mail", lambda *_: None)
    monkeypatch.setattr("maillab.exercises.session.fresh_answers", lambda _: {})
    book = Book(root=tmp_path, stack="mine")
    book.write(BEFORE, "serial: 1\n")
    book.stack_file.write_text("serial: 5\n", "utf-8")
    book.save(Progress(name="two-answers", stack="mine", student="", started="2026-01-01T00:00:00Z"))
    return Session(lab=FakeLab(), book=book)


def test_raised_serial_is_no_measure_for_the_file_as_it_was(session: Session) -> None:
    session.reset()
    assert session.book.stack_file.read_text("utf-8") == "serial: 1\n"
    assert isinstance(session.lab, FakeLab)
    forgetting, last = session.lab.done[:-1], session.lab.done[-1]
    assert {"dns forgets", "internet forgets"} <= set(forgetting)
    assert last == "up"


def test_file_that_nobody_changed_needs_no_update(session: Session) -> None:
    session.book.stack_file.write_text("serial: 1\n", "utf-8")
    session.reset()
    assert isinstance(session.lab, FakeLab)
    assert session.lab.done == []
