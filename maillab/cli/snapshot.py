"""Snapshots of a lab: of its virtual machine, and of what the engine knew of it then."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import cast

from maillab.cli.engine import environment, execute
from maillab.cli.move import unused, written
from maillab.cli.problem import failed
from maillab.cli.stack import Engine, Stack
from maillab.cli.text import text
from maillab.cli.where import home_of, say
from maillab.offline.files import Prepared
from maillab.where import snapshots
from maillab.where.problem import WhereError


def keep(stack: Stack, name: str) -> float:
    """Keep machine and state under `name`; answers the seconds it took. Raises WhereError, MaillabError."""
    with unused(stack):
        # It goes with the machine's note, which is on the disk before the machine is asked for anything.
        known = {str(engine): _export(engine, stack) for engine in stack.makers()}
        seconds = snapshots.take(home_of(stack), name, known)
        _forget_files(stack, name)
    return seconds


def put_back(stack: Stack, name: str) -> float:
    """Machine and state as they were at `name`: an edit made since shows in the next preview again.

    Answers the seconds it took. Raises WhereError, MaillabError.
    """
    with unused(stack), ExitStack() as files:
        known = _known(stack, name)
        _refuse_other_engine(stack, name, known)
        # Before the machine goes back: with a state that can't be written it would be an orphan.
        ready = {engine: files.enter_context(written(stack, engine, said)) for engine, said in known.items()}
        seconds = snapshots.restore(home_of(stack), name)
        for engine, new in ready.items():
            _import(engine, stack, new)
    try:
        snapshots.set_clock(home_of(stack))
    except WhereError as error:
        say(text("clock-behind", words=error))
    return seconds


def drop(stack: Stack, name: str) -> None:
    """Remove a snapshot. Raises WhereError."""
    snapshots.drop(home_of(stack), name)
    _forget_files(stack, name)


def _known(stack: Stack, name: str) -> dict[Engine, str]:
    """The state of then, as text. Raises WhereError, MaillabError."""
    note = snapshots.note(home_of(stack), name)
    if "known" in note:
        texts = {Engine(key): said for key, said in cast("Mapping[str, str]", note["known"]).items()}
    else:
        texts = {engine: path.read_text("utf-8") for engine, path in _files(stack, name).items() if path.exists()}
    for engine, said in texts.items():
        _refuse_damaged(engine, stack, said, snapshot=name)
    return texts


def _files(stack: Stack, name: str) -> dict[Engine, Path]:
    """Where the states of older snapshots are, which have nothing of it in their notes."""
    return {engine: home_of(stack).folder / f"snapshot-{name}.{engine}.json" for engine in Engine}


def _forget_files(stack: Stack, name: str) -> None:
    for path in _files(stack, name).values():
        path.unlink(missing_ok=True)


def _refuse_damaged(engine: Engine, stack: Stack, said: str, snapshot: str = "") -> None:
    """Refuse a state that can't be read: that of a snapshot, or the present one."""
    try:
        json.loads(said)
    except ValueError as error:
        if not snapshot:
            raise failed("state-damaged.now", engine=engine, words=error) from error
        raise failed("state-damaged.then", stack=stack.name, engine=engine, snapshot=snapshot, words=error) from error


def _refuse_other_engine(stack: Stack, name: str, known: Mapping[Engine, str]) -> None:
    makers = stack.makers()
    for engine in known:
        if engine not in makers:
            raise failed("snapshot-of-other-engine", stack=stack.name, snapshot=name, engine=engine)


def _export(engine: Engine, stack: Stack) -> str:
    if engine is Engine.OFFLINE:
        said = stack.state_file(engine).read_text("utf-8")
    else:
        with tempfile.TemporaryDirectory(dir=home_of(stack).folder) as folder:
            path = Path(folder) / "state"
            words = ["pulumi", "stack", "export", "--stack", stack.name, "--file", str(path)]
            execute(words, stack.root, environment())
            said = path.read_text("utf-8")
    _refuse_damaged(engine, stack, said)
    return said


def _import(engine: Engine, stack: Stack, new: Prepared) -> None:
    if engine is Engine.OFFLINE:
        new.put()
    else:
        words = ["pulumi", "stack", "import", "--stack", stack.name, "--file", str(new.path)]
        execute(words, stack.root, environment())
