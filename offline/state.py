"""The state of one stack: Pulumi's deployment format (version 3) in one file, written after each step."""

from __future__ import annotations

import fcntl
import json
import os
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from offline.values import OfflineError, from_state, to_state

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from offline.project import Project

Entry = dict[str, Any]
"""A resource as the deployment holds it (`urn`, `type`, `id`, `inputs`, `outputs`, `dependencies` …)."""


class Store:
    """The resources of a stack and the operations under way; safe for use by several threads.

    `olds` is what the last run left, `done` what this run has dealt with, in order of completion: so the
    file lists every resource after those that it needs. `condemned` are replaced and wait for deletion.
    """

    def __init__(self, project: Project) -> None:
        """Read the stack's file, if there is one. Raises OfflineError when it can't be understood."""
        self.path = state_path(project)
        self.salt = project.salt
        self.olds: dict[str, Entry] = {}
        self.done: dict[str, Entry] = {}
        self.condemned: list[Entry] = []
        self.pending: dict[str, Entry] = {}
        self._lock = threading.RLock()
        self._lines: dict[int, tuple[Entry, str]] = {}
        if self.path.exists():
            try:
                self.load(json.loads(self.path.read_text("utf-8"))["deployment"])
            except (ValueError, KeyError, TypeError) as error:
                raise OfflineError(
                    f"{self.path}: not a deployment that this engine can read ({error!r}); restore it from a copy, or "
                    "remove it together with the lab's containers, networks and volumes"
                ) from error

    def load(self, deployment: dict[str, Any]) -> None:
        """Take over a deployment's resources and pending operations."""
        for raw in deployment.get("resources") or []:
            entry = {"inputs": {}, "outputs": {}, **from_state(raw)}
            # The real engine's own default providers: this one has none.
            if _is_default_provider(entry["urn"]):
                continue
            if _is_default_provider(entry.get("provider", "").rpartition("::")[0]):
                del entry["provider"]
            if entry.get("delete"):
                self.condemned.append(entry)
            else:
                self.olds[entry["urn"]] = entry
        for operation in deployment.get("pending_operations") or []:
            self.pending[operation["resource"]["urn"]] = {**operation, "resource": from_state(operation["resource"])}

    def entries(self) -> list[Entry]:
        """All resources, each after those that it needs."""
        with self._lock:
            rest = [entry for urn, entry in self.olds.items() if urn not in self.done]
            return [*self.done.values(), *rest, *self.condemned]

    def get(self, urn: str) -> Entry | None:
        """The resource as it is now, whichever run left it."""
        return self.done.get(urn) or self.olds.get(urn)

    def begin(self, kind: str, entry: Entry, before: Iterable[str] | None = None) -> None:
        """Record that an operation (`creating`, `updating`, `deleting`) starts, before it does.

        `before`: of a creation, the ids of what has the resource's name already. One that an interrupted run began
        under the same name keeps that run's: what is not among them may be what that run made.
        """
        with self._lock:
            operation = {"resource": entry, "type": kind}
            if before is not None:
                begun = self.pending.get(entry["urn"], {})
                same = begun.get("resource", {}).get("inputs", {}).get("name") == entry["inputs"].get("name")
                operation["before"] = begun["before"] if same and "before" in begun else [*before]
            self.pending[entry["urn"]] = operation
            self.write()

    def abandon(self, urn: str) -> None:
        """The operation failed and left nothing behind."""
        with self._lock:
            self.pending.pop(urn, None)
            self.write()

    def keep(self, entry: Entry) -> None:
        """The resource is as `entry` says; written with the next operation."""
        with self._lock:
            self.pending.pop(entry["urn"], None)
            self.done[entry["urn"]] = entry

    def finish(self, entry: Entry, condemned: Entry | None = None) -> None:
        """The operation is done; the `condemned` resource it replaces stays, marked, until it is deleted."""
        with self._lock:
            self.condemned += [{**condemned, "delete": True}] if condemned else []
            self.keep(entry)
            self.write()

    def await_replacement(self, old: Entry) -> None:
        """The resource is gone, its replacement is still to be created."""
        with self._lock:
            self.pending.pop(old["urn"], None)
            self.olds[old["urn"]] = {**old, "pendingReplacement": True}
            self.write()

    def remove(self, entry: Entry) -> None:
        """The resource is gone."""
        with self._lock:
            self.forget(entry)
            self.pending.pop(entry["urn"], None)
            self.write()

    def forget(self, entry: Entry) -> None:
        """The resource is gone: drop it, and what others say about depending on it; nothing is written."""
        with self._lock:
            if entry.get("delete"):
                self.condemned = [other for other in self.condemned if other is not entry]
                return
            for table in (self.olds, self.done):
                table.pop(entry["urn"], None)
                table.update({urn: _without(other, entry["urn"]) for urn, other in table.items()})

    def deployment(self) -> dict[str, Any]:
        """What `pulumi stack import` takes: the resources, their secrets as plaintext."""
        with self._lock:
            return self._with([to_state(entry) for entry in self.entries()])

    def _with(self, resources: list[Entry]) -> dict[str, Any]:
        secrets = {"type": "passphrase", "state": {"salt": self.salt}} if self.salt else None
        pending = to_state(list(self.pending.values()))
        parts = {"manifest": {}, "secrets_providers": secrets, "pending_operations": pending, "resources": resources}
        return {"version": 3, "deployment": parts}

    def write(self) -> None:
        """Write the file, a line for each resource: all of it or nothing, and on the disk when this returns."""
        with self._lock:
            # A run writes a hundred times: what did not change keeps its line. No entry is ever changed itself.
            before, self._lines = self._lines, {}
            for entry in self.entries():
                known = before.get(id(entry))
                self._lines[id(entry)] = known or (entry, json.dumps(to_state(entry), ensure_ascii=False))
            begin, end = json.dumps(self._with([]), ensure_ascii=False).rsplit("]", 1)
            lines = ",\n".join(line for _, line in self._lines.values())
            write_atomically(self.path, f"{begin}\n{lines}\n]{end}\n")


def _is_default_provider(urn: str) -> bool:
    return "::pulumi:providers:" in urn and urn.rpartition("::")[2].startswith("default")


def _without(entry: Entry, urn: str) -> Entry:
    """The entry without its references to the resource `urn`."""
    by_key: dict[str, list[str]] = entry.get("propertyDependencies") or {}
    left = {key: value for key, value in entry.items() if (key, value) != ("deletedWith", urn)}
    if urn in (entry.get("dependencies") or []):
        left["dependencies"] = [other for other in entry["dependencies"] if other != urn]
        left["propertyDependencies"] = {key: [one for one in urns if one != urn] for key, urns in by_key.items()}
    return left


def write_atomically(path: Path, text: str) -> None:
    """Replace the file by one with this text, mode 0600. Raises OfflineError when the disk refuses."""
    temporary = path.with_suffix(".tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.touch(mode=0o600)
        with temporary.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise OfflineError(f"{path}: can't write the state: {error.strerror}; make room, then run again") from error


def state_path(project: Project) -> Path:
    """Where this engine keeps the stack's state."""
    return project.state_dir / "offline" / f"{project.stack}.json"


@contextmanager
def locked(project: Project) -> Iterator[None]:
    """Hold the stack's lock. Raises OfflineError when another run holds it."""
    path = state_path(project).with_suffix(".lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            raise OfflineError(
                f"stack '{project.stack}' is locked by another run (process {holder}); wait until it ends"
            ) from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
