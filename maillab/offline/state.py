"""The state of one stack: Pulumi's deployment format (version 3) in one file, written after each step."""

from __future__ import annotations

import errno
import json
import threading
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from maillab.offline.entries import Entry, is_default_provider, renamed, without
from maillab.offline.files import HeldError, alone, prepared
from maillab.offline.sealing import sealing, unsealing
from maillab.offline.values import OfflineError, from_state, to_state

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from maillab.offline.project import Project

VERSION = 3
UNREADABLE = (
    "put a copy of it back. Without one: move it away, then `maillab --stack {stack} down --keep-mail` removes the "
    "lab's containers and networks, and the next `up` makes them again with the mail that is there"
)


class Store:
    """The resources of a stack and the operations under way; safe for use by several threads.

    `olds` is what the last run left, `done` what this run has dealt with, in order of completion: so the
    file lists every resource after those that it needs. `condemned` are replaced and wait for deletion.
    """

    def __init__(self, project: Project) -> None:
        """Read the stack's file, if there is one. Raises OfflineError when it can't be understood."""
        self.path = state_path(project)
        self.salt = project.salt
        # Where somebody encrypts secrets, they are encrypted here too; else all are protected by the file's mode alone.
        self._seal = sealing(project.salt) if project.salt and project.secret_texts else None
        # Names of volumes that an earlier removal left, as `maillab down` notes them.
        self.kept = frozenset((_text(project.state_dir / "kept-mail" / project.stack) or "").split())
        self.olds: dict[str, Entry] = {}
        self.done: dict[str, Entry] = {}
        self.condemned: list[Entry] = []
        self.pending: dict[str, Entry] = {}
        self._lock = threading.RLock()
        self._lines: dict[int, tuple[Entry, str]] = {}
        if (text := _text(self.path)) is not None:
            with understood(str(self.path), UNREADABLE.format(path=self.path, stack=project.stack)):
                self.load(json.loads(text))

    def load(self, exported: dict[str, Any]) -> None:
        """Take over a deployment's resources and pending operations; to be called in `understood`."""
        if exported.get("version", VERSION) != VERSION:
            raise OfflineError(f"it has version {exported['version']}, and this engine reads version {VERSION} only")
        deployment = exported["deployment"]
        unseal = unsealing(deployment)
        for raw in deployment.get("resources") or []:
            entry = {"custom": False, "inputs": {}, "outputs": {}, **from_state(raw, unseal)}
            if not isinstance(entry["urn"], str) or not isinstance(entry["type"], str):
                raise TypeError(f"a resource without URN or type: {str(raw)[:80]}")
            # The real engine's own default providers: this one has none.
            if is_default_provider(entry["urn"]):
                continue
            if is_default_provider(entry.get("provider", "").rpartition("::")[0]):
                del entry["provider"]
            if entry.get("delete"):
                self.condemned.append(entry)
            else:
                self.olds[entry["urn"]] = entry
        for operation in deployment.get("pending_operations") or []:
            resource = from_state(operation["resource"], unseal)
            self.pending[resource["urn"]] = {**operation, "resource": resource}

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
            self.expect_replacement(old)
            self.write()

    def expect_replacement(self, old: Entry) -> None:
        """In a preview: the resource would be gone, and its replacement still to be created; nothing is written."""
        with self._lock:
            self.olds[old["urn"]] = {**old, "pendingReplacement": True}

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
                table.update({urn: without(other, entry["urn"]) for urn, other in table.items()})

    def rename(self, before: str, now: str) -> None:
        """The resource `before` has another URN now, in what others say about it too; nothing is written."""
        with self._lock:
            # Whole new tables: a reader without the lock sees one or the other.
            self.olds, self.done = (
                {now if urn == before else urn: renamed(entry, before, now) for urn, entry in table.items()}
                for table in (self.olds, self.done)
            )
            self.condemned = [renamed(entry, before, now) for entry in self.condemned]
            if operation := self.pending.pop(before, None):
                self.pending[now] = {**operation, "resource": renamed(operation["resource"], before, now)}

    def deployment(self) -> dict[str, Any]:
        """What `pulumi stack import` takes: the resources, their secrets as plaintext."""
        with self._lock:
            return self._with([to_state(entry) for entry in self.entries()], to_state(list(self.pending.values())))

    def _with(self, resources: list[Entry], pending: list[Entry]) -> dict[str, Any]:
        secrets = {"type": "passphrase", "state": {"salt": self.salt}} if self.salt else None
        parts = {"manifest": {}, "secrets_providers": secrets, "pending_operations": pending, "resources": resources}
        return {"version": 3, "deployment": parts}

    def write(self) -> None:
        """Write the file, a line for each resource: all of it or nothing, and on the disk when this returns."""
        with self._lock:
            # A run writes a hundred times: what did not change keeps its line. No entry is ever changed itself.
            before, self._lines = self._lines, {}
            for entry in self.entries():
                known = before.get(id(entry))
                self._lines[id(entry)] = known or (entry, json.dumps(to_state(entry, self._seal), ensure_ascii=False))
            pending = to_state(list(self.pending.values()), self._seal)
            begin, end = json.dumps(self._with([], pending), ensure_ascii=False).rsplit("]", 1)
            lines = ",\n".join(line for _, line in self._lines.values())
            write_atomically(self.path, f"{begin}\n{lines}\n]{end}\n")


def _text(path: Path) -> str | None:
    """The file's text; None when there is no file. Raises OfflineError."""
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise OfflineError(f"{path}: can't be read: {_why(error)}") from error


@contextmanager
def understood(where: str, remedy: str) -> Iterator[None]:
    """Raise OfflineError with the remedy for whatever is wrong with a deployment: none was written by hand."""
    try:
        yield
    except OfflineError as error:
        raise OfflineError(f"{where}: {error}; {remedy}") from error
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        words = f"{type(error).__name__}: {error}"
        raise OfflineError(f"{where}: not a deployment that this engine can read ({words}); {remedy}") from error


def write_atomically(path: Path, text: str) -> None:
    """Replace the file by one with this text, mode 0600. Raises OfflineError when the disk refuses."""
    try:
        with prepared(path, text) as new:
            new.put()
    except OSError as error:
        raise OfflineError(f"{path}: can't write the state: {_why(error)}") from error


def _why(error: Exception) -> str:
    if isinstance(error, PermissionError):
        return f"{error.strerror}; an earlier run was made with sudo? then use sudo again"
    full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    return f"{getattr(error, 'strerror', None) or error}{'; make room, then run again' if full else ''}"


def state_path(project: Project) -> Path:
    """Where this engine keeps the stack's state."""
    return project.state_dir / "offline" / f"{project.stack}.json"


@contextmanager
def locked(project: Project) -> Iterator[None]:
    """Hold the stack's lock. Raises OfflineError when another run holds it."""
    path = state_path(project).with_suffix(".lock")
    with ExitStack() as held:
        try:
            held.enter_context(alone(path))
        except HeldError as error:
            what = f"stack '{project.stack}' is locked by another run (process {error.holder}); wait until it ends"
            raise OfflineError(what) from error
        except OSError as error:
            raise OfflineError(f"{path}: the stack can't be locked: {_why(error)}") from error
        yield
