"""Who may connect to whom: the verdict on every source, target and port, from the configuration alone."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from ipaddress import ip_address

from components.config.firewall import Action, Chain, Protocol, Rule
from components.config.lab import OUTSIDE, ROUTER, LabConfig
from components.config.network import Address
from components.firewall.chain import Packet, decide, of_chain
from components.firewall.render import rule_command
from components.part import Blueprint

# What the tutorial's machines serve or might serve, and one port that nobody in the lab listens on.
PORTS: Mapping[int, str] = {
    25: "smtp",
    110: "pop3",
    143: "imap",
    587: "submission",
    465: "submissions",
    22: "ssh",
    53: "domain",
    50000: "filter pages",
    9: "closed",
}
# What is asked for as well, everywhere, in a lab where some machine serves it.
MORE_PORTS: Mapping[int, str] = {
    80: "http",
    443: "https",
    993: "imaps",
    995: "pop3s",
    # For the mail server itself: what comes in there is looked at by nobody.
    10024: "amavis",
    10025: "after amavis",
}
PORT_NAMES = {**PORTS, **MORE_PORTS}
LOOPBACK = {4: ip_address("127.0.0.1"), 6: ip_address("::1")}


class Verdict(enum.StrEnum):
    """What a client sees: a connection, no answer, or a refusal (RST or ICMP error).

    `UNREACHABLE` is only ever seen: there is no way to the target.
    """

    ACCEPT = "accept"
    DROP = "drop"
    REFUSE = "refuse"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Who asks: a machine, with one of its addresses; `name` is what people call it."""

    name: str
    machine: str
    address: Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One question: does a connection from `source` to `port` of the machine `target` at `address` come about?"""

    source: Source
    target: str
    address: Address
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """The answer, the machine that gives it, and the rule that decided; None: no rule is about it."""

    verdict: Verdict
    machine: str
    rule: Rule | None = None

    @property
    def reason(self) -> str:
        """Why, for people."""
        if self.rule is not None:
            return f"{self.machine}: {rule_command(self.rule)}"
        listens = "a program listens" if self.verdict is Verdict.ACCEPT else "no program listens"
        return f"{self.machine}: no rule is about it, and {listens}"


@dataclass(frozen=True, slots=True)
class Policy:
    """The packet filters of all machines and the ways between them, of one lab.

    `answers`: what `predict` has found out of packets that go back.
    """

    plans: Mapping[str, Blueprint]
    answers: dict[tuple[str, "Source", Address, bool], "Prediction"] = field(default_factory=dict)
    _chains: dict[tuple[str, int, Chain], tuple[Rule, ...]] = field(default_factory=dict)

    def chain(self, machine: str, version: int, chain: Chain) -> tuple[Rule, ...]:
        """The rules of one chain of a machine."""
        key = (machine, version, chain)
        if key not in self._chains:
            self._chains[key] = of_chain(self.plans[machine].rules, version, chain)
        return self._chains[key]

    def segments(self, machine: str) -> list[str]:
        """The networks that a machine stands in."""
        return [interface.segment for interface in self.plans[machine].host.interfaces]

    def listens(self, cell: Cell) -> bool:
        """Does a program of the target take the connection, from others or from its own machine?"""
        part, asked = self.plans[cell.target].part, (cell.port, cell.address.version)
        is_inside = cell.source.machine == cell.target
        return asked in part.listens or (is_inside and asked in part.listens_inside)


def sources(plans: Mapping[str, Blueprint]) -> list[Source]:
    """Every address in the lab that somebody sends from; each machine's loopback is asked for by `cells`."""
    found = []
    for name, plan in sorted(plans.items()):
        first = {plan.host.first(4), plan.host.first(6)}
        for interface in plan.host.addresses:
            # The senders on `outside` are many; of another machine one address of each family speaks for it.
            if name == OUTSIDE or str(interface.ip) in first:
                found.append(Source(name=name, machine=name, address=interface.ip))
    return found


def named_senders(lab: LabConfig, found: list[Source]) -> list[Source]:
    """`found` with the names of the senders' hosts in place of the one machine that plays them."""
    hosts = {address: sender.host for sender in lab.internet.senders for address in (sender.ipv4, sender.ipv6)}
    return [Source(name=hosts.get(s.address, s.name), machine=s.machine, address=s.address) for s in found]


def ports(plans: Mapping[str, Blueprint]) -> list[int]:
    """The ports that are asked for in this lab."""
    served = {port for plan in plans.values() for port, _ in plan.part.listens | plan.part.listens_inside}
    return [*PORTS, *(port for port in MORE_PORTS if port in served)]


