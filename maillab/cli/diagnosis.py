"""What the computer under a lab does to its packets, and what to do there. The lab itself changes nothing of it."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from components.config.network import NoCarrier
from maillab.cli.machines import MachineRow
from maillab.cli.networks import EngineNetwork, networks
from maillab.cli.problem import MaillabError
from maillab.cli.reach import Reach, ask, probes
from maillab.cli.stack import Stack
from maillab.cli.text import error_text, text

COMMAND = {4: "iptables", 6: "ip6tables"}
OTHER = {4: 6, 6: 4}
BRIDGE_FILTER = Path("/proc/sys/net/bridge")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What is wrong around the lab: an id, a sentence, and lines that say what to do."""

    id: str
    what: str
    remedy: tuple[str, ...]

    @property
    def is_harm(self) -> bool:
        """Are packets lost now? Otherwise they may be, one day."""
        return self.id.endswith(("-dropped", "-drops"))


@dataclass(frozen=True, slots=True, kw_only=True)
class HostFilter:
    """What the host does with bridged packets of one family; None: it can't be read from here.

    `filters`: bridge-nf-call-iptables or its sister. `drops`: the FORWARD chain's policy, which root may read.
    """

    filters: bool | None = None
    drops: bool | None = None


def diagnose(stack: Stack, machines: Sequence[MachineRow]) -> list[Finding]:
    """What to tell about the lab's surroundings; nothing when the engine can't be asked."""
    try:
        found = networks()
    except MaillabError:
        return []
    label = stack.label  # the stack's file is read for it
    own = [network for network in found if network.lab == label]
    others = [network for network in found if network.lab != label]
    reach = ask(probes(machines, own))
    host = {version: read_host(version, own) for version in COMMAND if reach.of(version, routed=False).none}
    return [*of_carriers(stack, machines, own, others, reach), *of_families(reach, host)]


def finding(key: str, /, *, id: str, **values: object) -> Finding:
    """The finding whose texts are `key` in the catalogue."""
    what, remedy = (error_text(key, part, values) for part in ("what", "remedy"))
    return Finding(id=id, what=what, remedy=tuple(remedy.splitlines()))


def of_families(reach: Reach, host: Mapping[int, HostFilter]) -> list[Finding]:
    """A family that is dead on the wires while the other one lives, or whose packets the host is known to drop.

    `host`: what it does with those that are dead.
    """
    findings = []
    for version, known in host.items():
        dead = reach.of(version, routed=False).none and known.filters is not False
        if dead and (reach.of(OTHER[version], routed=False).mostly or known.drops):
            findings.append(_dropped(version, known))
    return findings


def _dropped(version: int, known: HostFilter) -> Finding:
    cause = {True: "policy", False: "rule", None: "unknown"}[known.drops]
    return finding(f"ip-dropped.{cause}", id=f"ipv{version}-dropped", version=version, command=COMMAND[version])


def of_carriers(
    stack: Stack,
    machines: Iterable[MachineRow],
    own: Sequence[EngineNetwork],
    others: Sequence[EngineNetwork],
    reach: Reach,
) -> list[Finding]:
    """Docker networks that have the lab's real addresses: its own, or somebody else's."""
    real = [ip_address(text) for row in machines for text in row.ipv4.split()]
    findings = []
    if any(network.holds(real) for network in own):
        findings.append(_own(stack, others, reach))
    theirs: dict[tuple[str, str], list[EngineNetwork]] = {}
    for network in others:
        if network.holds(real):
            theirs.setdefault(("lab", network.lab) if network.lab else ("network", network.name), []).append(network)
    return findings + [_neighbour(*owner, theirs[owner], reach) for owner in sorted(theirs)]


def _own(stack: Stack, others: Sequence[EngineNetwork], reach: Reach) -> Finding:
    routed = {version: reach.of(version, routed=True) for version in COMMAND}
    dropped = routed[4].none and (routed[6].mostly or reach.of(4, routed=False).mostly)
    labs = sorted({network.lab for network in others if network.lab})
    return finding(
        "without-carrier.by-file" if NoCarrier.NONE in stack.setting("network") else "without-carrier.by-age",
        id="routes-dropped" if dropped else "no-carrier",
        stack=stack.name,
        now=text("routes-dropped" if dropped else "routes-may-drop"),
        beside=text("labs-beside", labs=", ".join(labs)) if labs else "",
    )


def _neighbour(kind: str, name: str, theirs: Sequence[EngineNetwork], reach: Reach) -> Finding:
    """About the lab or the network (`kind`) of this name."""
    subnets = ", ".join(str(subnet) for network in theirs for subnet in network.subnets)
    lost = sorted(text for text in reach.lost(4) if any(network.holds([ip_address(text)]) for network in theirs))
    return finding(
        f"neighbour.{kind}",
        id="neighbour-drops" if lost else "neighbour",
        name=name,
        subnets=subnets,
        now=text("neighbour-drops", addresses=", ".join(lost)) if lost else text("neighbour-may-drop"),
    )


def read_host(version: int, own: Iterable[EngineNetwork]) -> HostFilter:
    """What this computer does, if the lab's bridges are on it: an engine's socket may lead to another network."""
    here = {name for _, name in socket.if_nameindex()}
    if not here.issuperset(network.bridge for network in own):
        return HostFilter()
    command = COMMAND[version]
    try:
        filters = (BRIDGE_FILTER / f"bridge-nf-call-{command}").read_text("ascii").strip() == "1"
    except FileNotFoundError:
        filters = False  # no br_netfilter: no bridge is filtered
    except OSError:
        return HostFilter()
    if not filters:
        return HostFilter(filters=False)
    try:
        asked = [command, "-S", "FORWARD"]
        done = subprocess.run(asked, capture_output=True, text=True, check=False, timeout=1)
    except (OSError, subprocess.TimeoutExpired):
        return HostFilter(filters=True)
    return HostFilter(filters=True, drops=None if done.returncode else "-P FORWARD DROP" in done.stdout.splitlines())
