"""The state of one stack: Pulumi's deployment format (version 3) in one file, written after each step."""

from __future__ import annotations

import fcntl
import json
import os
import threading
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from offline.values import OfflineError, from_state, to_state

if TYPE_CHECKING:
    from collections.abc import Iterator

    from offline.project import Project

Entry = dict[str, Any]
"""A resource as the deployment holds it (`urn`, `type`, `id`, `inputs`, `outputs`, `dependencies` …),
its properties with secrets as `values.secret` makes them."""


class Store:
    """The resources of a stack and the operations under way; safe for use by several threads.

    `olds` is what the last run left, `done` what this run has dealt with, in order of completion: so the
    file lists every resource after those that it needs. `condemned` are replaced and wait for deletion.
    """

    def __init__(self, path: Path, salt: str) -> None:
        """Read the file, if there is one. Raises OfflineError when it can't be understood."""
        self.path = path
        self.salt = salt
        self.olds: dict[str, Entry] = {}
        self.done: dict[str, Entry] = {}
        self.condemned: list[Entry] = []
        self.pending: dict[str, Entry] = {}
        self._texts: dict[int, tuple[Entry, str]] = {}
        self._lock = threading.RLock()
        self._write_lock = threading.Lock()
        self._version = self._written = 0
        if path.exists():
            self._read(path)

    def _read(self, path: Path) -> None:
        try:
            self.load(json.loads(path.read_text("utf-8"))["deployment"])
        except (ValueError, KeyError, TypeError) as error:
            raise OfflineError(
                f"{path}: not a deployment that this engine wrote ({error!r}); restore it from {path.name}.bak "
                "or remove it together with the lab's containers, networks and volumes"
            ) from error

    def load(self, deployment: dict[str, Any]) -> None:
        """Take over the resources and pending operations of a deployment."""
        for raw in deployment.get("resources") or []:
            entry = {"inputs": {}, "outputs": {}, **from_state(raw)}
            if entry["type"].startswith("pulumi:providers:") and entry["urn"].rsplit("::", 1)[1].startswith("default"):
                continue  # the real engine's own: this one has no default providers
            if entry.get("delete"):
                self.condemned.append(entry)
            else:
                self.olds[entry["urn"]] = entry
        for operation in deployment.get("pending_operations") or []:
            entry = from_state(operation["resource"])
            self.pending[entry["urn"]] = {"resource": entry, "type": operation["type"]}

    def entries(self) -> list[Entry]:
        """All resources, each after those that it needs."""
        with self._lock:
            rest = [entry for urn, entry in self.olds.items() if urn not in self.done]
            return [*self.done.values(), *rest, *self.condemned]

    def get(self, urn: str) -> Entry | None:
        """The resource as it is now, whichever run left it."""
        return self.done.get(urn) or self.olds.get(urn)

    def begin(self, kind: str, entry: Entry) -> None:
        """Record that an operation (`creating`, `updating`, `deleting`) starts, before it does.

        One that an interrupted run began keeps its time: what is not older may be what that run made.
        """
        with self._lock:
            now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
            before = self.pending.get(entry["urn"], {}).get("resource", {}).get("modified")
            self.pending[entry["urn"]] = {"resource": {**entry, "modified": before or now}, "type": kind}
        self.commit()

    def abandon(self, urn: str) -> None:
        """The operation failed and left nothing behind."""
        with self._lock:
            self.pending.pop(urn, None)
        self.commit()

    def finish(self, entry: Entry, *, condemned: Entry | None = None, write: bool = True) -> None:
        """The resource is as `entry` says; the `condemned` one it replaces stays, marked, until deleted."""
        with self._lock:
            if condemned:
                self.condemned.append({**condemned, "delete": True})
            self.pending.pop(entry["urn"], None)
            self.done[entry["urn"]] = entry
        if write:
            self.commit()

    def await_replacement(self, old: Entry) -> None:
        """The resource is gone, its replacement is still to be created."""
        with self._lock:
            self.pending.pop(old["urn"], None)
            self.olds[old["urn"]] = {**old, "pendingReplacement": True}
        self.commit()

    def remove(self, entry: Entry) -> None:
        """The resource is gone: forget it, and what others say about depending on it; write."""
        with self._lock:
            self.pending.pop(entry["urn"], None)
            self.forget(entry)
        self.commit()

    def forget(self, entry: Entry) -> None:
        """The resource is gone, for this run; nothing is written."""
        with self._lock:
            if entry.get("delete"):
                self.condemned = [other for other in self.condemned if other is not entry]
            else:
                self.olds.pop(entry["urn"], None)
                self.done.pop(entry["urn"], None)
                for table in (self.olds, self.done):
                    table.update({urn: _forget(other, entry["urn"]) for urn, other in table.items()})

    def deployment(self) -> dict[str, Any]:
        """The deployment as `pulumi stack import` takes it (secrets as plaintext)."""
        with self._lock:
            text = self._compose()
        deployment: dict[str, Any] = json.loads(text)
        return deployment

    def _compose(self) -> str:
        """The file's text; a resource that did not change is not encoded again."""
        texts = {}
        for entry in self.entries():
            known = self._texts.get(id(entry))
            text = known[1] if known else json.dumps(to_state(entry), ensure_ascii=False)
            texts[id(entry)] = (entry, text)
        self._texts = texts
        resources = ",\n".join(text for _, text in texts.values())
        pending = json.dumps(to_state(list(self.pending.values())), ensure_ascii=False)
        secrets = json.dumps({"type": "passphrase", "state": {"salt": self.salt}}) if self.salt else "null"
        return (
            f'{{"version": 3, "deployment": {{"manifest": {{}}, "secrets_providers": {secrets},\n'
            f'"resources": [\n{resources}\n],\n"pending_operations": {pending}}}}}\n'
        )

    def commit(self) -> None:
        """Write the file: all of it or nothing, and on the disk when this returns.

        Threads that wait for the disk share one write.
        """
        with self._lock:
            self._version += 1
            mine = self._version
        with self._write_lock:
            if self._written >= mine:
                return
            with self._lock:
                text, version = self._compose(), self._version
            write_atomically(self.path, text)
            self._written = version


def _forget(entry: Entry, urn: str) -> Entry:
    """The entry without its references to the resource `urn`."""
    by_key = entry.get("propertyDependencies") or {}
    if urn not in (entry.get("dependencies") or []) and urn != entry.get("deletedWith"):
        return entry
    changed = {key: value for key, value in entry.items() if key != "deletedWith" or value != urn}
    changed["dependencies"] = [other for other in entry.get("dependencies") or [] if other != urn]
    changed["propertyDependencies"] = {key: [other for other in urns if other != urn] for key, urns in by_key.items()}
    return changed


def write_atomically(path: Path, text: str) -> None:
    """Replace the file by one with this text, mode 0600. Raises OfflineError when the disk refuses."""
    temporary = path.with_suffix(".tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
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
            raise OfflineError(
                f"stack '{project.stack}' is locked by another run (process {file.read().strip() or 'unknown'}); "
                "wait until it ends"
            ) from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
