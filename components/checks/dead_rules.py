"""Rules that no packet reaches: earlier ones have decided about every packet they are about."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from components.config.firewall import Action, Chain, Ipv6Policy, Protocol, Rule, RuleConfig
from components.config.lab import LabConfig, SchoolConfig
from components.config.problem import Problem, problem, warning
from components.firewall.chain import Packet, decide, fits, fits_addresses, of_chain, representatives
from components.firewall.policy import configured_rules, forged_source_rules, lab_rules_first, passed_on, ssh_rules
from components.firewall.render import rule_command


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A rule and its place in the configuration; None: it is the lab's own."""

    rule: Rule
    where: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dead:
    """A rule that is never reached, one that decides in its place, and that one's place."""

    placed: Placed
    by: Placed

    @property
    def is_contradicted(self) -> bool:
        """Does one of the two let in what the other keeps out?"""
        return (self.placed.rule.action is Action.ACCEPT) is not (self.by.rule.action is Action.ACCEPT)


def check_dead_rules(config: LabConfig, school: SchoolConfig, where: str) -> list[Problem]:
    """Every dead rule of the school's `firewall` section, which is at `where`."""
    dead: list[Dead] = []
    forged_sources = forged_source_rules(config)
    for version in (4, 6):
        own = [Placed(rule=rule) for rule in lab_rules_first(school, version)]
        closed = version == 4 or school.firewall.ipv6 is Ipv6Policy.CLOSED
        configured = _placed(school.firewall.mail, version, f"{where}.mail") if closed else []
        ssh = [Placed(rule=rule) for rule in ssh_rules(school, version)]
        dead += _dead([*own, *configured, *ssh])
        forged = [Placed(rule=rule) for rule in of_chain(forged_sources, version, Chain.FORWARD)]
        router = _placed(school.firewall.router, version, f"{where}.router")
        passing = [replace(placed, rule=passed_on(placed.rule, school)) for placed in router]
        dead += _dead([*forged, *passing])
    rules = {f"{where}.mail[{i}]": rule for i, rule in enumerate(school.firewall.mail)}
    rules |= {f"{where}.router[{i}]": rule for i, rule in enumerate(school.firewall.router)}
    problems = [_opened(one) for one in dead if one.placed.where is None and one.by.where is not None]
    for place, rule in rules.items():
        problems += _reported([one for one in dead if one.placed.where == place], rule, place)
    # The lab's own rules are several, and each is in both families: one word about what is before them.
    return list({(found.id, found.where): found for found in reversed(problems)}.values())[::-1]


def _reported(dead: Sequence[Dead], rule: RuleConfig, place: str) -> Iterator[Problem]:
    """Reports a rule that is dead in some families, if it is dead in all it has."""
    if not dead:
        return
    families = [version for version in (4, 6) if rule.is_for(version)]
    one = next((found for found in dead if found.is_contradicted), dead[0])
    by, version = rule_command(one.by.rule), one.placed.rule.version
    needed = [version for version in families if version not in [found.placed.rule.version for found in dead]]
    key = "source6" if needed == [4] else "source"
    if one.is_contradicted and needed:
        yield problem("rule-contradicted.one-family", place, rule=by, version=version)
    elif one.is_contradicted:
        yield problem("rule-contradicted.by-another", place, rule=by)
    elif needed:
        yield warning("rule-shadowed.one-family", place, rule=by, version=version, key=key, other=needed[0])
    else:
        yield warning("rule-shadowed.everywhere", place, rule=by)


def _opened(one: Dead) -> Problem:
    """A configured rule that decides where the lab itself wants to: SSH is for the filter and the workstation."""
    return problem("rule-contradicted.lab", str(one.by.where), rule=rule_command(one.placed.rule))


def placed_rules(configs: Sequence[RuleConfig], version: int, where: str) -> Iterator[tuple[str, Rule]]:
    """The rules of a list at `where` that IP `version` has, each with its place."""
    for index, config in enumerate(configs):
        for rule in configured_rules([config], version):
            yield f"{where}[{index}]", rule


def _placed(configs: Sequence[RuleConfig], version: int, where: str) -> list[Placed]:
    return [Placed(rule=rule, where=place) for place, rule in placed_rules(configs, version, where)]


def _dead(chain: Sequence[Placed]) -> Iterator[Dead]:
    rules = [placed.rule for placed in chain]
    for index, placed in enumerate(chain):
        before = _who_decides(chain[:index], placed.rule, rules)
        # The lab's own exceptions contradict nobody, and its rules do not shadow each other by chance.
        shadowing = [other for other in before if other.where] or before
        if shadowing and (placed.where or shadowing[0].where):
            dead = [Dead(placed=placed, by=other) for other in shadowing]
            yield next((one for one in dead if one.is_contradicted), dead[0])


def _who_decides(before: Sequence[Placed], rule: Rule, chain: Sequence[Rule]) -> list[Placed]:
    """The rules of `before` that decide in `rule`'s place about all it is about; empty when it is reached."""
    earlier = [placed.rule for placed in before]
    by_rule = {id(placed.rule): placed for placed in before}
    deciding: dict[int, Placed] = {}
    for packet in _packets(rule, chain):
        decided = decide(earlier, packet)
        if decided is None:
            return []
        deciding[id(decided)] = by_rule[id(decided)]
    return list(deciding.values())


def _packets(rule: Rule, chain: Sequence[Rule]) -> Iterator[Packet]:
    """A packet of every kind that the chain tells apart, among those that `rule` is about."""
    protocols = [rule.protocol] if rule.protocol else [*Protocol, None]
    ports = [rule.port] if rule.port else [*{other.port for other in chain}]
    interfaces = {"", *((other.in_interface or "").removeprefix("!") for other in chain)}
    if rule.chain is Chain.FORWARD and len(interfaces) > 1:
        interfaces.discard("")  # a router passes on what came by one of its sides, and all of them are named
    kinds = {"", *(other.icmp_type or "" for other in chain)}
    sources = representatives((other.source for other in chain), rule.version)
    destinations = representatives((other.destination for other in chain), rule.version)
    pairs = [pair for pair in itertools.product(sources, destinations) if fits_addresses(rule, *pair)]
    for (source, destination), protocol, port, interface, syn, kind in itertools.product(
        pairs, protocols, ports, sorted(interfaces), (True, False), sorted(kinds)
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
