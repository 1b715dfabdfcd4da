"""The Internet around the schools: name servers, another mail server and senders in many ranges."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from components.mail.model import User, check_users
from components.network.model import SegmentConfig
from components.problem import Problem

LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
DOMAIN = re.compile(rf"{LABEL}(\.{LABEL})+\Z")  # RFC 1123, section 2.1


@dataclass(frozen=True, slots=True, kw_only=True)
class OutsideMailServer:
    """The mail server of another domain (the tutorial: tnuser@tn.edu.tw)."""

    name: str
    domain: str
    ipv4: IPv4Address
    ipv6: IPv6Address
    users: tuple[User, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """One identity of the machine `outside`: a host with a domain of its own that sends from its address."""

    host: str
    ipv4: IPv4Address
    ipv6: IPv6Address

    @property
    def domain(self) -> str:
        """The part behind the host's first label: its mail domain."""
        return self.host.partition(".")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class InternetConfig:
    """`maillab:internet`: the segment, the name server's addresses, `tn`, and the senders."""

    segment: SegmentConfig
    name_server: IPv4Address
    name_server6: IPv6Address
    mail: OutsideMailServer
    senders: tuple[Sender, ...]


def check_internet(config: InternetConfig, domains: Iterable[str], where: str) -> list[Problem]:
    """Every problem of the outside's mail domains. `domains` are the schools'."""
    problems = check_users(config.mail.users, f"{where}.mail")
    if not config.senders:
        what, remedy = "nobody outside sends mail", "add one: {host: mail.example.com, ipv4: …, ipv6: …}"
        problems.append(Problem(id="no-sender", where=f"{where}.senders", what=what, remedy=remedy))
    names = [(f"{where}.mail.domain", config.mail.domain, config.mail.domain)]
    names += [(f"{where}.senders[{i}].host", sender.host, sender.domain) for i, sender in enumerate(config.senders)]
    seen: set[str] = set()
    taken = tuple(domains)
    for place, name, domain in names:
        if not DOMAIN.match(domain) or not DOMAIN.match(name):
            what = f"{name!r} is no name with a mail domain of two labels or more"
            remedy = "small letters, digits, - and dots: mail.example.com for a sender, example.com for a domain"
            problems.append(Problem(id="bad-mail-name", where=place, what=what, remedy=remedy))
            continue
        if any(f".{name}".endswith(f".{other}") for other in taken):
            what = f"{name} lies in a domain that has a mail server of its own"
            remedy = "take another domain; a forged sender address needs no entry here"
            problems.append(Problem(id="mail-name-taken", where=place, what=what, remedy=remedy))
        if name == config.mail.domain:
            taken = (*taken, name)
        if name in seen:
            what, remedy = f"{name} stands there twice", "give each sender a host name of its own"
            problems.append(Problem(id="mail-name-twice", where=place, what=what, remedy=remedy))
        seen.add(name)
    return problems
