"""Sendmail (sendmail.org) in Postfix' place: its part of a mail server, and whom it trusts."""

from collections.abc import Iterable, Mapping
from ipaddress import ip_network

from components.config.mail import MESSAGE_SIZE_LIMIT
from components.config.mynetworks import Network, read_networks
from components.log import Log
from components.mail.postfix import POSTFIX_CAPABILITIES, SMTP
from components.part import MailService, Part, both_families
from components.templates import render_template

QUEUE = "/usr/lib/maillab/sendmail-queue"


def sendmail_service(mynetworks: str, *, domains: Iterable[str], accounts: Iterable[str]) -> MailService:
    """The mail service of a Sendmail that trusts `mynetworks` (postconf(5)), which must be networks only."""
    trusts = read_networks(mynetworks)
    if trusts is None:
        raise ValueError(f"no list of networks: {mynetworks}")
    return MailService(
        domains=frozenset(domains),
        accounts=frozenset(accounts),
        trusts=trusts,
        log=Log.SENDMAIL,
        waiting=(QUEUE, "list"),
        delete=(QUEUE, "delete"),
    )


def sendmail_part(host: str, origin: str, relayhost: str, service: MailService, files: Mapping[str, str]) -> Part:
    """Sendmail on `host`. `origin`: the domain of a sender who has none. `relayhost`: as main.cf has it.

    `files`: those that every mail server has, and /etc/mail/local-host-names. Its queue is on the volume of Postfix'
    queue, beside it: a change of the program loses neither.
    """
    relay, port = smart_host(relayhost)
    settings = render_template(
        "sendmail/sendmail.mc.j2",
        myhostname=host,
        myorigin=origin,
        message_size_limit=MESSAGE_SIZE_LIMIT,
        relay=relay,
        port=port,
    )
    return Part(
        recipes=("dns", "mail", "sendmail"),
        about="",
        roles=("sendmail",),
        listens=both_families(SMTP),
        mail=service,
        files={"/etc/mail/sendmail.mc": settings, "/etc/mail/access": access(service.trusts.patterns), **files},
        volumes={"mailboxes": "/var/mail", "spool": "/var/spool/mqueue"},
        # It needs no chroot(2); sshd and Dovecot do.
        capabilities=POSTFIX_CAPABILITIES,
        # sendmail(1) is setgid, procmail setuid: they are for every user.
        no_new_privileges=False,
    )


def smart_host(relayhost: str) -> tuple[str, str]:
    """SMART_HOST and the port (empty: 25) of a `relayhost`: brackets, too, mean the same to Sendmail: no MX."""
    host, bracket, port = relayhost.rpartition("]")
    if bracket:
        return f"{host}]", port.removeprefix(":")
    host, _, port = relayhost.partition(":")
    return host, port


def access(patterns: Iterable[tuple[Network, bool]]) -> str:
    """/etc/mail/access: who may send to anybody through this server (cf/README of Sendmail, ANTI-SPAM).

    SKIP: an address that is in a longer entry is not looked for in the shorter ones.
    """
    return "".join(
        f"Connect:{key}\t{'RELAY' if trusted else 'SKIP'}\n" for network, trusted in patterns for key in keys(network)
    )


def keys(network: Network) -> list[str]:
    """A network's keys: whole bytes of IPv4, groups of IPv6, which Sendmail does not shorten."""
    size = 8 if network.version == 4 else 16
    parts = ip_network(network).subnets(new_prefix=-(-network.prefixlen // size) * size)
    if network.version == 4:
        return [".".join(str(part.network_address).split(".")[: part.prefixlen // size]) for part in parts]
    groups = (part.network_address.exploded.split(":")[: part.prefixlen // size] for part in parts)
    return ["IPv6:" + ":".join(f"{int(group, 16):x}" for group in found) for found in groups]
