"""The school's zone: SOA values, TTL and resource records, as the tutorial's zone file has them."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import dns.exception
import dns.name

from components.config.catalogue import phrase
from components.config.lines import BadLine
from components.config.names import is_address, name_fault
from components.config.problem import Problem, problem, quoted, shown
from components.config.record import MAX_TTL, Record
from components.config.section import section

# It grows by one with each change and is not let wrap round (RFC 1982): room for that is left.
MAX_SERIAL = 2**32 - 2**16
ADDRESS_TYPES = ("A", "AAAA")
# What has one of these is a host or a mail domain: its name is of letters, digits and hyphens (RFC 1123, section 2.1).
HOST_OWNERS = (*ADDRESS_TYPES, "MX")
# The names in a record of these types must have an address (RFC 2181, section 10.3).
TARGET_OF: Mapping[str, str] = {"MX": "exchange", "NS": "target", "SRV": "target"}
# And so can these not name an address.
NAME_IN: Mapping[str, str] = {**TARGET_OF, "CNAME": "target", "DNAME": "target", "PTR": "target"}


@section
class Soa:
    """Start of authority (RFC 1035, section 3.3.13); times in seconds.

    `serial` is where the zone starts; each change of the zone adds one to the served serial.
    """

    mname: str
    rname: str
    serial: int
    refresh: int = 86400
    retry: int = 1800
    expire: int = 1728000
    minimum: int = 1200


@section
class ZoneConfig:
    """`zone` of a school: `records` are lines of a zone file (`@ MX 0 spamfilter`, `www 3600 IN A 163.26.182.3`).

    The text of a TXT record needs no quotes: without them it is what stands there to the end of the line.

    `secondaries`: machines outside the school that serve a copy of the zone and of its reverse zones.

    `flush_outside`: after an edit `up` also empties the outside resolver's cache of the zone; without
    it the outside sees the old records until their TTL is over, as on the real Internet.
    """

    soa: Soa
    ttl: int = 86400
    records: tuple[str, ...] = ()
    secondaries: tuple[str, ...] = ()
    flush_outside: bool = True


def absolute(name: str, origin: str) -> str:
    """`name` as a zone file reads it: absolute with its dot, else below `origin`."""
    return dns.name.from_text(name, dns.name.from_text(origin)).to_text()


def check_zone(zone: ZoneConfig, parsed: Sequence[Record | BadLine], origin: str, where: str) -> list[Problem]:
    """Every problem of the zone's values and records. `parsed`: what each line of its records says."""
    problems = _check_soa(zone, where)
    records: list[tuple[str, Record]] = []
    for index, (line, record) in enumerate(zip(zone.records, parsed, strict=True)):
        place = f"{where}.records[{index}] ({shown(line)})"
        if isinstance(record, BadLine):
            problems.append(problem("bad-record", place, reason=record.reason))
        else:
            records.append((place, record))
    apex = dns.name.from_text(origin).to_text()
    problems += _check_owners(records, apex)
    problems += _check_ttls(records, zone.ttl, apex)
    by_address = list(_addresses_as_targets(records, origin))
    problems += by_address
    named_so = {found.where for found in by_address}
    records = [(place, record) for place, record in records if place not in named_so]
    problems += _check_targets(records, origin)
    names = {record.name for _, record in records if record.type in ADDRESS_TYPES}
    mname = _absolute_or_none(zone.soa.mname, origin)
    if mname is not None and mname.lower() not in names:
        problems.append(problem("ns-without-address", f"{where}.soa.mname", name=mname, zone=origin))
    return problems


def _absolute_or_none(name: str, origin: str) -> str | None:
    try:
        return absolute(name, origin)
    except dns.exception.DNSException:
        return None


