"""What `maillab exercise` shows: tasks, checks, and what can't be done."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.text import Text as Styled

from maillab.cli.problem import MaillabError, failed, suggesting
from maillab.cli.stack import Stack
from maillab.cli.text import printable, text
from maillab.cli.wrapped import padded, wrapped
from maillab.exercises.finding import Finding, State
from maillab.exercises.library import FOLDER, ExerciseError, Variant, names, variant
from maillab.exercises.progress import Progress
from maillab.exercises.scene import SceneError
from maillab.exercises.session import Result, Session, SessionError
from maillab.exercises.steps import StepError
from maillab.trace.machines import MachineError

if TYPE_CHECKING:
    from maillab.exercises.exercise import Exercise

LATIN = 0x2E80  # what comes from here on is Chinese
BELOW = 6  # columns that what was expected, and what was seen, are further to the right
NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?\Z")
MARKS = {
    State.MET: ("mark-met", "green"),
    State.MISSED: ("mark-missed", "red"),
    State.UNKNOWN: ("mark-unknown", "yellow"),
}


@contextmanager
def problems_shown(session: Session) -> Iterator[None]:
    """Say as a MaillabError what an exercise can't do."""
    try:
        yield
    except SessionError as error:
        raise _session_error(session, error) from error
    except ExerciseError as error:
        raise MaillabError(str(error)) from error
    except (StepError, SceneError) as error:
        raise failed("exercise-not-for-lab", words=printable(str(error))) from error
    except MachineError as error:
        raise failed("exercise-machine", words=printable(str(error))) from error


def _session_error(session: Session, error: SessionError) -> MaillabError:
    # Which values the sentences have is said where the error is raised.
    values: dict[str, Any] = dict(error.values)
    said = partial(failed, f"exercise-{error.key}")(stack=session.book.stack, **values)
    if error.key == "no-such":
        suggesting(said, str(error.values["name"]), names(session.book.root))
    return said


def paragraph(words: str) -> None:
    """Words of an exercise, at the terminal's width: lines belong together up to an empty one.

    Lines that begin with two blanks are commands, and stay whole.
    """
    console = Console(highlight=False, emoji=False)
    for line in _joined(words.strip("\n")):
        if line.startswith("  "):
            console.print(Styled(line), soft_wrap=True)
        else:
            _print(line, console)


def _print(words: str, console: Console, indent: int = 0, style: str = "") -> None:
    """Broken between Chinese characters too, which rich does not do; as lines for people and for copying."""
    for line in wrapped(words, console.width, indent, hanging=0):
        console.print(Styled(line, style=style), soft_wrap=True)


def _joined(words: str) -> list[str]:
    found = [""]
    for line in words.splitlines():
        if not line.strip() or line.startswith("  ") or found[-1].startswith("  ") or not found[-1]:
            found.append(line.rstrip())
        else:
            # Chinese has no blanks between words.
            between = "" if ord(found[-1][-1]) > LATIN or ord(line[0]) > LATIN else " "
            found[-1] += between + line.strip()
    return found[1:]


def show_list(stack: Stack, *, as_json: bool) -> None:
    """Name, level, minutes and title of each, by level; first those for the lab of this stack."""
    found: list[Variant] = []
    for name in names(stack.root):
        try:
            found.append(variant(stack.root, name))
        except ExerciseError as error:
            typer.echo(str(error), err=True)
    found.sort(key=by_level)
    if as_json:
        rows = [{"name": one.name, "stack": one.exercise.stack, "level": one.exercise.level,
                 "minutes": one.exercise.minutes, "section": one.exercise.section,
                 "title": str(one.exercise.title)} for one in found]  # fmt: skip
        typer.echo(json.dumps(rows, indent=1, ensure_ascii=False))
        return
    stacks = dict.fromkeys(one.exercise.stack for one in found)
    for wanted in sorted(stacks, key=lambda name: (name != stack.name, name)):
        _show_group(wanted, [one for one in found if one.exercise.stack == wanted])


def by_level(one: Variant) -> tuple[int, int, str]:
    """The order in which exercises are listed: the easy ones first."""
    return one.exercise.level, one.exercise.minutes, one.name


def _show_group(stack: str, found: Sequence[Variant]) -> None:
    """The exercises for the lab of one stack file."""
    width = max(len(one.name) for one in found)
    console = Console(highlight=False, emoji=False)
    console.print(text("exercise-list-head", name=padded([text("exercise-name")], [width])[0]), style="bold")
    for one in found:
        level = "*" * one.exercise.level
        console.print(
            Styled(f"{one.name:{width}}  {level:3}  {one.exercise.minutes:3}  {one.exercise.title}"), overflow="fold"
        )
    typer.echo(f"\n{text('exercise-start-one', wanted=stack)}\n")


