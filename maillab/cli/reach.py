"""Who reaches whom in a running lab: a ping along each wire and over the router, on both families, within a second.

The machines ask each other, because what drops their packets may be on a computer whose rules nobody here can read.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from maillab.cli.docker import RUNNING, host_environment
from maillab.cli.machines import MachineRow
from maillab.cli.networks import EngineNetwork

# All at once; each that is answered says its address. `status` shall answer within two seconds.
PING = 'for a; do { ping -n -q -c 1 -W 0.8 "$a" >/dev/null 2>&1 && echo "$a"; } & done; wait'
LIMIT = 20  # seconds for all that one machine asks: a computer that is busy takes long to start the pings
MOSTLY = 0.5  # of the probes of one kind: more than what one broken machine spoils


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One ping from the container `source` to the machine `target`; `routed` if the router is between them."""

    source: str
    target: str
    address: str
    routed: bool

    @property
    def version(self) -> int:
        """4 or 6."""
        return 6 if ":" in self.address else 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What was asked, and which of it was answered."""

    asked: frozenset[Probe]
    answered: frozenset[Probe]

    def of(self, version: int, *, routed: bool) -> Reach:
        """The probes of one kind."""
        asked = frozenset(probe for probe in self.asked if (probe.version, probe.routed) == (version, routed))
        return Reach(asked=asked, answered=asked & self.answered)

    @property
    def none(self) -> bool:
        """Was nothing answered, by any of several machines that several asked? One broken machine is not that."""
        targets, sources = ({getattr(probe, end) for probe in self.asked} for end in ("target", "source"))
        return len(targets) > 2 and len(sources) > 1 and not self.answered

    @property
    def mostly(self) -> bool:
        """Was most of it answered?"""
        return len(self.answered) > MOSTLY * len(self.asked)

    def lost(self, version: int) -> set[str]:
        """Addresses of IP `version` that nobody reached, of machines that were reached by the other family."""
        reached = {probe.target for probe in self.answered if probe.version != version}
        alive = {probe.address for probe in self.answered}
        return {p.address for p in self.asked if p.version == version and p.target in reached} - alive


def probes(machines: Iterable[MachineRow], networks: Sequence[EngineNetwork]) -> list[Probe]:
    """What to ask of the running machines on the lab's `networks`: from its router, and from one machine on each."""
    by_container = {row.container: row for row in machines if row.state == RUNNING}
    wires = [[by_container[name] for name in network.containers if name in by_container] for network in networks]
    routers = {row.name for wire in wires for row in wire if sum(row in other for other in wires) > 1}
    found = []
    for wire in wires:
        others = [row for other in wires if other is not wire for row in other if row.name not in routers]
        ends = [row for row in wire if row.name not in routers]
        for row in wire:
            if row.name in routers or row is ends[0]:
                found += _to(row, [end for end in ends if end is not row], routed=False)
        if ends:
            found += _to(ends[0], others, routed=True)
    return found


def _to(source: MachineRow, targets: Iterable[MachineRow], *, routed: bool) -> list[Probe]:
    firsts = [(row.name, addresses.split()[0]) for row in targets for addresses in (row.ipv4, row.ipv6) if addresses]
    return [Probe(source=source.container, target=name, address=first, routed=routed) for name, first in firsts]


def ask(wanted: Iterable[Probe]) -> Reach:
    """Ask all machines at once. What a machine could not be asked is left out."""
    by_source: dict[str, list[Probe]] = {}
    for probe in wanted:
        by_source.setdefault(probe.source, []).append(probe)
    if not by_source:
        return Reach(asked=frozenset(), answered=frozenset())
    with ThreadPoolExecutor(len(by_source)) as pool:
        answers = dict(zip(by_source, pool.map(_ask, by_source.items()), strict=True))
    asked = [probe for source, own in by_source.items() if answers[source] is not None for probe in own]
    answered = [probe for probe in asked if probe.address in (answers[probe.source] or ())]
    return Reach(asked=frozenset(asked), answered=frozenset(answered))


def _ask(item: tuple[str, Sequence[Probe]]) -> set[str] | None:
    source, own = item
    command = ["docker", "exec", source, "sh", "-c", PING, "sh", *sorted({probe.address for probe in own})]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, env=host_environment(), timeout=LIMIT
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return set(done.stdout.split()) if done.returncode == 0 else None
