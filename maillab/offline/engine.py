"""The engine's operations: up, preview, refresh, destroy, outputs. `cli` and the tests call these.

Each takes the project's folder and the stack's name, and raises OfflineError when it can't start.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from maillab.offline import providers
from maillab.offline.deployment import WORKERS, Deployment
from maillab.offline.display import Display, title
from maillab.offline.entries import Entry
from maillab.offline.interrupts import interrupts
from maillab.offline.plan import Op
from maillab.offline.project import Project, load_project
from maillab.offline.schema import normal
from maillab.offline.state import Store, locked, understood
from maillab.offline.values import OfflineError, Props, Value, plain, public, secret_texts

SETTLE_SECONDS = 1  # what the Docker engine gets to end what a killed run still asked of it


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a run did; `steps` and `diagnostics` are those of `display.Display`."""

    ok: bool
    outputs: Props = field(repr=False)
    steps: list[Props]
    diagnostics: list[dict[str, str]]
    seconds: float

    @property
    def summary(self) -> dict[str, int]:
        """How many resources were (or are to be) created, updated, replaced, deleted, or stay the same."""
        return dict(Counter(step["op"] for step in self.steps))

    @property
    def changes(self) -> int:
        """How many resources do not stay as they are."""
        return sum(count for op, count in self.summary.items() if op != Op.SAME)

    def as_json(self) -> str:
        """The result as JSON text without secrets."""
        fields = {"result": "succeeded" if self.ok else "failed", "steps": self.steps, "changeSummary": self.summary}
        more = {"outputs": public(self.outputs), "diagnostics": self.diagnostics, "duration": round(self.seconds, 3)}
        return json.dumps({**fields, **more}, ensure_ascii=False, indent=2)


class _Run:
    """What the operations have in common: project, state, display, deployment, and the end."""

    def __init__(self, project: Project, display: Display | None, *, dry_run: bool) -> None:
        self.started = time.monotonic()
        self.project = project
        self.display = display or Display()
        self.store = Store(project)
        known = [project.config[key] for key in project.secret_keys]
        found = [text for entry in self.store.entries() for text in secret_texts(entry["inputs"])]
        self.display.secrets |= {text for text in [*known, *found, *project.secret_texts] if len(text) > 2}
        self.deployment = Deployment(self.store, self.display, dry_run=dry_run)
        self.outputs: Props = {}

    def result(self) -> Result:
        """Write the state, print the summary."""
        if self.display.cancelled:
            kept = "the state is kept, the next up goes on from here"
            so = "nothing was changed" if self.deployment.dry_run else kept
            self.display.diagnostic("error", "", f"cancelled; {so}")
        elif self.display.failed and all(item["urn"] for item in self.display.errors):
            self.display.diagnostic("error", "", f"{'preview' if self.deployment.dry_run else 'update'} failed")
        if not self.display.failed:
            self.store.pending.clear()  # what an interrupted run began is done, or no longer wanted
        if not self.deployment.dry_run:
            self._write()
        ok = not self.display.failed
        seconds = time.monotonic() - self.started
        self.display.summary(self.outputs, seconds, dry_run=self.deployment.dry_run)
        return Result(
            ok=ok, outputs=self.outputs, steps=self.display.steps, diagnostics=self.display.diagnostics, seconds=seconds
        )

    def _write(self) -> None:
        """A state that can't be written is one error of the run, and hides no other."""
        try:
            self.store.write()
        except OfflineError as error:
            self.display.diagnostic("error", "", str(error))


def _change(
    root: Path | str, stack: str | None, display: Display | None, doing: str, work: Callable[[_Run], None]
) -> Result:
    """A run that changes something, under the stack's lock: it begins by finishing what an interrupted one left."""
    project = load_project(root, stack)
    with locked(project):
        _refuse_other_engine(project)
        run = _Run(project, display, dry_run=False)
        run.display.say(f"{doing} ({project.stack}):\n")
        with interrupts(run.display):
            with run.display.progress():
                _recover(run)
                work(run)
            return run.result()


def up(
    root: Path | str,
    stack: str | None = None,
    *,
    display: Display | None = None,
    refresh: bool = False,
    again: Collection[str] = (),
) -> Result:
    """Bring the stack to what the program says; with `refresh`, or if the project says so, look first at what is there.

    `again` are URNs of resources that are done again without a change, as Pulumi's `--replace` does it.
    """

    def work(run: _Run) -> None:
        run.deployment.again |= {*again}
        _converge(run, refresh=refresh)

    return _change(root, stack, display, "Updating", work)


def preview(
    root: Path | str, stack: str | None = None, *, display: Display | None = None, refresh: bool = False
) -> Result:
    """What `up` would do; changes nothing."""
    project = load_project(root, stack)
    _refuse_other_engine(project)
    run = _Run(project, display, dry_run=True)
    run.display.say(f"Previewing update ({project.stack}):\n")
    if run.store.pending:
        run.display.diagnostic("info", "", f"an interrupted run left {len(run.store.pending)} steps; up finishes them")
    with interrupts(run.display):
        _converge(run, refresh=refresh)
        return run.result()


def destroy(root: Path | str, stack: str | None = None, *, display: Display | None = None) -> Result:
    """Delete all resources of the stack, dependents first; the program is not run."""
    return _change(root, stack, display, "Destroying", lambda run: run.deployment.delete_all(run.store.entries()))


