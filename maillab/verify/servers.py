"""What each mail server of a lab knows: whose mail it has, who may send through it, and what it answers to RCPT."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address

from components.config.lab import LabConfig, MachineConfig, SchoolConfig
from components.config.network import Address
from components.log import Log
from components.part import Blueprint, Relay
from maillab.verify.aliases import Aliases, targets
from maillab.verify.client_names import NO_CLIENT_NAME, named_clients
from maillab.verify.parameters import Parameters
from maillab.verify.restrictions import LISTS, OF_SUBMISSION, UNKNOWN_USER, Asked, refusal


def domain_of(address: str) -> str:
    """The part behind the @, in lower case."""
    return address.rpartition("@")[2].lower()


@dataclass(frozen=True, slots=True)
class Servers:
    """The machines of one lab, by name. What was read of one is remembered."""

    lab: LabConfig
    plans: Mapping[str, Blueprint]
    _parameters: dict[str, Parameters] = field(default_factory=dict, repr=False)
    _restrictions: dict[str, list[list[str]]] = field(default_factory=dict, repr=False)
    _addresses: dict[str, dict[int, Address]] = field(default_factory=dict, repr=False)
    _named: list[frozenset[Address]] = field(default_factory=list, repr=False)

    def config(self, name: str) -> tuple[SchoolConfig | None, MachineConfig | None]:
        """A machine's school and its own section there; (None, None) for the machines of the Internet."""
        pairs = ((s, m) for s in self.lab.schools for m in s.machines if m.name == name)
        return next(pairs, (None, None))

    def addresses(self, machine: str) -> dict[int, Address]:
        """IP version to the machine's first address."""
        if machine not in self._addresses:
            host = self.plans[machine].host
            self._addresses[machine] = {version: ip_address(host.first(version)) for version in (4, 6)}
        return self._addresses[machine]

    def parameters(self, machine: str) -> Parameters:
        """A machine's own parameters of main.cf."""
        if machine not in self._parameters:
            school, config = self.config(machine)
            found = Parameters()
            if school is not None and config is not None and config.mail is not None:
                found = Parameters.of(config, config.mail, school.domain)
            self._parameters[machine] = found
        return self._parameters[machine]

    def sends_from(self, machine: str) -> dict[int, Address]:
        """IP version to the address that a mail server's connections come from."""
        versions = self.parameters(machine).versions
        return {version: address for version, address in self.addresses(machine).items() if version in versions}

    def refusal(self, machine: str, client: Address, recipient: str, sender: str = "", *, login: str = "") -> str:
        """The enhanced status code of a mail server's answer to RCPT; "" when it takes the recipient.

        `login`: the user whose password the client has shown.
        """
        name, _, _ = recipient.rpartition("@")
        is_routed = any(character in name for character in "%!@")
        if "%" in name and self.is_local(machine, recipient):
            # user%elsewhere@here is user@elsewhere (allow_percent_hack, postconf(5)).
            named = "@".join(name.rsplit("%", 1))
            return self.refusal(machine, client, named, sender, login=login)
        if self._is_nameless(machine, client):
            return NO_CLIENT_NAME
        parameters = self.parameters(machine)
        known = self.takes(machine, recipient)
        asked = Asked(
            is_trusted=self.trusts(machine, client),
            is_here=client.is_loopback or client in self.addresses(machine).values(),
            # Not for strangers to name the way of a message (allow_untrusted_routing).
            is_destination=known is not None and not is_routed,
            is_listed=known is not False,
            is_logged_in=bool(login),
            is_owner=bool(login) and self._owns(machine, login, sender),
            is_owned=self.parameters(machine).asks_for_login and self.is_local(machine, sender),
        )
        if machine not in self._restrictions:
            self._restrictions[machine] = parameters.restrictions
        lists = self._restrictions[machine]
        if login:  # at a port for logins
            lists = [list(OF_SUBMISSION.get(name, own)) for name, own in zip(LISTS, lists, strict=True)]
        if code := refusal(lists, asked):
            return code
        return "" if asked.is_listed or parameters.takes_unknown_users else UNKNOWN_USER

    def _owns(self, machine: str, user: str, sender: str) -> bool:
        """May the user send as `sender`: is that address his, or mail for it for him, too?"""
        school, config = self.config(machine)
        if not school or not config or not config.mail or not self.is_local(machine, sender):
            return False
        is_own = sender.rpartition("@")[0].lower() == user
        return is_own or user in targets(Aliases.of(school, config, config.mail), sender, ()).users

    def _is_nameless(self, machine: str, client: Address) -> bool:
        """Does the machine check the names of its clients, and has this one none?"""
        mail = self.lab.internet.mail
        if machine != mail.name or not mail.checks_client_names or self.trusts(machine, client):
            return False
        if not self._named:
            self._named.append(named_clients(self.plans))
        return client not in self._named[0]

    def takes(self, machine: str, recipient: str) -> bool | None:
        """Is the recipient one of the machine's (True), nobody in a domain of its (False), or not its business?"""
        _, config = self.config(machine)
        name, domain = recipient.rpartition("@")[0].lower(), domain_of(recipient)
        if relay := self.relay(machine, domain):
            return name in relay.names
        if not self.is_local(machine, recipient):
            return self._takes_for_others(machine, recipient)
        if config is not None:
            parameters = self.parameters(machine)
            if parameters.virtual.has(recipient, is_local=True, base=parameters.base):
                return True
        return self.has_account(machine, recipient)

    def has_account(self, machine: str, recipient: str) -> bool:
        """Has the machine somewhere to put mail for the recipient, whose domain is its own?"""
        service, name = self.plans[machine].part.mail, recipient.rpartition("@")[0].lower()
        return service is not None and service.has_account(name, self.parameters(machine).base(name))

    def _takes_for_others(self, machine: str, recipient: str) -> bool | None:
        """The same of a domain that the machine has no mailboxes for."""
        parameters, domain = self.parameters(machine), domain_of(recipient)
        if domain in parameters.virtual.domains:
            return parameters.virtual.has(recipient, is_local=False, base=parameters.base)
        return True if parameters.relays(domain) else None

    def is_local(self, machine: str, recipient: str) -> bool:
        """Is the recipient's domain one that the machine has mailboxes for?"""
        service = self.plans[machine].part.mail
        return service is not None and domain_of(recipient) in service.domains

    def trusts(self, machine: str, client: Address) -> bool:
        """May the client send to anybody through the machine?"""
        service = self.plans[machine].part.mail
        return service is not None and client in service.trusts

    def is_sendmail(self, machine: str) -> bool:
        """Is its program Sendmail?"""
        service = self.plans[machine].part.mail
        return service is not None and service.log is Log.SENDMAIL

    def relays(self, machine: str) -> tuple[Relay, ...]:
        """The domains whose mail the machine passes on."""
        service = self.plans[machine].part.mail
        return service.relays if service else ()

    def relay(self, machine: str, domain: str) -> Relay | None:
        """Where the machine passes a domain's mail on to."""
        service = self.plans[machine].part.mail
        return service.relay(domain) if service else None

    def holds_spam(self, machine: str) -> bool:
        """Does the machine put spam on hold?"""
        service = self.plans[machine].part.mail
        return service is not None and service.holds_spam
