"""Where an alias leads, as local(8) follows it."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from components.config.lab import MachineConfig, SchoolConfig
from components.config.mail import Alias, MailServerConfig, destinations
from maillab.verify.parameters import Parameters


@dataclass(frozen=True, slots=True, kw_only=True)
class Aliases:
    """/etc/aliases of one server: `lines` by their names in lower case.

    `own` domains are the server's; `origin` is the one that a name without a domain has (`myorigin`, postconf(5)).
    `base`: a name without its extension.
    """

    lines: Mapping[str, Alias]
    own: Collection[str]
    origin: str
    base: Callable[[str], str] = str

    @classmethod
    def of(cls, school: SchoolConfig, machine: MachineConfig, mail: MailServerConfig) -> "Aliases":
        """The aliases of a school's mail server."""
        fqdn = machine.fqdn(school.domain)
        return cls(
            lines={alias.name.lower(): alias for alias in mail.good_aliases},
            own=destinations(mail, fqdn, school.domain),
            # As components/mail/render.py has it.
            origin=school.domain if "$mydomain" in mail.mydestination else fqdn,
            base=Parameters.of(machine, mail, school.domain).base,
        )

    def full(self, name: str) -> str:
        """A target as an address."""
        return name if "@" in name else f"{name}@{self.origin}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """`users` with mailboxes here, addresses `elsewhere`, and addresses here that the message came by before."""

    users: set[str] = field(default_factory=set)
    elsewhere: set[str] = field(default_factory=set)
    looping: set[str] = field(default_factory=set)


def targets(aliases: Aliases, recipient: str, delivered: Collection[str]) -> Targets:
    """Everybody whom a message to `recipient` is for; `delivered`: its Delivered-To headers."""
    found = Targets()
    _follow(aliases, recipient.lower(), delivered, (), found)
    return found


def _follow(aliases: Aliases, address: str, delivered: Collection[str], path: tuple[str, ...], found: Targets) -> None:
    name = address.rpartition("@")[0]
    if name not in aliases.lines:
        name = aliases.base(name)
    if address in delivered:
        found.looping.add(address)
    elif name not in aliases.lines or name in path:
        # A user among the targets of his own alias keeps a copy.
        found.users.add(name)
    else:
        for target in aliases.lines[name].targets:
            full = aliases.full(target)
            if full.rpartition("@")[2].lower() in aliases.own:
                _follow(aliases, full.lower(), delivered, (*path, name), found)
            else:
                found.elsewhere.add(full)
