"""What is wrong with a configuration as a whole: every problem, not the first one."""

import dataclasses
from collections.abc import Sequence

import dns.exception
import dns.name

from components.check_addresses import check_addresses, check_reverse_zones
from components.check_links import check_links
from components.check_machines import MACHINE_NAME, check_hostnames, check_machine, check_name, mail_servers
from components.config import PREFIX, LabConfig, Role, SchoolConfig
from components.dns.model import check_zone
from components.firewall.check import check_firewalls
from components.follow_ups import without_follow_ups
from components.internet.model import check_internet
from components.mail.check_aliases import check_aliases
from components.network.model import carve, check_segment
from components.problem import Problem
from components.stand_in import Gap
from components.vm.model import check_vm, check_where

NO_DOMAIN = "no-domain.invalid"  # RFC 2606


def check(config: LabConfig, gaps: Sequence[Gap] = ()) -> list[Problem]:
    """Every problem of the configuration, in its own order. `gaps`: places that could not be read."""
    config, bad_domains = _without_bad_domains(config)
    gaps = [*gaps, *(Gap(where=problem.where, words=(NO_DOMAIN,)) for problem in bad_domains)]
    return bad_domains + without_follow_ups(_check_all(config), gaps, config)


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
            what = (
                f"{school.network.ipv4} is too small for {len(school.machines)} machines, a router and a spare address"
            )
            remedy = "take a larger network"
            problems.append(Problem(id="network-too-small", where=f"{where}.network", what=what, remedy=remedy))
        problems += check_zone(school.zone, school.domain, f"{where}.zone")
        for machine in school.machines:
            problems += check_machine(machine, school, f"{where}.machines.{machine.name}")
        problems += check_aliases(mail_servers(school))
        problems += _check_roles(school, where)
        problems += check_hostnames(school, where)
    problems += check_addresses(config)
    problems += check_reverse_zones(config)
    problems += check_links(config)
    problems += check_firewalls(config)
    return problems


def _check_lab(config: LabConfig) -> list[Problem]:
    problems = check_segment(config.internet.segment, "maillab:internet.segment")
    problems += check_where(config.where, config.build)
    problems += check_vm(config.vm)
    if not PREFIX.match(config.prefix):
        what, remedy = f"{config.prefix!r} can't begin a container's name", "small letters, digits, - _ ."
        problems.append(Problem(id="bad-prefix", where="maillab:prefix", what=what, remedy=remedy))
    if not config.schools:
        remedy = "add one; Pulumi.dc1es.yaml is an example"
        problems.append(Problem(id="no-school", where="maillab:schools", what="there is no school", remedy=remedy))
    segments = [("internet", config.internet.segment), *((s.name, s.network) for s in config.schools)]
    try:
        carve(config.network.carrier, segments)
    except ValueError as error:
        what, remedy = str(error), "take a larger block, for instance 198.18.0.0/16"
        problems.append(Problem(id="carrier-too-small", where="maillab:network.carrier", what=what, remedy=remedy))
    for index, (name, segment) in enumerate(segments):
        for other_name, other in segments[:index]:
            if segment.ipv4.overlaps(other.ipv4) or segment.ipv6.overlaps(other.ipv6):
                what = f"the networks of {other_name} and {name} overlap"
                remedy = "give each its own prefixes"
                problems.append(Problem(id="networks-overlap", where="maillab:schools", what=what, remedy=remedy))
    return problems


def _check_schools(config: LabConfig) -> list[Problem]:
    """What one school takes from another: its name, its domain, its reverse zones."""
    problems = []
    for index, school in enumerate(config.schools):
        where = f"maillab:schools.{school.name}"
        problems += check_name(school.name, f"{where}.name")
        for other in config.schools[:index]:
            if school.name == other.name:
                what, remedy = f"two schools are called {school.name}", "name them apart"
                problems.append(Problem(id="school-twice", where=where, what=what, remedy=remedy))
            first, second = f".{school.domain}", f".{other.domain}"
            if first.endswith(second) or second.endswith(first):
                what = f"{school.domain} and {other.domain} of {other.name} lie in each other"
                remedy = "give each school a domain of its own, side by side"
                problems.append(Problem(id="domain-in-domain", where=f"{where}.domain", what=what, remedy=remedy))
    return problems


def _without_bad_domains(config: LabConfig) -> tuple[LabConfig, list[Problem]]:
    """Bad domains reported and replaced: every name in them would be reported again for the domain's sake."""
    problems: list[Problem] = []
    schools = []
    for school in config.schools:
        bad = _check_domain(school.domain, f"maillab:schools.{school.name}.domain")
        schools.append(dataclasses.replace(school, domain=NO_DOMAIN) if bad else school)
        problems += bad
    return dataclasses.replace(config, schools=tuple(schools)), problems


def _check_domain(domain: str, where: str) -> list[Problem]:
    try:
        labels = dns.name.from_text(domain).labels
    except dns.exception.DNSException as error:
        labels, what = (), str(error)
    else:
        what = "a school's domain has at least two labels"
    if len(labels) > 2 and all(map(MACHINE_NAME.match, domain.split("."))):
        return []
    remedy = "write it in small letters without a final dot, for instance dc1es.tnc.edu.tw"
    return [Problem(id="bad-domain", where=where, what=f"{domain!r}: {what}", remedy=remedy)]


def _check_roles(school: SchoolConfig, where: str) -> list[Problem]:
    problems = []
    for role in (Role.DNS, Role.SPAMFILTER):
        count = len(school.with_role(role))
        if count > 1 or (count == 0 and role is Role.DNS):
            what, remedy = f"{count} machines have the role {role}", "give it to exactly one"
            place, roles = f"{where}.machines", () if count else (f"{where}.machines[*].roles",)
            problems.append(Problem(id="role-count", where=place, what=what, remedy=remedy, rests_on=roles))
    return problems
