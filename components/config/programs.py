"""The programs of a mail server, where the tutorial lets a school choose, and the accounts that they bring."""

import enum
from collections.abc import Iterable, Mapping

from components.config.section import section

# The accounts of a mail server's image, each with a mailbox: Debian's (base-passwd), and those of the lab's packages.
SYSTEM_ACCOUNTS = frozenset(
    {"root", "daemon", "bin", "sys", "sync", "games", "man", "lp", "mail", "news", "uucp", "proxy", "www-data"}
    | {"backup", "list", "irc", "nobody", "_apt", "tcpdump", "bind", "postfix", "sshd", "systemd-network"}
)
# Its groups beside those: useradd(8) gives each user a group of his name.
SYSTEM_GROUPS = frozenset(
    {"adm", "tty", "disk", "kmem", "dialout", "fax", "voice", "cdrom", "floppy", "tape", "sudo", "audio", "dip"}
    | {"operator", "src", "shadow", "utmp", "video", "sasl", "plugdev", "staff", "users", "nogroup", "postdrop"}
    | {"systemd-journal", "_ssh", "crontab"}
)


class Filter(enum.StrEnum):
    """What looks for viruses and spam on the mail server itself."""

    AMAVIS = "amavis"


class Mta(enum.StrEnum):
    """The mail server's program: what takes mail on port 25, delivers it and sends it on."""

    POSTFIX = "postfix"
    SENDMAIL = "sendmail"


class VirusDatabase(enum.StrEnum):
    """What clamd knows: the lab's few signatures, EICAR's test virus among them; or all that freshclam(1) fetches."""

    SMALL = "small"
    FULL = "full"


class Pop3(enum.StrEnum):
    """What users fetch their mail with: mailutils-pop3d, which xinetd starts, or Dovecot, which speaks IMAP too."""

    XINETD = "xinetd"
    DOVECOT = "dovecot"


class Cleartext(enum.StrEnum):
    """Whether a password may be sent over a connection that anybody on the way can read."""

    NEVER = "never"
    TUTORIAL = "tutorial"


class Auth(enum.StrEnum):
    """Who checks the passwords of SMTP AUTH (RFC 4954): Cyrus SASL's saslauthd."""

    SASL = "sasl"


@section
class AuthConfig:
    """`auth` of a mail server: who checks passwords (`by`), and how they may be sent (`cleartext`)."""

    by: Auth = Auth.SASL
    cleartext: Cleartext = Cleartext.NEVER


# The accounts of a program beside those of every mail server; each has a group of its name.
ACCOUNTS: Mapping[enum.StrEnum, frozenset[str]] = {
    Mta.SENDMAIL: frozenset({"smmta", "smmsp"}),
    Filter.AMAVIS: frozenset({"clamav", "amavis", "debian-spamd"}),
    Pop3.DOVECOT: frozenset({"dovecot", "dovenull"}),
}
# Groups that come with it beside those.
GROUPS: Mapping[enum.StrEnum, frozenset[str]] = {Pop3.DOVECOT: frozenset({"ssl-cert"})}


def accounts_of(*programs: enum.StrEnum | None) -> frozenset[str]:
    """The accounts that these programs bring."""
    return _of(ACCOUNTS, programs)


def groups_of(*programs: enum.StrEnum | None) -> frozenset[str]:
    """The groups that these programs bring beside their accounts'."""
    return _of(GROUPS, programs)


def _of(brought: Mapping[enum.StrEnum, frozenset[str]], programs: Iterable[enum.StrEnum | None]) -> frozenset[str]:
    return frozenset().union(*(brought.get(program, frozenset()) for program in programs if program))
