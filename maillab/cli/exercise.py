"""The commands of `maillab exercise`. What they need is imported when they run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from maillab.cli.choice import chosen
from maillab.cli.text import text

if TYPE_CHECKING:
    from maillab.cli.stack import Stack
    from maillab.exercises.session import Session

exercise = typer.Typer(
    help="Exercises: a fault to find and to repair, and a check that says whether it is.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


def names_of(context: typer.Context) -> list[str]:  # noqa: ARG001 (typer gives it)
    """The exercises that there are, for completion."""
    from maillab.cli.stack import ROOT  # noqa: PLC0415
    from maillab.exercises.library import names  # noqa: PLC0415

    return names(ROOT)


def _session(context: typer.Context) -> Session:
    """The exercises of the stack, whose engine is within reach."""
    from maillab.cli.lab_of_exercise import session_of  # noqa: PLC0415

    choice = chosen(context)
    choice.refuse_copy()
    choice.reach_engine()
    return session_of(choice.stack)


def refuse_in_exercise(stack: Stack, command: str) -> None:
    """Raise MaillabError when an exercise runs that the command would give away."""
    from maillab.cli.problem import failed  # noqa: PLC0415
    from maillab.cli.status import running_exercise  # noqa: PLC0415

    if name := running_exercise(stack):
        raise failed("exercise-runs", stack=stack.name, name=name, command=command)


def give_up(stack: Stack, why: str) -> None:
    """What is done now would solve any exercise: say so, when one runs, and note it."""
    from maillab.exercises.progress import Book  # noqa: PLC0415

    book = Book(root=stack.root, stack=stack.name)
    if (progress := book.current()) is not None and not progress.solved:
        typer.echo(text("exercise-given-up", name=progress.name))
        progress.give_up(why)
        book.save(progress)


def end_with_lab(stack: Stack) -> None:
    """With its lab an exercise ends."""
    from maillab.exercises.progress import Book  # noqa: PLC0415

    book = Book(root=stack.root, stack=stack.name)
    if (progress := book.current()) is not None:
        book.end(progress, "down")


Name = Annotated[str, typer.Argument(help="The exercise's name, as `exercise list` shows it.", autocompletion=names_of)]


@exercise.command("list")
def list_exercises(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for programs.")] = False,
) -> None:
    """The exercises that there are, the easy ones first."""
    from maillab.cli.exercise_text import show_list  # noqa: PLC0415

    show_list(context.find_root().obj.stack, as_json=as_json)


@exercise.command()
def start(
    context: typer.Context,
    name: Name,
    student: Annotated[
        str, typer.Option("--student", help="A student's id: each gets a variant, the same for the same id.")
    ] = "",
) -> None:
    """Put the exercise's fault into the lab, and show the task."""
    from maillab.cli.exercise_text import problems_shown, show_task  # noqa: PLC0415

    session = _session(context)
    with problems_shown(session):
        wanted = session.find(name, student)
        session.start(wanted)
    show_task(wanted)


@exercise.command()
def status(context: typer.Context) -> None:
    """Which exercise runs, its task, and how far it is."""
    from maillab.cli.exercise_text import problems_shown, show_progress, show_task  # noqa: PLC0415
    from maillab.cli.lab_of_exercise import session_of  # noqa: PLC0415

    session = session_of(chosen(context).stack)
    with problems_shown(session):
        progress = session.current
        show_task(session.variant(progress))
    show_progress(progress)


@exercise.command()
def check(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for programs.")] = False,
) -> None:
    """Look whether the fault is repaired and everything else still works. Exit status: 0 when it is, else 1."""
    from maillab.cli.exercise_text import problems_shown, show_result  # noqa: PLC0415

    session = _session(context)
    with problems_shown(session):
        result = session.check()
        show_result(session, result, as_json=as_json)
    if not result.solved:
        raise typer.Exit(1)


@exercise.command()
def hint(context: typer.Context) -> None:
    """Show the next hint."""
    from maillab.cli.exercise_text import paragraph, problems_shown  # noqa: PLC0415
    from maillab.cli.lab_of_exercise import session_of  # noqa: PLC0415

    session = session_of(chosen(context).stack)
    with problems_shown(session):
        words, number, of = session.hint()
    if words is None:
        typer.echo(text("no-more-hints", number=of))
        return
    typer.echo(text("hint", number=number, of=of))
    paragraph(str(words))


@exercise.command()
def solution(context: typer.Context) -> None:
    """Show the solution, after three checks or all hints; from then on the exercise counts as given up."""
    from maillab.cli.exercise_text import paragraph, problems_shown  # noqa: PLC0415
    from maillab.cli.lab_of_exercise import session_of  # noqa: PLC0415

    session = session_of(chosen(context).stack)
    with problems_shown(session):
        found = session.solution()
    paragraph(str(found.solution))
    paragraph(str(found.debrief))


@exercise.command()
def reset(context: typer.Context) -> None:
    """End the exercise and have the lab be as before it: machines, mail and stack file."""
    from maillab.cli.exercise_text import problems_shown  # noqa: PLC0415

    session = _session(context)
    with problems_shown(session):
        progress = session.reset()
    typer.echo(text("exercise-was-reset", name=progress.name))


@exercise.command()
def stop(context: typer.Context) -> None:
    """End the exercise, and leave the machines as they are."""
    from maillab.cli.exercise_text import problems_shown  # noqa: PLC0415
    from maillab.cli.lab_of_exercise import session_of  # noqa: PLC0415

    session = session_of(chosen(context).stack)
    with problems_shown(session):
        progress = session.stop()
    typer.echo(text("exercise-stopped" if progress.solved else "exercise-stopped-unsolved", name=progress.name))


@exercise.command()
def report(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for programs.")] = False,
    csv: Annotated[bool, typer.Option("--csv", help="As CSV, as Moodle imports grades.")] = False,
) -> None:
    """What was done in the labs of this folder: checks, hints, minutes and points of each exercise."""
    from maillab.cli.exercise_report import show_report  # noqa: PLC0415

    show_report(context.find_root().obj.stack.root, as_json=as_json, as_csv=csv)


@exercise.command()
def new(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The new exercise: small letters, digits and -.")],
    source: Annotated[
        str, typer.Option("--from", help="The exercise whose file is copied.", autocompletion=names_of)
    ] = "new-colleague",
) -> None:
    """Make a file for an exercise of your own, as a copy to change."""
    from maillab.cli.exercise_text import make_new  # noqa: PLC0415

    path = make_new(context.find_root().obj.stack.root, name, source)
    typer.echo(text("exercise-made", path=path, name=name))
