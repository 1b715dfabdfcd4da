"""A school's mail servers: accounts, aliases and the main.cf values that the tutorial names."""

import functools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from components.problem import Problem

# RFC 5321 has no limit of its own; one value on all hops, so that what the first takes the last takes too.
MESSAGE_SIZE_LIMIT = 20 * 1024 * 1024
USER_NAME = re.compile(r"[a-z_][a-z0-9_-]{0,31}\Z")  # useradd(8)
# The accounts of a mail server's image, each with a mailbox: Debian's (base-passwd), and those of the lab's packages.
SYSTEM_ACCOUNTS = frozenset(
    {"root", "daemon", "bin", "sys", "sync", "games", "man", "lp", "mail", "news", "uucp", "proxy", "www-data"}
    | {"backup", "list", "irc", "nobody", "_apt", "tcpdump", "bind", "postfix", "sshd", "systemd-network"}
)
# Its groups beside those: useradd(8) gives each user a group of his name.
SYSTEM_GROUPS = frozenset(
    {"adm", "tty", "disk", "kmem", "dialout", "fax", "voice", "cdrom", "floppy", "tape", "sudo", "audio", "dip"}
    | {"operator", "src", "shadow", "utmp", "video", "sasl", "plugdev", "staff", "users", "nogroup", "postdrop"}
    | {"systemd-journal", "_ssh"}
)
ALIAS_NAME = re.compile(r"[A-Za-z0-9._+-]+\Z")
# Parameters that the checks and the prover know by the keys of MailServerConfig.
KEYS = frozenset({"mydestination", "relayhost"})
PARAMETER = re.compile(r"[a-z][a-z0-9_]*\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A Linux account with a mailbox. `password` is a secret of the lab."""

    name: str
    password: str = field(repr=False)
    gecos: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServerConfig:
    """`mail` of a machine.

    `mydestination`, `relayhost`: as in main.cf (postconf(5)). `aliases`: lines of /etc/aliases
    (`name: target, …`, aliases(5)). `main_cf`: further parameters, name to value.
    """

    mydestination: tuple[str, ...]
    relayhost: str | None = None
    users: tuple[User, ...] = ()
    aliases: tuple[str, ...] = ()
    main_cf: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alias:
    """One line of /etc/aliases."""

    name: str
    targets: tuple[str, ...]


@functools.lru_cache(maxsize=4096)
def parse_alias(line: str) -> Alias:
    """The alias that `line` says.

    Raises:
        ValueError: no `name: target, …` line.
    """
    name, colon, rest = line.partition(":")
    targets = tuple(word.strip() for word in rest.split(","))
    if not colon or not ALIAS_NAME.match(name.strip()) or not all(targets):
        raise ValueError("not of the form 'name: target, target …'")
    if any(character in rest for character in '|/"\\\n') or ":" in rest:
        raise ValueError("only user names and mail addresses can be targets here")
    return Alias(name=name.strip(), targets=targets)


def aliases_of(config: MailServerConfig) -> tuple[Alias, ...]:
    """All aliases of a configuration that `check_mail` found good, in its order."""
    return tuple(parse_alias(line) for line in config.aliases)


def destinations(config: MailServerConfig, hostname: str, domain: str) -> tuple[str, ...]:
    """`mydestination` with `$myhostname` and `$mydomain` filled in, lower case."""
    filled = (entry.replace("$myhostname", hostname).replace("$mydomain", domain) for entry in config.mydestination)
    return tuple(entry.lower() for entry in filled)


def local_names(config: MailServerConfig) -> frozenset[str]:
    """Local parts that the server takes: accounts and aliases."""
    return frozenset(user.name for user in config.users) | {alias.name for alias in aliases_of(config)}


def check_mail(config: MailServerConfig, where: str) -> list[Problem]:
    """Every problem of a mail server's accounts, parameters and lines of aliases.

    Where the aliases lead is `check_aliases.py`'s to say: to other servers, too.
    """
    problems = check_users(config.users, where)
    names: set[str] = set()
    for index, line in enumerate(config.aliases):
        place = f"{where}.aliases[{index}] ({line})"
        try:
            alias = parse_alias(line)
        except ValueError as error:
            problems.append(Problem(id="bad-alias", where=place, what=str(error), remedy="for instance: root: admin"))
            continue
        if alias.name.lower() in names:
            what, remedy = f"{alias.name} has two lines", "put all targets on one line"
            problems.append(Problem(id="alias-twice", where=place, what=what, remedy=remedy))
        names.add(alias.name.lower())
    for name in config.main_cf:
        if not PARAMETER.match(name):
            what, remedy = f"{name!r} is no parameter name", "see postconf(5) for the names"
            problems.append(Problem(id="bad-parameter", where=f"{where}.main_cf", what=what, remedy=remedy))
        if name in KEYS:
            what, remedy = f"{name} has a key of its own", f"write `{name}:` below `mail:`, beside `main_cf:`"
            problems.append(Problem(id="parameter-has-key", where=f"{where}.main_cf", what=what, remedy=remedy))
    if not config.mydestination:
        what, remedy = "the server takes mail for no domain", "add $myhostname"
        problems.append(Problem(id="no-destination", where=f"{where}.mydestination", what=what, remedy=remedy))
    return problems


def check_users(users: Iterable[User], where: str) -> list[Problem]:
    """Every problem of a server's accounts."""
    problems = []
    seen: set[str] = set()
    for index, user in enumerate(users):
        place = f"{where}.users[{index}].name"
        if not USER_NAME.match(user.name):
            what = f"Linux refuses {user.name!r} as a user name (useradd(8))"
            remedy = "take 1 to 32 small letters, digits, - and _, beginning with a letter"
            problems.append(Problem(id="bad-user-name", where=place, what=what, remedy=remedy))
        if user.name in SYSTEM_ACCOUNTS | SYSTEM_GROUPS:
            what = f"{user.name} is {'an account' if user.name in SYSTEM_ACCOUNTS else 'a group'} of the system"
            remedy = "take another name, or make it an alias"
            problems.append(Problem(id="system-user", where=place, what=what, remedy=remedy))
        if user.name in seen:
            what, remedy = f"{user.name} stands there twice", "remove one"
            problems.append(Problem(id="user-twice", where=place, what=what, remedy=remedy))
        if not user.password or any(character in user.password for character in "\n:"):
            what, remedy = "the password is empty or has a line end or colon in it", "take another one"
            problems.append(Problem(id="bad-password", where=f"{where}.users[{index}]", what=what, remedy=remedy))
        if any(character in user.gecos for character in ":\n,"):
            what, remedy = "a full name has no colon, comma or line end", "leave it out"
            problems.append(Problem(id="bad-gecos", where=f"{where}.users[{index}].gecos", what=what, remedy=remedy))
        seen.add(user.name)
    return problems
