"""Sendmail (sendmail.org) in Postfix' place: its part of a mail server, and whom it trusts."""

from collections.abc import Iterable, Mapping
from ipaddress import ip_network

from components.config.mail import MESSAGE_SIZE_LIMIT
from components.config.mynetworks import Network, read_networks
from components.log import Log
from components.mail.postfix import SMTP
from components.part import MailService, Part, both_families
from components.templates import render_template

QUEUE = "/usr/lib/maillab/sendmail-queue"
# The daemon has all that Postfix has but chroot(2): it delivers as root, procmail as the mailbox's owner.
CAPABILITIES = frozenset({"CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "NET_BIND_SERVICE", "SETGID", "SETUID"})


def sendmail_part(
    *,
    fqdn: str,
    origin: str,
    relayhost: str,
    domains: tuple[str, ...],
    accounts: frozenset[str],
    mynetworks: str,
    files: Mapping[str, str],
) -> Part:
    """Sendmail on the host `fqdn`, which takes mail for `domains` and trusts `mynetworks` (postconf(5)).

    `origin`: the domain of a sender who has none. `relayhost`: as main.cf has it. `files`: what every mail server has.

    Its queue is on the volume of Postfix' queue, beside it: a change of the program loses neither.
    """
    trusts = read_networks(mynetworks)
    if trusts is None:
        raise ValueError(f"no list of networks: {mynetworks}")
    relay, port = smart_host(relayhost)
    return Part(
        recipes=("dns", "mail", "sendmail"),
        about=f"mail server for {', '.join(domains)}",
        roles=("sendmail",),
        listens=both_families(SMTP),
        mail=MailService(
            domains=frozenset(domains),
            accounts=accounts,
            trusts=trusts,
            log=Log.SENDMAIL,
            waiting=(QUEUE, "list"),
            delete=(QUEUE, "delete"),
        ),
        files={
            "/etc/mail/sendmail.mc": render_template(
                "sendmail/sendmail.mc.j2",
                myhostname=fqdn,
                myorigin=origin,
                message_size_limit=MESSAGE_SIZE_LIMIT,
                relay=relay,
                port=port,
            ),
            "/etc/mail/local-host-names": "".join(f"{domain}\n" for domain in domains),
            "/etc/mail/access": access(trusts.patterns),
            **files,
        },
        volumes={"mailboxes": "/var/mail", "spool": "/var/spool/mqueue"},
        capabilities=CAPABILITIES,
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
