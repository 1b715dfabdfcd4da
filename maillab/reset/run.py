"""Resets machines of a lab, side by side."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from maillab.offline.values import OfflineError
from maillab.reset.record import Machine, Resource, certified, configured, machines_of, on_new, swapped
from maillab.reset.steps import Reset, Wish, certify, ensure, forget, needs_certificate

if TYPE_CHECKING:
    from maillab.offline.entries import Entry

Found = TypeVar("Found")
Change = Callable[[list["Entry"]], list["Entry"]]


class Book(Protocol):
    """The state of the engine that has the lab; nobody else writes in it meanwhile."""

    def resources(self) -> list[Entry]:
        """All resources, their secrets readable."""

    def change(self, change: Change) -> None:
        """Write what `change` makes of the resources."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a machine: after how many seconds it served as configured, or why it does not (`failure`).

    `differing`: what of it was in no file and was not as configured (`Reset`), which the file `kept` has.
    """

    name: str
    seconds: float
    failure: str = ""
    differing: tuple[str, ...] = ()
    kept: Path | None = None


@dataclass(slots=True, kw_only=True)
class _Run:
    """Resets under way, by machine: what failed with the engine's words, who was ready after how many seconds."""

    book: Book
    resets: dict[str, Reset]
    started: float = field(default_factory=time.monotonic)
    ids: dict[str, str] = field(default_factory=dict)  # old containers to new ones
    failed: dict[str, str] = field(default_factory=dict)
    ready: dict[str, float] = field(default_factory=dict)

    def each(self, work: Callable[[Reset], Found]) -> dict[str, Found]:
        """`work` on each machine that has not failed, all at once: what it answers, of those that do not fail now."""
        found: dict[str, Found] = {}

        def attempt(name: str) -> None:
            try:
                found[name] = work(self.resets[name])
            except OfflineError as error:
                self.failed[name] = _words(error)

        wanted = [name for name in self.resets if name not in self.failed]
        with ThreadPoolExecutor(max(len(wanted), 1)) as pool:
            list(pool.map(attempt, wanted))
        return found

    def replace(self) -> None:
        """New containers. As soon as may be, the state has those that there are."""
        self.each(Reset.put_away)
        try:
            self.each(Reset.make)
        finally:
            made = [one for one in self.resets.values() if one.made]
            self.ids = {one.machine.container.id: one.made for one in made}
            commands = {one.config for one in made}
            # Nobody has brought these certificates yet.
            commands |= {certificate.urn for _, certificate in _certificates(self.book, self.ids)}
            if made:
                self.book.change(lambda resources: swapped(resources, self.ids, commands))

    def bring(self) -> None:
        """Their files. Of who fails here the state goes on saying that it is not configured."""

        def bring(one: Reset) -> None:
            one.configure()
            self.ready[one.machine.name] = time.monotonic() - self.started

        try:
            self.each(bring)
        finally:
            done = {one.config: (one.made, one.reported) for one in self.resets.values() if one.is_configured}
            if done:
                self.book.change(lambda resources: configured(resources, done))

    def outcomes(self) -> list[Outcome]:
        """What became of each machine, by name."""
        return [
            Outcome(
                name=name,
                seconds=self.ready.get(name, 0.0),
                failure=self.failed.get(name, ""),
                differing=one.differing,
                kept=one.kept,
            )
            for name, one in sorted(self.resets.items())
        ]


def _words(error: OfflineError) -> str:
    """What went wrong, without our own script, which is in the first line when a script failed."""
    first, _, rest = str(error).partition("\n")
    return rest.strip() if rest.strip() and ": running " in first else str(error)


def reset(book: Book, names: Collection[str], wish: Wish) -> list[Outcome]:
    """Have the machines `names` (none: all) be as the last `up` configured them.

    If a network is gone, the machines on it are reset with them.

    Raises:
        HalfMadeError: the last `up` did not come to its end.
        KeyError: there is no such machine.
        OfflineError: the Docker engine does not answer, or a network could not be made again.
    """
    known = machines_of(book.resources())
    if unknown := [name for name in names if name not in known]:
        raise KeyError(*unknown)
    cut_off = _renew_networks(book, known.values())
    known = machines_of(book.resources()) if cut_off else known
    wanted = {name: one for name, one in known.items() if not names or name in names or name in cut_off}
    run = _Run(book=book, resets={name: Reset(machine=one, wish=wish) for name, one in wanted.items()})
    run.replace()
    run.bring()
    _certify(book, run)
    run.each(Reset.compare)
    _forget([one for name, one in known.items() if name not in wanted])
    return run.outcomes()


def _renew_networks(book: Book, machines: Collection[Machine]) -> set[str]:
    """Networks that are gone are made again; answers the machines that were on them."""
    networks = {network.id: network for machine in machines for network in machine.networks}
    ids: dict[str, str] = {}
    try:
        for old, network in networks.items():
            if (new := ensure(network)) != old:
                ids[old] = new
    finally:  # the state has each that was made, also when the next one can't be
        if ids:
            book.change(lambda resources: swapped(resources, ids, ()))
    return {one.name for one in machines if any(network.id in ids for network in one.networks)}


def _certify(book: Book, run: _Run) -> None:
    """What a new container has of the authority's is on its volume, and may be what somebody has spoilt there."""
    ready = [one.machine.container.id for one in run.resets.values() if one.is_configured]
    for machine, certificate in _certificates(book, ready):
        try:
            certify(replace(machine, certificate=on_new(certificate, run.ids)))
        except OfflineError as error:  # of one that is not reset, its status says so
            run.failed.setdefault(machine.name, _words(error))
        else:
            book.change(partial(certified, urn=certificate.urn, ids=run.ids))


def _certificates(book: Book, containers: Collection[str]) -> list[tuple[Machine, Resource]]:
    """The machines whose certificate is brought by a Command on one of the containers, and that Command."""
    known = machines_of(book.resources()).values()
    return [(one, one.certificate) for one in known if one.certificate and needs_certificate(one, containers)]


def _forget(others: Iterable[Machine]) -> None:
    """The machines that stay know the old answers; one that can't be told is its own affair."""

    def attempt(machine: Machine) -> None:
        with suppress(OfflineError):
            forget(machine)

    left = list(others)
    with ThreadPoolExecutor(max(len(left), 1)) as pool:
        list(pool.map(attempt, left))
