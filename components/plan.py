"""Every machine of a lab as data: the one place that says which parts each machine has."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from components.config.firewall import Rule
from components.config.lab import INTERNET, OUTSIDE, ROUTER, LabConfig, MachineConfig, Role, SchoolConfig
from components.config.links import LinkConfig
from components.config.volumes import VolumeConfig
from components.disks.render import disks_parts
from components.dns.render import dns_part, secondary_part
from components.firewall.policy import machine_rules
from components.firewall.render import firewall_files
from components.internet.render import internet_part, outside_part, tn_part
from components.mail.render import mail_parts
from components.network.render import network_files
from components.network.topology import Host, Topology, topology_of
from components.part import Blueprint, Part, merge_parts
from components.spamfilter.render import spamfilter_part
from components.tls.render import authority_parts, tls_parts
from components.workstation.render import workstation_part


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What follows from a configuration, computed once and handed on: `machines` is name to blueprint."""

    config: LabConfig
    topology: Topology
    machines: Mapping[str, Blueprint]


def plan_of(lab: LabConfig) -> Plan:
    """The plan of a good configuration."""
    topology = topology_of(lab)
    rules = machine_rules(lab)
    parts: dict[str, list[Part]] = {
        ROUTER: [_router_part()],
        INTERNET: [internet_part(lab), *authority_parts(lab)],
        lab.internet.mail.name: [secondary_part(lab, lab.internet.mail.name), tn_part(lab)],
        OUTSIDE: [outside_part(lab)],
    }
    for school in lab.schools:
        for machine in school.machines:
            parts[machine.name] = _school_parts(lab, school, machine)
    faults = {machine.name: machine.volumes for school in lab.schools for machine in school.machines}
    machines = {
        name: Blueprint(
            host=topology.hosts[name],
            part=_whole(_base_part(topology.hosts[name], lab.links.get(name), rules[name]), own, faults.get(name)),
            rules=rules[name],
        )
        for name, own in parts.items()
    }
    return Plan(config=lab, topology=topology, machines=machines)


def _whole(base: Part, own: list[Part], faults: Mapping[str, VolumeConfig] | None) -> Part:
    """All of a machine. Its disks come first: even its log needs the queue's folder."""
    before, after = ([], []) if faults is None else disks_parts(own, faults)
    return merge_parts([*before, base, *own, *after])


def _base_part(host: Host, link: LinkConfig | None, rules: tuple[Rule, ...]) -> Part:
    """What every machine has: its log, its addresses, its packet filter."""
    return Part(
        recipes=("machine",),
        about="",
        roles=("syslog", "network", "firewall"),
        files=network_files(host, link) | firewall_files(host, rules),
        capabilities=frozenset({"NET_ADMIN", "NET_RAW"}),  # iptables(8), tcpdump(8)
    )


def _router_part() -> Part:
    return Part(
        recipes=("machine",),
        about="router between the schools and the Internet",
        roles=("router",),
        sysctls={"net.ipv4.ip_forward": "1", "net.ipv6.conf.all.forwarding": "1"},
    )


def _school_parts(lab: LabConfig, school: SchoolConfig, machine: MachineConfig) -> list[Part]:
    parts: list[Part] = []
    if Role.DNS in machine.roles:
        parts.append(dns_part(lab, school))
    if machine.mail is not None:
        parts += mail_parts(school, machine, machine.mail)
    if machine.spamfilter is not None:
        parts.append(spamfilter_part(school, machine, machine.spamfilter))
    if Role.WORKSTATION in machine.roles:
        parts += [workstation_part(lab, school, machine), *([] if machine.mail else tls_parts(school, machine))]
    return parts


def what_it_takes(plan: Plan) -> dict[str, str]:
    """The names and subnets that the lab has on its Docker engine, as its Command gets them."""
    config = plan.config
    names = (f"{kind} {config.prefix}{name}\n" for kind, name in sorted(_names(plan)))
    subnets = (f"{config.prefix}{name} {segment.carrier}\n" for name, segment in plan.topology.segments.items())
    return {"NAME": config.stack, "STACK": config.label, "NAMES": "".join(names), "SUBNETS": "".join(subnets)}


def _names(plan: Plan) -> Iterator[tuple[str, str]]:
    """(kind, name without the prefix) of everything that the lab has on its engine."""
    yield from (("network", segment) for segment in plan.topology.segments)
    for name, machine in plan.machines.items():
        yield "container", name
        yield from (("volume", f"{name}-{short}") for short in machine.part.volumes)
