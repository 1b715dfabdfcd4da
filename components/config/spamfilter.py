"""The county's filter appliance: which domain's mail it passes on to which server."""

from collections.abc import Mapping

from components.config.names import name_fault
from components.config.problem import Problem, problem, quoted, shown
from components.config.programs import VirusDatabase
from components.config.section import section


@section
class DomainRoute:
    """A line of the appliance's 郵件伺服器管理 table: mail for `domain` goes to the machine `server`."""

    domain: str
    server: str


@section
class SpamFilterConfig:
    """`spamfilter` of a machine: the domain table, rspamd's scores for marking and holding, and what clamd knows."""

    domains: tuple[DomainRoute, ...]
    mark_score: int = 6
    hold_score: int = 15
    virus_database: VirusDatabase = VirusDatabase.SMALL


def check_spamfilter(config: SpamFilterConfig, servers: Mapping[str, frozenset[str]], where: str) -> list[Problem]:
    """Every problem of the domain table.

    `servers`: each mail server's name to the domains it takes.
    """
    problems = []
    routed: dict[str, str] = {}
    for index, route in enumerate(config.domains):
        place, domain = f"{where}.domains[{index}]", route.domain.lower()
        fault = name_fault(domain)
        if fault:
            values = {"name": quoted(route.domain), "fault": fault.what, "hint": fault.remedy}
            problems.append(problem("bad-domain.routed", f"{place}.domain", **values))
        if domain in routed:
            values = {"domain": shown(domain), "server": shown(routed[domain])}
            problems.append(problem("domain-routed-twice", place, **values))
        routed[domain] = route.server
        if route.server not in servers:
            values = {"name": shown(route.server), "servers": ", ".join(sorted(servers))}
            problems.append(problem("route-to-no-server", place, **values))
        elif fault is None and domain not in servers[route.server]:
            problems.append(problem("route-not-taken", place, server=route.server, domain=shown(domain)))
    if not 0 < config.mark_score < config.hold_score:
        problems.append(problem("bad-scores", where, mark=config.mark_score, hold=config.hold_score))
    return problems
