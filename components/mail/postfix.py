"""Postfix (postfix.org), as every part that has it: rights, ports, times, and what others ask of it."""

import contextlib
import ipaddress
from collections.abc import Iterable, Mapping

from components.config.mynetworks import read_networks, words
from components.log import Log
from components.part import MailService, Relay
from components.templates import render_template

SMTP = 25
# Seconds between two tries of a deferred message: minutes on a real server, too long for a lesson.
RETRY = 10
RETRY_MAX = 40
# A chroot for each service, mail delivered as its owner; sshd and pop3d log users in.
POSTFIX_CAPABILITIES = frozenset(
    {"CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "NET_BIND_SERVICE", "SETGID", "SETUID", "SYS_CHROOT"}
)


def postfix_service(
    mynetworks: str,
    *,
    domains: Iterable[str] = (),
    accounts: Iterable[str] | None = (),
    relays: tuple[Relay, ...] = (),
    holds_spam: bool = False,
) -> MailService:
    """The mail service of a Postfix that trusts `mynetworks` (postconf(5)), which must be networks only."""
    trusts = read_networks(mynetworks)
    if trusts is None:
        raise ValueError(f"no list of networks: {mynetworks}")
    return MailService(
        domains=frozenset(domains),
        accounts=None if accounts is None else frozenset(accounts),
        trusts=trusts,
        relays=relays,
        holds_spam=holds_spam,
        log=Log.POSTFIX,
        waiting=("postqueue", "-j"),
        delete=("postsuper", "-d", "-"),
    )


def master_cf(*, amavis: bool = False, submission: bool = False) -> str:
    """master.cf (master(5)), with what a filter on the host and logins for sending need."""
    return render_template("mail/master.cf.j2", amavis=amavis, submission=submission)


Listens = frozenset[tuple[int, int]]


def smtp_listens(parameters: Mapping[str, str], *ports: int) -> tuple[Listens, Listens]:
    """`ports` of the families of `inet_protocols` that `inet_interfaces` opens to others, and to the machine only.

    Both are in postconf(5).
    """
    protocols = parameters.get("inet_protocols", "all")
    versions = {version for version in (4, 6) if f"ipv{version}" in protocols or "all" in protocols}
    interfaces = words(parameters.get("inet_interfaces", "all"))
    outer = versions if {"all", "$myhostname"} & set(interfaces) else set()
    inner = versions if {"loopback-only", "localhost"} & set(interfaces) else set()
    for word in interfaces:
        with contextlib.suppress(ValueError):
            address = ipaddress.ip_address(word.strip("[]"))
            family = {address.version} & versions
            outer, inner = (outer, inner | family) if address.is_loopback else (outer | family, inner)
    outside, inside = (
        frozenset((port, version) for port in ports for version in one) for one in (outer, inner - outer)
    )
    return outside, inside
