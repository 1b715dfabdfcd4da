"""What a picture of a lab shows, of its plan alone: networks, machines, and by which servers mail goes."""

from __future__ import annotations

import enum
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_address

from components.config.lab import INTERNET, OUTSIDE, ROUTER, MachineConfig, SchoolConfig
from components.config.network import SegmentConfig
from components.plan import Plan
from maillab.graph.words import listed, text
from maillab.verify.cells import Cell, Policy, Source, Verdict, predict
from maillab.verify.directory import Directory, directory

SMTP = 25


class Arrow(enum.StrEnum):
    """Why mail goes from one machine to another: DNS says so, the server's `relayhost`, or the filter's table."""

    MX = "mx"
    RELAYHOST = "relayhost"
    TABLE = "table"


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """A machine: what it is, in words, and who can connect to its port 25 (empty: nobody is to).

    `is_open`: everybody can, or nobody is to. `addresses`: (whose, IPv4, IPv6); `whose` is empty but for a machine that
    plays many hosts.
    """

    name: str
    role: str
    addresses: tuple[tuple[str, str, str], ...]
    guard: str = ""
    is_open: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """A network with its machines. `router`: the router's two addresses in it."""

    name: str
    title: str
    prefixes: tuple[str, str]
    router: tuple[str, str]
    stations: tuple[Station, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """Domains with the same MX records: (preference, machine, the one that it hands the mail to or empty).

    A mail server that is no machine of the lab stands there by its name.
    """

    domains: tuple[str, ...]
    servers: tuple[tuple[int, str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """An arrow between two machines; `preferences` of an MX: those of the domain that is the school's, if it is one."""

    kind: Arrow
    source: str
    target: str
    preferences: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A lab, as it is drawn. `outward`: the schools' servers that send to the Internet themselves."""

    stack: str
    internet: Network
    router: Station
    schools: tuple[Network, ...]
    exchanges: tuple[Exchange, ...]
    links: tuple[Link, ...]
    outward: tuple[str, ...]

    @property
    def stations(self) -> dict[str, Station]:
        """Name to machine."""
        networks = (self.internet, *self.schools)
        return {self.router.name: self.router} | {one.name: one for network in networks for one in network.stations}


def picture_of(plan: Plan) -> Picture:
    """The picture of a good configuration, with words in the reader's language."""
    lab, names = plan.config, directory(plan.config, plan.machines)
    exchanges = {school.domain: tuple(_exchanges(plan, school, names)) for school in lab.schools}
    machines = [machine for school in lab.schools for machine in school.machines]
    return Picture(
        stack=lab.stack,
        internet=_internet(plan),
        router=_station(plan, ROUTER, text("between")),
        schools=tuple(_school(plan, school) for school in lab.schools),
        exchanges=tuple(found for every in exchanges.values() for found in every),
        links=(*_mx_links(plan, exchanges), *_server_links(plan, machines, names)),
        outward=tuple(
            one.name for one in machines if plan.machines[one.name].part.mail and not (one.mail and one.mail.relayhost)
        ),
    )


def _internet(plan: Plan) -> Network:
    internet = plan.config.internet
    tn = text("mail-server-of", domain=internet.mail.domain)
    senders = tuple((one.domain, str(one.ipv4), str(one.ipv6)) for one in internet.senders)
    stations = (
        _station(plan, INTERNET, text("name-server")),
        _station(plan, internet.mail.name, tn),
        Station(name=OUTSIDE, role=text("senders"), addresses=senders),
    )
    return _network(INTERNET, text("internet"), internet.segment, stations)


def _school(plan: Plan, school: SchoolConfig) -> Network:
    policy = Policy(plan.machines)
    stations = []
    for one in school.machines:
        role = listed(text(f"role-{role}") for role in one.roles)
        guard = _guard(plan, policy, one.name)
        is_open = guard in ("", text("guard", who=text("guard-all")))
        stations.append(replace(_station(plan, one.name, role), guard=guard, is_open=is_open))
    title = text("school", name=school.name, domain=school.domain)
    return _network(school.name, title, school.network, tuple(stations))


def _network(name: str, title: str, segment: SegmentConfig, stations: tuple[Station, ...]) -> Network:
    return Network(
        name=name,
        title=title,
        prefixes=(str(segment.ipv4), str(segment.ipv6)),
        router=(str(segment.router), str(segment.router6)),
        stations=stations,
    )


def _station(plan: Plan, name: str, role: str) -> Station:
    """The machine with an address of each family for each of its legs."""
    legs = ([str(address.ip) for address in leg.addresses] for leg in plan.machines[name].host.interfaces)
    return Station(name=name, role=role, addresses=tuple(("", ipv4, ipv6) for ipv4, ipv6, *_ in legs))


def _guard(plan: Plan, policy: Policy, name: str) -> str:
    """Who of the Internet can connect to port 25 of the machine, by both families, in words."""
    if not any(port == SMTP for port, _ in plan.machines[name].part.listens):
        return ""
    ipv4, ipv6 = (_who(plan, policy, name, version) for version in (4, 6))
    return text("guard", who=ipv4) if ipv4 == ipv6 else text("guard-families", ipv4=ipv4, ipv6=ipv6)


def _who(plan: Plan, policy: Policy, name: str, version: int) -> str:
    internet, target = plan.config.internet, ip_address(plan.machines[name].host.first(version))
    hosts = [(OUTSIDE, one) for one in internet.senders]
    sources = [(machine, one.ipv4 if version == 4 else one.ipv6) for machine, one in hosts]
    sources.append((internet.mail.name, internet.mail.ipv4 if version == 4 else internet.mail.ipv6))
    verdicts = [
        predict(policy, Cell(source=Source(name=who, machine=who, address=own), target=name, address=target, port=SMTP))
        for who, own in sources
    ]
    accepted = sum(one.verdict is Verdict.ACCEPT for one in verdicts)
    if accepted == len(verdicts):
        return text("guard-all")
    return text("guard-some") if accepted else text("guard-nobody")


def _exchanges(plan: Plan, school: SchoolConfig, names: Directory) -> Iterator[Exchange]:
    """The school's mail domains, those with the same servers together; its own domain's first."""
    found: dict[tuple[tuple[int, str, str], ...], list[str]] = defaultdict(list)
    for domain in sorted(names.exchangers, key=lambda one: (one != school.domain.lower(), one)):
        if f".{domain}".endswith(f".{school.domain.lower()}"):
            servers = (
                (preference, *_server(plan, names, host, domain)) for preference, host in names.exchangers[domain]
            )
            found[tuple(sorted(servers))].append(domain)
    yield from (Exchange(domains=tuple(domains), servers=servers) for servers, domains in found.items())


def _server(plan: Plan, names: Directory, host: str, domain: str) -> tuple[str, str]:
    """The machine that `host` is, or the host; and the one that it hands the domain's mail to."""
    machine = next((names.owners[one] for one in names.hosts(host) if one in names.owners), host)
    mail = plan.machines[machine].part.mail if machine in plan.machines else None
    relay = mail.relay(domain) if mail else None
    return machine, relay.server if relay else ""


def _mx_links(plan: Plan, exchanges: Mapping[str, Iterable[Exchange]]) -> Iterator[Link]:
    """One to each machine; its preferences for the school's own domain, or else for the others."""
    for domain, every in exchanges.items():
        own: dict[str, set[int]] = defaultdict(set)
        others: dict[str, set[int]] = defaultdict(set)
        for exchange in every:
            for preference, machine, _ in exchange.servers:
                (own if domain.lower() in exchange.domains else others)[machine].add(preference)
        for machine in (one for one in plan.machines if one in own or one in others):
            numbers = own.get(machine) or others[machine]
            yield Link(kind=Arrow.MX, source=ROUTER, target=machine, preferences=tuple(sorted(numbers)))


def _server_links(plan: Plan, machines: Sequence[MachineConfig], names: Directory) -> Iterator[Link]:
    """By each server's `relayhost`, then by the tables of the filters."""
    for machine in machines:
        target = _relay_target(names, machine.mail.relayhost) if machine.mail and machine.mail.relayhost else None
        if target and target != machine.name:
            yield Link(kind=Arrow.RELAYHOST, source=machine.name, target=target)
    for machine in machines:
        mail = plan.machines[machine.name].part.mail
        for server in dict.fromkeys(relay.server for relay in mail.relays) if mail else ():
            yield Link(kind=Arrow.TABLE, source=machine.name, target=server)


def _relay_target(names: Directory, relayhost: str) -> str | None:
    """The machine that `[163.26.182.249]`, `[IPv6:...]`, `[name]` or a name is, each with or without a port."""
    inside = relayhost.startswith("[")
    name = relayhost.lower().removeprefix("[").partition("]" if inside else ":")[0]
    try:
        found = [ip_address(name.removeprefix("ipv6:"))]
    except ValueError:
        found = names.hosts(name) if inside else [address for _, address in names.servers(name)]
    return next((names.owners[one] for one in found if one in names.owners), None)
