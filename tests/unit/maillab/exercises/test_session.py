"""A reset has the stack file as it was, whatever was written there meanwhile."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from components.plan import Plan
from maillab.cli.configuration import stack_plan
from maillab.cli.stack import ROOT, Stack
from maillab.exercises.exercise import Drill, Effect, Mail, Step, Text
from maillab.exercises.finding import Finding, State
from maillab.exercises.library import variant
from maillab.exercises.progress import Book, Progress
from maillab.exercises.session import BEFORE, Result, Session, SessionError
from tests.unit.labs import machine, model
from tests.unit.maillab.verify.fakes import FakeMachines


@dataclass(kw_only=True)
class FakeLab:
    """A lab that notes what is done to it; `broken`: it can't be brought to its stack file."""

    done: list[str] = field(default_factory=list)
    machines: FakeMachines = field(default_factory=FakeMachines)
    broken: bool = False

    def plan_of(self, _: str) -> Plan:
        return model().plan

    def up(self) -> None:
        self.done.append("up")

    def bring_back(self) -> None:
        if self.broken:
            raise SessionError("none-runs")
        self.done.append("back")

    def reset(self, names: Sequence[str]) -> None:
        self.done.append(f"reset {' '.join(names)}")

    def edited(self, _: Sequence[str]) -> list[str]:
        return []


@pytest.fixture
def lab() -> FakeLab:
    return FakeLab()


@pytest.fixture
def session(lab: FakeLab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    """Of an exercise in whose stack file a student has written something; Docker is not asked."""
    monkeypatch.setattr(Session, "_reset_touched", lambda *_: None)
    monkeypatch.setattr("maillab.exercises.session.fresh_answers", lambda _: {})
    book = Book(root=tmp_path, stack="mine")
    book.write(BEFORE, "right\n")
    book.stack_file.write_text("wrong\n", "utf-8")
    book.save(Progress(name="two-answers", stack="mine", student="", started="2026-01-01T00:00:00Z"))
    return Session(lab=lab, book=book)


def test_stack_file_is_as_it_was_and_so_is_the_lab(session: Session, lab: FakeLab) -> None:
    session.reset()
    assert session.book.stack_file.read_text("utf-8") == "right\n"
    assert lab.done == ["back"]
    assert session.book.current() is None


def test_file_that_nobody_changed_needs_no_update(session: Session, lab: FakeLab) -> None:
    session.book.stack_file.write_text("right\n", "utf-8")
    session.reset()
    assert lab.done == []


def test_reset_that_fails_can_be_tried_again(session: Session, lab: FakeLab) -> None:
    """The stack file tells the next one that the lab is not what it was."""
    lab.broken = True
    with pytest.raises(SessionError):
        session.reset()
    assert session.book.stack_file.read_text("utf-8") == "wrong\n"
    lab.broken = False
    session.reset()
    assert (session.book.stack_file.read_text("utf-8"), lab.done) == ("right\n", ["back"])


def test_start_that_failed_and_can_not_be_undone_is_undone_by_a_reset(session: Session, lab: FakeLab) -> None:
    lab.broken = True
    with pytest.raises(SessionError):
        session.put_back(session.current)
    lab.broken = False
    session.reset()
    assert (session.book.stack_file.read_text("utf-8"), lab.done) == ("right\n", ["back"])


def test_exercise_for_another_school_is_refused(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing has been done then: not even the file is kept."""
    session.book.end(session.current, "stopped")
    root = session.book.root
    for name in ("exercises", "Pulumi.standalone.yaml"):
        (root / name).symlink_to(ROOT / name)
    ours, theirs = model().plan, stack_plan(Stack(name="standalone", root=ROOT))
    monkeypatch.setattr(FakeLab, "plan_of", lambda _, text: ours if text == "right\n" else theirs)
    session.book.stack_file.write_text("right\n", "utf-8")
    wanted = session.find("two-answers", "")
    other = replace(wanted, exercise=replace(wanted.exercise, stack="standalone"))
    with pytest.raises(SessionError) as raised:
        session.start(other)
    assert (raised.value.key, raised.value.values["domain"]) == ("other-lab", "yaes.example")


STOP, START = "service clamav-daemon stop", "service clamav-daemon start"
EFFECT = Effect(says=Text(en="x", zh="x"), waits=Mail(sender="parent@example.com", to="chen@yaes.example", at="mail"))
DRILL = Drill(steps=(Step(machine="mail", run=STOP),), goals={"waits": EFFECT}, end=(Step(machine="mail", run=START),))


@pytest.mark.parametrize("state", State)
def test_goals_of_a_drill_are_looked_at_in_the_middle_of_it(
    session: Session, monkeypatch: pytest.MonkeyPatch, state: State
) -> None:
    """And what it has stopped runs again, whatever was seen."""
    done: list[str] = []
    monkeypatch.setattr("maillab.exercises.session.steps.do", lambda _, step: done.append(step.run))

    def look(*_: object) -> list[Finding]:
        done.append("look")
        return [Finding(name="waits", says="x", state=state)]

    monkeypatch.setattr(Session, "_look", look)
    exercise = replace(variant(ROOT, "two-answers").exercise, drill=DRILL)
    scene: Any = None
    result = session._drill(scene, session.current, exercise, Result(goals=[], others=[]))
    assert done == [STOP, "look", START]
    assert [one.state for one in result.undone] == [one for one in [state] if one is not State.MET]
    assert result.undone_by == f"mail: {STOP}"


def test_exercise_for_other_programs_is_refused(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same school, whose mail server has lost its filter."""
    session.book.end(session.current, "stopped")
    root = session.book.root
    for name in ("exercises", "Pulumi.standalone.yaml"):
        (root / name).symlink_to(ROOT / name)
    ours = model(lambda data: machine(data, "mail")["mail"].pop("filter"), "standalone").plan
    theirs = model(stack="standalone").plan
    monkeypatch.setattr(FakeLab, "plan_of", lambda _, text: ours if text == "right\n" else theirs)
    session.book.stack_file.write_text("right\n", "utf-8")
    with pytest.raises(SessionError) as raised:
        session.start(session.find("stars-gone", ""))
    assert raised.value.key == "other-programs"
    assert (raised.value.values["machine"], raised.value.values["lacks"]) == ("mail", "amavis, clamav")
