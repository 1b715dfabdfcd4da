"""BIND's files for a school: named.conf, the zone, the reverse zones and the root's address."""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import NamedTuple

import dns.name
import dns.reversename

from components.config.dns import Soa, absolute
from components.config.lab import LabConfig, Role, SchoolConfig
from components.config.record import Record
from components.network.topology import fqdns
from components.part import Part, both_families
from components.templates import render_template

# To read its files as root, to become the user bind, and to signal that user: KILL (`service named restart`).
BIND_CAPABILITIES = frozenset({"CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "NET_BIND_SERVICE", "SETGID", "SETUID"})


class Row(NamedTuple):
    """A line of a zone file: owner relative to the zone, type, data with absolute names; `ttl` None: the zone's."""

    owner: str
    type: str
    data: str
    ttl: int | None = None


def reverse_origin(network: IPv4Network | IPv6Network) -> str:
    """The reverse zone of a prefix on an octet or nibble boundary (RFC 1035 3.5, RFC 3596 2.5), with final dot."""
    step = 8 if network.version == 4 else 4
    labels = network.network_address.reverse_pointer.split(".")
    kept = network.max_prefixlen // step - network.prefixlen // step
    return ".".join(labels[kept:]) + "."


def zone_text(origin: str, soa: Soa, ttl: int, rows: Iterable[Row]) -> str:
    """A zone file in the tutorial's form; `origin` and the SOA's names absolute."""
    return render_template(
        "dns/zone.j2",
        origin=origin,
        ttl=ttl,
        mname=soa.mname,
        rname=soa.rname,
        serial=soa.serial,
        refresh=soa.refresh,
        retry=soa.retry,
        expire=soa.expire,
        minimum=soa.minimum,
        records=list(rows),
    )


def zone_files(zones: dict[str, str]) -> dict[str, str]:
    """`zones` (name without dot to zone text) as files, and the list that role `bind` reads."""
    files = {f"/etc/bind/db.{zone}": text for zone, text in zones.items()}
    files["/etc/maillab/zones"] = "".join(f"{zone} db.{zone}\n" for zone in zones)
    return files


def secondaries(lab: LabConfig, school: SchoolConfig) -> list[tuple[str, tuple[IPv4Address, IPv6Address]]]:
    """Full name with its final dot, and addresses, of each secondary name server of a school."""
    mail = lab.internet.mail
    return [
        (f"{fqdns(lab)[mail.name]}.", (mail.ipv4, mail.ipv6)) for name in school.zone.secondaries if name == mail.name
    ]


def school_zones(school: SchoolConfig, servers: Iterable[str] = ()) -> dict[str, str]:
    """The school's zone and its two reverse zones; all start at the configured serial. `servers`: the secondaries."""
    origin = f"{school.domain}."
    soa = _absolute_soa(school.zone.soa, origin)
    ttl = school.zone.ttl
    others = [Row("@", "NS", server) for server in servers]
    zones = {school.domain: zone_text(origin, soa, ttl, [*others, *_rows(school.good_records, origin)])}
    for network in (school.network.ipv4, school.network.ipv6):
        reverse = reverse_origin(network)
        zones[reverse.rstrip(".")] = zone_text(reverse, soa, ttl, [*others, *_pointers(school, network)])
    return zones


def dns_files(lab: LabConfig, school: SchoolConfig) -> dict[str, str]:
    """Every file of a school's name server."""
    copied_by = secondaries(lab, school)
    zones = school_zones(school, [name for name, _ in copied_by])
    (machine,) = school.with_role(Role.DNS)
    named = render_template(
        "dns/named.conf.j2",
        fqdn=machine.fqdn(school.domain),
        school=[school.network.ipv4, school.network.ipv6],
        zones=[(zone, f"db.{zone}") for zone in zones],
        secondaries=[str(address) for _, addresses in copied_by for address in addresses],
    )
    root = render_template("dns/db.root.j2", root4=lab.internet.name_server, root6=lab.internet.name_server6)
    return {"/etc/bind/named.conf": named, "/etc/bind/db.root": root, **zone_files(zones)}


def _absolute_soa(soa: Soa, origin: str) -> Soa:
    return Soa(
        mname=absolute(soa.mname, origin),
        rname=absolute(soa.rname, origin),
        serial=soa.serial,
        refresh=soa.refresh,
        retry=soa.retry,
        expire=soa.expire,
        minimum=soa.minimum,
    )


def _rows(records: Iterable[Record], origin: str) -> list[Row]:
    """Records as the tutorial writes them: the owner relative, names in the data absolute."""
    root = dns.name.from_text(origin)
    return [Row(dns.name.from_text(r.name).relativize(root).to_text(), r.type, r.data, r.ttl) for r in records]


def _pointers(school: SchoolConfig, network: IPv4Network | IPv6Network) -> list[Row]:
    """A PTR for each machine and for the router, from its address to its full name."""
    version = network.version
    hosts = [(m.address(version), m.fqdn(school.domain)) for m in school.machines]
    hosts.append((school.network.router if version == 4 else school.network.router6, f"router.{school.domain}"))
    return [Row(f"{address.reverse_pointer}.", "PTR", f"{fqdn}.") for address, fqdn in sorted(hosts)]


def dns_part(lab: LabConfig, school: SchoolConfig) -> Part:
    """A school's name server; the served zones (for the next serial) are kept on a volume."""
    return Part(
        recipes=("dns",),
        about=f"name server of {school.domain}, resolver of the school",
        roles=("bind",),
        files=dns_files(lab, school),
        volumes={"zones": "/var/lib/maillab"},
        listens=both_families(53),
        capabilities=BIND_CAPABILITIES,
    )


def secondary_part(lab: LabConfig, name: str) -> Part:
    """The name server of the Internet's machine `name`, which is there to be a secondary.

    Without any school that wants it, too: so that an update of `secondaries` is a reload, and replaces no container.
    """
    schools = [school for school in lab.schools if name in school.zone.secondaries]
    primaries = {zone: school.with_role(Role.DNS)[0] for school in schools for zone in school_zones(school)}
    named = render_template(
        "dns/secondary.conf.j2",
        fqdn=fqdns(lab)[name],
        zones=[(zone, (machine.ipv4, machine.ipv6)) for zone, machine in primaries.items()],
    )
    domains = ", ".join(school.domain for school in schools)
    return Part(
        recipes=("dns",),
        about=f"secondary name server of {domains}" if domains else "",
        roles=("bind",),
        files={
            "/etc/bind/named.conf": named,
            "/etc/maillab/zones": "",
            "/etc/maillab/secondaries": "".join(f"{zone} {machine.ipv4}\n" for zone, machine in primaries.items()),
        },
        listens=both_families(53),
        capabilities=BIND_CAPABILITIES,
    )
