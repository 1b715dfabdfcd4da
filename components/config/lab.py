"""The configuration as a whole: what `Pulumi.<stack>.yaml` can say. `load.py` reads it, `check.py` checks it."""

import enum
import re
from collections.abc import Iterator, Mapping
from dataclasses import field
from ipaddress import IPv4Address

from components.config.dns import ZoneConfig
from components.config.firewall import FirewallConfig
from components.config.internet import InternetConfig
from components.config.lines import BadLine, good_lines, parse_lines
from components.config.links import LinkConfig
from components.config.mail import MailServerConfig
from components.config.network import Address, CarrierConfig, SegmentConfig
from components.config.place import Build, VmConfig
from components.config.record import Record, parse_record
from components.config.section import NOT_A_KEY, HostAddress6, section
from components.config.spamfilter import SpamFilterConfig
from components.config.volumes import VolumeConfig

# The lab's own machines; the Internet's segment has its name server's name.
ROUTER, INTERNET, OUTSIDE = "router", "internet", "outside"


class Role(enum.StrEnum):
    """What a machine of a school does. The tutorial's single host is `dns` and `mail`."""

    DNS = "dns"
    MAIL = "mail"
    SECOND_MAIL = "second-mail"
    SPAMFILTER = "spamfilter"
    WORKSTATION = "workstation"


@section
class MachineConfig:
    """One machine of a school. `name` is unique in the lab; `hostname` defaults to it.

    `volumes`: what is wrong with its disks, `mailboxes` and `spool`.
    """

    name: str
    roles: tuple[Role, ...]
    ipv4: IPv4Address
    ipv6: HostAddress6
    hostname: str | None = None
    mail: MailServerConfig | None = None
    spamfilter: SpamFilterConfig | None = None
    volumes: Mapping[str, VolumeConfig] = field(default_factory=dict)

    def address(self, version: int) -> Address:
        """The machine's address of IP `version` (4 or 6)."""
        return self.ipv4 if version == 4 else self.ipv6

    def fqdn(self, domain: str) -> str:
        """The machine's full name in `domain`, without the final dot."""
        return f"{self.hostname or self.name}.{domain}"


@section
class SchoolConfig:
    """A school is data: a second school is a second entry."""

    name: str
    domain: str
    network: SegmentConfig
    zone: ZoneConfig
    machines: tuple[MachineConfig, ...]
    firewall: FirewallConfig = field(default_factory=FirewallConfig)
    # What each line of the zone's records says: names in it are relative to the domain.
    parsed_records: tuple[Record | BadLine, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        parsed = parse_lines(self.zone.records, lambda line: parse_record(line, self.domain))
        object.__setattr__(self, "parsed_records", parsed)

    @property
    def good_records(self) -> tuple[Record, ...]:
        """All records of a checked configuration, in its order; else those whose lines can be read."""
        return good_lines(self.parsed_records)

    def with_role(self, *roles: Role) -> tuple[MachineConfig, ...]:
        """The machines that have at least one of `roles`."""
        return tuple(machine for machine in self.machines if set(roles) & set(machine.roles))


@section
class LabConfig:
    """Everything that `Pulumi.<stack>.yaml` says. `links`: a machine's name to what its wires are like."""

    stack: str = field(metadata=NOT_A_KEY)
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


def assigned_addresses(config: LabConfig) -> Iterator[tuple[str, Address, str]]:
    """(machine, address, place) for every address that the configuration gives away."""
    internet, where = config.internet, "maillab:internet"
    yield from (
        (ROUTER, address, f"{where}.segment") for address in (internet.segment.router, internet.segment.router6)
    )
    yield from (
        (INTERNET, address, f"{where}.name_server") for address in (internet.name_server, internet.name_server6)
    )
    yield from ((internet.mail.name, address, f"{where}.mail") for address in (internet.mail.ipv4, internet.mail.ipv6))
    for index, sender in enumerate(internet.senders):
        yield from ((OUTSIDE, address, f"{where}.senders[{index}]") for address in (sender.ipv4, sender.ipv6))
    for school in config.schools:
        place = f"maillab:schools.{school.name}"
        yield from (
            (ROUTER, address, f"{place}.network") for address in (school.network.router, school.network.router6)
        )
        for machine in school.machines:
            yield from (
                (machine.name, address, f"{place}.machines.{machine.name}") for address in (machine.ipv4, machine.ipv6)
            )


PREFIX = re.compile(r"([a-z0-9][a-z0-9_.-]*)?\Z")
