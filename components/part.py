"""What a service brings to a machine; a machine is the sum of its parts."""

import enum
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address

from components.config.firewall import Rule
from components.config.mail import User
from components.config.mynetworks import Networks
from components.config.network import Address
from components.config.programs import VirusDatabase
from components.config.volumes import DISKS, Fault, VolumeConfig
from components.log import Log
from components.network.topology import Host

MAIL_VOLUMES = (*DISKS, "amavis", "homes", "webmail")
"""The volumes with mail and address books: in mailboxes, queues, quarantine, IMAP folders, and what webmail keeps.

The others are made again from nothing.
"""
BESIDE = "/mnt"
"""Below it lies, by its short name, a volume that a small disk stands in for (role `disks`)."""
IN_MEMORY = (Fault.SMALL, Fault.FULL)


class LoginProtocol(enum.StrEnum):
    """By what users log in, by its name in services(5)."""

    POP3 = "pop3"
    SMTP = "smtp"


@dataclass(frozen=True, slots=True, kw_only=True)
class Relay:
    """A domain whose mail goes on to another server: its machine and address, and who has mail there (`names`).

    All in lower case.
    """

    domain: str
    server: str
    address: IPv4Address
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MailService:
    """A mail server as others have to do with it, whatever program it is.

    `domains`: its own, in lower case. `accounts`: the names there that have mail, in lower case (None: every name).
    `trusts`: who may send to anybody through it. `relays`: domains that are not its own and whose mail it passes on.
    `holds_spam`: does it put spam on hold (GTUBE, spamassassin.apache.org/gtube)? `log`: the form of its mail log.
    `waiting`: the command that prints its queue as `postqueue -j` does (postqueue(1)); `delete`: the one that deletes
    messages from it, whose ids are its stdin, a line each.
    """

    trusts: Networks
    log: Log
    waiting: tuple[str, ...]
    delete: tuple[str, ...]
    domains: frozenset[str] = frozenset()
    accounts: frozenset[str] | None = frozenset()
    relays: tuple[Relay, ...] = ()
    holds_spam: bool = False

    def has_account(self, *names: str) -> bool:
        """Has it somewhere to put mail for one of `names`?"""
        return self.accounts is None or not self.accounts.isdisjoint(names)

    def relay(self, domain: str) -> Relay | None:
        """Where mail for `domain` (in lower case) goes on to."""
        return next((relay for relay in self.relays if relay.domain == domain), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginService:
    """What `users` log in to with their passwords, at the TCP port `port`."""

    protocol: LoginProtocol
    port: int
    users: tuple[User, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A web page that the lab's people open in a browser: what it is called, and its URL in the lab."""

    name: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One service on a machine.

    `recipes` of images (folders files/<service>/image) that it needs; `roles` in starting order; `files` and
    `secret_files`: path in the container to text; `volumes`: short name to path; `listens`: (TCP port, IP version)
    that others can connect to, `listens_inside`: that only the machine itself can, by its loopback; `mail` and
    `logins`: its mail server, and what its users log in to; `pages`: what it shows in a browser; `faults`: what is
    wrong with which of `volumes`;
    `capabilities` (capabilities(7), without CAP_) and `sysctls`: what it needs beyond none;
    `no_new_privileges`: whether it does without setuid and setgid programs.
    """

    recipes: tuple[str, ...]
    about: str
    roles: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    secret_files: Mapping[str, str] = field(default_factory=dict)
    volumes: Mapping[str, str] = field(default_factory=dict)
    faults: Mapping[str, VolumeConfig] = field(default_factory=dict)
    listens: frozenset[tuple[int, int]] = frozenset()
    listens_inside: frozenset[tuple[int, int]] = frozenset()
    mail: MailService | None = None
    logins: tuple[LoginService, ...] = ()
    pages: tuple[Page, ...] = ()
    capabilities: frozenset[str] = frozenset()
    sysctls: Mapping[str, str] = field(default_factory=dict)
    no_new_privileges: bool = True

    @property
    def all_files(self) -> dict[str, str]:
        """`files`, with the list of the roles that maillab-apply reads."""
        return {"/etc/maillab/roles": "".join(f"{role}\n" for role in self.roles), **self.files}

    @property
    def small(self) -> dict[str, int]:
        """Paths where a small disk in memory lies in the place of a volume, and its size in bytes."""
        return {self.volumes[short]: one.bytes for short, one in self.faults.items() if one.fault in IN_MEMORY}

    def place_of(self, short: str) -> str:
        """Where the volume `short` is: a small disk in its place leaves it untouched, elsewhere."""
        path = self.volumes[short]
        return f"{BESIDE}/{short}" if path in self.small else path

    def is_read_only(self, short: str) -> bool:
        """Can nothing be written to the volume `short`?"""
        return short in self.faults and self.faults[short].fault is Fault.READ_ONLY


@dataclass(frozen=True, slots=True, kw_only=True)
class Blueprint:
    """A whole machine: its place in the network, the sum of its parts, and the rules of its packet filter."""

    host: Host
    part: Part
    rules: tuple[Rule, ...]


def both_families(*ports: int) -> frozenset[tuple[int, int]]:
    """(port, IP version) pairs: `ports` on IPv4 and on IPv6."""
    return frozenset((port, version) for port in ports for version in (4, 6))


# All recipes, in the one order in which they stand on each other: sets of parts share the beginning of their images.
RECIPES = (
    *("machine", "dns", "mail", "sendmail", "dovecot", "sasl", "clamav", "signatures", "amavis", "webmail"),
    *("workstation", "spamfilter", "tls"),
)


def scanner_recipes(database: VirusDatabase) -> tuple[str, ...]:
    """What a machine with clamd is made of."""
    return ("clamav", "signatures") if database is VirusDatabase.FULL else ("clamav",)


def merge_parts(parts: list[Part]) -> Part:
    """One part that does what all of `parts` do; roles keep their order, each once."""
    files: dict[str, str] = {}
    secret_files: dict[str, str] = {}
    volumes: dict[str, str] = {}
    faults: dict[str, VolumeConfig] = {}
    sysctls: dict[str, str] = {}
    for part in parts:
        files |= part.files
        secret_files |= part.secret_files
        volumes |= part.volumes
        faults |= part.faults
        sysctls |= part.sysctls
    return Part(
        recipes=tuple(sorted({recipe for part in parts for recipe in part.recipes}, key=RECIPES.index)),
        about=", ".join(part.about for part in parts if part.about),
        roles=tuple(dict.fromkeys(role for part in parts for role in part.roles)),
        files=files,
        secret_files=secret_files,
        volumes=volumes,
        faults=faults,
        listens=frozenset().union(*(part.listens for part in parts)),
        listens_inside=frozenset().union(*(part.listens_inside for part in parts)),
        mail=next((part.mail for part in parts if part.mail is not None), None),
        logins=tuple(service for part in parts for service in part.logins),
        pages=tuple(page for part in parts for page in part.pages),
        capabilities=frozenset().union(*(part.capabilities for part in parts)),
        sysctls=sysctls,
        no_new_privileges=all(part.no_new_privileges for part in parts),
    )


def owners(machines: Mapping[str, Blueprint]) -> dict[Address, str]:
    """Address to the name of the machine that has it."""
    return {interface.ip: name for name, machine in machines.items() for interface in machine.host.addresses}


def pages(machines: Mapping[str, Blueprint]) -> dict[str, tuple[str, Page]]:
    """The lab's pages, each with its machine, by what people call it: its name, MACHINE/NAME if several have one."""
    found = [(machine, page) for machine, plan in machines.items() for page in plan.part.pages]
    times = Counter(page.name for _, page in found)
    return {
        page.name if times[page.name] == 1 else f"{machine}/{page.name}": (machine, page) for machine, page in found
    }
