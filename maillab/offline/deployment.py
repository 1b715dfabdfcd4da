"""Carries out what each resource needs, against the state and the world."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from maillab.offline import providers
from maillab.offline.docker_engine import host_of
from maillab.offline.plan import (
    Goal,
    Op,
    Plan,
    compare,
    deletes_first,
    dependents,
    keep_ignored,
    protection,
    references,
)
from maillab.offline.presence import Presence
from maillab.offline.providers import Target
from maillab.offline.schema import DOCKER_TYPES, IMAGE, PROVIDER
from maillab.offline.stopping import StoppedError
from maillab.offline.values import UNKNOWN, OfflineError, Props, contains, plain, without_nulls

if TYPE_CHECKING:
    from maillab.offline.display import Display
    from maillab.offline.entries import Entry
    from maillab.offline.process import Log
    from maillab.offline.state import Store

WORKERS = 16
SETTLE_SECONDS = 10


class Deployment:
    """One run of the program against one state; called by several threads at once."""

    def __init__(self, store: Store, display: Display, *, dry_run: bool) -> None:
        """With `dry_run` nothing is changed, neither the state's file nor the world."""
        self.store = store
        self.display = display
        self.dry_run = dry_run
        self.seen: set[str] = set()
        self.again: set[str] = set()  # URNs of what is to be done again, changed or not
        self._interrupted = set(store.pending)
        self._replace_lock = threading.Lock()
        self._seen_lock = threading.Lock()
        self._alias_lock = threading.Lock()
        self._presence = Presence()
        self._aliased: dict[str, str] = {}  # a URN in the state to the one that the program has for it now

    def target(self, entry: Entry) -> Target:
        """What to work on and where: the host is the provider's."""
        provider = self.store.get(entry.get("provider", "").rpartition("::")[0])
        name = entry["urn"].rpartition("::")[2]
        host = host_of(plain(provider["inputs"]) if provider else {})
        return Target(kind=entry["type"], name=name, host=host, timeouts=entry.get("customTimeouts") or {})

    def register(self, goal: Goal) -> tuple[str, Props]:
        """Bring one resource to its goal; returns its id (empty: not known yet) and outputs.

        Raises OfflineError; the state then is as it was.
        """
        self._see(goal.urn)
        old = self._old(goal)
        if not goal.custom:
            return self._component(goal, old)
        if goal.kind in (IMAGE, *DOCKER_TYPES) and PROVIDER not in goal.provider:
            raise OfflineError(f"{goal.name}: give it the explicit docker Provider (opts.provider)")
        inputs = without_nulls(goal.inputs)
        if not self.dry_run and contains(inputs, UNKNOWN):
            raise OfflineError(f"{goal.name}: an input is not known, because what it comes from failed")
        target = self.target(goal.entry(None, {}, {}))
        lost = old is not None and self._is_lost(target, old)
        if old and lost and goal.kind != IMAGE:
            self.display.say(f"    {target.where} is gone, and is made again")
            self.store.forget(old)
            old = None
        inputs = keep_ignored(goal, inputs, old) if old else inputs
        inputs = providers.check(target, inputs, old["inputs"] if old else {})
        # An image that is gone is built again: as with the real provider, that is an update.
        plan = compare(goal, inputs, old, forced=lost or goal.urn in self._interrupted | self.again)
        if self.dry_run:
            return self._simulate(goal, plan, old)
        if plan.op == Op.SAME and old:
            self.display.planned(goal.urn, plan.op)
            entry = goal.entry(old["id"], plan.inputs, old["outputs"])
            self.store.keep(entry)
        else:
            entry = self._execute(goal, target, plan, old)
        return entry["id"], entry["outputs"]

    def _see(self, urn: str) -> None:
        """Note that the program has the resource. Raises OfflineError when it has it twice, in two threads too."""
        with self._seen_lock:
            if urn in self.seen:
                raise OfflineError(f"Duplicate resource URN '{urn}'; give one of the two another name")
            self.seen.add(urn)

    def _old(self, goal: Goal) -> Entry | None:
        """The resource in the state, under its own name or one that it had before. Raises OfflineError."""
        with self._alias_lock:
            if other := self._aliased.get(goal.urn):
                raise OfflineError(
                    f"'{goal.urn}' is in the state, and '{other}' has it as an alias; drop one of the two"
                )
            if found := self.store.get(goal.urn):
                return found
            for former in goal.former:
                if former in self.seen or not self.store.get(former):
                    continue
                self.store.rename(former, goal.urn)
                self._aliased[former] = goal.urn
                if former in self._interrupted:
                    self._interrupted.add(goal.urn)
                break
            return self.store.get(goal.urn)

    def _is_lost(self, target: Target, old: Entry) -> bool:
        """Whether somebody removed it; a preview does not ask the engine, as with the real one."""
        asked = not self.dry_run and not old.get("pendingReplacement") and target.kind in (IMAGE, *DOCKER_TYPES)
        return asked and providers.lost(target, old, self._presence)

    def _component(self, goal: Goal, old: Entry | None) -> tuple[str, Props]:
        op = Op.CREATE if old is None else Op.SAME if old["inputs"] == goal.inputs else Op.UPDATE
        self.display.planned(goal.urn, op)
        self.store.keep(goal.entry(None, goal.inputs, old["outputs"] if old else {}))
        return "", {}

    def _simulate(self, goal: Goal, plan: Plan, old: Entry | None) -> tuple[str, Props]:
        """What a preview answers: what is not known yet is left out."""
        retained = plan.op == Op.REPLACE and _is_retained(old)
        self.display.planned(goal.urn, plan.op, plan.changes, retained=retained)
        if plan.op == Op.REPLACE and old and deletes_first(goal, plan.inputs, old):
            for entry in dependents(self.store.entries(), goal.urn):
                self.store.expect_replacement(entry)
        if goal.kind == PROVIDER:
            self.store.keep(goal.entry(None, plan.inputs, plan.inputs))
        if old is None or plan.op == Op.REPLACE:
            return "", plan.inputs
        if plan.op == Op.SAME:
            return old["id"], old["outputs"]
        return old["id"], {**old["outputs"], **plan.inputs} if goal.kind in DOCKER_TYPES else plan.inputs

    def _execute(self, goal: Goal, target: Target, plan: Plan, old: Entry | None) -> Entry:
        retained = plan.op == Op.REPLACE and _is_retained(old)
        with self.display.step(goal.urn, plan.op, plan.changes, retained=retained) as log:
            if plan.op != Op.UPDATE or old is None:
                if old and not old.get("pendingReplacement") and goal.kind in DOCKER_TYPES:
                    providers.refuse_in_the_way(target, plan.inputs, self._own_ids(old))
                condemned = self._make_room(goal, plan, old)
                before = providers.namesakes(target, plan.inputs)
                self.store.begin("creating", goal.entry(None, plan.inputs, {}), before)
                made, outputs = self._create(goal, target, plan, log)
                entry = goal.entry(made, plan.inputs, outputs)
                self.store.finish(entry, condemned)
                return entry
            self.store.begin("updating", old)
            try:
                changed = {change.path[0] for change in plan.changes}
                outputs = providers.update(target, old, plan.inputs, changed, log)
            except OfflineError as error:
                self._failed(goal.urn, error)
                raise
            entry = goal.entry(old["id"], plan.inputs, outputs)
            self.store.finish(entry)
            return entry

    def _failed(self, urn: str, error: OfflineError) -> None:
        """The operation failed; one that was stopped, or that an earlier run left unfinished, stays to be finished."""
        # Of one that goes after its replacement nothing is pending: the state says already that it goes.
        unfinished = urn in self._interrupted and self.store.pending.get(urn, {}).get("type") == "updating"
        if not unfinished and not isinstance(error, StoppedError):
            self.store.abandon(urn)

    def _create(self, goal: Goal, target: Target, plan: Plan, log: Log) -> tuple[str, Props]:
        # A Docker engine may end what a killed run asked of it only after we looked for leftovers.
        patience = SETTLE_SECONDS if goal.urn in self._interrupted and goal.kind in DOCKER_TYPES else 0
        deadline = time.monotonic() + patience
        while True:
            try:
                return providers.create(target, plan.inputs, log, self.store.kept)
            except OfflineError as error:
                if time.monotonic() >= deadline or isinstance(error, StoppedError):
                    self._failed(goal.urn, error)
                    raise
            if not self.remove_leftover(goal.urn):
                time.sleep(0.2)

    def remove_leftover(self, urn: str) -> bool:
        """Remove what an interrupted run made under this URN and could not record; answers if it had."""
        operation = self.store.pending[urn]
        entry, target = operation["resource"], self.target(operation["resource"])
        leftover = providers.find_leftover(target, entry["inputs"], operation.get("before"))
        if leftover:
            self.display.say(f" -  {target.where} removing what an interrupted run left ({leftover[:12]})")
            providers.delete(target, {**entry, "id": leftover}, lambda line, *_: self.display.say(line))
        return leftover is not None

    def _own_ids(self, old: Entry) -> set[str]:
        """The ids of all that the state has, without `old` when it stays in spite of its replacement."""
        stays = old["id"] if old.get("retainOnDelete") else ""
        return {str(entry.get("id")) for entry in self.store.entries()} - {stays}

    def _make_room(self, goal: Goal, plan: Plan, old: Entry | None) -> Entry | None:
        """Before a replacement: delete the old one with its dependents; or return it, to be deleted later."""
        if plan.op != Op.REPLACE or old is None or old.get("pendingReplacement"):
            return None
        if not deletes_first(goal, plan.inputs, old):
            return old
        with self._replace_lock:
            if (self.store.get(goal.urn) or old).get("pendingReplacement"):
                return None  # it went meanwhile, with something else that it needs
            for entry in [*reversed(dependents(self.store.entries(), goal.urn)), old]:
                self._delete(entry, set(), replacing=True)
        return None

    def _delete(self, entry: Entry, going: set[str], *, replacing: bool = False) -> None:
        """Delete one resource; `going` are the URNs that go in the same run (for deletedWith)."""
        if entry.get("protect"):
            raise protection(entry)
        spared = entry.get("retainOnDelete") or entry.get("deletedWith") in going or entry.get("pendingReplacement")
        op = Op.REPLACE if replacing or entry.get("delete") else Op.DELETE
        with self.display.step(entry["urn"], op, deleting=True, retained=_is_retained(entry)) as log:
            if entry["custom"] and not spared:
                if not entry.get("delete"):  # of a condemned one the state says already that it goes
                    self.store.begin("deleting", entry)
                try:
                    providers.delete(self.target(entry), entry, log)
                except OfflineError as error:
                    self._failed(entry["urn"], error)
                    raise
            if replacing:
                self.store.await_replacement(entry)
            else:
                self.store.remove(entry)

    def delete_all(self, entries: list[Entry]) -> None:
        """Delete the resources, dependents first, independent ones in parallel; failures go to the display."""
        for entry in entries:
            if entry.get("protect"):
                self.display.diagnostic("error", entry["urn"], str(protection(entry)))
        if self.dry_run:
            for entry in reversed(entries):
                self.display.planned(entry["urn"], Op.DELETE, retained=_is_retained(entry))
        going = {entry["urn"] for entry in entries if not entry.get("delete")}
        left = [] if self.dry_run else entries

        def attempt(entry: Entry) -> None:
            try:
                self._delete(entry, going)
            except OfflineError as error:
                self.display.diagnostic("error", entry["urn"], str(error))

        with ThreadPoolExecutor(WORKERS) as pool:
            while left and not self.display.failed:
                needed = {urn for entry in left for urn in references(entry)}
                free = [entry for entry in left if entry.get("delete") or entry["urn"] not in needed]
                list(pool.map(attempt, free))
                left = [entry for entry in left if not any(entry is other for other in free)]


def _is_retained(entry: Entry | None) -> bool:
    return bool(entry and entry.get("retainOnDelete"))
