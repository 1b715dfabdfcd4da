"""What is wrong with a configuration as a whole: every problem, not the first one."""

from components.checks.addresses import check_addresses, check_reverse_zones
from components.checks.aliases import check_aliases
from components.checks.firewall import check_firewalls
from components.checks.links import check_links
from components.checks.machines import check_hostnames, check_machine, check_name, mail_servers
from components.checks.secondaries import check_secondaries
from components.config.dns import check_zone
from components.config.internet import check_internet
from components.config.lab import INTERNET, PREFIX, LabConfig, Role, SchoolConfig, assigned_addresses
from components.config.names import LONGEST_DOMAIN, name_fault
from components.config.network import check_segment
from components.config.place import check_vm, check_where
from components.config.problem import Problem, problem, quoted
from components.network.carriers import check_carrier
from components.network.topology import wires_of


def check(config: LabConfig) -> list[Problem]:
    """Every problem of the configuration, in its own order.

    A bad domain comes first and alone: all names of its school end with it, and each would be reported for its sake.
    """
    bad = [_check_domain(school.domain, f"maillab:schools.{school.name}.domain") for school in config.schools]
    return [found for problems in bad for found in problems] or _check_all(config)


def _check_all(config: LabConfig) -> list[Problem]:
    problems = _check_lab(config)
    domains = [school.domain for school in config.schools]
    problems += check_internet(config.internet, domains, "maillab:internet")
    problems += check_name(config.internet.mail.name, "maillab:internet.mail.name")
    problems += _check_schools(config)
    for school in config.schools:
        where = f"maillab:schools.{school.name}"
        problems += check_segment(school.network, f"{where}.network")
        # The router's address, and one that nobody has for Docker's gateway entry.
        if len(school.machines) + 2 > school.network.ipv4.num_addresses - 2:
            values = {"network": school.network.ipv4, "count": len(school.machines)}
            problems.append(problem("network-too-small.machines", f"{where}.network", **values))
        problems += check_zone(school.zone, school.parsed_records, school.domain, f"{where}.zone")
        for machine in school.machines:
            problems += check_machine(machine, school, f"{where}.machines.{machine.name}")
        problems += check_aliases(mail_servers(school))
        problems += _check_roles(school, where)
        problems += check_hostnames(school, where)
    problems += check_addresses(config)
    problems += check_reverse_zones(config)
    problems += check_links(config)
    problems += check_secondaries(config)
    problems += check_firewalls(config)
    return problems


def _check_lab(config: LabConfig) -> list[Problem]:
    problems = check_segment(config.internet.segment, "maillab:internet.segment")
    problems += check_where(config.where, config.build)
    problems += check_vm(config.vm)
    if not PREFIX.match(config.prefix):
        problems.append(problem("bad-prefix", "maillab:prefix", prefix=quoted(config.prefix)))
    if not config.schools:
        problems.append(problem("no-school", "maillab:schools"))
    segments = [(INTERNET, config.internet.segment), *((s.name, s.network) for s in config.schools)]
    addresses = [address for _, address, _ in assigned_addresses(config)]
    problems += check_carrier(config.network, config.prefix, wires_of(config), addresses, "maillab:network.carrier")
    for index, (name, segment) in enumerate(segments):
        for other_name, other in segments[:index]:
            if segment.ipv4.overlaps(other.ipv4) or segment.ipv6.overlaps(other.ipv6):
                problems.append(problem("networks-overlap", "maillab:schools", first=other_name, second=name))
    return problems


def _check_schools(config: LabConfig) -> list[Problem]:
    """What one school takes from another: its name, its domain, its reverse zones."""
    problems = []
    for index, school in enumerate(config.schools):
        where = f"maillab:schools.{school.name}"
        problems += check_name(school.name, f"{where}.name")
        for other in config.schools[:index]:
            if school.name == other.name:
                problems.append(problem("school-twice", where, name=school.name))
            problems += _check_domains(school, other, f"{where}.domain")
    return problems


def _check_domains(school: SchoolConfig, other: SchoolConfig, where: str) -> list[Problem]:
    if school.domain == other.domain:
        return [problem("domain-in-domain.same", where, domain=school.domain, school=other.name)]
    for inner, outer in ((school, other), (other, school)):
        if inner.domain.endswith(f".{outer.domain}"):
            values = {"inner": inner.domain, "outer": outer.domain, "school": outer.name}
            return [problem("domain-in-domain.inside", where, **values)]
    return []


def _check_domain(domain: str, where: str) -> list[Problem]:
    fault = name_fault(domain, least=2, longest=LONGEST_DOMAIN)
    if fault is None:
        return []
    return [problem("bad-domain.school", where, name=quoted(domain), fault=fault.what, hint=fault.remedy)]


def _check_roles(school: SchoolConfig, where: str) -> list[Problem]:
    problems = []
    for role in (Role.DNS, Role.SPAMFILTER):
        count = len(school.with_role(role))
        if count > 1 or (count == 0 and role is Role.DNS):
            problems.append(problem("role-count", f"{where}.machines", count=count, role=role))
    return problems