def _check_soa(zone: ZoneConfig, where: str) -> list[Problem]:
    problems = []
    for key, name in (("soa.mname", zone.soa.mname), ("soa.rname", zone.soa.rname)):
        if "@" in name or is_address(name) or _absolute_or_none(name, "zone") is None:
            sentence = "bad-soa-name.address" if is_address(name) else "bad-soa-name.form"
            problems.append(problem(sentence, f"{where}.{key}", name=quoted(name)))
    limits = {
        "ttl": (zone.ttl, MAX_TTL),
        "soa.serial": (zone.soa.serial, MAX_SERIAL),
        "soa.refresh": (zone.soa.refresh, MAX_TTL),
        "soa.retry": (zone.soa.retry, MAX_TTL),
        "soa.expire": (zone.soa.expire, MAX_TTL),
        "soa.minimum": (zone.soa.minimum, MAX_TTL),
    }
    for key, (value, limit) in limits.items():
        if not 1 <= value <= limit:
            problems.append(problem("soa-out-of-range", f"{where}.{key}", value=value, limit=limit))
    if zone.soa.refresh + zone.soa.retry > zone.soa.expire:
        problems.append(problem("soa-expire", f"{where}.soa.expire"))
    return problems


def _check_owners(records: list[tuple[str, Record]], apex: str) -> list[Problem]:
    """Doubled records, names that no host can have, and a CNAME beside other data (RFC 1034, section 3.6.2)."""
    problems = []
    seen = Counter((record.name, record.type, record.data) for _, record in records)
    types: dict[str, Counter[str]] = defaultdict(Counter)
    for _, record in records:
        types[record.name][record.type] += 1
    for place, record in records:
        if seen.pop((record.name, record.type, record.data), 1) > 1:
            problems.append(problem("record-twice", place))
        # BIND's check-names; an asterisk stands for any label (RFC 4592).
        owner = record.name.removeprefix("*.").removesuffix(".")
        if record.type in HOST_OWNERS and (fault := name_fault(owner)):
            problems.append(problem("bad-owner", place, name=quoted(owner), fault=fault.what, hint=fault.remedy))
        if record.type == "SOA":
            problems.append(problem("second-soa", place))
        # The zone's own name has SOA and NS beside whatever the list gives it.
        if record.type == "CNAME" and (types[record.name].total() > 1 or record.name == apex):
            problems.append(problem("cname-and-other-data", place, name=record.name))
    return problems


def _check_ttls(records: Sequence[tuple[str, Record]], ttl: int, apex: str) -> list[Problem]:
    """Records of one name and type have one TTL (RFC 2181, section 5.2): a server takes the first for all of them."""
    # The zone's own NS record has the zone's.
    first: dict[tuple[str, str], int] = {(apex, "NS"): ttl}
    problems = []
    for place, record in records:
        own = ttl if record.ttl is None else record.ttl
        kind = record.name, record.type
        if first.setdefault(kind, own) != own:
            values = {"name": shown(record.name), "type": record.type, "first": first[kind], "second": own}
            problems.append(problem("ttl-differs", place, **values))
    return problems


def _addresses_as_targets(records: Sequence[tuple[str, Record]], origin: str) -> Iterator[Problem]:
    """Records with an address where the name of a host belongs (RFC 1035, section 3.3; RFC 5321, section 5.1)."""
    root = dns.name.from_text(origin)
    hosts = {record.data: record for _, record in records if record.type in ADDRESS_TYPES}
    for place, record in records:
        if record.type not in NAME_IN:
            continue
        target = getattr(record.rdata, NAME_IN[record.type])
        text = target.relativize(root).to_text(omit_final_dot=True)
        if not is_address(text):
            continue
        address = text.strip("[]")
        host = hosts.get(address)
        if host is not None:
            hint = phrase("name-the-host", name=dns.name.from_text(host.name).relativize(root).to_text())
        else:
            hint = phrase("make-a-host", type="AAAA" if ":" in address else "A", address=address)
        yield problem("address-as-target", place, type=record.type, text=shown(text), hint=hint)


def _check_targets(records: list[tuple[str, Record]], origin: str) -> list[Problem]:
    """Targets without an address of their own."""
    problems = []
    addressed = {record.name for _, record in records if record.type in ADDRESS_TYPES}
    aliases = {record.name for _, record in records if record.type == "CNAME"}
    root = dns.name.from_text(origin)
    for place, record in records:
        if record.type not in TARGET_OF:
            continue
        target = getattr(record.rdata, TARGET_OF[record.type]).canonicalize()
        text = target.to_text()
        if text in aliases:
            found = problem("target-without-address.alias", place, target=text)
        elif target.is_subdomain(root) and target != dns.name.root and text not in addressed:
            found = problem("target-without-address.missing", place, target=text, name=target.relativize(root))
        else:
            continue
        problems.append(replace(found, id=f"{record.type.lower()}-without-address"))
    return problems
