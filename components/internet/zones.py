"""The Internet's zones: the private root, every domain above the schools, the senders' domains and the reverse trees.

Nothing is listed by hand: a zone exists because a name of the configuration lies in it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

import dns.name
from dns.name import Name

from components.config.dns import Soa, absolute
from components.config.lab import INTERNET, ROUTER, LabConfig, Role, SchoolConfig
from components.dns.render import Row, reverse_origin, secondaries, zone_text
from components.network.topology import fqdns

# An hour for what is there, a minute for what is not: a sender that is added is soon seen by everybody.
TTL = 3600
NEGATIVE_TTL = 60
FIRST_SERIAL = 2006030801
REVERSE_TREES = ("in-addr.arpa", "ip6.arpa")

Addresses = tuple[IPv4Address, IPv6Address]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Names:
    """What the zones are made of. `hosts` and `exchangers` are of the Internet alone, the schools' names are theirs."""

    server: Name
    hosts: Mapping[Name, Addresses]
    exchangers: Mapping[Name, tuple[Name, ...]]
    delegations: Mapping[Name, tuple[Name, ...]]
    glue: Mapping[Name, Addresses]


def internet_zones(lab: LabConfig) -> dict[str, str]:
    """Zone name without its final dot (the root: ".") to zone text, in canonical order (RFC 4034, section 6.1)."""
    names = _names(lab)
    origins = _origins(names)
    rows: dict[Name, list[Row]] = {origin: [] for origin in origins}
    for owner, rtype, data in _records(names):
        zone = _closest(owner, origins)
        rows[zone].append(Row(_relative(owner, zone), rtype, data))
    for child, servers in sorted({**dict.fromkeys(origins, (names.server,)), **names.delegations}.items()):
        if child == dns.name.root:
            continue
        zone = _closest(child.parent(), origins)
        rows[zone] += [Row(_relative(child, zone), "NS", server.to_text()) for server in servers]
    for zone in origins:
        rows[zone] += _glue(zone, rows[zone], names)
    return {_text(zone) or ".": zone_text(zone.to_text(), _soa(names), TTL, rows[zone]) for zone in origins}


def _names(lab: LabConfig) -> _Names:
    internet = lab.internet
    named = {name: _name(fqdn) for name, fqdn in fqdns(lab).items()}
    hosts = {
        named[INTERNET]: (internet.name_server, internet.name_server6),
        named[ROUTER]: (internet.segment.router, internet.segment.router6),
        named[internet.mail.name]: (internet.mail.ipv4, internet.mail.ipv6),
    }
    exchangers = {_name(internet.mail.domain): (named[internet.mail.name],)}
    for sender in internet.senders:
        hosts[_name(sender.host)] = (sender.ipv4, sender.ipv6)
        domain = _name(sender.domain)
        exchangers[domain] = (*exchangers.get(domain, ()), _name(sender.host))
    delegations: dict[Name, tuple[Name, ...]] = {}
    glue: dict[Name, Addresses] = {}
    for school in lab.schools:
        server, addresses = _school_server(school)
        reverse = (reverse_origin(school.network.ipv4), reverse_origin(school.network.ipv6))
        servers = (server, *(_name(name) for name, _ in secondaries(lab, school)))
        delegations |= dict.fromkeys(map(_name, (school.domain, *reverse)), servers)
        glue[server] = addresses
    return _Names(server=named[INTERNET], hosts=hosts, exchangers=exchangers, delegations=delegations, glue=glue)


def _school_server(school: SchoolConfig) -> tuple[Name, Addresses]:
    """The name server that the school's zone names, at the machine that has the role."""
    machine = next(machine for machine in school.machines if Role.DNS in machine.roles)
    return _name(absolute(school.zone.soa.mname, f"{school.domain}.")), (machine.ipv4, machine.ipv6)


def _origins(names: _Names) -> list[Name]:
    """The zones: each mail domain and host's domain, and everything above it and above what is delegated."""
    wanted = [*names.exchangers, *(host.parent() for host in names.hosts), *map(_name, REVERSE_TREES)]
    found = {origin for name in wanted for origin in _upwards(name)}
    schools = {name for name in names.delegations if not _is_reverse(name)}
    found |= {origin for name in schools for origin in _upwards(name.parent())}
    return sorted(origin for origin in found if not any(origin.is_subdomain(school) for school in schools))


def _upwards(name: Name) -> Iterable[Name]:
    while name != dns.name.root:
        yield name
        name = name.parent()
    yield name


def _is_reverse(name: Name) -> bool:
    return any(name.is_subdomain(_name(tree)) for tree in REVERSE_TREES)


def _records(names: _Names) -> Iterable[tuple[Name, str, str]]:
    """Mail domains, hosts and pointers of the Internet; a name that a school owns is the school's to publish."""
    schools = names.delegations.keys()
    for domain, hosts in sorted(names.exchangers.items()):
        for index, host in enumerate(hosts, start=1):
            yield domain, "MX", f"{10 * index} {host}"
        yield from _address_rows(domain, names.hosts[hosts[0]])
    for host, addresses in sorted(names.hosts.items()):
        if not any(host.is_subdomain(school) for school in schools):
            yield from _address_rows(host, addresses)
    pointers = {address: host for host, addresses in names.hosts.items() for address in addresses}
    for address in sorted(pointers, key=lambda address: (address.version, int(address))):
        yield _name(address.reverse_pointer), "PTR", pointers[address].to_text()


def _address_rows(owner: Name, addresses: Addresses) -> Iterable[tuple[Name, str, str]]:
    yield owner, "A", str(addresses[0])
    yield owner, "AAAA", str(addresses[1])


def _glue(zone: Name, rows: list[Row], names: _Names) -> list[Row]:
    """Addresses of the name servers whose own zone lies below this one (RFC 1034, section 4.2.1)."""
    servers = {names.server, *(_name(row.data) for row in rows if row.type == "NS")}
    known = {row.owner for row in rows if row.type == "A"}
    glue = []
    for server in sorted(servers):
        owner = _relative(server, zone)
        if server.is_subdomain(zone) and owner not in known:
            addresses = {**names.hosts, **names.glue}[server]
            glue += [Row(owner, rtype, data) for _, rtype, data in _address_rows(server, addresses)]
    return glue


def _closest(name: Name, origins: list[Name]) -> Name:
    """The deepest zone that `name` lies in."""
    return max((origin for origin in origins if name.is_subdomain(origin)), key=len)


def _soa(names: _Names) -> Soa:
    return Soa(
        mname=names.server.to_text(),
        rname=f"hostmaster.{names.server.parent()}",
        serial=FIRST_SERIAL,
        refresh=3600,
        retry=600,
        expire=86400,
        minimum=NEGATIVE_TTL,
    )


def _name(text: str) -> Name:
    return dns.name.from_text(text)


def _relative(name: Name, origin: Name) -> str:
    return name.relativize(origin).to_text()


def _text(name: Name) -> str:
    return name.to_text(omit_final_dot=True).rstrip(".")
