"""The engine's operations: up, preview, refresh, destroy, outputs. `cli` and the tests call these."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from offline import commands, providers
from offline.deployment import WORKERS, Deployment, Op
from offline.display import Display, public, title
from offline.project import Project, load_project
from offline.schema import normal
from offline.state import Store, locked, state_path
from offline.values import OfflineError, Props, Value, plain, secret_texts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from offline.state import Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a run did. `steps` are `{op, urn, diffReasons}`, `diagnostics` `{severity, urn, message}`."""

    ok: bool
    outputs: Props = field(repr=False)
    steps: list[dict[str, Any]]
    diagnostics: list[dict[str, str]]
    seconds: float

    @property
    def summary(self) -> dict[str, int]:
        """How many resources were (or are to be) created, updated, replaced, deleted, left the same."""
        return dict(Counter(step["op"] for step in self.steps))

    @property
    def changes(self) -> int:
        """How many resources were not left as they were."""
        return sum(count for op, count in self.summary.items() if op != Op.SAME)

    def as_json(self) -> str:
        """The result as JSON text without secrets."""
        return json.dumps(
            {
                "result": "succeeded" if self.ok else "failed",
                "steps": self.steps,
                "changeSummary": self.summary,
                "outputs": public(self.outputs),
                "diagnostics": self.diagnostics,
                "duration": round(self.seconds, 3),
            },
            ensure_ascii=False,
            indent=2,
        )


class _Run:
    """What the operations have in common: project, state, display, and the end of a run."""

    def __init__(self, root: Path | str, stack: str | None, display: Display | None, *, dry_run: bool) -> None:
        self.started = time.monotonic()
        self.project = load_project(Path(root).resolve(), stack)
        _refuse_other_engine(self.project)
        self.display = display or Display()
        self.dry_run = dry_run
        self.outputs: Props = {}
        self.display.secrets |= {
            self.project.config[key] for key in self.project.secret_keys if len(self.project.config[key]) > 2
        }
        self.store = Store(state_path(self.project), self.project.salt)
        for entry in self.store.entries():
            self.display.secrets |= secret_texts(entry["inputs"])

    def deployment(self) -> Deployment:
        return Deployment(self.store, self.display, dry_run=self.dry_run)

    def result(self, *, ok: bool) -> Result:
        if ok and not self.display.cancelled:
            self.store.pending.clear()  # what an interrupted run began is done, or no longer wanted
        if not self.dry_run:
            self.store.commit()
        seconds = time.monotonic() - self.started
        if self.display.cancelled:
            self.display.diagnostic("error", "", "cancelled; the state is kept, the next up goes on from here")
        self.display.summary(self.outputs, seconds, dry_run=self.dry_run)
        return Result(
            ok=ok and not self.display.cancelled,
            outputs=self.outputs,
            steps=self.display.steps,
            diagnostics=self.display.diagnostics,
            seconds=seconds,
        )


def up(root: Path | str, stack: str | None = None, *, display: Display | None = None, refresh: bool = False) -> Result:
    """Bring the stack to what the program says. Raises OfflineError when it can't start."""
    with locked(load_project(Path(root).resolve(), stack)):
        run = _Run(root, stack, display, dry_run=False)
        run.display.say(f"Updating ({run.project.stack}):\n")
        with _interrupts(run.display), run.display.progress():
            _recover(run)
            return _converge(run, refresh=refresh)


def preview(
    root: Path | str, stack: str | None = None, *, display: Display | None = None, refresh: bool = False
) -> Result:
    """What `up` would do; changes nothing. Raises OfflineError when it can't start."""
    run = _Run(root, stack, display, dry_run=True)
    run.display.say(f"Previewing update ({run.project.stack}):\n")
    if run.store.pending:
        run.display.diagnostic(
            "info", "", f"an interrupted run left {len(run.store.pending)} step(s); up finishes them"
        )
    return _converge(run, refresh=refresh)


def _converge(run: _Run, *, refresh: bool) -> Result:
    from offline.program import run_program  # noqa: PLC0415 (the SDK takes half a second to import)

    if refresh:
        _refresh(run)
    deployment = run.deployment()
    outputs = run_program(run.project, deployment, run.display)
    if outputs is None:
        return run.result(ok=False)
    run.outputs = outputs
    left = [entry for entry in run.store.entries() if entry["urn"] not in deployment.seen or entry.get("delete")]
    return run.result(ok=_report(run, deployment.delete_all(left)))


