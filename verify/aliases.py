"""Where an alias leads, as local(8) follows it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from components.config import MachineConfig, SchoolConfig
from components.mail.model import Alias, MailServerConfig, aliases_of, destinations


@dataclass(frozen=True, slots=True, kw_only=True)
class Aliases:
    """/etc/aliases of one server: `lines` by their names in small letters.

    `own` domains are the server's; `origin` is the one that a name without a domain has (`myorigin`, postconf(5)).
    """

    lines: Mapping[str, Alias]
    own: Collection[str]
    origin: str

    @classmethod
    def of(cls, school: SchoolConfig, machine: MachineConfig, mail: MailServerConfig) -> "Aliases":
        """The aliases of a school's mail server."""
        fqdn = machine.fqdn(school.domain)
        return cls(
            lines={alias.name.lower(): alias for alias in aliases_of(mail)},
            own=destinations(mail, fqdn, school.domain),
            # As components/mail/render.py has it.
            origin=school.domain if "$mydomain" in mail.mydestination else fqdn,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """`users` with mailboxes here, addresses `elsewhere`, and addresses here that the letter came by before."""

    users: set[str] = field(default_factory=set)
    elsewhere: set[str] = field(default_factory=set)
    looping: set[str] = field(default_factory=set)


def targets(aliases: Aliases, recipient: str, delivered: Collection[str]) -> Targets:
    """Everybody whom a letter to `recipient` is for; `delivered`: its Delivered-To headers."""
    found = Targets()
    _follow(aliases, recipient.lower(), delivered, (), found)
    return found


def _follow(aliases: Aliases, address: str, delivered: Collection[str], path: tuple[str, ...], found: Targets) -> None:
    name = address.rpartition("@")[0]
    if address in delivered:
        found.looping.add(address)
    elif name not in aliases.lines or name in path:
        # A user among the targets of his own alias keeps a copy.
        found.users.add(name)
    else:
        for target in aliases.lines[name].targets:
            full = target if "@" in target else f"{target}@{aliases.origin}"
            if full.rpartition("@")[2].lower() in aliases.own:
                _follow(aliases, full.lower(), delivered, (*path, name), found)
            else:
                found.elsewhere.add(full)
