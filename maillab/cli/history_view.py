"""`maillab history` on a terminal, and as JSON: what was noted, Pulumi's own runs, what is edited by hand now."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from maillab.cli.choice import Choice
from maillab.cli.docker import host_environment
from maillab.cli.history import Run, by_hand, runs
from maillab.cli.problem import MaillabError
from maillab.cli.stack import PROJECT, Stack
from maillab.cli.status import LabStatus, MachineStatus, status_of
from maillab.cli.text import printable, text
from maillab.cli.things import named, some_of
from maillab.where.known import STATE

STYLES = {"failed": "bold red", "interrupted": "yellow", "unended": "yellow"}
OPS = ("create", "update", "replace", "delete")
KINDS = ("container", "network", "volume", "image")
STAT_SECONDS = 20
TIME_WIDTH = 19
Hands = dict[str, list[dict[str, str]]]


def all_runs(stack: Stack) -> list[Run]:
    """Those that were noted, and what `pulumi` did without `maillab`; the oldest first."""
    own = runs(stack)
    spans = [(run["begun"], run.get("ended", run["begun"])) for run in own]
    others = [run for run in _of_pulumi(stack) if not any(begin <= run["begun"] <= end for begin, end in spans)]
    return sorted([*own, *others], key=lambda run: str(run["begun"]))


def _of_pulumi(stack: Stack) -> Iterator[Run]:
    """What Pulumi keeps of its updates (`pulumi stack history`): without what `stack import` wrote."""
    folder = stack.root / STATE / ".pulumi" / "history" / PROJECT / stack.name
    for path in folder.glob("*.history.json"):
        try:
            said = json.loads(path.read_text("utf-8"))
            begun, ended = (datetime.fromtimestamp(said[key], UTC) for key in ("startTime", "endTime"))
            if said["kind"] == "import":
                continue
            yield {
                "run": path.name,
                "command": f"pulumi {'up' if said['kind'] == 'update' else said['kind']}",
                "begun": begun.isoformat(timespec="seconds"),
                "ended": ended.isoformat(timespec="seconds"),
                "seconds": (ended - begun).total_seconds(),
                "outcome": "done" if said["result"] == "succeeded" else "failed",
                "resources": {op: n for op, n in (said.get("resourceChanges") or {}).items() if op != "same"},
            }
        except (OSError, ValueError, LookupError, TypeError, AttributeError, OverflowError):
            continue


def hands_now(status: LabStatus) -> Hands:
    """What is edited by hand now, with the time of each edit; what was removed has none."""
    found = by_hand(status)
    for machine in status.machines:
        times = _times(machine, [edit["path"] for edit in found.get(machine.row.name, [])])
        for edit in found.get(machine.row.name, []):
            if when := times.get(edit["path"]):
                edit["time"] = when
    return found


def hands_of(choice: Choice) -> Hands | None:
    """What is edited by hand now; None, and why on the standard error, when the machines can't be asked."""
    if not choice.stack.outputs().get("machines"):
        return None
    try:
        choice.reach_engine()
        return hands_now(status_of(choice.stack))
    except MaillabError as error:
        print(text("history-not-asked", why=error), file=sys.stderr)
        return None


def _times(machine: MachineStatus, paths: list[str]) -> dict[str, str]:
    """When the files changed (their content, mode or owner)."""
    if not paths:
        return {}
    words = ["docker", "exec", machine.row.container, "stat", "--format", "%Z\t%n", "--", *paths]
    try:
        done = subprocess.run(
            words, capture_output=True, text=True, errors="replace", check=False, env=host_environment(),
            timeout=STAT_SECONDS,
        )  # fmt: skip
        rows = [line.split("\t", 1) for line in done.stdout.splitlines()]
        return {row[1]: datetime.fromtimestamp(int(row[0]), UTC).isoformat(timespec="seconds") for row in rows}
    except (OSError, subprocess.TimeoutExpired, ValueError, LookupError, OverflowError):
        return {}


def as_json_text(found: Iterable[Run], hands: Hands | None) -> str:
    """For programs; `by_hand` is null when the machines could not be asked."""
    return json.dumps({"runs": list(found), "by_hand": hands}, indent=1, ensure_ascii=False)


def show(stack: Stack, found: list[Run], hands: Hands | None, console: Console) -> None:
    """A paragraph for each run; what was edited by hand since stands last."""
    if not found:
        console.print(text("history-none", stack=stack.name), highlight=False)
    for run in found:
        outcome = run.get("outcome", "unended")
        console.print(Text(_headline(run), style=STYLES.get(outcome, "bold")))
        for line in _details(run):
            console.print(Padding(Text(printable(line)), (0, 0, 0, 4), expand=False))
    if hands:
        console.print(Text(text("history-hands-now"), style="yellow"))
    for machine, edits in (hands or {}).items():
        for edit in edits:
            when = _local(edit["time"]) if "time" in edit else text("history-no-time")
            console.print(Text(f"    {when:{TIME_WIDTH}}  {machine}: {_edit(edit)}"), soft_wrap=True)


def _headline(run: Run) -> str:
    words = [str(run.get("command")), *_options(run.get("asked") or {})]
    how = text("history-unended")
    if outcome := run.get("outcome"):
        how = text(f"outcome-{outcome}", seconds=f"{float(run.get('seconds') or 0):.1f}")
    by = text("history-by", who=run["who"]) if run.get("who") else ""
    return f"{_local(str(run['begun']))}  {' '.join(words)}{by}: {how}"


def _options(asked: Mapping[str, Any]) -> Iterator[str]:
    for name, value in asked.items():
        yield " ".join(map(str, value)) if isinstance(value, list) else f"--{name.replace('_', '-')}"


def _details(run: Run) -> Iterator[str]:
    if run.get("why"):
        yield str(run["why"])
    things: Mapping[str, list[str]] = run.get("things") or {}
    for op in OPS:
        if names := things.get(op):
            yield text(f"op-{op}", things=", ".join(_by_kind(names)))
    if started := run.get("started"):
        yield text("history-started", names=", ".join(started))
    for machine, paths in (run.get("files") or {}).items():
        yield text("history-files", machine=machine, names=some_of(paths))
    for machine, edits in (run.get("by_hand") or {}).items():
        yield text("history-hands", machine=machine, names=some_of([_edit(edit) for edit in edits]))
    for machine, path in (run.get("kept") or {}).items():
        yield text("history-kept", machine=machine, path=path)
    for machine, why in (run.get("failed") or {}).items():
        yield f"{machine}: {str(why).splitlines()[0]}"
    if ready := run.get("machines"):
        yield text("history-reset", names=", ".join(ready))
    yield from map(str, run.get("said") or ())
    counts = run.get("resources") or {}
    if counts and not things and not run.get("files"):
        yield text("history-resources", counts=", ".join(f"{number} {op}" for op, number in counts.items()))
    if "resources" in run and not counts and not run.get("started"):
        yield text("history-unchanged")


def _by_kind(things: Iterable[str]) -> Iterator[str]:
    pairs = [thing.partition(" ")[::2] for thing in things]
    for kind in KINDS:
        if names := [name for one, name in pairs if one == kind]:
            yield named(kind, names)


def _edit(edit: Mapping[str, str]) -> str:
    return f"{edit['path']} ({text('edit-' + edit['how'])})"


def _local(time: str) -> str:
    """The time where this computer is."""
    try:
        return datetime.fromisoformat(time).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    except ValueError:
        return time
