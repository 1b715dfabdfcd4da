"""Postfix's files of a school's mail server, its aliases and its accounts."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from components.config.lab import MachineConfig, Role, SchoolConfig
from components.config.mail import MESSAGE_SIZE_LIMIT, MailServerConfig, User, destinations, local_names
from components.config.mynetworks import read_networks
from components.config.programs import Cleartext, Filter, Mta, Pop3
from components.mail.amavis import amavis_part
from components.mail.pop3 import dovecot_part, xinetd_part
from components.mail.postfix import (
    POSTFIX_CAPABILITIES,
    RETRY,
    RETRY_MAX,
    SMTP,
    master_cf,
    postfix_service,
    smtp_listens,
)
from components.mail.sasl import SENDER_LOGIN, SUBMISSION, SUBMISSIONS, sasl_part
from components.mail.sendmail import sendmail_part, sendmail_service
from components.mail.webmail import webmail_part
from components.part import MailService, Part, both_families
from components.templates import render_template
from components.tls.render import FOLDER, tls_parts

SSH = 22


def mynetworks(school: SchoolConfig, config: MailServerConfig) -> str:
    """The school without its spamfilter, both families (postconf(5): a `!` pattern must come first).

    Where users log in to send, only the machine itself by IPv4, as in the tutorial.
    """
    if config.authentication is not None:
        return "127.0.0.0/8"
    patterns = ["127.0.0.0/8", "[::1]/128"]
    for machine in school.with_role(Role.SPAMFILTER):
        patterns += [f"!{machine.ipv4}", f"![{machine.ipv6}]"]
    return ", ".join([*patterns, *_own_networks(school)])


def _own_networks(school: SchoolConfig) -> list[str]:
    """The school's, as main.cf has them."""
    network6 = school.network.ipv6
    return [str(school.network.ipv4), f"[{network6.network_address}]/{network6.prefixlen}"]


def mail_files(school: SchoolConfig, machine: MachineConfig, config: MailServerConfig) -> dict[str, str]:
    """Every file of Postfix on the mail server `machine`."""
    fqdn = machine.fqdn(school.domain)
    takes_domain = "$mydomain" in config.mydestination
    main = render_template(
        "mail/main.cf.j2",
        myhostname=fqdn,
        mydomain=school.domain,
        myorigin="$mydomain" if takes_domain else "$myhostname",
        mydestination=", ".join(config.mydestination),
        relayhost=config.relayhost,
        mynetworks=mynetworks(school, config),
        own_networks=", ".join(_own_networks(school)),
        auth=config.authentication is not None,
        encrypted_only=config.authentication is not None and config.authentication.cleartext is Cleartext.NEVER,
        sender_login=SENDER_LOGIN,
        tls=FOLDER,
        message_size_limit=MESSAGE_SIZE_LIMIT,
        retry=RETRY,
        retry_max=RETRY_MAX,
        amavis=config.filter is Filter.AMAVIS,
    )
    return {
        "/etc/postfix/main.cf": with_parameters(main, config.main_cf),
        "/etc/postfix/master.cf": master_cf(
            amavis=config.filter is Filter.AMAVIS, submission=config.authentication is not None
        ),
        "/etc/maillab/maps": "",
        **_common_files(config, fqdn, school.domain),
    }


