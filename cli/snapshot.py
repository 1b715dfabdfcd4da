"""Snapshots of a lab: of its virtual machine, and of what the engine knew of it then."""

from __future__ import annotations

import shutil
from pathlib import Path

from cli.engine import environment, execute
from cli.move import unused
from cli.problem import MaillabError
from cli.stack import Engine, Stack
from cli.where import home_of, say
from where import snapshots
from where.problem import WhereError


def _known(stack: Stack, name: str, engine: Engine) -> Path:
    return home_of(stack).folder / f"snapshot-{name}.{engine}.json"


def keep(stack: Stack, name: str) -> float:
    """Keep machine and state under `name`; answers the seconds it took. Raises WhereError, MaillabError."""
    with unused(stack):
        seconds = snapshots.take(home_of(stack), name)
        for engine in Engine:
            _known(stack, name, engine).unlink(missing_ok=True)
        for engine in stack.makers():
            _export(engine, stack, _known(stack, name, engine))
    return seconds


def put_back(stack: Stack, name: str) -> float:
    """Machine and state as they were at `name`: an edit made since shows in the next preview again.

    Answers the seconds it took. Raises WhereError, MaillabError.
    """
    with unused(stack):
        makers = stack.makers()
        _refuse_other_engine(stack, name, makers)
        seconds = snapshots.restore(home_of(stack), name)
        for engine in makers:
            if _known(stack, name, engine).exists():
                _import(engine, stack, _known(stack, name, engine))
    try:
        snapshots.set_clock(home_of(stack))
    except WhereError as error:
        say(f"its clock is behind: {error}")
    return seconds


def drop(stack: Stack, name: str) -> None:
    """Remove a snapshot. Raises WhereError."""
    snapshots.drop(home_of(stack), name)
    for engine in Engine:
        _known(stack, name, engine).unlink(missing_ok=True)


def _refuse_other_engine(stack: Stack, name: str, makers: list[Engine]) -> None:
    for engine in Engine:
        if _known(stack, name, engine).exists() and engine not in makers:
            raise MaillabError(
                f"at the snapshot {name} the lab belonged to the {engine} engine",
                f"hand it over first: bin/maillab --stack {stack.name} state move --to {engine}",
            )


def _export(engine: Engine, stack: Stack, path: Path) -> None:
    if engine is Engine.OFFLINE:
        shutil.copyfile(stack.state_file(engine), path)
    else:
        words = ["pulumi", "stack", "export", "--stack", stack.name, "--file", str(path)]
        execute(words, stack.root, environment())


def _import(engine: Engine, stack: Stack, path: Path) -> None:
    if engine is Engine.OFFLINE:
        target = stack.state_file(engine)
        unfinished = target.with_suffix(".restored")
        shutil.copyfile(path, unfinished)
        unfinished.replace(target)
    else:
        words = ["pulumi", "stack", "import", "--stack", stack.name, "--file", str(path)]
        execute(words, stack.root, environment())
