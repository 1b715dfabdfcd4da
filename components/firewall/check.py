"""What is wrong with a school's packet filter rules: dead rules, contradictions, and doors left open."""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from ipaddress import IPv4Address, IPv6Address

from components.config import LabConfig, SchoolConfig
from components.firewall.chain import Packet, decide, fits, of_chain
from components.firewall.model import Action, Chain, Ipv6Policy, Network, Protocol, Rule, RuleConfig
from components.firewall.policy import LOOPBACK, SMTP, configured_rules, lab_rules_first, router_rules, ssh_rules
from components.firewall.render import rule_command
from components.network.topology import INTERNET
from components.problem import Problem, Severity

WITH_PORTS = (Protocol.TCP, Protocol.UDP, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A rule and its place in the configuration; None: it is the lab's own."""

    rule: Rule
    where: str | None = None


def check_firewalls(config: LabConfig) -> list[Problem]:
    """Every problem of every school's rules; warnings among them."""
    problems = []
    for school in config.schools:
        where = f"maillab:schools.{school.name}.firewall"
        bad = [
            problem
            for key, rules in (("mail", school.firewall.mail), ("router", school.firewall.router))
            for index, rule in enumerate(rules)
            for problem in _check_rule(rule, f"{where}.{key}[{index}]")
        ]
        problems += bad
        # What can't be written down can't be compared.
        if not bad and school.firewall.mail:
            found = [
                *_check_dead_rules(school, where),
                *_check_ipv6(school, where),
                *_check_reach(config, school, where),
            ]
            problems += [replace(problem, rests_on=_places_of_rules(where)) for problem in found]
    return problems


def _places_of_rules(where: str) -> tuple[str, ...]:
    """What decides about a packet: every rule but its remarks, and who is there on the Internet."""
    matches = [field.name for field in fields(RuleConfig) if field.name not in ("comment", "note")]
    rules = [f"{where}.{key}[*].{name}" for key in ("mail", "router") for name in matches]
    others = [f"maillab:internet.{key}.{family}" for key in ("mail", "senders[*]") for family in ("ipv4", "ipv6")]
    return (f"{where}.ipv6", *rules, *others)


def _check_rule(rule: RuleConfig, where: str) -> list[Problem]:
    problems = []

    def add(what: str, remedy: str) -> None:
        problems.append(Problem(id="bad-rule", where=where, what=what, remedy=remedy))

    if rule.port is not None and not 1 <= rule.port <= 65535:
        add(f"{rule.port} is no port", "take one from 1 to 65535")
    if rule.port is not None and rule.protocol not in WITH_PORTS:
        add(f"{rule.protocol} has no ports", "leave the port out, or write tcp or udp")
    if rule.protocol is Protocol.ICMPV6 and rule.is_for(4):
        add("icmpv6 is for IPv6 only", "give the rule a source6 and no source")
    if (rule.source and rule.not_source) or (rule.source6 and rule.not_source6):
        add("a rule has source or not_source, not both", "make two rules of it")
    return problems


def _check_dead_rules(school: SchoolConfig, where: str) -> list[Problem]:
    problems: list[Problem] = []
    for version in (4, 6):
        own = [Placed(rule=rule) for rule in lab_rules_first(school, version)]
        closed = version == 4 or school.firewall.ipv6 is Ipv6Policy.CLOSED
        configured = _placed(school.firewall.mail, version, f"{where}.mail") if closed else []
        ssh = [Placed(rule=rule) for rule in ssh_rules(school, version)]
        problems += _dead([*own, *configured, *ssh])
        problems += _dead(_placed(school.firewall.router, version, f"{where}.router"))
    # The same slip in both families is one slip.
    return list({(problem.id, problem.where): problem for problem in reversed(problems)}.values())[::-1]


def _placed(configs: Sequence[RuleConfig], version: int, where: str) -> list[Placed]:
    return [
        Placed(rule=rule, where=f"{where}[{index}]")
        for index, config in enumerate(configs)
        for rule in configured_rules([config], version)
    ]


def _dead(chain: Sequence[Placed]) -> Iterator[Problem]:
    """Rules that no packet reaches, because earlier ones have decided about every packet they are about."""
    rules = [placed.rule for placed in chain]
    for index, placed in enumerate(chain):
        before = _who_decides(rules[:index], placed.rule, rules)
        if not before:
            continue
        places = {id(other.rule): other.where for other in chain}
        # The lab's own exceptions contradict nobody.
        said = [rule for rule in before if places[id(rule)]] or before
        other = next((rule for rule in said if rule.action is not placed.rule.action), None)
        first = other or said[0]
        place = placed.where or places[id(first)]
        if place is None:
            continue
        dead = "this rule" if placed.where else f"the lab's own rule `{rule_command(placed.rule)}`"
        what = f"{dead} can never match: `{rule_command(first)}` stands before it"
        if other:
            yield Problem(
                id="rule-contradicted",
                where=place,
                what=f"{what} and says the opposite",
                remedy="remove one of the two, or put the narrower one first",
            )
        else:
            remedy = "remove it; it changes nothing"
            yield Problem(id="rule-shadowed", where=place, what=what, remedy=remedy, severity=Severity.WARNING)


def _who_decides(before: Sequence[Rule], rule: Rule, chain: Sequence[Rule]) -> list[Rule]:
    """The rules of `before` that decide in `rule`'s place about all it is about; empty when it is reached."""
    deciding: dict[int, Rule] = {}
    for packet in _packets(rule, chain):
        decided = decide(before, packet)
        if decided is None:
            return []
        deciding[id(decided)] = decided
    return list(deciding.values())


def _packets(rule: Rule, chain: Sequence[Rule]) -> Iterator[Packet]:
    """A packet of every kind that the chain tells apart, among those that `rule` is about."""
    protocols = [rule.protocol] if rule.protocol else [*Protocol, None]
    ports = [rule.port] if rule.port else [*{other.port for other in chain}]
    interfaces = {"", *((other.in_interface or "").removeprefix("!") for other in chain)}
    kinds = {"", *(other.icmp_type or "" for other in chain)}
    sources = representatives((other.source for other in chain), rule.version)
    destinations = representatives((other.destination for other in chain), rule.version)
    for source, destination, protocol, port, interface, syn, kind in itertools.product(
        sources, destinations, protocols, ports, sorted(interfaces), (True, False), sorted(kinds)
    ):
        packet = Packet(
            version=rule.version,
            source=source,
            destination=destination,
            protocol=protocol,
            port=port,
            syn=syn,
            in_interface=interface,
            icmp_type=kind,
        )
        if fits(rule, packet):
            yield packet


def representatives(networks: Iterable[Network | None], version: int) -> list[int]:
    """Addresses, as numbers, of which every set that `networks` can tell apart has at least one.

    Prefixes lie in each other or apart: where a set begins, one of them begins or has just ended.
    """
    first = IPv4Address if version == 4 else IPv6Address
    last = int(first(2 ** (32 if version == 4 else 128) - 1))
    edges = {0}
    for network in networks:
        if network is not None:
            edges |= {int(network.network_address), int(network.broadcast_address) + 1}
    return sorted(edge for edge in edges if edge <= last)


def _check_ipv6(school: SchoolConfig, where: str) -> list[Problem]:
    """Somebody whom IPv4 keeps out and IPv6 lets in, past the filter."""
    chain6: list[Rule] = []
    closed = school.firewall.ipv6 is Ipv6Policy.CLOSED
    if closed:
        chain6 = configured_rules(school.firewall.mail, 6)
    if _anyone(chain6, 6) and not _anyone(configured_rules(school.firewall.mail, 4), 4):
        what = (
            "port 25 of the mail servers is closed on IPv4 and open to everybody on IPv6: "
            "a spammer who takes a server's AAAA address is not stopped, and his mail never sees the spamfilter"
        )
        if closed:
            remedy = "give the DROP rule a not_source6 with the school's IPv6 network"
            return [Problem(id="ipv6-open", where=f"{where}.mail", what=what, remedy=remedy)]
        remedy = "write `ipv6: closed` for the same rules on both families (`tutorial` is as the page prints it)"
        return [Problem(id="ipv6-open", where=f"{where}.ipv6", what=what, remedy=remedy, severity=Severity.WARNING)]
    return []


def _anyone(chain: Sequence[Rule], version: int) -> bool:
    """Does somebody whom no rule knows by name get to port 25?"""
    named = [rule.source for rule in chain if rule.source]
    for source in representatives((rule.source for rule in chain), version):
        if any(_inside(source, network) for network in named):
            continue
        decided = decide(chain, Packet(version=version, source=source, destination=0, port=SMTP))
        if decided is None or decided.action is Action.ACCEPT:
            return True
    return False


def _inside(address: int, network: Network) -> bool:
    return int(network.network_address) <= address <= int(network.broadcast_address)


def _check_reach(config: LabConfig, school: SchoolConfig, where: str) -> Iterator[Problem]:
    """A range that the mail servers let in, and the router does not: whoever is there never comes so far."""
    names = [other.name for other in config.schools]
    if INTERNET in names:  # a fault that is told elsewhere: the router's rules know its sides by name
        return
    every = router_rules(config)
    for version in (4, 6):
        if version == 6 and school.firewall.ipv6 is Ipv6Policy.TUTORIAL:
            continue
        forward = of_chain(every, version, Chain.FORWARD)
        server = next((m.ipv4 if version == 4 else m.ipv6 for m in school.machines if m.mail), None)
        inside = school.network.ipv4 if version == 4 else school.network.ipv6
        for placed in _placed(school.firewall.mail, version, f"{where}.mail"):
            network = placed.rule.source
            if server is None or network is None or placed.rule.not_source or placed.rule.action is not Action.ACCEPT:
                continue
            if network.overlaps(inside) or network.overlaps(LOOPBACK[version]):
                continue
            if dropped := _always_dropped(forward, network, int(server), names):
                what = f"nobody in {network} can use this rule: the router drops what comes from there"
                remedy = f"remove this rule, or the router's `{rule_command(dropped)}`"
                yield Problem(id="allowed-range-unreachable", where=str(placed.where), what=what, remedy=remedy)


def _always_dropped(forward: Sequence[Rule], network: Network, server: int, schools: Sequence[str]) -> Rule | None:
    """A router's rule that drops packets from all of `network`, from whichever side they come."""
    dropping: Rule | None = None
    sources = representatives([network, *(rule.source for rule in forward)], network.version)
    for source, side in itertools.product(sources, (INTERNET, *schools)):
        if not _inside(source, network):
            continue
        packet = Packet(version=network.version, source=source, destination=server, port=SMTP, in_interface=side)
        decided = decide(forward, packet)
        if decided is None or decided.action is Action.ACCEPT:
            return None
        dropping = decided if side == INTERNET else dropping
    return dropping
