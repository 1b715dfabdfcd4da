"""Decides what each resource needs, and does it: the heart of the engine."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from offline import providers
from offline.docker_engine import host_of
from offline.providers import Target
from offline.schema import COMMAND, CONTAINER, DOCKER_TYPES, IMAGE, PROVIDER, Change, diff
from offline.values import (
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
    without_nulls,
)

if TYPE_CHECKING:
    from offline.display import Display
    from offline.state import Entry, Store

WORKERS = 16


class Op(StrEnum):
    """What happens to a resource, in Pulumi's words."""

    SAME = "same"
    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """A resource as the program wants it; dependencies are URNs, `provider` is `urn::id`."""

    urn: str
    kind: str
    name: str
    custom: bool
    inputs: Props = field(repr=False)
    parent: str = ""
    provider: str = ""
    dependencies: list[str]
    property_dependencies: dict[str, list[str]]
    protect: bool = False
    retain_on_delete: bool = False
    deleted_with: str = ""
    delete_before_replace: bool | None = None
    replace_on_changes: list[str]
    ignore_changes: list[str]
    secret_outputs: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a resource needs: the operation and the differences that make it so."""

    op: Op
    changes: list[Change]
    inputs: Props = field(repr=False)


class Deployment:
    """One run of the program against one state; called by several threads at once."""

    def __init__(self, store: Store, display: Display, *, dry_run: bool) -> None:
        """With `dry_run` nothing is changed, neither the state nor the world."""
        self.store = store
        self.display = display
        self.dry_run = dry_run
        self.seen: set[str] = set()
        self.interrupted = set(store.pending)
        self._replacing: set[str] = set()
        self._replace_lock = threading.Lock()

    def register(self, goal: Goal) -> tuple[str, Props]:
        """Bring one resource to its goal; returns its id (empty: not known yet) and outputs.

        Raises OfflineError; the state then is as it was.
        """
        if goal.urn in self.seen:
            raise OfflineError(f"Duplicate resource URN '{goal.urn}'; give one of the two another name")
        self.seen.add(goal.urn)
        if not goal.custom:
            return self._component(goal)
        if goal.kind in (IMAGE, *DOCKER_TYPES) and PROVIDER not in goal.provider:
            raise OfflineError(f"{goal.name}: give it the explicit docker Provider (opts.provider)")
        old = self.store.get(goal.urn)
        if not self.dry_run and contains(goal.inputs, UNKNOWN):
            raise OfflineError(f"{goal.name}: an input is not known, because what it comes from failed")
        target = self.target(goal.kind, goal.name, goal.provider)
        plan = self.plan(goal, target, old)
        if self.dry_run:
            return self._simulate(goal, plan, old)
        return self._execute(goal, target, plan, old)

    def target(self, kind: str, name: str, provider: str) -> Target:
        """Where and what to work on; the host is the provider's."""
        entry = self.store.get(provider.rsplit("::", 1)[0]) if provider else None
        return Target(kind=kind, name=name, host=host_of(plain(entry["inputs"]) if entry else {}))

    def plan(self, goal: Goal, target: Target, old: Entry | None) -> Plan:
        """Compare goal and state."""
        before = old["inputs"] if old else {}
        inputs = without_nulls(goal.inputs)
        for pattern in goal.ignore_changes if old else ():
            inputs = _keep(inputs, before, parse_path(pattern))
        inputs = providers.check(target, inputs, before)
        if old is None:
            return Plan(op=Op.CREATE, changes=[], inputs=inputs)
        if old.get("pendingReplacement") or goal.urn in self._replacing:
            return Plan(op=Op.REPLACE, changes=[], inputs=inputs)
        changes = [
            change
            for change in diff(goal.kind, old, inputs)
            if not any(matches(pattern, change.path) for pattern in goal.ignore_changes)
        ]
        op = Op.UPDATE if changes or goal.urn in self.interrupted else Op.SAME
        op = Op.REPLACE if self._replaces(goal, old, changes) else op
        return Plan(op=op, changes=[_without_secrets(change, before, inputs) for change in changes], inputs=inputs)

    def _replaces(self, goal: Goal, old: Entry, changes: list[Change]) -> bool:
        moved = _provider_urn(goal.provider) != _provider_urn(old.get("provider") or "") and goal.kind != COMMAND
        wanted = any(
            change.replaces or any(matches(pattern, change.path) for pattern in goal.replace_on_changes)
            for change in changes
        )
        if (moved or wanted) and old.get("protect"):
            raise OfflineError(
                f"unable to replace resource '{goal.urn}' as it is currently marked for protection; "
                "remove the protect option, run up, then change it"
            )
        return moved or wanted

    def _component(self, goal: Goal) -> tuple[str, Props]:
        old = self.store.get(goal.urn)
        op = Op.CREATE if old is None else Op.SAME if old.get("inputs", {}) == goal.inputs else Op.UPDATE
        self.display.planned(goal.urn, op, [])
        if not self.dry_run or old is None:
            outputs = (old or {}).get("outputs") or {}
            self.store.finish(self._entry(goal, None, goal.inputs, outputs), write=False)
        return "", {}

    def _simulate(self, goal: Goal, plan: Plan, old: Entry | None) -> tuple[str, Props]:
        """What a preview answers: what is not known yet is left out."""
        self.display.planned(goal.urn, plan.op, plan.changes)
        if plan.op == Op.REPLACE and old and self._deletes_first(goal, plan, old):
            self._replacing |= {entry["urn"] for entry in self._dependents(old)}
        if goal.kind == PROVIDER:
            self.store.finish(self._entry(goal, (old or {}).get("id"), plan.inputs, plan.inputs), write=False)
        if old is None or plan.op == Op.REPLACE:
            return "", plan.inputs
        if plan.op == Op.SAME:
            return old["id"], old["outputs"]
        return old["id"], {**old["outputs"], **plan.inputs} if goal.kind in DOCKER_TYPES else plan.inputs

    def _execute(self, goal: Goal, target: Target, plan: Plan, old: Entry | None) -> tuple[str, Props]:
        if plan.op == Op.SAME and old:
            self.display.planned(goal.urn, plan.op, [])
            entry = self._entry(goal, old["id"], plan.inputs, old["outputs"])
            self.store.finish(entry, write=False)
            return entry["id"], entry["outputs"]
        with self.display.step(goal.urn, plan.op, plan.changes):
            if plan.op == Op.UPDATE and old:
                entry = self._update(goal, target, plan, old)
            else:
                entry = self._create(goal, target, plan, self._make_room(goal, plan, old))
        return entry["id"], entry["outputs"]

    def _create(self, goal: Goal, target: Target, plan: Plan, condemned: Entry | None) -> Entry:
        self.store.begin("creating", self._entry(goal, None, plan.inputs, {}))
        log = self.display.logger(goal.urn)
        try:
            made, outputs = providers.create(target, plan.inputs, log)
        except OfflineError:
            # An engine may end what a killed run asked of it only after we looked for leftovers.
            if goal.urn not in self.interrupted or not self.remove_leftover(goal.urn):
                self.store.abandon(goal.urn)
                raise
            made, outputs = providers.create(target, plan.inputs, log)
        entry = self._entry(goal, made, plan.inputs, outputs)
        self.store.finish(entry, condemned=condemned)
        return entry

    def remove_leftover(self, urn: str) -> bool:
        """Remove what an interrupted run made under this URN and could not record; answers if it had."""
        entry = self.store.pending[urn]["resource"]
        target = self.target(entry["type"], urn.rsplit("::", 1)[-1], entry.get("provider") or "")
        leftover = providers.find_leftover(target, entry["inputs"], entry["modified"])
        if leftover:
            self.display.say(f" -  {target.where} deleting what an interrupted run left ({leftover[:12]})")
            providers.delete(target, leftover, entry["inputs"], {}, self.display.logger(urn))
        return leftover is not None

    def _update(self, goal: Goal, target: Target, plan: Plan, old: Entry) -> Entry:
        self.store.begin("updating", old)
        changed = {change.path[0] for change in plan.changes}
        log = self.display.logger(goal.urn)
        try:
            outputs = providers.update(target, old["id"], plan.inputs, old["outputs"], changed, log)
        except OfflineError:
            self.store.abandon(goal.urn)
            raise
        entry = self._entry(goal, old["id"], plan.inputs, outputs)
        self.store.finish(entry)
        return entry

    def _deletes_first(self, goal: Goal, plan: Plan, old: Entry) -> bool:
        """Containers always; else as the program says, or when the new one needs the old one's name."""
        if goal.delete_before_replace is not None and goal.kind != CONTAINER:
            return goal.delete_before_replace
        names = plain(plan.inputs.get("name")), plain(old["inputs"].get("name"))
        return goal.kind == CONTAINER or (goal.kind in DOCKER_TYPES and names[0] == names[1])

    def _make_room(self, goal: Goal, plan: Plan, old: Entry | None) -> Entry | None:
        """Before a replacement: delete the old one with its dependents; or return it, to be deleted later."""
        if plan.op != Op.REPLACE or old is None or old.get("pendingReplacement"):
            return None
        if not self._deletes_first(goal, plan, old):
            return old
        with self._replace_lock:
            for entry in [*reversed(self._dependents(old)), old]:
                self.delete_one(entry, set(), replacing=True)
        return None

    def _dependents(self, old: Entry) -> list[Entry]:
        """The resources that must be replaced because this one goes: its new id replaces them."""
        doomed, found = {old["urn"]}, []
        for entry in self.store.entries():
            by_key: dict[str, list[str]] = entry.get("propertyDependencies") or {}
            keys = [key for key, urns in by_key.items() if doomed & set(urns)]
            gone = entry.get("delete") or entry.get("pendingReplacement")
            if keys and not gone and entry["type"] != PROVIDER:
                unknown = {**entry["inputs"], **dict.fromkeys(keys, UNKNOWN)}
                if any(change.replaces for change in diff(entry["type"], entry, unknown)):
                    doomed.add(entry["urn"])
                    found.append(entry)
        return found

    def delete_one(self, entry: Entry, going: set[str], *, replacing: bool = False) -> None:
        """Delete one resource; `going` are the URNs that go in the same run (for deletedWith)."""
        if entry.get("protect"):
            raise OfflineError(protected(entry))
        goes_along = entry.get("deletedWith") in going or entry.get("pendingReplacement")
        real = entry["custom"] and not entry.get("retainOnDelete") and not goes_along
        target = self.target(entry["type"], entry["urn"].rsplit("::", 1)[-1], entry.get("provider") or "")
        counted = Op.REPLACE if replacing or entry.get("delete") else Op.DELETE
        with self.display.step(entry["urn"], counted, [], deleting=True):
            if real:
                if not entry.get("delete"):  # else the state says already that it goes
                    self.store.begin("deleting", entry)
                log = self.display.logger(entry["urn"])
                try:
                    providers.delete(target, entry["id"], entry["inputs"], entry["outputs"], log)
                except OfflineError:
                    self.store.abandon(entry["urn"])
                    raise
            if replacing:
                self.store.await_replacement(entry)
            else:
                self.store.remove(entry)

    def delete_all(self, entries: list[Entry]) -> list[tuple[str, OfflineError]]:
        """Delete the resources, dependents first, independent ones in parallel; returns what failed."""
        if locked := [entry for entry in entries if entry.get("protect")]:
            return [(entry["urn"], OfflineError(protected(entry))) for entry in locked]
        going = {entry["urn"] for entry in entries if not entry.get("delete")}
        if self.dry_run:
            for entry in reversed(entries):
                self.display.planned(entry["urn"], Op.DELETE, [])
            return []
        failures: list[tuple[str, OfflineError]] = []

        def attempt(entry: Entry) -> None:
            try:
                self.delete_one(entry, going)
            except OfflineError as error:
                failures.append((entry["urn"], error))

        with ThreadPoolExecutor(WORKERS) as pool:
            left = entries
            while left and not failures and not self.display.cancelled:
                needed = {urn for entry in left for urn in references(entry)}
                wave = [entry for entry in left if entry.get("delete") or entry["urn"] not in needed]
                list(pool.map(attempt, wave))
                gone = {id(entry) for entry in wave}
                left = [entry for entry in left if id(entry) not in gone]
        return failures

    def _entry(self, goal: Goal, made: str | None, inputs: Props, outputs: Props) -> Entry:
        """The resource as the state holds it; empty fields are left out."""
        hidden = {key: secret(outputs[key]) for key in goal.secret_outputs if key in outputs}
        fields: dict[str, Any] = {
            "urn": goal.urn, "custom": goal.custom, "id": made, "type": goal.kind, "inputs": inputs,
            "outputs": {**outputs, **hidden}, "parent": goal.parent, "provider": goal.provider,
            "dependencies": goal.dependencies, "propertyDependencies": goal.property_dependencies,
            "protect": goal.protect, "retainOnDelete": goal.retain_on_delete, "deletedWith": goal.deleted_with,
            "additionalSecretOutputs": goal.secret_outputs,
        }  # fmt: skip
        always = ("custom", "inputs", "outputs")
        return {key: value for key, value in fields.items() if value or key in always}


