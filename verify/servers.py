"""What each mail server of a lab knows: whose mail it has, and who may send through it."""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address

from components.config import LabConfig, MachineConfig, Role, SchoolConfig
from components.mail.model import SYSTEM_ACCOUNTS, aliases_of, destinations
from components.network.model import Address
from components.network.topology import OUTSIDE
from components.part import Blueprint


def domain_of(address: str) -> str:
    """The part behind the @, in small letters."""
    return address.rpartition("@")[2].lower()


@dataclass(frozen=True, slots=True)
class Servers:
    """The machines of one lab, by name."""

    lab: LabConfig
    plans: Mapping[str, Blueprint]

    def config(self, name: str) -> tuple[SchoolConfig | None, MachineConfig | None]:
        """A machine's school and its own section there; (None, None) for the machines of the Internet."""
        pairs = ((s, m) for s in self.lab.schools for m in s.machines if m.name == name)
        return next(pairs, (None, None))

    def addresses(self, machine: str) -> dict[int, Address]:
        """IP version to the machine's first address."""
        return {version: ip_address(self.plans[machine].host.first(version)) for version in (4, 6)}

    def takes(self, machine: str, recipient: str) -> bool | None:
        """Is the recipient one of the machine's (True), nobody in a domain of its (False), or not its business?"""
        school, config = self.config(machine)
        name, domain = recipient.rpartition("@")[0].lower(), domain_of(recipient)
        if school and config and config.spamfilter:
            routes = [route for route in config.spamfilter.domains if route.domain.lower() == domain]
            if not routes:
                return None
            server = next(m for m in school.machines if m.name == routes[0].server)
            return name in _names(server)
        if not self.is_local(machine, recipient):
            return None
        if machine == OUTSIDE:
            return True
        if config is not None:
            return name in _names(config) or name in SYSTEM_ACCOUNTS
        return name in {user.name for user in self.lab.internet.mail.users} | {"postmaster", "root", "mailer-daemon"}

    def is_local(self, machine: str, recipient: str) -> bool:
        """Is the recipient's domain one that the machine has mailboxes for?"""
        school, config = self.config(machine)
        domain, internet = domain_of(recipient), self.lab.internet
        if school and config and config.mail:
            return domain in destinations(config.mail, config.fqdn(school.domain), school.domain)
        if machine == internet.mail.name:
            return domain in (internet.mail.domain, self.plans[machine].host.fqdn)
        return machine == OUTSIDE and any(domain in (s.domain, s.host) for s in internet.senders)

    def trusts(self, machine: str, client: Address) -> bool:
        """Is the client in the machine's mynetworks (postconf(5))?"""
        school, config = self.config(machine)
        if not school or not config:
            return client.is_loopback
        filters = [address for f in school.with_role(Role.SPAMFILTER) for address in (f.ipv4, f.ipv6)]
        inside = client in school.network.ipv4 or client in school.network.ipv6
        return client.is_loopback or (inside and (config.spamfilter is not None or client not in filters))


def _names(config: MachineConfig) -> set[str]:
    """Local parts that a school's mail server knows."""
    if config.mail is None:
        return set()
    return {user.name for user in config.mail.users} | {alias.name.lower() for alias in aliases_of(config.mail)}
