"""The way of a letter: which hops it takes and how it ends, from configuration, zone and packet filters alone."""

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address

from components.config import LabConfig, MachineConfig, Role, SchoolConfig
from components.mail.model import SYSTEM_ACCOUNTS, Alias, aliases_of, destinations
from components.network.topology import OUTSIDE
from verify.cells import Address, Cell, Policy, Source, Verdict, predict
from verify.directory import Directory

SMTP = 25
UNKNOWN_USER = "5.1.1"
NO_RELAY = "5.7.1"


class How(enum.StrEnum):
    """How a letter ends: in a mailbox, refused by a server, or waiting in a queue for a server that answers."""

    MAILBOX = "mailbox"
    REFUSED = "refused"
    WAITS = "waits"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """One end of a letter (an alias gives it several): the machines it came by, and what became of it at the last.

    `what`: the mailbox's name, or the refusal's enhanced status code (RFC 3463).
    """

    hops: tuple[str, ...]
    how: How
    what: str = ""

    def __str__(self) -> str:
        how = {How.MAILBOX: f"in the mailbox {self.what}", How.REFUSED: f"refused ({self.what})"}
        return f"{' → '.join(self.hops)}: {how.get(self.how, 'waits in the queue')}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """Who sends: an address, the machine that hands the letter in, and the families its connections take.

    `client`: the machine whose mail program submits it there; None: it is written on the machine itself.
    """

    address: str
    machine: str
    families: tuple[int, ...] = (4, 6)
    client: str | None = None


@dataclass(frozen=True, slots=True)
class Post:
    """How mail goes in one lab."""

    lab: LabConfig
    policy: Policy
    directory: Directory

    def way(self, writer: Writer, recipient: str) -> frozenset[Ending]:
        """Where a letter from `writer` to `recipient` ends."""
        if writer.client is not None:
            client = self._source(writer.client, 4)
            return frozenset(self._receive(writer.machine, client.address, recipient, (writer.client,)))
        source = {
            version: address
            for version in writer.families
            if (address := self._own_address(writer, version)) is not None
        }
        return frozenset(self._hand_on(writer.machine, source, recipient, (writer.machine,)))

    def _own_address(self, writer: Writer, version: int) -> Address | None:
        if writer.machine != OUTSIDE:
            return self._source(writer.machine, version).address
        domain = writer.address.rpartition("@")[2]
        senders = (s for s in self.lab.internet.senders if domain in (s.domain, s.host))
        found = next(senders, self.lab.internet.senders[0])
        return found.ipv4 if version == 4 else found.ipv6

    def _source(self, machine: str, version: int) -> Source:
        address = ip_address(self.policy.plans[machine].host.first(version))
        return Source(name=machine, machine=machine, address=address)

    def _hand_on(
        self, machine: str, source: Mapping[int, Address], recipient: str, hops: tuple[str, ...]
    ) -> Iterable[Ending]:
        """`machine` has the letter and is to bring it on: into a mailbox of its own, or to the next server."""
        school, config = self._school_machine(machine)
        if self._is_local(machine, recipient):
            if self._takes(machine, recipient) is False:
                return [Ending(hops=hops, how=How.REFUSED, what=UNKNOWN_USER)]
            return self._deliver(machine, recipient, hops)
        if school and config and config.mail and config.mail.relayhost:
            return self._connect(machine, source, self._relayhost(config), recipient, hops)
        if school and config and config.spamfilter:
            domain = _domain(recipient)
            routes = [route for route in config.spamfilter.domains if route.domain.lower() == domain]
            if routes:
                server = next(m for m in school.machines if m.name == routes[0].server)
                return self._connect(machine, source, [server.ipv4], recipient, hops)
        return self._connect(machine, source, self.directory.servers(_domain(recipient)), recipient, hops)

    def _relayhost(self, config: MachineConfig) -> list[Address]:
        """The addresses of `[163.26.182.249]`, `[IPv6:…]` or a name."""
        target = str(config.mail.relayhost if config.mail else "").split("]")[0].strip("[").removeprefix("IPv6:")
        try:
            return [ip_address(target)]
        except ValueError:
            return list(self.directory.addresses.get(target.lower(), []))

    def _connect(
        self,
        machine: str,
        source: Mapping[int, Address],
        targets: Iterable[Address],
        recipient: str,
        hops: tuple[str, ...],
    ) -> Iterable[Ending]:
        """To the first of `targets` that answers; when none does, the letter waits."""
        for target in targets:
            own, owner = source.get(target.version), self.directory.owners.get(target)
            if own is None or owner is None:
                continue
            asked = Source(name=machine, machine=machine, address=own)
            cell = Cell(source=asked, target=owner, address=target, port=SMTP)
            if predict(self.policy, cell).verdict is Verdict.ACCEPT:
                return self._receive(owner, own, recipient, hops)
        return [Ending(hops=hops, how=How.WAITS)]

    def _receive(self, machine: str, client: Address, recipient: str, hops: tuple[str, ...]) -> Iterable[Ending]:
        """`machine` is asked to take the letter by a client with this address."""
        hops = (*hops, machine)
        known = self._takes(machine, recipient)
        if known is False:
            return [Ending(hops=hops, how=How.REFUSED, what=UNKNOWN_USER)]
        if known is None and not self._trusts(machine, client):
            return [Ending(hops=hops, how=How.REFUSED, what=NO_RELAY)]
        own = {version: self._source(machine, version).address for version in (4, 6)}
        return self._hand_on(machine, own, recipient, hops)

    def _takes(self, machine: str, recipient: str) -> bool | None:
        """Is the recipient one of the machine's (True), nobody in a domain of its (False), or not its business?"""
        school, config = self._school_machine(machine)
        name, domain = recipient.rpartition("@")[0].lower(), _domain(recipient)
        if school and config and config.spamfilter:
            routes = [route for route in config.spamfilter.domains if route.domain.lower() == domain]
            if not routes:
                return None
            server = next(m for m in school.machines if m.name == routes[0].server)
            return name in _names(server)
        if not self._is_local(machine, recipient):
            return None
        if machine == OUTSIDE:
            return True
        if config is not None:
            return name in _names(config) or name in SYSTEM_ACCOUNTS
        return name in {user.name for user in self.lab.internet.mail.users} | {"postmaster", "root", "mailer-daemon"}

    def _is_local(self, machine: str, recipient: str) -> bool:
        """Is the recipient's domain one that the machine has mailboxes for?"""
        school, config = self._school_machine(machine)
        domain, internet = _domain(recipient), self.lab.internet
        if school and config and config.mail:
            return domain in destinations(config.mail, config.fqdn(school.domain), school.domain)
        if machine == internet.mail.name:
            return domain in (internet.mail.domain, self.policy.plans[machine].host.fqdn)
        return machine == OUTSIDE and any(domain in (s.domain, s.host) for s in internet.senders)

    def _trusts(self, machine: str, client: Address) -> bool:
        """Is the client in the machine's mynetworks (postconf(5))?"""
        school, config = self._school_machine(machine)
        if not school or not config:
            return client.is_loopback
        filters = [address for f in school.with_role(Role.SPAMFILTER) for address in (f.ipv4, f.ipv6)]
        inside = client in school.network.ipv4 or client in school.network.ipv6
        return client.is_loopback or (inside and (config.spamfilter is not None or client not in filters))

    def _deliver(self, machine: str, recipient: str, hops: tuple[str, ...]) -> Iterable[Ending]:
        """Into the mailbox, or wherever the aliases lead."""
        school, config = self._school_machine(machine)
        name = recipient.rpartition("@")[0].lower()
        if machine == OUTSIDE:
            domains = {host: s.domain for s in self.lab.internet.senders for host in (s.domain, s.host)}
            return [Ending(hops=hops, how=How.MAILBOX, what=domains[_domain(recipient)])]
        if not school or not config or not config.mail:
            users = [user.name for user in self.lab.internet.mail.users]
            return [Ending(hops=hops, how=How.MAILBOX, what=name if name in users else users[0])]
        aliases = {alias.name.lower(): alias for alias in aliases_of(config.mail)}
        own = destinations(config.mail, config.fqdn(school.domain), school.domain)
        found: list[Ending] = []
        source = {version: self._source(machine, version).address for version in (4, 6)}
        for target in _expand(name, aliases, own):
            if "@" in target:
                found += self._hand_on(machine, source, target, hops)
            else:
                found.append(Ending(hops=hops, how=How.MAILBOX, what=target))
        return found

    def _school_machine(self, name: str) -> tuple[SchoolConfig | None, MachineConfig | None]:
        pairs = ((s, m) for s in self.lab.schools for m in s.machines if m.name == name)
        return next(pairs, (None, None))


def _domain(address: str) -> str:
    return address.rpartition("@")[2].lower()


def _names(config: MachineConfig) -> set[str]:
    """Local parts that a school's mail server knows."""
    if config.mail is None:
        return set()
    return {user.name for user in config.mail.users} | {alias.name.lower() for alias in aliases_of(config.mail)}


def _expand(name: str, aliases: Mapping[str, Alias], own: Iterable[str], path: tuple[str, ...] = ()) -> set[str]:
    """Users (without @) and addresses elsewhere that `name` leads to (aliases(5))."""
    if name not in aliases or name in path:
        return {name}
    found: set[str] = set()
    for target in aliases[name].targets:
        local, at, domain = target.rpartition("@")
        if at and domain.lower() not in own:
            found.add(target)
        else:
            found |= _expand((local if at else target).lower(), aliases, own, (*path, name))
    return found
