"""The way of a message: which hops it takes and how it ends, from configuration, zone and packet filters alone."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from ipaddress import ip_address

from components.config.lab import OUTSIDE, LabConfig
from components.config.network import Address
from maillab.postman.way import Login
from maillab.trace.ending import Ending, How
from maillab.verify.aliases import Aliases, targets
from maillab.verify.cells import Cell, Policy, Source, Verdict, predict
from maillab.verify.directory import Directory
from maillab.verify.restrictions import UNKNOWN_USER
from maillab.verify.servers import Servers, domain_of

SMTP = 25
# The machines' services(5), as far as it is about mail.
PORTS = {"": SMTP, "smtp": SMTP, "mail": SMTP, "submission": 587, "submissions": 465}
TOO_MANY_HOPS = "5.4.0"
NO_SUCH_DOMAIN = "5.4.4"
LOOP = "5.4.6"
SENDMAIL_LOOP = "5.3.5"  # "Local configuration error"
NO_CONNECTION = "no connection"
MAX_RECEIVED = 50  # hopcount_limit, postconf(5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """Who sends: an address, the machine that hands the message in, and the families its connections take.

    `client`: the machine whose mail program submits it there; None: it is written on the machine itself. `source`: the
    address of the client that it connects from; None, its first of IPv4. `gtube`: the message is the test message for
    spam filters. `login`: who logs in there before he sends.
    """

    address: str
    machine: str
    families: tuple[int, ...] = (4, 6)
    client: str | None = None
    source: Address | None = None
    gtube: bool = False
    login: Login | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """One copy of a message on its way: its hops so far, how many Received headers and which Delivered-To it has.

    `sender` is the envelope's, and stays so on the way.
    """

    sender: str
    recipient: str
    hops: tuple[str, ...]
    received: int
    delivered: frozenset[str] = frozenset()
    is_spam: bool = False

    @property
    def domain(self) -> str:
        """The recipient's, in lower case."""
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
    _made: list[Servers] = field(default_factory=list, repr=False)

    @property
    def servers(self) -> Servers:
        """Made once: they remember what they have read."""
        if not self._made:
            self._made.append(Servers(self.lab, self.policy.plans))
        return self._made[0]

    def way(self, writer: Writer, recipient: str) -> frozenset[Ending]:
        """Where a message from `writer` to `recipient` ends."""
        if writer.client is not None:
            return frozenset(self._submit(writer, writer.client, recipient))
        own = self._sender(writer) if writer.machine == OUTSIDE else self.servers.sends_from(writer.machine)
        source = {version: own[version] for version in writer.families if version in own}
        copy = Copy(
            sender=writer.address, recipient=recipient, hops=(writer.machine,), received=1, is_spam=writer.gtube
        )
        return frozenset(self._accept(writer.machine, source, copy))

    def _submit(self, writer: Writer, client: str, recipient: str) -> Iterable[Ending]:
        own = writer.source or self.servers.addresses(client)[4]
        copy = Copy(sender=writer.address, recipient=recipient, hops=(client,), received=0, is_spam=writer.gtube)
        port = writer.login.port if writer.login else SMTP
        if not self.reaches(client, own, self.servers.addresses(writer.machine)[own.version], port):
            return copy.ends(How.REFUSED, NO_CONNECTION)
        if code := self.servers.refusal(
            writer.machine, own, recipient, writer.address, login=writer.login.user if writer.login else ""
        ):
            return replace(copy, hops=(client, writer.machine)).ends(How.REFUSED, code)
        return self._receive(writer.machine, copy)

    def _sender(self, writer: Writer) -> dict[int, Address]:
        """The addresses that a sender's domain writes from; anyone without one writes as the first."""
        domain = domain_of(writer.address)
        senders = (s for s in self.lab.internet.senders if domain in (s.domain, s.host))
        found = next(senders, self.lab.internet.senders[0])
        return {4: found.ipv4, 6: found.ipv6}

    def _accept(
        self, machine: str, source: Mapping[int, Address], copy: Copy, *, is_forwarded: bool = False
    ) -> list[Ending]:
        """`machine` has taken the copy: cleanup(8) gives it its recipients.

        What local(8) forwards has no `always_bcc`.
        """
        school, config = self.servers.config(machine)
        if not school or not config or not config.mail:
            return list(self._hand_on(machine, source, copy))
        parameters, aliases = self.servers.parameters(machine), Aliases.of(school, config, config.mail)
        recipients = {copy.recipient}
        if parameters.always_bcc and not is_forwarded:
            recipients.add(aliases.full(parameters.always_bcc))
        found = {
            one
            for recipient in recipients
            for one in parameters.virtual.follow(
                recipient, lambda address: self.servers.is_local(machine, address), aliases.origin, parameters.base
            )
        }
        return [end for one in sorted(found) for end in self._hand_on(machine, source, replace(copy, recipient=one))]

    def _hand_on(self, machine: str, source: Mapping[int, Address], copy: Copy) -> Iterable[Ending]:
        """`machine` has the copy and is to bring it on: into a mailbox of its own, or to the next server."""
        _, config = self.servers.config(machine)
        if self.servers.is_local(machine, copy.recipient):
            return self._deliver(machine, copy)
        if copy.domain in self.servers.parameters(machine).virtual.domains:
            return copy.ends(How.REFUSED, UNKNOWN_USER)
        if config and config.mail and config.mail.relayhost:
            return self._by_relayhost(machine, source, config.mail.relayhost, copy)
        if relay := self.servers.relay(machine, copy.domain):
            return self._connect(machine, source, [relay.address], copy)
        servers = [(p, address) for p, address in self.directory.servers(copy.domain) if address.version in source]
        ahead = self._ahead(machine, servers)
        if not ahead:
            loop = SENDMAIL_LOOP if self.servers.is_sendmail(machine) else LOOP
            return copy.ends(How.REFUSED, loop if servers else NO_SUCH_DOMAIN)
        return self._connect(machine, source, ahead, copy)

    def _ahead(self, machine: str, servers: Sequence[tuple[int, Address]]) -> list[Address]:
        """The servers that are better than `machine` is itself: a message to the others would come back (smtp(8))."""
        own = [preference for preference, address in servers if self.directory.owners.get(address) == machine]
        return [address for preference, address in servers if not own or preference < min(own)]

    def _by_relayhost(
        self, machine: str, source: Mapping[int, Address], relayhost: str, copy: Copy
    ) -> Iterable[Ending]:
        """`[163.26.182.249]`, `[IPv6:…]`, `[name]`, or a name whose MX records count; all with or without a port.

        Where it can't be found, the messages wait: a server takes that for a mistake that somebody will repair. Where
        its MX leads back, Sendmail returns them.
        """
        inside = relayhost.startswith("[")
        name, _, port = relayhost.lower().removeprefix("[").partition("]" if inside else ":")
        try:
            found: list[Address] = [ip_address(name.removeprefix("ipv6:"))]
        except ValueError:
            servers = [] if inside else self.directory.servers(name)
            found = self.directory.hosts(name) if inside else self._ahead(machine, servers)
            if servers and not found and self.servers.is_sendmail(machine):
                return copy.ends(How.REFUSED, SENDMAIL_LOOP)
        return self._connect(machine, source, found, copy, _port(port.removeprefix(":")))

    def _connect(
        self, machine: str, source: Mapping[int, Address], targets: Iterable[Address], copy: Copy, port: int = SMTP
    ) -> Iterable[Ending]:
        """To the first of `targets` that answers, and not with "later"; when none does, the message waits."""
        for target in targets:
            own = source.get(target.version)
            if own is None or not self.reaches(machine, own, target, port):
                continue
            owner = self.directory.owners[target]
            code = self.servers.refusal(owner, own, copy.recipient, copy.sender)
            if not code:
                return self._receive(owner, copy)
            if code.startswith("5"):
                return replace(copy, hops=(*copy.hops, owner)).ends(How.REFUSED, code)
        return copy.ends(How.WAITS)

    def reaches(self, machine: str, own: Address, target: Address, port: int = SMTP) -> bool:
        """Does a connection from `machine`, by its address `own`, come about?"""
        owner = self.directory.owners.get(target)
        if owner is None:
            return False
        asked = Source(name=machine, machine=machine, address=own)
        cell = Cell(source=asked, target=owner, address=target, port=port)
        return predict(self.policy, cell).verdict is Verdict.ACCEPT

    def _receive(self, machine: str, copy: Copy) -> Iterable[Ending]:
        """`machine` has not refused the copy's recipient, and gets the message."""
        copy = replace(copy, hops=(*copy.hops, machine), received=copy.received + 1)
        if copy.received >= MAX_RECEIVED:
            return copy.ends(How.REFUSED, TOO_MANY_HOPS)
        if copy.is_spam and self.servers.holds_spam(machine):
            return copy.ends(How.HELD)
        return self._accept(machine, self.servers.sends_from(machine), copy)

    def _deliver(self, machine: str, copy: Copy) -> Iterable[Ending]:
        """Into the mailbox, or wherever the aliases lead."""
        school, config = self.servers.config(machine)
        if machine == OUTSIDE:
            domains = {host: s.domain for s in self.lab.internet.senders for host in (s.domain, s.host)}
            return copy.ends(How.MAILBOX, domains[copy.domain])
        is_known = self.servers.has_account(machine, copy.recipient)
        if not school or not config or not config.mail:
            name = copy.recipient.rpartition("@")[0].lower()
            users = [user.name for user in self.lab.internet.mail.users]
            what = name if name in users else [*users, "root"][0]
            return copy.ends(How.MAILBOX, what) if is_known else copy.ends(How.REFUSED, UNKNOWN_USER)
        if not is_known:
            return self._deliver_unknown(machine, Aliases.of(school, config, config.mail), copy)
        found = targets(Aliases.of(school, config, config.mail), copy.recipient, copy.delivered)
        ends = [ending for user in found.users for ending in copy.ends(How.MAILBOX, user)]
        if found.looping:
            ends += copy.ends(How.REFUSED, LOOP)
        # local(8) hands it on as a message of its own, with both headers.
        delivered = copy.delivered | {copy.recipient.lower()}
        for address in found.elsewhere:
            further = replace(copy, recipient=address, received=copy.received + 1, delivered=delivered)
            ends += self._accept(machine, self.servers.sends_from(machine), further, is_forwarded=True)
        return ends

    def _deliver_unknown(self, machine: str, aliases: Aliases, copy: Copy) -> Iterable[Ending]:
        """To `luser_relay`, or back to the sender."""
        target = self.servers.parameters(machine).luser_relay
        if not target:
            return copy.ends(How.REFUSED, UNKNOWN_USER)
        address = aliases.full(target)
        if not self.servers.is_local(machine, address):
            further = replace(copy, recipient=address, received=copy.received + 1)
            return self._accept(machine, self.servers.sends_from(machine), further, is_forwarded=True)
        if not self.servers.has_account(machine, address):
            return copy.ends(How.REFUSED, UNKNOWN_USER)
        return self._deliver(machine, replace(copy, recipient=address))


def _port(written: str) -> int:
    """A relayhost's port: a number, a name of services(5), or nothing; 0, where nobody listens, for an unknown name."""
    return int(written) if written.isdigit() else PORTS.get(written, 0)