def _common_files(config: MailServerConfig, fqdn: str, domain: str) -> dict[str, str]:
    """What a mail server of any program has."""
    return {
        "/etc/aliases": render_template("mail/aliases.j2", aliases=config.good_aliases),
        "/etc/mailname": f"{fqdn}\n",
        "/etc/maillab/probe-recipient": f"{_probe_recipient(config, fqdn, domain)}\n",
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
        main, count = re.subn(rf"(?m)^{re.escape(name)} *=.*$(\n[ \t].*$)*", line.replace("\\", r"\\"), main)
        main += "" if count else f"{line}\n"
    return main


def users_text(users: Iterable[User]) -> str:
    """`name:full name` lines for role `users`."""
    return "".join(f"{user.name}:{user.gecos}\n" for user in users)


def secret_files(users: Iterable[User]) -> dict[str, str]:
    """The file that only secrets may hold: `name:password` lines (chpasswd(8))."""
    return {"/etc/maillab/users.secret": "".join(f"{user.name}:{user.password}\n" for user in users)}


def _service(school: SchoolConfig, config: MailServerConfig, domains: Iterable[str]) -> MailService:
    """A `mynetworks` of the configuration counts, if it has networks only; the prover says so when it has not."""
    given = config.main_cf.get("mynetworks", "")
    is_read = "mynetworks" in config.main_cf and read_networks(given) is not None
    trusted = given if is_read else mynetworks(school, config)
    return postfix_service(trusted, domains=domains, accounts=_accounts(config))


def _accounts(config: MailServerConfig) -> frozenset[str]:
    return config.system_accounts | {name.lower() for name in local_names(config)}


def mail_parts(school: SchoolConfig, machine: MachineConfig, config: MailServerConfig) -> list[Part]:
    """A school's mail server: a part for each of its programs, in starting order."""
    users = config.users
    tls = FOLDER if config.shows_certificate else None
    pop3 = dovecot_part(users, tls=tls) if config.pop3 is Pop3.DOVECOT else xinetd_part(users)
    webmail = [webmail_part(school, machine, config)] if config.webmail else []
    accounts = Part(
        recipes=("dns", "mail"),
        about="",
        roles=("users",),
        files={"/etc/maillab/users": users_text(users)},
        secret_files=secret_files(users),
    )
    sshd = Part(recipes=("mail",), about="", roles=("sshd",), listens=both_families(SSH))
    # Postfix opens port 25 when everything that judges a message, or a password, is there.
    domains = destinations(config, machine.fqdn(school.domain), school.domain)
    judges = [amavis_part(school.domain, domains, config.virus_database)] if config.filter is Filter.AMAVIS else []
    if config.authentication is not None:
        judges.append(sasl_part(config, domains))
    mta = {Mta.POSTFIX: _postfix_part, Mta.SENDMAIL: _sendmail_part}[config.mta](school, machine, config)
    return [accounts, *tls_parts(school, machine), *judges, mta, pop3, *webmail, sshd]


def _sendmail_part(school: SchoolConfig, machine: MachineConfig, config: MailServerConfig) -> Part:
    """Sendmail, with the names, aliases and trusted networks that Postfix would have."""
    fqdn = machine.fqdn(school.domain)
    domains = list(dict.fromkeys(destinations(config, fqdn, school.domain)))
    origin = school.domain if "$mydomain" in config.mydestination else fqdn
    service = sendmail_service(mynetworks(school, config), domains=domains, accounts=_accounts(config))
    files = {
        "/etc/mail/local-host-names": "".join(f"{domain}\n" for domain in domains),
        **_common_files(config, fqdn, school.domain),
    }
    part = sendmail_part(fqdn, origin, config.relayhost or "", service, files)
    return replace(part, about=f"mail server for {', '.join(domains)}")


def _postfix_part(school: SchoolConfig, machine: MachineConfig, config: MailServerConfig) -> Part:
    """Postfix. Its queue and the mailboxes are on volumes.

    Without no-new-privileges: the setgid programs sendmail and postqueue are for every user.
    """
    domains = destinations(config, machine.fqdn(school.domain), school.domain)
    submission = () if config.authentication is None else (SUBMISSION, SUBMISSIONS)
    outside, inside = smtp_listens(config.main_cf, SMTP, *submission)
    return Part(
        recipes=("dns", "mail"),
        about=f"mail server for {', '.join(dict.fromkeys(domains))}",
        roles=("postfix",),
        listens=outside,
        listens_inside=inside,
        mail=_service(school, config, domains),
        files=mail_files(school, machine, config),
        volumes={"mailboxes": "/var/mail", "spool": "/var/spool/postfix"},
        capabilities=POSTFIX_CAPABILITIES,
        no_new_privileges=False,
    )
