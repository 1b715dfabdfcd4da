"""The way of a letter: which hops it takes and how it ends, from configuration, zone and packet filters alone."""

import enum
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_address

from components.config import LabConfig
from components.network.model import Address
from components.network.topology import OUTSIDE
from verify.aliases import Aliases, targets
from verify.cells import Cell, Policy, Source, Verdict, predict
from verify.directory import Directory
from verify.servers import Servers, domain_of

SMTP = 25
# The machines' services(5), as far as it is about mail.
PORTS = {"": SMTP, "smtp": SMTP, "mail": SMTP, "submission": 587, "submissions": 465}
UNKNOWN_USER = "5.1.1"
NO_RELAY = "5.7.1"
TOO_MANY_HOPS = "5.4.0"
NO_SUCH_DOMAIN = "5.4.4"
LOOP = "5.4.6"
NO_CONNECTION = "no connection"
MAX_RECEIVED = 50  # hopcount_limit, postconf(5)


class How(enum.StrEnum):
    """How a letter ends: in a mailbox, refused by a server, or waiting in a queue for a server that answers."""

    MAILBOX = "mailbox"
    REFUSED = "refused"
    WAITS = "waits"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """One end of a letter (an alias gives it several): the machines it came by, and what became of it at the last.

    `what`: the mailbox's name, or the refusal's enhanced status code (RFC 3463); or `NO_CONNECTION`, of a mail client.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """One copy of a letter on its way: its hops so far, how many Received headers and which Delivered-To it has."""

    recipient: str
    hops: tuple[str, ...]
    received: int
    delivered: frozenset[str] = frozenset()

    @property
    def domain(self) -> str:
        """The recipient's, in small letters."""
        return domain_of(self.recipient)

    def ends(self, how: How, what: str = "") -> list[Ending]:
        """Here and so."""
        return [Ending(hops=self.hops, how=how, what=what)]


