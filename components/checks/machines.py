"""What is wrong with one machine of a school, and with its place among the others."""

import re

from components.checks.aliases import MailServer
from components.config.catalogue import phrase
from components.config.firewall import Action, Protocol, RuleConfig
from components.config.lab import INTERNET, OUTSIDE, ROUTER, MachineConfig, Role, SchoolConfig
from components.config.mail import MailServerConfig, check_mail, destinations
from components.config.mynetworks import check_mynetworks
from components.config.names import name_fault
from components.config.problem import Problem, problem, quoted, shown, warning
from components.config.programs import Mta
from components.config.reader import did_you_mean
from components.config.spamfilter import check_spamfilter
from components.config.volumes import DISKS, check_volumes
from components.firewall.policy import SMTP

# A host in brackets or a name, both with or without a port: its number or its name in services(5) (postconf(5)).
RELAYHOST = re.compile(r"(\[(?P<host>[^]]+)\]|(?P<name>[^][:]+))(:(?P<port>[A-Za-z0-9-]+))?")
RESERVED_NAMES = frozenset({ROUTER, INTERNET, OUTSIDE, "lo"})


def check_name(name: str, where: str) -> list[Problem]:
    """A name that a machine or a segment can't have (RFC 1123, section 2.1), or that the lab itself uses."""
    if name in RESERVED_NAMES:
        return [problem("bad-machine-name.reserved", where, name=name, reserved=", ".join(sorted(RESERVED_NAMES)))]
    if fault := name_fault(name, most=1):
        return [problem("bad-machine-name.form", where, name=quoted(name), fault=fault.what, hint=fault.remedy)]
    return []


def check_machine(machine: MachineConfig, school: SchoolConfig, where: str) -> list[Problem]:
    """Every problem of a machine's names, addresses, roles and sections."""
    problems = check_name(machine.name, f"{where}.name")
    if machine.hostname is not None:
        problems += check_name(machine.hostname, f"{where}.hostname")
    if not machine.roles:
        problems.append(problem("no-role", f"{where}.roles", roles=", ".join(Role)))
    if Role.SPAMFILTER in machine.roles and len(machine.roles) > 1:
        problems.append(problem("filter-not-alone", f"{where}.roles"))
    for address, network in ((machine.ipv4, school.network.ipv4), (machine.ipv6, school.network.ipv6)):
        # IPv4's first and last address are the network itself and its broadcast (RFC 919).
        ends = (network[0], network[-1]) if network.version == 4 else (network[0],)
        if address not in network or address in ends:
            problems.append(problem("address-outside-network.machine", where, address=address, network=network))
    problems += _check_sections(machine, where)
    place = f"maillab:schools.{school.name}"
    if machine.mail is not None:
        problems += check_mail(machine.mail, f"{where}.mail")
        own = (school.network.ipv4, school.network.ipv6)
        problems += check_mynetworks(machine.mail.main_cf, own, f"{where}.mail")
        problems += _check_relayhost(machine, school, place)
        problems += _check_unfiltered(machine.mail, school, f"{where}.mail")
    if machine.spamfilter is not None:
        servers = {server.name: server.domains for server in mail_servers(school)}
        problems += check_spamfilter(machine.spamfilter, servers, f"{where}.spamfilter")
    problems += check_volumes(machine.volumes, _mail_volumes(machine), f"{where}.volumes")
    return problems


def _check_unfiltered(mail: MailServerConfig, school: SchoolConfig, where: str) -> list[Problem]:
    """A server whose users log in from anywhere, with port 25 open to everybody: something should look at its mail."""
    closed = {v for rule in school.firewall.mail if _closes(rule) for v in (4, 6) if _is_for_strangers(rule, v)}
    if mail.authentication is None or mail.filter is not None or closed == {4, 6}:
        return []
    return [warning("mail-unfiltered", f"{where}.auth")]


def _closes(rule: RuleConfig) -> bool:
    """Does the rule keep SMTP out?"""
    return rule.action is not Action.ACCEPT and rule.port in (SMTP, None) and rule.protocol in (Protocol.TCP, None)


def _is_for_strangers(rule: RuleConfig, version: int) -> bool:
    """Is the rule for everybody by this IP version, or for all but some?"""
    network, is_inverted = rule.source_for(version)
    return rule.is_for(version) and (network is None or is_inverted)


def _mail_volumes(machine: MachineConfig) -> tuple[str, ...]:
    """The disks that the machine has: every mail server has a queue, and one with users has their mailboxes."""
    if machine.mail is not None:
        # Sendmail has its queue on Postfix' volume, and looks after a small one in its place not as Postfix does.
        return DISKS if machine.mail.mta is Mta.POSTFIX else ("mailboxes",)
    return ("spool",) if machine.spamfilter is not None else ()


def _check_sections(machine: MachineConfig, where: str) -> list[Problem]:
    """Each role's section is there, and none without its role."""
    problems = []
    is_mail = bool({Role.MAIL, Role.SECOND_MAIL} & set(machine.roles))
    for key, wanted, given in (
        ("mail", is_mail, machine.mail),
        ("spamfilter", Role.SPAMFILTER in machine.roles, machine.spamfilter),
    ):
        if wanted != (given is not None):
            sentence = "role-and-section.no-section" if wanted else "role-and-section.no-role"
            problems.append(problem(sentence, f"{where}.{key}", section=key))
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
        return [problem("relayhost-port", place, relayhost=shown(relayhost), port=shown(port))]
    known: dict[str, MachineConfig] = {}
    for other in school.machines:
        known |= {str(other.ipv4): other, f"IPv6:{other.ipv6}": other, other.fqdn(school.domain): other}
    if target in known and known[target] is not machine:
        return []
    filters = [f"{other.name} ([{other.ipv4}])" for other in school.with_role(Role.SPAMFILTER)]
    others = [name for name in known if target not in known]
    hint = phrase("did-you-mean", name=" / ".join(filters)) if filters else did_you_mean(target, others)
    sentence = "relayhost-unknown.itself" if target in known else "relayhost-unknown.nobody"
    return [problem(sentence, place, relayhost=shown(relayhost), hint=hint or phrase("leave-it-out"))]


def check_hostnames(school: SchoolConfig, where: str) -> list[Problem]:
    """Two machines with one name in the school's domain; two machines of one `name` are reported elsewhere."""
    first: dict[str, str] = {}
    problems = []
    for machine in school.machines:
        host = machine.hostname or machine.name
        if first.setdefault(host, machine.name) != machine.name:
            place = f"{where}.machines.{machine.name}.hostname"
            problems.append(problem("hostname-twice", place, machine=first[host], name=host))
    return problems
