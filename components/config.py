"""The configuration as a whole: read, check across services, or say everything that is wrong with it."""

import enum
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address

from components.dns.model import ZoneConfig
from components.internet.model import InternetConfig
from components.mail.model import MailServerConfig
from components.network.model import CarrierConfig, SegmentConfig
from components.problem import ConfigurationError, Problem
from components.reader import Reader
from components.spamfilter.model import SpamFilterConfig


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

    def with_role(self, *roles: Role) -> tuple[MachineConfig, ...]:
        """The machines that have at least one of `roles`."""
        return tuple(machine for machine in self.machines if set(roles) & set(machine.roles))


@dataclass(frozen=True, slots=True, kw_only=True)
class LabConfig:
    """Everything that `Pulumi.<stack>.yaml` says."""

    stack: str
    where: str
    prefix: str
    internet: InternetConfig
    schools: tuple[SchoolConfig, ...]
    network: CarrierConfig = field(default_factory=CarrierConfig)

    @property
    def label(self) -> str:
        """What marks the lab's resources on the engine: the prefix, because no two labs there share it."""
        return self.prefix.removesuffix("-")


PREFIX = re.compile(r"([a-z0-9][a-z0-9_.-]*)?\Z")


def parse(data: Mapping[str, object], stack: str) -> LabConfig:
    """The configuration in `data` (keys `schools`, `internet`, `network`, `where`, `prefix`).

    Raises:
        ConfigurationError: with every problem that was found.
    """
    # Imported here because the checks need the classes above.
    from components.check import check  # noqa: PLC0415

    reader = Reader()
    filled = {"where": "local", "prefix": f"{stack}-"} | {k: v for k, v in data.items() if v not in (None, "")}
    config = reader.read(LabConfig, filled | {"stack": stack}, "maillab:")
    if config is None:
        raise ConfigurationError(reader.problems)
    problems = check(config)
    if problems:
        raise ConfigurationError(problems)
    return config


def read_stack(texts: Mapping[str, str | None], stack: str) -> LabConfig:
    """The configuration from Pulumi's own form: each key's value as text, objects as JSON.

    Raises:
        ConfigurationError: with every problem that was found.
    """
    problems, data = [], {}
    for key, text in texts.items():
        structured = key in ("schools", "internet", "network")
        try:
            data[key] = json.loads(text) if structured and text else text
        except json.JSONDecodeError as error:
            remedy = "edit the stack's yaml file instead of `pulumi config set`, or use --path"
            problems.append(Problem(id="no-structure", where=f"maillab:{key}", what=str(error), remedy=remedy))
    if problems:
        raise ConfigurationError(problems)
    return parse(data, stack)
