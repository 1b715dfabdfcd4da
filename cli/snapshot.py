"""Snapshots of a lab: of its virtual machine, and of what the engine knew of it then."""

from __future__ import annotations

import shutil
from pathlib import Path

from cli.engine import environment, execute
from cli.stack import Engine, Stack
from cli.where import home_of
from where.snapshots import restore, take


def _known(stack: Stack, name: str, engine: Engine) -> Path:
    return home_of(stack).folder / f"snapshot-{name}.{engine}.json"


def keep(stack: Stack, name: str) -> float:
    """Keep machine and state under `name`; answers the seconds it took. Raises WhereError, MaillabError."""
    seconds = take(home_of(stack), name)
    for engine in Engine:
        _known(stack, name, engine).unlink(missing_ok=True)
    for engine in stack.makers():
        _export(engine, stack, _known(stack, name, engine))
    return seconds


def put_back(stack: Stack, name: str) -> float:
    """Machine and state as they were at `name`: an edit made since shows in the next preview again.

    Answers the seconds it took. Raises WhereError, MaillabError.
    """
    seconds = restore(home_of(stack), name)
    for engine in stack.makers():
        kept = _known(stack, name, engine)
        if kept.exists():
            _import(engine, stack, kept)
    return seconds


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
