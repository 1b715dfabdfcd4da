"""Postfix's files of a school's mail server, its aliases and its accounts."""

import contextlib
import ipaddress
import re
from collections.abc import Iterable, Mapping

from components.config import MachineConfig, Role, SchoolConfig
from components.mail.model import MESSAGE_SIZE_LIMIT, MailServerConfig, User, aliases_of, destinations
from components.part import Part, both_families
from components.templates import FILES, render_template

# Seconds between two tries of a deferred message: minutes on a real server, too long for a lesson.
RETRY = 10
RETRY_MAX = 40
# Postfix: a chroot for each service, mail delivered as its owner; sshd and pop3d log users in.
POSTFIX_CAPABILITIES = frozenset(
    {"CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "NET_BIND_SERVICE", "SETGID", "SETUID", "SYS_CHROOT"}
)
MAIL_ROLES = ("users", "postfix", "pop3", "sshd")


def mynetworks(school: SchoolConfig) -> str:
    """The school without its spamfilter, both families (postconf(5): a `!` pattern must come first)."""
    patterns = ["127.0.0.0/8", "[::1]/128"]
    for machine in school.with_role(Role.SPAMFILTER):
        patterns += [f"!{machine.ipv4}", f"![{machine.ipv6}]"]
    network6 = school.network.ipv6
    return ", ".join([*patterns, str(school.network.ipv4), f"[{network6.network_address}]/{network6.prefixlen}"])


def mail_files(school: SchoolConfig, machine: MachineConfig, config: MailServerConfig) -> dict[str, str]:
    """Every public file of the mail server `machine`; `secret_files` has the passwords."""
    fqdn = machine.fqdn(school.domain)
    takes_domain = "$mydomain" in config.mydestination
    main = render_template(
        "mail/main.cf.j2",
        myhostname=fqdn,
        mydomain=school.domain,
        myorigin="$mydomain" if takes_domain else "$myhostname",
        mydestination=", ".join(config.mydestination),
        relayhost=config.relayhost,
        mynetworks=mynetworks(school),
        message_size_limit=MESSAGE_SIZE_LIMIT,
        retry=RETRY,
        retry_max=RETRY_MAX,
    )
    return {
        "/etc/postfix/main.cf": with_parameters(main, config.main_cf),
        "/etc/postfix/master.cf": (FILES / "mail/master.cf").read_text(encoding="utf-8"),
        "/etc/aliases": render_template("mail/aliases.j2", aliases=aliases_of(config)),
        "/etc/mailname": f"{fqdn}\n",
        "/etc/maillab/maps": "",
        "/etc/maillab/probe-recipient": f"{_probe_recipient(config, fqdn, school.domain)}\n",
        "/etc/maillab/users": users_text(config.users),
    }


def _probe_recipient(config: MailServerConfig, fqdn: str, domain: str) -> str:
    """Somebody whom the server takes mail for: root has an account everywhere."""
    domains = destinations(config, fqdn, domain)
    return f"{config.users[0].name if config.users else 'root'}@{fqdn if fqdn in domains else domains[0]}"


def with_parameters(main: str, parameters: Mapping[str, str]) -> str:
    """`main` with each parameter's value in its line's place, or in a line of its own at the end.

    postconf(1) warns of a parameter that is set twice, and a warning is an error here.
    """
    for name, value in sorted(parameters.items()):
        line = f"{name} = {value}".rstrip()
        main, count = re.subn(rf"(?m)^{re.escape(name)} *=.*$", line.replace("\\", r"\\"), main)
        main += "" if count else f"{line}\n"
    return main


def users_text(users: Iterable[User]) -> str:
    """`name:full name` lines for role `users`."""
    return "".join(f"{user.name}:{user.gecos}\n" for user in users)


def secret_files(users: Iterable[User]) -> dict[str, str]:
    """The file that only secrets may hold: `name:password` lines (chpasswd(8))."""
    return {"/etc/maillab/users.secret": "".join(f"{user.name}:{user.password}\n" for user in users)}


def _smtp_listens(parameters: Mapping[str, str]) -> tuple[frozenset[tuple[int, int]], frozenset[tuple[int, int]]]:
    """Port 25 of the families of `inet_protocols` that `inet_interfaces` opens to others, and to the machine only.

    Both are in postconf(5).
    """
    protocols = parameters.get("inet_protocols", "all")
    versions = {version for version in (4, 6) if f"ipv{version}" in protocols or "all" in protocols}
    words = re.split(r"[,\s]+", parameters.get("inet_interfaces", "all").strip())
    outer = versions if {"all", "$myhostname"} & set(words) else set()
    inner = versions if {"loopback-only", "localhost"} & set(words) else set()
    for word in words:
        with contextlib.suppress(ValueError):
            address = ipaddress.ip_address(word.strip("[]"))
            family = {address.version} & versions
            outer, inner = (outer, inner | family) if address.is_loopback else (outer | family, inner)
    return frozenset((25, version) for version in outer), frozenset((25, version) for version in inner - outer)


def mail_part(school: SchoolConfig, machine: MachineConfig, config: MailServerConfig) -> Part:
    """A school's mail server. Its queue and its mailboxes are on volumes.

    Without no-new-privileges: the setgid programs sendmail and postqueue are for every user.
    """
    domains = destinations(config, machine.fqdn(school.domain), school.domain)
    outside, inside = _smtp_listens(config.main_cf)
    return Part(
        image="mail",
        about=f"mail server for {', '.join(dict.fromkeys(domains))}",
        roles=MAIL_ROLES,
        listens=both_families(110, 22) | outside,
        listens_inside=inside,
        files=mail_files(school, machine, config),
        secret_files=secret_files(config.users),
        volumes={"mailboxes": "/var/mail", "spool": "/var/spool/postfix"},
        capabilities=POSTFIX_CAPABILITIES,
        no_new_privileges=False,
    )
