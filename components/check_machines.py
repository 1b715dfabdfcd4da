"""What is wrong with one machine of a school, and with its place among the others."""

import re

from components.config import MachineConfig, Role, SchoolConfig
from components.mail.check_aliases import MailServer
from components.mail.model import check_mail, destinations
from components.problem import Problem
from components.reader import did_you_mean
from components.spamfilter.model import check_spamfilter

MACHINE_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\Z")  # RFC 1123, section 2.1
# A host in brackets or a name, both with or without a port: its number or its name in services(5) (postconf(5)).
RELAYHOST = re.compile(r"(\[(?P<host>[^]]+)\]|(?P<name>[^][:]+))(:(?P<port>[A-Za-z0-9-]+))?")
RESERVED_NAMES = frozenset({"router", "internet", "outside", "lo"})


def check_name(name: str, where: str) -> list[Problem]:
    """A name that a machine or a segment can't have (RFC 1123, section 2.1), or that the lab itself uses."""
    if MACHINE_NAME.match(name) and name not in RESERVED_NAMES:
        return []
    what = f"{name!r} is no host name (RFC 1123), or the lab's own"
    remedy = f"small letters, digits and -, other than {', '.join(sorted(RESERVED_NAMES))}"
    return [Problem(id="bad-machine-name", where=where, what=what, remedy=remedy)]


def check_machine(machine: MachineConfig, school: SchoolConfig, where: str) -> list[Problem]:
    """Every problem of a machine's names, addresses, roles and sections."""
    problems = check_name(machine.name, f"{where}.name")
    if machine.hostname is not None:
        problems += check_name(machine.hostname, f"{where}.hostname")
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
        servers = {server.name: server.domains for server in mail_servers(school)}
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


def mail_servers(school: SchoolConfig) -> list[MailServer]:
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
    """The relayhost must be a machine of the school (at `where`): an address in brackets, or a name; and a port."""
    relayhost = machine.mail.relayhost if machine.mail else None
    if relayhost is None:
        return []
    parts = RELAYHOST.fullmatch(relayhost)
    target, port = (parts["host"] or parts["name"], parts["port"] or "") if parts else (relayhost, "")
    place = f"{where}.machines.{machine.name}.mail.relayhost"
    if port.isdigit() and not 0 < int(port) < 65536:
        what, remedy = f"{relayhost}: {port} is no TCP port", "leave it out for 25, or take 1 to 65535"
        return [Problem(id="relayhost-port", where=place, what=what, remedy=remedy)]
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


def check_hostnames(school: SchoolConfig, where: str) -> list[Problem]:
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