def cells(lab: LabConfig, plans: Mapping[str, Blueprint]) -> list[Cell]:
    """Every source × other machine × port, and each machine's own loopback."""
    found = []
    asked = ports(plans)
    for source in named_senders(lab, sources(plans)):
        for target, plan in sorted(plans.items()):
            if target != source.machine:
                address = ip_address(plan.host.first(source.address.version))
                found += [Cell(source=source, target=target, address=address, port=port) for port in asked]
    for target in sorted(plans):
        for address in LOOPBACK.values():
            source = Source(name="loopback", machine=target, address=address)
            found += [Cell(source=source, target=target, address=address, port=port) for port in asked]
    return found


def untried(lab: LabConfig, plans: Mapping[str, Blueprint]) -> list[str]:
    """Allowed ranges that nobody in the lab has an address in: nothing can be tried from there."""
    given = [*(source.address for source in sources(plans)), *LOOPBACK.values()]
    ranges = [
        network
        for school in lab.schools
        for rule in school.firewall.mail
        for network in (rule.source, rule.source6)
        if network is not None
    ]
    return [str(network) for network in dict.fromkeys(ranges) if not any(address in network for address in given)]


def predict(policy: Policy, cell: Cell, protocol: Protocol = Protocol.TCP) -> Prediction:
    """What the configuration makes of `cell`: the packet's way through the source, the router and the target, and back.

    With `Protocol.UDP`, of a datagram to somebody who listens; it has no answer.
    """
    packet = Packet(
        version=cell.address.version,
        source=int(cell.source.address),
        destination=int(cell.address),
        protocol=protocol,
        port=cell.port,
    )
    there = _passage(policy, cell.source.machine, cell.target, packet)
    if there.verdict is Verdict.DROP or protocol is Protocol.UDP:
        return there
    is_rejected = there.verdict is Verdict.REFUSE
    back = _answer(policy, there.machine, cell, is_rejected=is_rejected)
    if back.verdict is not Verdict.ACCEPT:
        return replace(back, verdict=Verdict.DROP)
    if is_rejected or policy.listens(cell):
        return there
    return Prediction(verdict=Verdict.REFUSE, machine=cell.target)


def _answer(policy: Policy, machine: str, cell: Cell, *, is_rejected: bool) -> Prediction:
    """What becomes of the answer: the program's or the kernel's, or the ICMP error of the rule that rejects.

    Rules see it like any other packet: they have no memory of connections. It goes to a port that no rule knows, so
    that one answer stands for those of all ports.
    """
    key = (machine, cell.source, cell.address, is_rejected)
    if key not in policy.answers:
        icmp = Protocol.ICMPV6 if cell.address.version == 6 else None
        packet = Packet(
            version=cell.address.version,
            source=int(cell.address),
            destination=int(cell.source.address),
            protocol=icmp if is_rejected else Protocol.TCP,
            syn=False,
        )
        policy.answers[key] = _passage(policy, machine, cell.source.machine, packet)
    return policy.answers[key]


def _passage(policy: Policy, sender: str, receiver: str, packet: Packet) -> Prediction:
    """The rule that stops `packet` between two machines, or else the last one that let it pass."""
    here, there = policy.segments(sender), policy.segments(receiver)
    shared = "lo" if sender == receiver else next((segment for segment in here if segment in there), None)
    leaving, arriving = shared or here[0], shared or there[0]
    steps = [(sender, Chain.OUTPUT, "", leaving)]
    if shared is None:
        steps.append((ROUTER, Chain.FORWARD, leaving, arriving))
    steps.append((receiver, Chain.INPUT, arriving, ""))
    rule = None
    for machine, chain, inward, outward in steps:
        rules = policy.chain(machine, packet.version, chain)
        rule = decide(rules, replace(packet, in_interface=inward, out_interface=outward)) if rules else None
        if rule is not None and rule.action is not Action.ACCEPT:
            verdict = Verdict.DROP if rule.action is Action.DROP else Verdict.REFUSE
            return Prediction(verdict=verdict, machine=machine, rule=rule)
    return Prediction(verdict=Verdict.ACCEPT, machine=receiver, rule=rule)


def predict_all(policy: Policy, asked: list[Cell]) -> dict[Cell, Prediction]:
    """A prediction for every cell."""
    return {cell: predict(policy, cell) for cell in asked}
