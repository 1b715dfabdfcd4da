"""What a run did to a lab: its state before and after, compared. So it is the same for both engines.

A run that failed, or was interrupted, has its part in the state too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from maillab.cli.problem import MaillabError
from maillab.cli.stack import SECRET, Engine, Stack
from maillab.offline.project import decrypt
from maillab.offline.values import OfflineError
from maillab.where.known import TYPES

COMMAND, CONFIG = "command:local:Command", "-config"  # the one that brings a machine its files
KINDS = {**TYPES, "docker:index/image:Image": "image"}
Resources = Mapping[str, Mapping[str, Any]]
"""URN to a resource of a state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """`things`: create, update, replace, delete to "kind name" of what is on Docker; `files`: machine to paths.

    `resources`: how many of the state's resources, with all that is only the engine's.
    """

    resources: Mapping[str, int] = field(default_factory=dict)
    things: Mapping[str, list[str]] = field(default_factory=dict)
    files: Mapping[str, list[str]] = field(default_factory=dict)


def resources_of(stack: Stack) -> Resources:
    """What the states have; one that can't be read has nothing."""
    try:
        found = [entry for engine in Engine for entry in stack.resources(engine)]
    except MaillabError:
        return {}
    return {str(entry.get("urn")): entry for entry in found if entry.get("custom") and not entry.get("delete")}


def compare(before: Resources, after: Resources, salt: str = "") -> Changes:
    """What became of the resources; `salt` opens what Pulumi has encrypted, each time in another way."""
    ops = {urn: op for urn in before.keys() | after.keys() if (op := _op(before.get(urn), after.get(urn), salt))}
    things: dict[str, list[str]] = {}
    files: dict[str, list[str]] = {}
    for urn in sorted(ops):
        entry = after.get(urn) or before[urn]
        if kind := KINDS.get(str(entry.get("type"))):
            things.setdefault(ops[urn], []).append(f"{kind} {_name(urn)}")
        if ops[urn] != "delete" and urn in before and (paths := _changed_files(before[urn], entry, salt)):
            files[_name(urn).removesuffix(CONFIG)] = paths
    return Changes(resources=dict(Counter(ops.values())), things=things, files=files)


def _name(urn: str) -> str:
    return urn.rpartition("::")[2]


def _op(old: Mapping[str, Any] | None, new: Mapping[str, Any] | None, salt: str) -> str:
    """What happened to a resource in Pulumi's words; nothing when it is as it was."""
    if old is None or new is None:
        return "delete" if new is None else "create"
    if old.get("id") != new.get("id"):
        return "replace"
    return "" if _same(old.get("inputs"), new.get("inputs"), salt) else "update"


def _changed_files(old: Mapping[str, Any], new: Mapping[str, Any], salt: str) -> list[str]:
    """The files that a machine got (`components/environment.py` has their names)."""
    if new.get("type") != COMMAND or not _name(str(new["urn"])).endswith(CONFIG):
        return []
    pairs = [(entry.get("inputs") or {}).get("environment") or {} for entry in (old, new)]
    keys = {key for pair in pairs for key in pair if key.startswith("/")}
    changed: Iterable[str] = (key for key in keys if not _same(pairs[0].get(key), pairs[1].get(key), salt))
    return sorted({key.partition("#")[0] for key in changed})


def _same(old: object, new: object, salt: str) -> bool:
    if old == new:
        return True
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        if SECRET in old and SECRET in new:
            return _opened(old, salt) == _opened(new, salt)
        return old.keys() == new.keys() and all(_same(old[key], new[key], salt) for key in old)
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(_same(*pair, salt) for pair in zip(old, new, strict=True))
    return False


def _opened(secret: Mapping[str, Any], salt: str) -> object:
    """What is in a secret, as JSON; None when it can't be opened: then nobody can tell."""
    if "ciphertext" not in secret:
        return secret.get("plaintext")
    try:
        return decrypt(str(secret["ciphertext"]), salt, "the state")
    except OfflineError:
        return None
