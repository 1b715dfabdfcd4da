"""The school's zone: SOA values, TTL and resource records, as the tutorial's zone file has them."""

import functools
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

import dns.exception
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.tokenizer

from components.problem import Problem

MAX_TTL = 2**31 - 1  # RFC 2181, section 8
# It grows by one with each change and is not let wrap round (RFC 1982): room for that is left.
MAX_SERIAL = 2**32 - 2**16
ADDRESS_TYPES = ("A", "AAAA")
# The names in a record of these types must have an address (RFC 2181, section 10.3).
TARGET_OF: Mapping[str, str] = {"MX": "exchange", "NS": "target", "SRV": "target"}


@dataclass(frozen=True, slots=True, kw_only=True)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneConfig:
    """`zone` of a school: `records` are lines of a zone file without TTL and class (`@ MX 0 spamfilter`).

    `flush_outside`: after an edit `up` also empties the outside resolver's cache of the zone; without
    it the outside sees the old records until their TTL is over, as on the real Internet.
    """

    soa: Soa
    ttl: int = 86400
    records: tuple[str, ...] = ()
    flush_outside: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One resource record: absolute owner `name` and `data` (RFC 1035 text form, names absolute)."""

    name: str
    type: str
    data: str
    rdata: dns.rdata.Rdata = field(compare=False, hash=False)


@functools.lru_cache(maxsize=4096)  # a zone's lines are read by the check, by the renderer and by the prover
def parse_record(line: str, origin: str) -> Record:
    """The record that `line` (`owner TYPE data…`) says, with names made absolute below `origin`.

    Raises:
        ValueError: the line is no record; the text says why.
    """
    words = line.split(None, 2)
    if len(words) < 3:
        raise ValueError("a record has an owner, a type and data")
    owner, rtype, data = words
    try:
        root = dns.name.from_text(origin)
        name = dns.name.from_text(owner, root).canonicalize()  # names have no case (RFC 4343)
        rdtype = dns.rdatatype.from_text(rtype)
        tokens = dns.tokenizer.Tokenizer(data)
        rdata = dns.rdata.from_text(dns.rdataclass.IN, rdtype, tokens, root, relativize=False)
    except dns.exception.DNSException as error:
        raise ValueError(str(error) or type(error).__name__) from error
    if not name.is_subdomain(root):
        raise ValueError(f"{name} is not in the zone {root}")
    return Record(name=name.to_text(), type=dns.rdatatype.to_text(rdtype), data=rdata.to_text(), rdata=rdata)


def records_of(zone: ZoneConfig, origin: str) -> tuple[Record, ...]:
    """All records of a zone that `check_zone` found good, in the configuration's order."""
    return tuple(parse_record(line, origin) for line in zone.records)


def absolute(name: str, origin: str) -> str:
    """`name` as a zone file reads it: absolute with its dot, else below `origin`."""
    return dns.name.from_text(name, dns.name.from_text(origin)).to_text()


def check_zone(zone: ZoneConfig, origin: str, where: str) -> list[Problem]:
    """Every problem of the zone's values and records."""
    problems = _check_soa(zone, where)
    records: list[tuple[str, Record]] = []
    for index, line in enumerate(zone.records):
        place = f"{where}.records[{index}] ({line})"
        try:
            records.append((place, parse_record(line, origin)))
        except ValueError as error:
            remedy = "write it as in a zone file: owner, type, data, for instance: @ MX 0 spamfilter"
            problems.append(Problem(id="bad-record", where=place, what=str(error), remedy=remedy))
    problems += _check_owners(records, dns.name.from_text(origin).to_text())
    problems += _check_targets(records, origin, f"{where}.records[*]")
    names = {record.name for _, record in records if record.type in ADDRESS_TYPES}
    mname = _absolute_or_none(zone.soa.mname, origin)
    if mname is not None and mname.lower() not in names:
        remedy = f"add an A record for {mname}"
        what = f"the name server {mname} has no address in the zone {origin}"
        place, looked = f"{where}.soa.mname", (f"{where}.records[*]",)
        problems.append(Problem(id="ns-without-address", where=place, what=what, remedy=remedy, rests_on=looked))
    return problems


