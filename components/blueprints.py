"""Every machine of a lab as data: the one place that says which parts each machine has."""

from components.config import LabConfig, MachineConfig, Role, SchoolConfig
from components.dns.render import dns_part
from components.firewall.model import Rule
from components.firewall.policy import machine_rules
from components.firewall.render import firewall_files
from components.internet.render import internet_part, outside_part, tn_part
from components.mail.render import mail_part
from components.network.links import LinkConfig
from components.network.render import network_files
from components.network.topology import INTERNET, OUTSIDE, ROUTER, Host, topology_of
from components.part import Blueprint, Part, together
from components.spamfilter.render import spamfilter_part
from components.workstation.render import workstation_part


def blueprints(lab: LabConfig) -> dict[str, Blueprint]:
    """Name to blueprint of every machine of a good configuration."""
    topology = topology_of(lab)
    rules = machine_rules(lab)
    parts: dict[str, list[Part]] = {
        ROUTER: [_router_part()],
        INTERNET: [internet_part(lab)],
        lab.internet.mail.name: [tn_part(lab)],
        OUTSIDE: [outside_part(lab)],
    }
    for school in lab.schools:
        for machine in school.machines:
            parts[machine.name] = _school_parts(lab, school, machine)
    return {
        name: Blueprint(
            host=topology.hosts[name],
            part=together([_base_part(topology.hosts[name], lab.links.get(name), rules[name]), *own]),
            rules=rules[name],
        )
        for name, own in parts.items()
    }


def _base_part(host: Host, link: LinkConfig | None, rules: tuple[Rule, ...]) -> Part:
    """What every machine has: its log, its addresses, its packet filter."""
    return Part(
        image="machine",
        about="",
        roles=("syslog", "network", "firewall"),
        files=network_files(host, link) | firewall_files(host, rules),
        capabilities=frozenset({"NET_ADMIN"}),
    )


def _router_part() -> Part:
    return Part(
        image="machine",
        about="router between the schools and the Internet",
        sysctls={"net.ipv4.ip_forward": "1", "net.ipv6.conf.all.forwarding": "1"},
    )


def _school_parts(lab: LabConfig, school: SchoolConfig, machine: MachineConfig) -> list[Part]:
    parts = []
    if Role.DNS in machine.roles:
        parts.append(dns_part(lab, school))
    if machine.mail is not None:
        parts.append(mail_part(school, machine, machine.mail))
    if machine.spamfilter is not None:
        parts.append(spamfilter_part(school, machine, machine.spamfilter))
    if Role.WORKSTATION in machine.roles:
        parts.append(workstation_part(lab, school, machine))
    return parts
