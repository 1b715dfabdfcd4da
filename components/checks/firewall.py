"""What is wrong with a school's packet filter rules: dead rules, contradictions, and doors left open."""

import itertools
from collections.abc import Iterator, Sequence

from components.checks.dead_rules import check_dead_rules, placed_rules
from components.config.firewall import Action, Chain, Ipv6Policy, Protocol, Rule, RuleConfig
from components.config.lab import INTERNET, LabConfig, SchoolConfig
from components.config.problem import Problem, problem, warning
from components.firewall.chain import Packet, contains, decide, of_chain, representatives
from components.firewall.policy import LOOPBACK, SMTP, configured_rules, router_rules
from components.firewall.render import rule_command

# A shorter prefix is no range of somebody's, but a part of the world: 2000::/3 is all that is given to anybody.
NARROW = {4: 6, 6: 16}
WITH_PORTS = (Protocol.TCP, Protocol.UDP, None)


def check_firewalls(config: LabConfig) -> list[Problem]:
    """Every problem of every school's rules; warnings among them."""
    problems = []
    for school in config.schools:
        where = f"maillab:schools.{school.name}.firewall"
        bad = [
            found
            for key, rules in (("mail", school.firewall.mail), ("router", school.firewall.router))
            for index, rule in enumerate(rules)
            for found in _check_rule(rule, f"{where}.{key}[{index}]")
        ]
        problems += bad
        # What can't be written down can't be compared; and the router's rules know its sides by name.
        if not bad and INTERNET not in [other.name for other in config.schools]:
            problems += [*check_dead_rules(config, school, where), *_check_reach(config, school, where)]
            problems += _check_ipv6(school, where)
    return problems


def _check_rule(rule: RuleConfig, where: str) -> list[Problem]:
    problems = []
    if rule.port is not None and not 1 <= rule.port <= 65535:
        problems.append(problem("bad-rule.port", where, port=rule.port))
    if rule.port is not None and rule.protocol not in WITH_PORTS:
        problems.append(problem("bad-rule.protocol", where, protocol=rule.protocol))
    if rule.protocol is Protocol.ICMPV6 and rule.is_for(4):
        problems.append(problem("bad-rule.icmpv6", where))
    if (rule.source and rule.not_source) or (rule.source6 and rule.not_source6):
        problems.append(problem("bad-rule.sources", where))
    return problems


def _check_ipv6(school: SchoolConfig, where: str) -> list[Problem]:
    """Somebody whom IPv4 keeps out and IPv6 lets in, past the filter."""
    chain6: list[Rule] = []
    closed = school.firewall.ipv6 is Ipv6Policy.CLOSED
    if closed:
        chain6 = configured_rules(school.firewall.mail, 6)
    if _anyone(chain6, 6) and not _anyone(configured_rules(school.firewall.mail, 4), 4):
        if closed:
            return [problem("ipv6-open.rules", f"{where}.mail")]
        return [warning("ipv6-open.tutorial", f"{where}.ipv6")]
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
    """A range that the mail servers let in, and the router does not: anyone there never gets that far."""
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
                yield problem("allowed-range-unreachable", place, network=network, rule=rule_command(dropped))


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
