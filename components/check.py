"""What is wrong with a configuration as a whole: every problem, not the first one."""

import dataclasses
import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address

import dns.exception
import dns.name

from components.check_addresses import check_addresses, check_reverse_zones
from components.config import PREFIX, LabConfig, MachineConfig, Role, SchoolConfig
from components.dns.model import check_zone
from components.firewall.check import check_firewalls
from components.follow_ups import without_follow_ups
from components.internet.model import check_internet
from components.mail.check_aliases import MailServer, check_aliases
from components.mail.model import check_mail, destinations
from components.network.model import carve, check_segment
from components.problem import Problem, Severity
from components.reader import did_you_mean
from components.spamfilter.model import check_spamfilter
from components.stand_in import Gap

MACHINE_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\Z")  # RFC 1123, section 2.1
RESERVED_NAMES = frozenset({"router", "internet", "outside", "lo"})
NO_DOMAIN = "no-domain.invalid"  # RFC 2606
Address = IPv4Address | IPv6Address


def check(config: LabConfig, gaps: Sequence[Gap] = ()) -> list[Problem]:
    """Every problem of the configuration, in its own order. `gaps`: places that could not be read."""
    config, bad_domains = _without_bad_domains(config)
    gaps = [*gaps, *(Gap(where=problem.where, words=(NO_DOMAIN,)) for problem in bad_domains)]
    return bad_domains + without_follow_ups(_check_all(config), gaps, config)


def _check_all(config: LabConfig) -> list[Problem]:
    problems = _check_lab(config)
    domains = [school.domain for school in config.schools]
    problems += check_internet(config.internet, domains, "maillab:internet")
    problems += _check_name(config.internet.mail.name, "maillab:internet.mail.name")
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
            problems += _check_machine(machine, school, f"{where}.machines.{machine.name}")
        problems += check_aliases(_mail_servers(school))
        problems += _check_roles(school, where)
        problems += _check_hostnames(school, where)
    problems += check_addresses(config)
    problems += check_reverse_zones(config)
    problems += check_firewalls(config)
    return problems


def warnings(config: LabConfig) -> list[Problem]:
    """What a good configuration should be told all the same."""
    return [problem for problem in check(config) if problem.severity is Severity.WARNING]


def _check_lab(config: LabConfig) -> list[Problem]:
    problems = check_segment(config.internet.segment, "maillab:internet.segment")
    if config.where != "local":
        remedy = "write local (this machine's Docker engine)"
        problems.append(
            Problem(
                id="unknown-where",
                where="maillab:where",
                what=f"{config.where!r} is not known",
                remedy=remedy,
            )
        )
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
        problems += _check_name(school.name, f"{where}.name")
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


def _check_name(name: str, where: str) -> list[Problem]:
    if MACHINE_NAME.match(name) and name not in RESERVED_NAMES:
        return []
    what = f"{name!r} is no host name (RFC 1123), or the lab's own"
    remedy = f"small letters, digits and -, other than {', '.join(sorted(RESERVED_NAMES))}"
    return [Problem(id="bad-machine-name", where=where, what=what, remedy=remedy)]


def _check_machine(machine: MachineConfig, school: SchoolConfig, where: str) -> list[Problem]:
    problems = _check_name(machine.name, f"{where}.name")
    if machine.hostname is not None:
        problems += _check_name(machine.hostname, f"{where}.hostname")
    if not machine.roles:
        place, what, remedy = f"{where}.roles", "the machine does nothing", f"one of: {', '.join(Role)}"
        problems.append(Problem(id="no-role", where=place, what=what, remedy=remedy, rests_on=(f"{place}[*]",)))
    if Role.SPAMFILTER in machine.roles and len(machine.roles) > 1:
        what, remedy = "the filter is an appliance: nothing else runs on it", "give the other roles to another machine"
        problems.append(Problem(id="filter-not-alone", where=f"{where}.roles", what=what, remedy=remedy))
    for address, network in ((machine.ipv4, school.network.ipv4), (machine.ipv6, school.network.ipv6)):
        # IPv4's first and last address are the network itself and its broadcast (RFC 919).
        ends = (network[0], network[-1]) if network.version == 4 else (network[0],)
        if address not in network or address in ends:
            what, remedy = f"{address} is no host's address in {network}", f"take an address in {network}"
            problems.append(Problem(id="address-outside-network", where=where, what=what, remedy=remedy))
    problems += _check_sections(machine, where)
    place = f"maillab:schools.{school.name}"
    if machine.mail is not None:
        problems += check_mail(machine.mail, f"{where}.mail")
        problems += _check_relayhost(machine, school, place)
    if machine.spamfilter is not None:
        servers = {server.name: server.domains for server in _mail_servers(school)}
        problems += check_spamfilter(machine.spamfilter, servers, f"{where}.spamfilter", place)
    return problems


