"""A school's mail servers: accounts, aliases and the main.cf values that the tutorial names."""

import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from components.config.catalogue import PhraseError, phrase
from components.config.lines import BadLine, good_lines, parse_lines
from components.config.loopback import check_loopback
from components.config.mynetworks import words
from components.config.names import name_fault
from components.config.problem import Problem, problem, quoted, shown, warning
from components.config.programs import (
    SYSTEM_ACCOUNTS,
    SYSTEM_GROUPS,
    Auth,
    AuthConfig,
    Cleartext,
    Filter,
    Mta,
    Pop3,
    VirusDatabase,
    accounts_of,
    groups_of,
)
from components.config.section import MayBeEmpty, section

# RFC 5321 has no limit of its own; one value on all hops, so that what the first takes the last takes too.
MESSAGE_SIZE_LIMIT = 20 * 1024 * 1024
USER_NAME = re.compile(r"[a-z_][a-z0-9_-]{0,31}\Z")  # useradd(8); role `users` looks again
LONGEST_PASSWORD = 511  # bytes, crypt(3)
ALIAS_NAME = re.compile(r"[A-Za-z0-9._+-]+\Z")
# A user, or a mail address: local part (RFC 5321, section 4.1.2, in letters of any language), domain or IPv4 address.
# Postfix takes one that begins with a hyphen for nobody's (allow_min_user, postconf(5)).
TARGET = re.compile(r"[\w.+=!#$%&'*?^`{}~][\w.+=!#$%&'*?^`{}~-]*(@([\w-]+(\.[\w-]+)*|\[[0-9.]+\]))?\Z")
# Parameters that the checks know from elsewhere in the configuration; the catalogue says where to set what.
FIXED = frozenset(
    {
        "mydestination",
        "relayhost",
        "myhostname",
        "mydomain",
        "myorigin",
        "smtpd_sasl_auth_enable",
        "smtpd_tls_auth_only",
    }
)
# Parameters by which mail can go past `relayhost`, `mydestination` and `aliases` (postconf(5)).
DETOURS = re.compile(
    r"\w*(transport|transport_maps|relayhost_maps|fallback_relay|content_filter|canonical_maps|bcc_maps|luser_relay"
    r"|alias_maps|alias_domains|alias_database|mailbox_maps|mailbox_domains|mailbox_command|mailbox_command_maps"
    r"|relay_domains|relocated_maps|recipient_maps|virtual_maps)"
)
PARAMETER = re.compile(r"[a-z][a-z0-9_]*\Z")
# A comment in main.cf is a line of its own (postconf(5)).
COMMENT = re.compile(r"(?:^|\s)#.*")
# What a destination may refer to; postconf(5) knows $name, $(name) and ${name}.
REFERENCES: Mapping[str, str] = {"$myhostname": "myhostname.invalid", "$mydomain": "mydomain.invalid"}


@section
class User:
    """A Linux account with a mailbox. `password` is a secret of the lab."""

    name: str
    password: str = field(repr=False)
    gecos: MayBeEmpty = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alias:
    """One line of /etc/aliases."""

    name: str
    targets: tuple[str, ...]


def parse_alias(line: str) -> Alias:
    """The alias that `line` says.

    Raises:
        PhraseError: no `name: target, …` line.
    """
    name, colon, rest = line.partition(":")
    targets = tuple(word.strip() for word in rest.split(","))
    if not colon or not ALIAS_NAME.match(name.strip()) or not all(targets):
        raise PhraseError(phrase("alias-form"))
    bad = [target for target in targets if not TARGET.match(target)]
    if bad:
        raise PhraseError(phrase("alias-target", target=quoted(bad[0])))
    return Alias(name=name.strip(), targets=targets)


