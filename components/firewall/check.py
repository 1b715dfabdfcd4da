"""What is wrong with a school's packet filter rules: dead rules, contradictions, and doors left open."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import fields, replace

from components.config import LabConfig, SchoolConfig
from components.firewall.chain import Packet, contains, decide, of_chain, representatives
from components.firewall.dead import check_dead_rules, placed_rules
from components.firewall.model import Action, Chain, Ipv6Policy, Protocol, Rule, RuleConfig
from components.firewall.policy import LOOPBACK, SMTP, configured_rules, router_rules
from components.firewall.render import rule_command
from components.network.topology import INTERNET
from components.problem import Problem, Severity

# A shorter prefix is no range of somebody's, but a part of the world: 2000::/3 is all that is given to anybody.
NARROW = {4: 6, 6: 16}
WITH_PORTS = (Protocol.TCP, Protocol.UDP, None)


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
        # What can't be written down can't be compared; and the router's rules know its sides by name.
        if not bad and INTERNET not in [other.name for other in config.schools]:
            found = [*check_dead_rules(config, school, where), *_check_reach(config, school, where)]
            found += _check_ipv6(school, where)
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
    named = [rule.source for rule in chain if rule.source and rule.source.prefixlen >= NARROW[version]]
    for source in representatives((rule.source for rule in chain), version):
        if any(contains(network, source) for network in named):
            continue
        decided = decide(chain, Packet(version=version, source=source, destination=0, port=SMTP))
        if decided is None or decided.action is Action.ACCEPT:
            return True
    return False


def _check_reach(config: LabConfig, school: SchoolConfig, where: str) -> Iterator[Problem]:
    """A range that the mail servers let in, and the router does not: whoever is there never comes so far."""
    names = [other.name for other in config.schools]
    every = router_rules(config)
    for version in (4, 6):
        if version == 6 and school.firewall.ipv6 is Ipv6Policy.TUTORIAL:
            continue
        forward = of_chain(every, version, Chain.FORWARD)
        server = next((m.address(version) for m in school.machines if m.mail), None)
        inside = school.network.prefix(version)
        for place, rule in placed_rules(school.firewall.mail, version, f"{where}.mail"):
            network = rule.source
            if server is None or network is None or rule.not_source or rule.action is not Action.ACCEPT:
                continue
            if network.overlaps(inside) or network.overlaps(LOOPBACK[version]):
                continue
            if dropped := _always_dropped(forward, rule, int(server), names):
                what = f"nobody in {network} can use this rule: the router drops what comes from there"
                remedy = f"remove this rule, or the router's `{rule_command(dropped)}`"
                yield Problem(id="allowed-range-unreachable", where=place, what=what, remedy=remedy)


def _always_dropped(forward: Sequence[Rule], allowed: Rule, server: int, schools: Sequence[str]) -> Rule | None:
    """A router's rule that drops what `allowed` lets in from all of its network, from whichever side it comes."""
    dropping: Rule | None = None
    network = allowed.source
    if network is None:
        return None
    sources = representatives([network, *(rule.source for rule in forward)], network.version)
    for source, side in itertools.product(sources, (INTERNET, *schools)):
        if not contains(network, source):
            continue
        packet = Packet(
            version=network.version,
            source=source,
            destination=server,
            protocol=allowed.protocol,
            port=allowed.port,
            in_interface=side,
        )
        decided = decide(forward, packet)
        if decided is None or decided.action is Action.ACCEPT:
            return None
        dropping = decided if side == INTERNET else dropping
    return dropping