@dataclass(frozen=True, slots=True)
class Post:
    """How mail goes in one lab."""

    lab: LabConfig
    policy: Policy
    directory: Directory

    @property
    def _servers(self) -> Servers:
        return Servers(self.lab, self.policy.plans)

    def way(self, writer: Writer, recipient: str) -> frozenset[Ending]:
        """Where a letter from `writer` to `recipient` ends."""
        if writer.client is not None:
            source = self._servers.addresses(writer.client)
            copy = Copy(recipient=recipient, hops=(writer.client,), received=0)
            if not self._reaches(writer.client, source, self._servers.addresses(writer.machine)[4], SMTP):
                return frozenset(copy.ends(How.REFUSED, NO_CONNECTION))
            return frozenset(self._receive(writer.machine, source[4], copy))
        own = self._sender(writer) if writer.machine == OUTSIDE else self._servers.addresses(writer.machine)
        source = {version: own[version] for version in writer.families}
        copy = Copy(recipient=recipient, hops=(writer.machine,), received=1)
        return frozenset(self._hand_on(writer.machine, source, copy))

    def _sender(self, writer: Writer) -> dict[int, Address]:
        """The addresses that a sender's domain writes from; whoever has none writes as the first."""
        domain = domain_of(writer.address)
        senders = (s for s in self.lab.internet.senders if domain in (s.domain, s.host))
        found = next(senders, self.lab.internet.senders[0])
        return {4: found.ipv4, 6: found.ipv6}

    def _hand_on(self, machine: str, source: Mapping[int, Address], copy: Copy) -> Iterable[Ending]:
        """`machine` has the copy and is to bring it on: into a mailbox of its own, or to the next server."""
        school, config = self._servers.config(machine)
        if self._servers.is_local(machine, copy.recipient):
            if self._servers.takes(machine, copy.recipient) is False:
                return copy.ends(How.REFUSED, UNKNOWN_USER)
            return self._deliver(machine, copy)
        if config and config.mail and config.mail.relayhost:
            return self._by_relayhost(machine, source, config.mail.relayhost, copy)
        if school and config and config.spamfilter:
            routes = [route for route in config.spamfilter.domains if route.domain.lower() == copy.domain]
            if routes:
                server = next(m for m in school.machines if m.name == routes[0].server)
                return self._connect(machine, source, [server.ipv4], copy)
        servers = [(p, address) for p, address in self.directory.servers(copy.domain) if address.version in source]
        ahead = self._ahead(machine, servers)
        if not ahead:
            return copy.ends(How.REFUSED, LOOP if servers else NO_SUCH_DOMAIN)
        return self._connect(machine, source, ahead, copy)

    def _ahead(self, machine: str, servers: Sequence[tuple[int, Address]]) -> list[Address]:
        """The servers that are better than `machine` is itself: a letter to the others would come back (smtp(8))."""
        own = [preference for preference, address in servers if self.directory.owners.get(address) == machine]
        return [address for preference, address in servers if not own or preference < min(own)]

    def _by_relayhost(
        self, machine: str, source: Mapping[int, Address], relayhost: str, copy: Copy
    ) -> Iterable[Ending]:
        """`[163.26.182.249]`, `[IPv6:…]`, `[name]`, or a name whose MX records count; all with or without a port.

        Where it can't be found, the letters wait: Postfix takes that for a mistake that somebody will mend.
        """
        inside = relayhost.startswith("[")
        name, _, port = relayhost.lower().removeprefix("[").partition("]" if inside else ":")
        try:
            found: list[Address] = [ip_address(name.removeprefix("ipv6:"))]
        except ValueError:
            found = self.directory.hosts(name) if inside else self._ahead(machine, self.directory.servers(name))
        return self._connect(machine, source, found, copy, _port(port.removeprefix(":")))

    def _connect(
        self, machine: str, source: Mapping[int, Address], targets: Iterable[Address], copy: Copy, port: int = SMTP
    ) -> Iterable[Ending]:
        """To the first of `targets` that answers; when none does, the letter waits."""
        for target in targets:
            if self._reaches(machine, source, target, port):
                return self._receive(self.directory.owners[target], source[target.version], copy)
        return copy.ends(How.WAITS)

    def _reaches(self, machine: str, source: Mapping[int, Address], target: Address, port: int) -> bool:
        own, owner = source.get(target.version), self.directory.owners.get(target)
        if own is None or owner is None:
            return False
        asked = Source(name=machine, machine=machine, address=own)
        cell = Cell(source=asked, target=owner, address=target, port=port)
        return predict(self.policy, cell).verdict is Verdict.ACCEPT

    def _receive(self, machine: str, client: Address, copy: Copy) -> Iterable[Ending]:
        """`machine` is asked to take the copy by a client with this address."""
        copy = replace(copy, hops=(*copy.hops, machine), received=copy.received + 1)
        known = self._servers.takes(machine, copy.recipient)
        if known is False:
            return copy.ends(How.REFUSED, UNKNOWN_USER)
        if known is None and not self._servers.trusts(machine, client):
            return copy.ends(How.REFUSED, NO_RELAY)
        if copy.received >= MAX_RECEIVED:
            return copy.ends(How.REFUSED, TOO_MANY_HOPS)
        return self._hand_on(machine, self._servers.addresses(machine), copy)

    def _deliver(self, machine: str, copy: Copy) -> Iterable[Ending]:
        """Into the mailbox, or wherever the aliases lead."""
        school, config = self._servers.config(machine)
        if machine == OUTSIDE:
            domains = {host: s.domain for s in self.lab.internet.senders for host in (s.domain, s.host)}
            return copy.ends(How.MAILBOX, domains[copy.domain])
        if not school or not config or not config.mail:
            name = copy.recipient.rpartition("@")[0].lower()
            users = [user.name for user in self.lab.internet.mail.users]
            return copy.ends(How.MAILBOX, name if name in users else [*users, "root"][0])
        found = targets(Aliases.of(school, config, config.mail), copy.recipient, copy.delivered)
        ends = [ending for user in found.users for ending in copy.ends(How.MAILBOX, user)]
        if found.looping:
            ends += copy.ends(How.REFUSED, LOOP)
        # local(8) hands it on as a letter of its own, with both headers.
        delivered = copy.delivered | {copy.recipient.lower()}
        for address in found.elsewhere:
            further = replace(copy, recipient=address, received=copy.received + 1, delivered=delivered)
            ends += self._hand_on(machine, self._servers.addresses(machine), further)
        return ends


def _port(written: str) -> int:
    """A relayhost's port: a number, a name of services(5), or nothing; 0, where nobody listens, for an unknown name."""
    return int(written) if written.isdigit() else PORTS.get(written, 0)