@section
class MailServerConfig:
    """`mail` of a machine.

    `mydestination`, `relayhost`: as in main.cf (postconf(5)). `aliases`: lines of /etc/aliases
    (`name: target, …`, aliases(5)). `mta`: the server's program. `main_cf`: further parameters of Postfix, name to
    value. `filter`: what looks at all mail on the server itself; `virus_database`: what it knows; `auth`: how users
    from anywhere show who they are before they send; `pop3`: what they fetch their mail with; `webmail`: whether they
    read and write it in a browser, too.
    """

    mydestination: tuple[str, ...]
    relayhost: str | None = None
    users: tuple[User, ...] = ()
    aliases: tuple[str, ...] = ()
    mta: Mta = Mta.POSTFIX
    main_cf: Mapping[str, MayBeEmpty] = field(default_factory=dict)
    filter: Filter | None = None
    auth: AuthConfig | Auth | None = None
    pop3: Pop3 = Pop3.XINETD
    webmail: bool = False
    virus_database: VirusDatabase = VirusDatabase.SMALL
    # What each line of `aliases` says.
    parsed_aliases: tuple[Alias | BadLine, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "parsed_aliases", parse_lines(self.aliases, parse_alias))

    @property
    def good_aliases(self) -> tuple[Alias, ...]:
        """All aliases of a checked configuration, in its order; else those whose lines can be read."""
        return good_lines(self.parsed_aliases)

    @property
    def authentication(self) -> AuthConfig | None:
        """`auth`, whichever way it is written."""
        return AuthConfig(by=self.auth) if isinstance(self.auth, Auth) else self.auth

    @property
    def shows_certificate(self) -> bool:
        """Do users send it their passwords over connections that are encrypted?"""
        return self.authentication is not None or self.webmail

    @property
    def system_accounts(self) -> frozenset[str]:
        """The accounts that its programs bring: each has a mailbox."""
        return SYSTEM_ACCOUNTS | accounts_of(self.mta, self.filter, self.pop3)

    @property
    def system_groups(self) -> frozenset[str]:
        """The groups that its programs bring, beside those of its accounts."""
        return SYSTEM_GROUPS | groups_of(self.mta, self.filter, self.pop3)


def destinations(config: MailServerConfig, hostname: str, domain: str) -> tuple[str, ...]:
    """`mydestination` with `$myhostname` and `$mydomain` filled in, lower case."""
    filled = (entry.replace("$myhostname", hostname).replace("$mydomain", domain) for entry in config.mydestination)
    return tuple(entry.lower() for entry in filled)


def local_names(config: MailServerConfig) -> frozenset[str]:
    """Local parts that the server takes: accounts and aliases."""
    return frozenset(user.name for user in config.users) | {alias.name for alias in config.good_aliases}


def check_mail(config: MailServerConfig, where: str) -> list[Problem]:
    """Every problem of a mail server's accounts, parameters and lines of aliases.

    Where the aliases lead is `check_aliases.py`'s to say: to other servers, too.
    """
    problems = check_users(config.users, where, config.system_accounts, config.system_groups)
    problems += _check_alias_lines(config, where)
    problems += _check_parameters(config.main_cf, where)
    problems += _check_owners(config, where)
    problems += _check_program(config, where)
    problems += _check_destinations(config.mydestination, where)
    if config.authentication is not None and config.authentication.cleartext is Cleartext.TUTORIAL:
        problems.append(warning("cleartext-passwords", f"{where}.auth.cleartext"))
    if config.virus_database is VirusDatabase.FULL and config.filter is None:
        problems.append(problem("virus-database-without-filter", f"{where}.virus_database"))
    if config.webmail and config.pop3 is not Pop3.DOVECOT:
        problems.append(problem("webmail-without-imap", f"{where}.webmail", pop3=config.pop3))
    return problems


def _check_program(config: MailServerConfig, where: str) -> list[Problem]:
    """Keys that only Postfix knows, and what it must listen on for others."""
    if config.mta is Mta.POSTFIX:
        on_loopback = {"filter": config.filter is not None, "webmail": config.webmail}
        return check_loopback(config.main_cf, on_loopback, where)
    given = {"main_cf": bool(config.main_cf), "filter": config.filter is not None, "auth": config.auth is not None}
    return [problem(f"needs-postfix.{key}", f"{where}.{key}", mta=config.mta) for key, there in given.items() if there]


