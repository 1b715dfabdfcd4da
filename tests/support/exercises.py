"""The contract of an exercise, tried on a running lab."""

from dataclasses import dataclass

from driver.lab import Lab
from maillab.cli.stack import ROOT
from maillab.exercises import steps
from maillab.exercises.exercise import STACK, Step
from maillab.exercises.library import names, variant
from maillab.exercises.session import Result, Session
from maillab.verify.logins import LoginResult
from maillab.verify.relays import Answer
from maillab.verify.run import CellResult, MessageResult
from tests.support.damage import facts
from tests.support.long import WANTED

# Tests of one file go to one worker: so many files share the exercises for one stack.
FILES = {STACK: 2, "standalone": 1}
# `make test` makes the proof of the whole policy for so many exercises only: one of each PROVEN, in each file.
PROVEN = 3
LESSON = 45  # minutes: an exercise that takes so long is left to `make test-exercises`


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A repair or a cheat of an exercise; `whole`, `proven`: with what costs time, which one of them has to."""

    name: str
    which: str
    is_repair: bool = False
    whole: bool = False
    proven: bool = False

    def __str__(self) -> str:
        return f"{self.name}-{self.which}"


def cases(stack: str, file: int = 0) -> list[Case]:
    """A case for each repair and each cheat of each exercise that is this file's; or for its first repair alone.

    `stack`: the lab that they are for.

    `make test-exercises` and `make test-all` try them all, `make test` what it has time for.
    """
    found: list[Case] = []
    ours = {name: one for name in names(ROOT) if (one := variant(ROOT, name).exercise).stack == stack}
    for number, (name, exercise) in enumerate(list(ours.items())[file :: FILES[stack]]):
        if exercise.minutes >= LESSON and not WANTED:
            continue
        repairs = list(exercise.repairs)[: None if WANTED else 1]
        cheats = list(exercise.cheats) if WANTED else []
        proven = WANTED or number % PROVEN == 0
        found += [
            Case(
                name=name, which=which, is_repair=True, whole=which == repairs[0], proven=proven and which == repairs[0]
            )
            for which in repairs
        ]
        found += [Case(name=name, which=which) for which in cheats]
    return found


def do(exercises: Session, done: tuple[Step, ...]) -> None:
    """What a student does: commands on machines, edits of the stack file and then `up`."""
    file = exercises.book.stack_file
    text = file.read_text("utf-8")
    if (edited := steps.edited(text, done, file.name)) != text:
        file.write_text(edited, "utf-8")
        exercises.lab.up()
    for step in done:
        if step.machine is not None:
            steps.do(exercises.lab.machines, step)


def keeps_its_contract(exercises: Session, lab: Lab, case: Case) -> None:
    """As started the check fails; a repair passes, a cheat fails and is named; afterwards all is as before.

    The case that is `whole`: with the facts of its machines before and after; `proven`: with the proof of the whole
    policy.
    """
    whole, which = case.whole, case.which
    wanted = exercises.find(case.name, which)
    exercise = wanted.exercise
    concerned = steps.machines_of((*exercise.fault, *(step for repair in exercise.repairs.values() for step in repair)))
    before = facts(lab, concerned) if whole else {}
    exercises.start(wanted)
    if whole:
        untouched = exercises.check()
        assert untouched.missed, "as started, every goal is met"
        assert not untouched.unknown
    done = exercise.repairs[which] if case.is_repair else exercise.cheats[which].steps
    do(exercises, done)
    result = exercises.check(final=case.proven)
    if case.is_repair:
        assert not (seen := words(result)), seen
        assert result.solved or not case.proven
    else:
        assert {one.name for one in (*result.missed, *result.broken)} & set(exercise.cheats[which].unmasked), words(
            result
        )
        assert not result.solved
    exercises.reset()
    lab.find_machines()
    if whole:
        assert not (left := differing(before, facts(lab, concerned))), left


def words(result: Result) -> str:
    """What a check found, for a failed test."""
    lines = [f"{one.state} {one.name}: expected {one.expected}; seen {one.seen}" for one in
             (*result.goals, *result.undone, *result.others) if one.state != "met"]  # fmt: skip
    if (proof := result.proof) is not None and not proof.holds:
        tried: list[CellResult | Answer | LoginResult | MessageResult]
        tried = [*proof.messages, *proof.cells, *proof.answers, *proof.logins]
        lines += [*(str(one) for one in tried if not one.agrees), *proof.failures]
    return "\n".join(lines)


def differing(
    before: dict[str, dict[str, list[str]]], after: dict[str, dict[str, list[str]]]
) -> dict[str, dict[str, list[str]]]:
    """By machine and section, the facts that are only before or only after."""
    found = {
        machine: {
            section: sorted(set(lines) ^ set(after[machine].get(section, []))) for section, lines in sections.items()
        }
        for machine, sections in before.items()
    }
    found = {name: {section: lines for section, lines in one.items() if lines} for name, one in found.items()}
    return {name: one for name, one in found.items() if one}
