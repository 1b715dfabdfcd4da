"""The configuration as a whole: what `Pulumi.<stack>.yaml` can say. `load.py` reads it, `check.py` checks it."""

import enum
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address

from components.dns.model import ZoneConfig
from components.firewall.model import FirewallConfig
from components.internet.model import InternetConfig
from components.mail.model import MailServerConfig
from components.network.links import LinkConfig
from components.network.model import Address, CarrierConfig, SegmentConfig
from components.spamfilter.model import SpamFilterConfig
from components.vm.model import Build, VmConfig


class Role(enum.StrEnum):
    """What a machine of a school does. The tutorial's single host is `dns` and `mail`."""

    DNS = "dns"
    MAIL = "mail"
    SECOND_MAIL = "second-mail"
    SPAMFILTER = "spamfilter"
    WORKSTATION = "workstation"


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineConfig:
    """One machine of a school. `name` is unique in the lab; `hostname` defaults to it."""

    name: str
    roles: tuple[Role, ...]
    ipv4: IPv4Address
    ipv6: IPv6Address
    hostname: str | None = None
    mail: MailServerConfig | None = None
    spamfilter: SpamFilterConfig | None = None

    def address(self, version: int) -> Address:
        """The machine's address of IP `version` (4 or 6)."""
        return self.ipv4 if version == 4 else self.ipv6

    def fqdn(self, domain: str) -> str:
        """The machine's full name in `domain`, without the final dot."""
        return f"{self.hostname or self.name}.{domain}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SchoolConfig:
    """A school is data: a second school is a second entry."""

    name: str
    domain: str
    network: SegmentConfig
    zone: ZoneConfig
    machines: tuple[MachineConfig, ...]
    firewall: FirewallConfig = field(default_factory=FirewallConfig)

    def with_role(self, *roles: Role) -> tuple[MachineConfig, ...]:
        """The machines that have at least one of `roles`."""
        return tuple(machine for machine in self.machines if set(roles) & set(machine.roles))


@dataclass(frozen=True, slots=True, kw_only=True)
class LabConfig:
    """Everything that `Pulumi.<stack>.yaml` says. `links`: a machine's name to what its wires are like."""

    stack: str
    where: str
    prefix: str
    internet: InternetConfig
    schools: tuple[SchoolConfig, ...]
    network: CarrierConfig = field(default_factory=CarrierConfig)
    vm: VmConfig = field(default_factory=VmConfig)
    build: Build = Build.THERE
    links: Mapping[str, LinkConfig] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """What marks the lab's resources on the engine: the prefix, because no two labs there share it."""
        return self.prefix.removesuffix("-")


def claims(config: LabConfig) -> Iterator[tuple[str, Address, str]]:
    """(machine, address, place) for every address that the configuration gives away."""
    internet, where = config.internet, "maillab:internet"
    yield from (
        ("router", address, f"{where}.segment") for address in (internet.segment.router, internet.segment.router6)
    )
    yield from (
        ("internet", address, f"{where}.name_server") for address in (internet.name_server, internet.name_server6)
    )
    yield from ((internet.mail.name, address, f"{where}.mail") for address in (internet.mail.ipv4, internet.mail.ipv6))
    for index, sender in enumerate(internet.senders):
        yield from (("outside", address, f"{where}.senders[{index}]") for address in (sender.ipv4, sender.ipv6))
    for school in config.schools:
        place = f"maillab:schools.{school.name}"
        yield from (
            ("router", address, f"{place}.network") for address in (school.network.router, school.network.router6)
        )
        for machine in school.machines:
            yield from (
                (machine.name, address, f"{place}.machines.{machine.name}") for address in (machine.ipv4, machine.ipv6)
            )


PREFIX = re.compile(r"([a-z0-9][a-z0-9_.-]*)?\Z")