def _absolute_or_none(name: str, origin: str) -> str | None:
    try:
        return absolute(name, origin)
    except dns.exception.DNSException:
        return None


def _check_soa(zone: ZoneConfig, where: str) -> list[Problem]:
    problems = []
    for key, name in (("soa.mname", zone.soa.mname), ("soa.rname", zone.soa.rname)):
        if "@" in name or _absolute_or_none(name, "zone") is None:
            what = f"{name!r} is no domain name"
            remedy = "write labels with dots between them; in rname a dot stands for the @ (RFC 1035, section 3.3.13)"
            problems.append(Problem(id="bad-soa-name", where=f"{where}.{key}", what=what, remedy=remedy))
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
            what, remedy = f"{value} is out of range", f"take a value from 1 to {limit}"
            problems.append(Problem(id="soa-out-of-range", where=f"{where}.{key}", what=what, remedy=remedy))
    if zone.soa.refresh + zone.soa.retry > zone.soa.expire:
        what = "a secondary would drop the zone before it has tried again (RFC 1912, section 2.2)"
        remedy = "make expire larger than refresh + retry"
        problems.append(Problem(id="soa-expire", where=f"{where}.soa.expire", what=what, remedy=remedy))
    return problems


def _check_owners(records: list[tuple[str, Record]], apex: str) -> list[Problem]:
    """Doubled records, and a CNAME beside other data (RFC 1034, section 3.6.2)."""
    problems = []
    seen = Counter((record.name, record.type, record.data) for _, record in records)
    types: dict[str, Counter[str]] = defaultdict(Counter)
    for _, record in records:
        types[record.name][record.type] += 1
    for place, record in records:
        if seen.pop((record.name, record.type, record.data), 1) > 1:
            what = "this record stands there twice"
            problems.append(Problem(id="record-twice", where=place, what=what, remedy="remove one of them"))
        if record.type == "SOA":
            what, remedy = "the zone has its SOA record already", "set its values under `soa`"
            problems.append(Problem(id="second-soa", where=place, what=what, remedy=remedy))
        # The zone's own name has SOA and NS beside whatever the list gives it.
        if record.type == "CNAME" and (types[record.name].total() > 1 or record.name == apex):
            what = f"{record.name} has other records beside its CNAME (RFC 1034, section 3.6.2)"
            remedy = "give the name an A record instead, or remove the other records"
            problems.append(Problem(id="cname-and-other-data", where=place, what=what, remedy=remedy))
    return problems


def _check_targets(records: list[tuple[str, Record]], origin: str, where: str) -> list[Problem]:
    """Targets without an address of their own. `where`: the place of the records."""
    problems = []
    addressed = {record.name for _, record in records if record.type in ADDRESS_TYPES}
    aliases = {record.name for _, record in records if record.type == "CNAME"}
    root = dns.name.from_text(origin)
    looked: tuple[str, ...]
    for place, record in records:
        if record.type not in TARGET_OF:
            continue
        target = getattr(record.rdata, TARGET_OF[record.type]).canonicalize()
        text = target.to_text()
        if text in aliases:
            what = f"the target {text} is a CNAME (RFC 2181, section 10.3)"
            remedy, looked = "name the host itself", ()
        elif target.is_subdomain(root) and target != dns.name.root and text not in addressed:
            what = f"the target {text} has no address"
            remedy, looked = f"add a record: {target.relativize(root)} A <its address>", (where,)
        else:
            continue
        id_ = f"{record.type.lower()}-without-address"
        problems.append(Problem(id=id_, where=place, what=what, remedy=remedy, rests_on=looked))
    return problems