def destroy(
    root: Path | str, stack: str | None = None, *, display: Display | None = None, dry_run: bool = False
) -> Result:
    """Delete all resources of the stack, dependents first; the program is not run."""
    with locked(load_project(Path(root).resolve(), stack)):
        run = _Run(root, stack, display, dry_run=dry_run)
        run.display.say(f"{'Previewing destroy' if dry_run else 'Destroying'} ({run.project.stack}):\n")
        with _interrupts(run.display), run.display.progress():
            if not dry_run:
                _recover(run)
            return run.result(ok=_report(run, run.deployment().delete_all(run.store.entries())))


def refresh(root: Path | str, stack: str | None = None, *, display: Display | None = None) -> Result:
    """Bring the state to what is there: what was removed is forgotten, what was changed is noted."""
    with locked(load_project(Path(root).resolve(), stack)):
        run = _Run(root, stack, display, dry_run=False)
        run.display.say(f"Refreshing ({run.project.stack}):\n")
        with _interrupts(run.display):
            _recover(run)
            _refresh(run, counts=True)
            return run.result(ok=True)


def outputs(root: Path | str, stack: str | None = None) -> Props:
    """The stack's outputs as the last run left them; secrets as `values.secret` makes them."""
    project = load_project(Path(root).resolve(), stack)
    store = Store(state_path(project), project.salt)
    stacks = [entry for entry in store.entries() if entry["type"] == "pulumi:pulumi:Stack"]
    return dict(stacks[0].get("outputs") or {}) if stacks else {}


def _report(run: _Run, failures: list[tuple[str, OfflineError]]) -> bool:
    for urn, error in failures:
        run.display.diagnostic("error", urn, str(error))
    return not failures


def _refresh(run: _Run, *, counts: bool = False) -> None:
    """Read every docker resource, in parallel, and note what differs; `counts`: as steps of this run."""
    deployment = run.deployment()

    def note(urn: str, op: Op) -> None:
        if counts:
            run.display.planned(urn, op, [])
        elif op != Op.SAME:
            run.display.say(f"    {title(urn)} {'is gone' if op == Op.DELETE else 'was changed by hand'}")

    def look(entry: Entry) -> tuple[Entry, Props | None]:
        target = deployment.target(entry["type"], entry["urn"].rsplit("::", 1)[-1], entry.get("provider") or "")
        return entry, providers.read(target, entry["id"], entry["inputs"], entry["outputs"])

    custom = [entry for entry in run.store.entries() if entry["custom"] and not entry.get("pendingReplacement")]
    with ThreadPoolExecutor(WORKERS) as pool:
        for entry, found in list(pool.map(look, custom)):
            if found is None:
                note(entry["urn"], Op.DELETE)
                run.store.forget(entry)
            elif _facts(found) != _facts(entry["outputs"]):
                note(entry["urn"], Op.UPDATE)
                run.store.olds[entry["urn"]] = {**entry, "outputs": found}
            else:
                note(entry["urn"], Op.SAME)


def _facts(outputs: Props) -> Value:
    """Outputs as they are compared: without the provider's own bookkeeping."""
    return normal({key: value for key, value in plain(outputs).items() if key != "id" and not key.startswith("__")})


def _recover(run: _Run) -> None:
    """Finish what an interrupted run left: remove what it made and could not record, look at what it changed."""
    deployment = run.deployment()
    for urn, operation in run.store.pending.items():
        current = run.store.get(urn)
        if operation["type"] == "creating":
            deployment.remove_leftover(urn)
        elif current and not current.get("pendingReplacement"):
            target = deployment.target(current["type"], urn.rsplit("::", 1)[-1], current.get("provider") or "")
            found = providers.read(target, current["id"], current["inputs"], current["outputs"])
            if found is None:
                run.store.forget(current)
            else:
                run.store.olds[urn] = {**current, "outputs": found}


def _refuse_other_engine(project: Project) -> None:
    path = project.state_dir / ".pulumi" / "stacks" / project.name / f"{project.stack}.json"
    if not path.exists():
        return
    latest = (json.loads(path.read_text("utf-8")).get("checkpoint") or {}).get("latest") or {}
    if latest.get("resources"):
        raise OfflineError(
            f"stack '{project.stack}' was made by Pulumi itself ({path}); go on with pulumi, "
            "or hand it over: maillab state move --to offline"
        )


@contextmanager
def _interrupts(display: Display) -> Iterator[None]:
    """Ctrl-C: begin nothing new; a second one stops running commands; a third ends the process."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    presses = 0

    def on_signal(_number: int, _frame: object) -> None:
        nonlocal presses
        presses += 1
        display.cancelled = True
        if presses == 1:
            display.say("\ncancelling: what is running is finished first (Ctrl-C again stops it)")
        elif presses == 2:
            display.aborted = True
            commands.terminate_running()
        else:
            os._exit(130)

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
