"""The county's filter appliance: which domain's mail it passes on to which server."""

from collections.abc import Mapping
from dataclasses import dataclass

from components.problem import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainRoute:
    """A line of the appliance's 郵件伺服器管理 table: mail for `domain` goes to the machine `server`."""

    domain: str
    server: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SpamFilterConfig:
    """`spamfilter` of a machine: the domain table, and rspamd's scores for marking and holding."""

    domains: tuple[DomainRoute, ...]
    mark_score: int = 6
    hold_score: int = 15


def check_spamfilter(
    config: SpamFilterConfig, servers: Mapping[str, frozenset[str]], where: str, school: str
) -> list[Problem]:
    """Every problem of the domain table.

    `servers`: each mail server's name to the domains it takes; `school`: the place of the school.
    """
    problems = []
    routed: dict[str, str] = {}
    for index, route in enumerate(config.domains):
        place, domain = f"{where}.domains[{index}]", route.domain.lower()
        if domain in routed:
            what = f"{domain} is routed to {routed[domain]} already"
            problems.append(Problem(id="domain-routed-twice", where=place, what=what, remedy="remove one line"))
        routed[domain] = route.server
        if route.server not in servers:
            what, remedy = f"{route.server} is no mail server", f"one of: {', '.join(sorted(servers))}"
            names = (f"{school}.machines[*].name",)
            problems.append(Problem(id="route-to-no-server", where=place, what=what, remedy=remedy, rests_on=names))
        elif domain not in servers[route.server]:
            what = f"{route.server} does not take mail for {domain}: it would refuse what the filter brings"
            remedy = f"add {domain} to the mydestination of {route.server}"
            server = f"{school}.machines.{route.server}"
            said = (f"{server}.mail.mydestination[*]", f"{server}.hostname", f"{school}.domain")
            problems.append(Problem(id="route-not-taken", where=place, what=what, remedy=remedy, rests_on=said))
    if not 0 < config.mark_score < config.hold_score:
        what = f"mark_score {config.mark_score} and hold_score {config.hold_score} are in the wrong order"
        remedy, both = "0 < mark_score < hold_score", (f"{where}.mark_score", f"{where}.hold_score")
        problems.append(Problem(id="bad-scores", where=where, what=what, remedy=remedy, rests_on=both))
    return problems