def _check_alias_lines(config: MailServerConfig, where: str) -> list[Problem]:
    problems = []
    names: set[str] = set()
    for index, (line, alias) in enumerate(zip(config.aliases, config.parsed_aliases, strict=True)):
        place = f"{where}.aliases[{index}] ({shown(line)})"
        if isinstance(alias, BadLine):
            problems.append(problem("bad-alias", place, reason=alias.reason))
            continue
        if alias.name.lower() in names:
            problems.append(problem("alias-twice", place, name=shown(alias.name)))
        names.add(alias.name.lower())
    if "postmaster" not in names | {user.name for user in config.users}:
        first = config.users[0].name if config.users else "root"
        problems.append(warning("no-postmaster", f"{where}.aliases", user=first))
    return problems


def _check_parameters(parameters: Mapping[str, str], where: str) -> list[Problem]:
    """Parameters that go past the checks, or do not say what they seem to say."""
    problems = []
    for name, value in parameters.items():
        place = f"{where}.main_cf"
        if not PARAMETER.match(name):
            problems.append(problem("bad-parameter", place, name=quoted(name)))
        elif name in FIXED:
            problems.append(problem(f"parameter-has-key.{name}", place))
        elif DETOURS.fullmatch(name):
            problems.append(warning("unchecked-parameter", place, name=name))
        if comment := COMMENT.search(value):
            problems.append(warning("comment-in-value", f"{place}.{shown(name)}", text=quoted(comment[0].strip())))
    return problems


def _check_owners(config: MailServerConfig, where: str) -> list[Problem]:
    """Parameters with which somebody can send in a user's name, although users log in."""
    if config.authentication is None:
        return []
    lists = [config.main_cf.get(f"smtpd_{name}_restrictions", "") for name in ("sender", "relay", "recipient")]
    lost = {"smtpd_sender_login_maps": True, "smtpd_sender_restrictions": not any(map(_asks_for_owner, lists))}
    given = [name for name in config.main_cf if lost.get(name)]
    return [warning(f"sender-of-another.{name}", f"{where}.main_cf.{name}") for name in given]


def _asks_for_owner(restrictions: str) -> bool:
    """Is a sender's address that is another user's refused (postconf(5)), before something else has let it pass?"""
    asked = [word.lower() for word in words(restrictions)]
    refused = list(itertools.takewhile(lambda word: word not in ("permit", "permit_sasl_authenticated"), asked))
    return "reject_sender_login_mismatch" in refused and "warn_if_reject" not in refused


def _check_destinations(entries: Sequence[str], where: str) -> list[Problem]:
    """Each entry is the name of a domain, with $myhostname and $mydomain: the checks know whom the server is for."""
    problems = []
    for index, entry in enumerate(entries):
        filled = entry
        for reference, name in REFERENCES.items():
            filled = filled.replace(reference, name)
        if fault := name_fault(filled.lower()):
            better = fault.better
            for reference, name in REFERENCES.items():
                better = better.replace(name, reference)
            hint = replace(fault, better=better).remedy
            place = f"{where}.mydestination[{index}]"
            problems.append(problem("bad-destination", place, name=quoted(entry), fault=fault.what, hint=hint))
    if not entries:
        problems.append(problem("no-destination", f"{where}.mydestination"))
    return problems


def check_users(
    users: Iterable[User],
    where: str,
    system: frozenset[str] = SYSTEM_ACCOUNTS,
    groups: frozenset[str] = SYSTEM_GROUPS,
) -> list[Problem]:
    """Every problem of a server's accounts; `system` and `groups`: those of its programs."""
    problems = []
    seen: set[str] = set()
    for index, user in enumerate(users):
        place = f"{where}.users[{index}].name"
        if not USER_NAME.match(user.name):
            problems.append(problem("bad-user-name", place, name=quoted(user.name)))
        if user.name in system | groups:
            sentence = "system-user.account" if user.name in system else "system-user.group"
            problems.append(problem(sentence, place, name=user.name))
        if user.name in seen:
            problems.append(problem("user-twice", place, name=shown(user.name)))
        if not user.password or any(character in user.password for character in "\n:"):
            problems.append(problem("bad-password.form", f"{where}.users[{index}]"))
        elif len(user.password.encode()) > LONGEST_PASSWORD:
            problems.append(problem("bad-password.long", f"{where}.users[{index}]", limit=LONGEST_PASSWORD))
        if any(character in user.gecos for character in ":\n,"):
            problems.append(problem("bad-gecos", f"{where}.users[{index}].gecos"))
        seen.add(user.name)
    return problems
