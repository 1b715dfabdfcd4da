"""Snapshots of a lab: of its virtual machine, and of what the engine knew of it then."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import cast

from cli.engine import environment, execute
from cli.move import unused, written
from cli.problem import MaillabError
from cli.stack import Engine, Stack
from cli.where import home_of, say
from where import snapshots
from where.problem import WhereError


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
        ready = {engine: files.enter_context(written(stack, text)) for engine, text in known.items()}
        seconds = snapshots.restore(home_of(stack), name)
        for engine, path in ready.items():
            _import(engine, stack, path)
    try:
        snapshots.set_clock(home_of(stack))
    except WhereError as error:
        say(f"its clock is behind: {error}")
    return seconds


def drop(stack: Stack, name: str) -> None:
    """Remove a snapshot. Raises WhereError."""
    snapshots.drop(home_of(stack), name)
    _forget_files(stack, name)


def _known(stack: Stack, name: str) -> dict[Engine, str]:
    """The state of then, as text. Raises WhereError, MaillabError."""
    note = snapshots.note(home_of(stack), name)
    if "known" in note:
        texts = {Engine(key): text for key, text in cast("Mapping[str, str]", note["known"]).items()}
    else:
        texts = {engine: path.read_text("utf-8") for engine, path in _files(stack, name).items() if path.exists()}
    for engine, text in texts.items():
        remedy = f"remove it: {stack.maillab} vm forget {name}"
        _refuse_damaged(engine, f"at the snapshot {name}", text, remedy)
    return texts


def _files(stack: Stack, name: str) -> dict[Engine, Path]:
    """Where the states of older snapshots are, which have nothing of it in their notes."""
    return {engine: home_of(stack).folder / f"snapshot-{name}.{engine}.json" for engine in Engine}


def _forget_files(stack: Stack, name: str) -> None:
    for path in _files(stack, name).values():
        path.unlink(missing_ok=True)


def _refuse_damaged(engine: Engine, when: str, text: str, remedy: str) -> None:
    try:
        json.loads(text)
    except ValueError as error:
        raise MaillabError(f"what the {engine} engine knew {when} is damaged: {error}", remedy) from error


def _refuse_other_engine(stack: Stack, name: str, known: Mapping[Engine, str]) -> None:
    makers = stack.makers()
    for engine in known:
        if engine not in makers:
            raise MaillabError(
                f"at the snapshot {name} the lab belonged to the {engine} engine",
                f"hand it over first: {stack.maillab} state move --to {engine}",
            )


def _export(engine: Engine, stack: Stack) -> str:
    if engine is Engine.OFFLINE:
        text = stack.state_file(engine).read_text("utf-8")
    else:
        with tempfile.TemporaryDirectory(dir=home_of(stack).folder) as folder:
            path = Path(folder) / "state"
            words = ["pulumi", "stack", "export", "--stack", stack.name, "--file", str(path)]
            execute(words, stack.root, environment())
            text = path.read_text("utf-8")
    _refuse_damaged(engine, "now", text, "nothing was kept; run the same again")
    return text


def _import(engine: Engine, stack: Stack, path: Path) -> None:
    if engine is Engine.OFFLINE:
        path.replace(stack.state_file(engine))
    else:
        words = ["pulumi", "stack", "import", "--stack", stack.name, "--file", str(path)]
        execute(words, stack.root, environment())