def refresh(root: Path | str, stack: str | None = None, *, display: Display | None = None) -> Result:
    """Bring the state to what is there: what was removed is forgotten, what was changed is noted."""
    return _change(root, stack, display, "Refreshing", lambda run: _refresh(run, counted=True))


def outputs(root: Path | str, stack: str | None = None) -> Props:
    """The stack's outputs as the last run left them; secrets as `values.secret` makes them."""
    entries = Store(load_project(root, stack)).entries()
    return next((dict(entry["outputs"]) for entry in entries if entry["type"] == "pulumi:pulumi:Stack"), {})


def export_stack(root: Path | str, stack: str | None = None) -> dict[str, Any]:
    """The deployment for `pulumi stack import`, secrets as plaintext: handle it like the passwords in it."""
    store = Store(load_project(root, stack))
    if store.pending:
        raise OfflineError(f"{store.path}: an interrupted run is unfinished; run up first")
    if not store.salt:
        remedy = f"put the line back, or let Pulumi make both again: pulumi stack rm --preserve-config {stack}"
        raise OfflineError(f"Pulumi.{stack}.yaml has no encryptionsalt, though Pulumi has the stack; {remedy}")
    return store.deployment()


def import_stack(root: Path | str, stack: str | None, exported: dict[str, Any]) -> None:
    """Take over what `pulumi stack export --show-secrets` gave; the stack must be removed from Pulumi first."""
    project = load_project(root, stack)
    with locked(project):
        _refuse_other_engine(project)
        if (store := Store(project)).entries():
            raise OfflineError(f"{store.path}: the offline engine has resources of this stack already")
        with understood("the export", "export it again: pulumi stack export --show-secrets"):
            store.load(exported)
        if store.pending:
            raise OfflineError("the export has pending operations; finish them first: pulumi refresh")
        store.write()


def _converge(run: _Run, *, refresh: bool) -> None:
    from maillab.offline.program import run_program  # noqa: PLC0415 (the SDK takes half a second to import)

    if refresh:
        _refresh(run, counted=False)
    elif run.project.looks_first:
        _refresh_if_possible(run)
    run.outputs = run_program(run.project, run.deployment, run.display)
    if not run.display.failed:
        entries, seen = run.store.entries(), run.deployment.seen
        run.deployment.delete_all([entry for entry in entries if entry["urn"] not in seen or entry.get("delete")])


def _refresh(run: _Run, *, counted: bool) -> None:
    """Read every resource, in parallel, and note what differs; `counted`: as steps of this run."""

    def look(entry: Entry) -> tuple[Entry, Props | None]:
        return entry, providers.read(run.deployment.target(entry), entry)

    custom = [entry for entry in run.store.entries() if entry["custom"] and not entry.get("pendingReplacement")]
    with ThreadPoolExecutor(WORKERS) as pool:
        for entry, found in list(pool.map(look, custom)):
            op = Op.DELETE if found is None else Op.SAME if _facts(found) == _facts(entry["outputs"]) else Op.UPDATE
            if found is None:
                run.store.forget(entry)
            elif op == Op.UPDATE:
                run.store.olds[entry["urn"]] = {**entry, "outputs": found}
            if counted:
                run.display.planned(entry["urn"], op)
            elif op != Op.SAME:
                run.display.say(f"    {title(entry['urn'])} {'is gone' if found is None else 'has changed'}")


def _refresh_if_possible(run: _Run) -> None:
    """Nobody asked for it: without an engine (a virtual machine that is off) the state has to do, which is said."""
    try:
        _refresh(run, counted=False)
    except OfflineError as error:
        words = f"what is there was not looked at, and this goes by the state of the last run: {error}"
        run.display.diagnostic("warning", "", words)


def _facts(outputs: Props) -> Value:
    """Outputs as they are compared: without the provider's own bookkeeping."""
    return normal({key: value for key, value in plain(outputs).items() if key != "id" and not key.startswith("__")})


def _recover(run: _Run) -> None:
    """After a killed run: remove what it made and could not record, look at what it changed or deleted."""
    if run.store.pending:
        run.display.say("finishing what an interrupted run left")
        time.sleep(SETTLE_SECONDS)
    for urn, operation in run.store.pending.items():
        current = run.store.get(urn)
        if operation["type"] == "creating":
            run.deployment.remove_leftover(urn)
        elif current and not current.get("pendingReplacement"):
            if (found := providers.read(run.deployment.target(current), current)) is None:
                run.store.forget(current)
            else:
                run.store.olds[urn] = {**current, "outputs": found}


def _refuse_other_engine(project: Project) -> None:
    path = project.state_dir / ".pulumi" / "stacks" / project.name / f"{project.stack}.json"
    try:
        state = json.loads(path.read_text("utf-8"))
        made = bool(((state.get("checkpoint") or {}).get("latest") or {}).get("resources"))
    except FileNotFoundError:
        return
    except (OSError, ValueError, AttributeError, RecursionError) as error:
        raise OfflineError(
            f"{path}: Pulumi's state of stack '{project.stack}' can't be read ({error}), and may be of this lab; put a "
            "copy of it back (Pulumi keeps one beside it: .bak)"
        ) from error
    if made:
        raise OfflineError(
            f"stack '{project.stack}' was made by Pulumi itself ({path}); go on with pulumi, "
            "or hand it over: maillab state move --to offline"
        )
