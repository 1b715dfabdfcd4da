"""What changed a lab, when, and by whom: a line of JSON for the begin of each run, and one for its end.

The begin is on the disk before anything is done: a run that was killed has no end, which says so. `maillab history`
shows them (history_view.py).
"""

from __future__ import annotations

import fcntl
import getpass
import json
import os
import secrets
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from maillab.cli.changes import Resources, compare, resources_of
from maillab.cli.problem import InterruptedByUserError, MaillabError
from maillab.cli.stack import PROJECT, Stack
from maillab.cli.text import text
from maillab.offline.files import make_folder, prepared, sync_folder
from maillab.offline.stack_file import read_stack_file, stack_path
from maillab.offline.values import OfflineError
from maillab.where.known import STATE

if TYPE_CHECKING:
    from maillab.cli.status import LabStatus

FOLDER = STATE / "history"
MOST, LEFT = 2000, 1000  # lines: with more than the first number, the newest of the second number stay
LISTED = 100  # paths of a machine, and things, that are named; there may be thousands
Run = dict[str, Any]


def path_of(stack: Stack) -> Path:
    """The file with the stack's history; it outlives the lab."""
    return stack.root / FOLDER / f"{stack.name}.jsonl"


def runs(stack: Stack) -> list[Run]:
    """The runs that were noted, the oldest first; what is no line of ours (the disk was full) is passed over."""
    found: dict[str, Run] = {}
    try:
        lines = path_of(stack).read_text("utf-8", "replace").splitlines()
    except FileNotFoundError:
        return []
    for line in lines:
        try:
            said = json.loads(line)
            found.setdefault(str(said["run"]), {}).update(said)
        except (ValueError, KeyError, TypeError, AttributeError):
            continue
    return sorted((run for run in found.values() if "begun" in run), key=lambda run: str(run["begun"]))


@contextmanager
def recorded(stack: Stack, command: str, **asked: object) -> Iterator[Run]:
    """Note what happens inside; what the command adds to the answer is noted too (`outcome` for one of its own)."""
    before, started, run = resources_of(stack), time.monotonic(), secrets.token_hex(6)
    given = {key: value for key, value in asked.items() if value}
    _note(stack, {"run": run, "command": command, "asked": given, "who": who(), "begun": _now()})
    found: Run = {}
    ended: Run = {"outcome": "done"}
    try:
        yield found
    except (InterruptedByUserError, KeyboardInterrupt):
        ended = {"outcome": "interrupted"}
        raise
    except MaillabError as error:
        cancelled = error.id == "nothing-removed"
        ended = {"outcome": "cancelled"} if cancelled else {"outcome": "failed", "why": str(error).partition("\n")[0]}
        raise
    except typer.Exit:
        ended = {"outcome": "failed"}
        raise
    except BaseException as error:
        ended = {"outcome": "failed", "why": type(error).__name__}
        raise
    finally:
        seconds = {"ended": _now(), "seconds": round(time.monotonic() - started, 1)}
        _note(stack, {"run": run} | ended | seconds | _changes(stack, before) | found)


def _changes(stack: Stack, before: Resources) -> Run:
    changes = compare(before, resources_of(stack), _salt(stack))
    return {
        "resources": changes.resources,
        "things": {op: names[:LISTED] for op, names in changes.things.items()},
        "files": {machine: paths[:LISTED] for machine, paths in changes.files.items()},
    }


def _salt(stack: Stack) -> str:
    try:
        return read_stack_file(stack_path(stack.root, stack.name), PROJECT).salt
    except OfflineError:  # it is being edited, or gone
        return ""


def by_hand(status: LabStatus) -> dict[str, list[dict[str, str]]]:
    """Machine to what somebody edited there, as the machines report it."""
    reports = {machine.row.name: machine.report for machine in status.machines if machine.report}
    return {
        name: [{"path": edit.path, "how": edit.how} for edit in report.edits[:LISTED]]
        for name, report in reports.items()
        if report.edits
    }


def who() -> str:
    """The login name of the person, also behind sudo(8)."""
    try:
        return os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):  # a number without a name
        return str(os.getuid())


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _note(stack: Stack, said: Mapping[str, object]) -> None:
    """Add a line. What can't be noted hinders nothing, and is said."""
    try:
        append(path_of(stack), json.dumps(said, ensure_ascii=False))
    except OSError as error:
        print(text("history-not-written", path=path_of(stack), why=error.strerror), file=sys.stderr)


def append(path: Path, line: str) -> None:
    """Add the line, on the disk when this returns; of a long file the older half goes. Raises OSError."""
    make_folder(path.parent)
    with path.with_suffix(".lock").open("a", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        is_new = not path.exists()
        with os.fdopen(os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600), "r+b") as file:
            before = file.read()
            torn = b"" if not before or before.endswith(b"\n") else b"\n"  # a computer that crashed, a full disk
            file.write(torn + line.encode("utf-8", "replace") + b"\n")
            file.flush()
            os.fsync(file.fileno())
        if is_new:
            sync_folder(path.parent)
        lines = [*before.decode("utf-8", "replace").splitlines(), line]
        if len(lines) > MOST:
            with prepared(path, "".join(f"{one}\n" for one in lines[-LEFT:])) as new:
                new.put()