def _check_sections(machine: MachineConfig, where: str) -> list[Problem]:
    """Each role's section is there, and none without its role."""
    problems = []
    is_mail = bool({Role.MAIL, Role.SECOND_MAIL} & set(machine.roles))
    for key, wanted, given in (
        ("mail", is_mail, machine.mail),
        ("spamfilter", Role.SPAMFILTER in machine.roles, machine.spamfilter),
    ):
        if wanted != (given is not None):
            what = f"the role asks for a section {key}" if wanted else f"a section {key} without the role"
            remedy = f"add `{key}:` below the machine" if wanted else "remove it or add the role"
            place, roles = f"{where}.{key}", () if wanted else (f"{where}.roles[*]",)
            problems.append(Problem(id="role-and-section", where=place, what=what, remedy=remedy, rests_on=roles))
    return problems


def _mail_servers(school: SchoolConfig) -> list[MailServer]:
    """The school's machines with a section `mail`, whatever their role."""
    return [
        MailServer(
            name=machine.name,
            config=machine.mail,
            domains=frozenset(destinations(machine.mail, machine.fqdn(school.domain), school.domain)),
            where=f"maillab:schools.{school.name}.machines.{machine.name}.mail",
        )
        for machine in school.machines
        if machine.mail is not None
    ]


def _check_relayhost(machine: MachineConfig, school: SchoolConfig, where: str) -> list[Problem]:
    """The relayhost must be a machine of the school (at `where`): an address in brackets, or a name."""
    relayhost = machine.mail.relayhost if machine.mail else None
    if relayhost is None:
        return []
    target = relayhost.split("]")[0].strip("[")
    place = f"{where}.machines.{machine.name}.mail.relayhost"
    known: dict[str, MachineConfig] = {}
    for other in school.machines:
        known |= {str(other.ipv4): other, f"IPv6:{other.ipv6}": other, other.fqdn(school.domain): other}
    if target in known and known[target] is not machine:
        return []
    filters = [f"{other.name} ([{other.ipv4}])" for other in school.with_role(Role.SPAMFILTER)]
    remedy = f"did you mean {' or '.join(filters)}?" if filters else did_you_mean(target, list(known)) or "leave it out"
    what = f"{relayhost} is {'this machine itself' if target in known else 'no machine of the school'}"
    looked = () if target in known else _places_of_hosts(target, where)
    return [Problem(id="relayhost-unknown", where=place, what=what, remedy=remedy, rests_on=looked)]


def _places_of_hosts(target: str, where: str) -> tuple[str, ...]:
    """Where the school at `where` says what is of the kind of `target`: an address or a name."""
    machines = f"{where}.machines[*]"
    if target.startswith("IPv6:"):
        return (f"{machines}.ipv6",)
    if re.fullmatch(r"[\d.]+", target):
        return (f"{machines}.ipv4",)
    return (f"{machines}.name", f"{machines}.hostname", f"{where}.domain")


def _check_roles(school: SchoolConfig, where: str) -> list[Problem]:
    problems = []
    for role in (Role.DNS, Role.SPAMFILTER):
        count = len(school.with_role(role))
        if count > 1 or (count == 0 and role is Role.DNS):
            what, remedy = f"{count} machines have the role {role}", "give it to exactly one"
            place, roles = f"{where}.machines", () if count else (f"{where}.machines[*].roles",)
            problems.append(Problem(id="role-count", where=place, what=what, remedy=remedy, rests_on=roles))
    return problems


def _check_hostnames(school: SchoolConfig, where: str) -> list[Problem]:
    """Two machines with one name in the school's domain (the fault of two machines of one `name` is said elsewhere)."""
    first: dict[str, str] = {}
    problems = []
    for machine in school.machines:
        host = machine.hostname or machine.name
        if first.setdefault(host, machine.name) != machine.name:
            what = f"{first[host]} has the host name {host} already"
            place = f"{where}.machines.{machine.name}.hostname"
            problems.append(Problem(id="hostname-twice", where=place, what=what, remedy="give it another hostname"))
    return problems