def references(entry: Entry) -> set[str]:
    """The URNs of all that the resource stands on: parent, provider, dependencies, deletedWith."""
    by_key = entry.get("propertyDependencies") or {}
    named = {entry.get("parent") or "", _provider_urn(entry.get("provider") or ""), entry.get("deletedWith") or ""}
    return named | {*(entry.get("dependencies") or [])} | {urn for urns in by_key.values() for urn in urns}


def _provider_urn(reference: str) -> str:
    return reference.rsplit("::", 1)[0]


def protected(entry: Entry) -> str:
    """The words with which Pulumi refuses to delete a protected resource."""
    return (
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
    return (
        isinstance(value, list)
        and path[0].isdigit()
        and int(path[0]) < len(value)
        and _hides(value[int(path[0])], path[1:])
    )


def _keep(new: Value, old: Value, path: list[str]) -> Value:
    """The new value with what is at `path` as it was (`*`: every key or item)."""
    if not path:
        return old
    head, rest = path[0], path[1:]
    if isinstance(new, list) and isinstance(old, list):
        same = len(new) == len(old)
        return [_keep(item, old[i], rest) if same and head in ("*", str(i)) else item for i, item in enumerate(new)]
    if not isinstance(new, dict) or not isinstance(old, dict):
        return new
    kept = dict(new)
    for key in {*new, *old} if head == "*" else {head}:
        if key in old:
            kept[key] = _keep(new.get(key), old[key], rest)
        else:
            kept.pop(key, None)
    return kept
