"""Decides what a resource needs: the program's goal compared with the state."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum

from maillab.offline.schema import COMMAND, CONTAINER, DOCKER_TYPES, PROVIDER, Change, diff
from maillab.offline.values import (
    MASK,
    SECRET,
    UNKNOWN,
    OfflineError,
    Props,
    Value,
    contains,
    is_secret,
    matches,
    parse_path,
    plain,
    secret,
)

Entry = Props


class Op(StrEnum):
    """What happens to a resource, in Pulumi's words."""

    SAME = "same"
    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """A resource as the program wants it; dependencies are URNs, `provider` is `urn::id`.

    `former`: the URNs that it may have in the state, from its aliases and its parent's.
    """

    urn: str
    former: list[str]
    kind: str
    name: str
    custom: bool
    inputs: Props = field(repr=False)
    parent: str
    provider: str
    dependencies: list[str]
    property_dependencies: dict[str, list[str]]
    protect: bool
    retain_on_delete: bool
    deleted_with: str
    delete_before_replace: bool | None
    replace_on_changes: list[str]
    ignore_changes: list[str]
    secret_outputs: list[str]
    timeouts: dict[str, float] = field(default_factory=dict)
    """Seconds for `create`, `update`, `delete`; without one, the engine's own limit."""

    def entry(self, made: str | None, inputs: Props, outputs: Props) -> Entry:
        """The resource as the state holds it; empty fields are left out."""
        hidden = {key: secret(outputs[key]) for key in self.secret_outputs if key in outputs}
        optional = {
            "id": made, "parent": self.parent, "provider": self.provider, "dependencies": self.dependencies,
            "propertyDependencies": self.property_dependencies, "protect": self.protect,
            "retainOnDelete": self.retain_on_delete, "deletedWith": self.deleted_with,
            "additionalSecretOutputs": self.secret_outputs, "customTimeouts": self.timeouts,
        }  # fmt: skip
        always = {"urn": self.urn, "custom": self.custom, "type": self.kind, "inputs": inputs}
        return {**always, "outputs": {**outputs, **hidden}, **{key: value for key, value in optional.items() if value}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a resource needs: the operation, the differences that make it so (fit to be shown), the inputs."""

    op: Op
    changes: list[Change]
    inputs: Props = field(repr=False)


def keep_ignored(goal: Goal, inputs: Props, old: Entry) -> Props:
    """The inputs with what `ignoreChanges` names as it was."""
    for pattern in goal.ignore_changes:
        inputs = _keep(inputs, old["inputs"], parse_path(pattern))
    return inputs


def _keep(new: Value, old: Value, path: list[str]) -> Value:
    """The new value with what is at `path` as it was (`*`: every key or item)."""
    if not path:
        return old
    head, rest = path[0], path[1:]
    if isinstance(new, list) and isinstance(old, list) and len(new) == len(old):
        return [_keep(item, old[at], rest) if head in ("*", str(at)) else item for at, item in enumerate(new)]
    if not isinstance(new, dict) or not isinstance(old, dict):
        return new
    chosen = {*new, *old} if head == "*" else {head}
    kept = {key: _keep(new.get(key), old[key], rest) for key in chosen & old.keys()}
    return {**{key: value for key, value in new.items() if key not in chosen}, **kept}


def compare(goal: Goal, inputs: Props, old: Entry | None, *, forced: bool) -> Plan:
    """What to do with a custom resource; `forced`: an interrupted run worked on it, so update it in any case.

    Raises OfflineError when it would have to be replaced and is protected.
    """
    if old is None or old.get("pendingReplacement"):
        return Plan(op=Op.REPLACE if old else Op.CREATE, changes=[], inputs=inputs)
    ignored = goal.ignore_changes
    changes = [
        change for change in diff(goal.kind, old, inputs) if not any(matches(path, change.path) for path in ignored)
    ]
    wanted = any(change.replaces or any(matches(p, change.path) for p in goal.replace_on_changes) for change in changes)
    moved = provider_urn(goal.provider) != provider_urn(old.get("provider", "")) and goal.kind != COMMAND
    if (wanted or moved) and old.get("protect"):
        raise OfflineError(
            f"unable to replace resource '{goal.urn}' as it is currently marked for protection; "
            "remove the protect option, run up, then change it"
        )
    op = Op.REPLACE if wanted or moved else Op.UPDATE if changes or forced else Op.SAME
    return Plan(op=op, changes=[_without_secrets(one, old["inputs"], inputs) for one in changes], inputs=inputs)


def deletes_first(goal: Goal, inputs: Props, old: Entry) -> bool:
    """Whether the old one goes first: Containers always; else as the options say, or when both need one name."""
    if goal.kind == CONTAINER or goal.delete_before_replace is not None:
        return goal.kind == CONTAINER or bool(goal.delete_before_replace)
    return goal.kind in DOCKER_TYPES and bool(plain(inputs.get("name")) == plain(old["inputs"].get("name")))


def dependents(entries: list[Entry], urn: str) -> list[Entry]:
    """The resources that must be replaced when `urn` goes first: its new id replaces them, and so on."""
    doomed, found = {urn}, []
    for entry in entries:
        by_key: dict[str, list[str]] = entry.get("propertyDependencies") or {}
        unknown = dict.fromkeys((key for key, urns in by_key.items() if doomed & set(urns)), UNKNOWN)
        gone = entry.get("delete") or entry.get("pendingReplacement") or entry["type"] == PROVIDER
        if unknown and not gone:
            changes = diff(entry["type"], entry, {**entry["inputs"], **unknown})
            if any(change.replaces for change in changes):
                doomed.add(entry["urn"])
                found.append(entry)
    return found


def references(entry: Entry) -> set[str]:
    """The URNs of all that the resource stands on: parent, provider, dependencies, deletedWith."""
    by_key: dict[str, list[str]] = entry.get("propertyDependencies") or {}
    named = {entry.get("parent", ""), provider_urn(entry.get("provider", "")), entry.get("deletedWith", "")}
    return named | {*(entry.get("dependencies") or [])} | {urn for urns in by_key.values() for urn in urns}


def provider_urn(reference: str) -> str:
    """The URN in a provider's `urn::id`."""
    return reference.rpartition("::")[0]


def protection(entry: Entry) -> OfflineError:
    """The words with which Pulumi refuses to delete a protected resource."""
    return OfflineError(
        f"resource '{entry['urn']}' cannot be deleted because it is protected; "
        "remove the protect option, run up, then delete it"
    )


def _without_secrets(change: Change, *inputs: Props) -> Change:
    """The change as it may be shown: its values hidden when a secret lies on or under its path."""
    if not any(_hides(values, change.path) for values in inputs):
        return change
    return replace(change, old=MASK, new=MASK)


def _hides(value: Value, path: list[str]) -> bool:
    if is_secret(value) or not path:
        return contains(value, SECRET)
    if isinstance(value, dict):
        return _hides(value.get(path[0]), path[1:])
    inside = isinstance(value, list) and path[0].isdigit() and int(path[0]) < len(value)
    return inside and _hides(value[int(path[0])], path[1:])