def show_task(wanted: Variant) -> None:
    """Title, story and task."""
    found: Exercise = wanted.exercise
    console = Console(highlight=False, emoji=False)
    head = text(
        "exercise-head", title=found.title, level="*" * found.level, minutes=found.minutes, section=found.section
    )
    _print(head, console, style="bold")
    console.print()
    paragraph(str(found.story))
    console.print()
    paragraph(str(found.task))
    console.print()
    console.print(Styled(text("exercise-what-next")), soft_wrap=True)  # a command can be copied


def show_progress(progress: Progress) -> None:
    """How far it is."""
    if progress.solved:
        typer.echo(text("exercise-solved-after", minutes=round(progress.minutes)))
    typer.echo(text("exercise-so-far", checks=len(progress.checks), hints=len(progress.shown)))


def show_result(session: Session, result: Result, *, as_json: bool) -> None:
    """The goals, what else is broken, and the verdict."""
    if as_json:
        typer.echo(json.dumps(result_json(result), indent=1, ensure_ascii=False))
        return
    console = Console(highlight=False, emoji=False)
    for one in result.goals:
        _show(one, console, session)
    if result.undone:
        console.print(Styled(text("exercise-undone", by=result.undone_by)))
        for one in result.undone:
            _show(one, console, session)
    good = sum(one.state is State.MET for one in result.others)
    console.print(Styled(text("exercise-others", good=good, all=len(result.others))))
    for one in result.others:
        if one.state is not State.MET:
            _show(one, console, session)
    if result.proof is not None and not result.solved:
        _show_proof(result, console)
    console.print()
    console.print(Styled(_verdict(result), style="bold green" if result.solved else "bold"))
    if result.solved:
        progress = session.current
        console.print()
        paragraph(str(session.variant(progress).exercise.debrief))


def _verdict(result: Result) -> str:
    if result.solved:
        return text("exercise-solved")
    if result.unknown and not result.missed and not result.broken:
        return text("exercise-unknown")
    if result.missed:
        return text("exercise-missed", number=len(result.missed))
    return text("exercise-broken")


def _show(finding: Finding, console: Console, session: Session) -> None:
    key, colour = MARKS[finding.state]
    line = Styled()
    line.append(f"{text(key)}  ", style=colour)
    line.append(finding.says)
    console.print(line)
    if finding.state is State.MET:
        return
    if finding.state is State.UNKNOWN:
        _print(text("exercise-why", words=finding.seen), console, BELOW)
        return
    _print(text("exercise-expected", words=finding.expected), console, BELOW)
    _print(text("exercise-seen", words=finding.seen), console, BELOW)
    if finding.message_id:
        call = f"bin/maillab --stack {session.book.stack} trace '<{finding.message_id}>'"
        console.print(Styled(f"{'':{BELOW}}{call}"), soft_wrap=True)


def _show_proof(result: Result, console: Console) -> None:
    """What the prover saw otherwise, in short."""
    from maillab.cli.proof import differences  # noqa: PLC0415
    from maillab.cli.wrapped import print_lines  # noqa: PLC0415

    assert result.proof is not None
    console.print(Styled(text("exercise-proof")))
    print_lines(differences(result.proof, everything=False), console)
    for words in result.proof.failures:
        console.print(Styled(printable(words)))


def result_json(result: Result) -> dict[str, object]:
    """A check for programs."""
    return {
        "solved": result.solved,
        "seconds": round(result.seconds, 1),
        "goals": [_finding_json(one) for one in result.goals],
        "undone": [_finding_json(one) for one in result.undone],
        "others": [_finding_json(one) for one in result.others],
        "proof": None if result.proof is None else {"holds": result.proof.holds, "wrong": result.proof.wrong},
    }


def _finding_json(one: Finding) -> dict[str, object]:
    return {"name": one.name, "says": one.says, "state": str(one.state), "expected": one.expected, "seen": one.seen,
            "message_id": one.message_id}  # fmt: skip


def make_new(root: Path, name: str, source: str) -> Path:
    """A copy of an exercise's file under a new name. Raises MaillabError."""
    if not NAME.match(name):
        raise failed("exercise-bad-name", name=printable(name))
    known: Sequence[str] = names(root)
    if source not in known:
        raise suggesting(failed("exercise-no-such", name=source, names=", ".join(known)), source, known)
    path = root / FOLDER / f"{name}.yaml"
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write((root / FOLDER / f"{source}.yaml").read_text("utf-8"))
    except FileExistsError as error:
        raise failed("exercise-is-there", path=path.relative_to(root)) from error
    return path.relative_to(root)
