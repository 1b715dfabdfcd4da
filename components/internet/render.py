"""The machines of the Internet: `internet` (names), `tn` (tnuser's mail server) and `outside` (senders)."""

from components.config.internet import Sender
from components.config.lab import INTERNET, LabConfig
from components.config.mail import MESSAGE_SIZE_LIMIT
from components.dns.render import BIND_CAPABILITIES
from components.internet.zones import internet_zones
from components.mail.pop3 import POP3, pop3
from components.mail.postfix import POSTFIX_CAPABILITIES, RETRY, RETRY_MAX, master_cf, postfix_service
from components.mail.render import secret_files, users_text
from components.network.topology import fqdns
from components.part import Part, both_families
from components.templates import render_template

# Nobody but the machine itself sends through a server of the Internet.
MYNETWORKS = "127.0.0.0/8, [::1]/128"


def internet_files(lab: LabConfig) -> dict[str, str]:
    """named.conf and every zone of the Internet; the list of zones for role `bind`."""
    zones = internet_zones(lab)
    files = {zone: "db.root" if zone == "." else f"db.{zone}" for zone in zones}
    named = render_template(
        "internet/named.conf.j2",
        fqdn=fqdns(lab)[INTERNET],
        schools=sorted(str(net) for school in lab.schools for net in (school.network.ipv4, school.network.ipv6)),
        zones=list(files.items()),
    )
    return {
        "/etc/bind/named.conf": named,
        **{f"/etc/bind/{files[zone]}": text for zone, text in zones.items()},
        "/etc/maillab/zones": "".join(f"{zone} {file}\n" for zone, file in files.items()),
    }


def tn_files(lab: LabConfig) -> dict[str, str]:
    """Postfix of the other domain (tn.edu.tw): mailboxes in /var/mail/USER, senders found by MX."""
    mail = lab.internet.mail
    fqdn = fqdns(lab)[mail.name]
    first = mail.users[0].name if mail.users else "postmaster"
    aliases = [{"name": "mailer-daemon", "targets": ["postmaster"]}, {"name": "postmaster", "targets": ["root"]}]
    aliases += [{"name": "root", "targets": [user.name]} for user in mail.users[:1]]
    return {
        "/etc/postfix/main.cf": _main_cf(
            fqdn, mail.domain, "$myhostname, $mydomain, localhost", checks_client_names=mail.checks_client_names
        ),
        "/etc/postfix/master.cf": master_cf(),
        "/etc/aliases": render_template("mail/aliases.j2", aliases=aliases),
        "/etc/mailname": f"{fqdn}\n",
        "/etc/maillab/maps": "",
        "/etc/maillab/probe-recipient": f"{first}@{mail.domain}\n",
        "/etc/maillab/users": users_text(mail.users),
    }


def outside_files(lab: LabConfig) -> dict[str, str]:
    """Postfix as many ordinary senders, each with the address and name that the configuration gives it.

    A message goes out as the sender whose domain (or host) its envelope sender has; `someone+v4@…` and
    `someone+v6@…` by that family only; the null sender as the first one. Messages to the senders'
    domains, bounces above all, end in /var/mail/DOMAIN (mbox).
    """
    senders = lab.internet.senders
    mailboxes = _mailboxes(senders)
    first = senders[0]
    patterns = sorted((name.replace(".", r"\."), host) for name, host in _identities(senders).items())
    return {
        "/etc/postfix/main.cf": _main_cf(first.host, first.domain, "localhost", senders),
        "/etc/postfix/master.cf": render_template(
            "internet/master.cf.j2", senders=senders, amavis=False, submission=False
        ),
        "/etc/postfix/senders": render_template("internet/senders.j2", senders=patterns),
        "/etc/postfix/mailboxes": render_template("internet/mailboxes.j2", mailboxes=mailboxes),
        "/etc/aliases": render_template(
            "mail/aliases.j2", aliases=[{"name": "root", "targets": [f"root@{first.domain}"]}]
        ),
        "/etc/mailname": f"{first.host}\n",
        "/etc/maillab/maps": "hash:/etc/postfix/mailboxes\n",
        "/etc/maillab/probe-recipient": f"postmaster@{first.domain}\n",
    }


def _identities(senders: tuple[Sender, ...]) -> dict[str, str]:
    """Domain of an envelope sender to the host that sends for it: the domain's first, and each host for itself."""
    domains = {sender.domain: sender.host for sender in reversed(senders)}
    return domains | {sender.host: sender.host for sender in senders}


def _mailboxes(senders: tuple[Sender, ...]) -> list[tuple[str, str]]:
    """(recipient domain, mailbox): hosts share the mailbox of their domain."""
    return sorted({name: sender.domain for sender in senders for name in (sender.domain, sender.host)}.items())


def _main_cf(
    myhostname: str,
    mydomain: str,
    mydestination: str,
    senders: tuple[Sender, ...] = (),
    *,
    checks_client_names: bool = False,
) -> str:
    return render_template(
        "internet/main.cf.j2",
        myhostname=myhostname,
        mydomain=mydomain,
        mydestination=mydestination,
        mynetworks=MYNETWORKS,
        checks_client_names=checks_client_names,
        message_size_limit=MESSAGE_SIZE_LIMIT,
        retry=RETRY,
        retry_max=RETRY_MAX,
        senders=senders,
        mailboxes=_mailboxes(senders),
    )


def internet_part(lab: LabConfig) -> Part:
    """The Internet's name server; the served zones (for the next serials) are kept on a volume."""
    return Part(
        recipes=("dns",),
        about="the Internet's root and domains, resolver of the outside",
        roles=("bind",),
        files=internet_files(lab),
        volumes={"zones": "/var/lib/maillab"},
        listens=both_families(53),
        capabilities=BIND_CAPABILITIES,
    )


def tn_part(lab: LabConfig) -> Part:
    """The other domain's mail server, with POP3; its queue and its mailboxes are on volumes.

    Without no-new-privileges: the setgid programs sendmail and postqueue are for every user.
    """
    mail = lab.internet.mail
    return Part(
        recipes=("dns", "mail"),
        about=f"mail server for {mail.domain}",
        roles=("users", "postfix", "pop3"),
        listens=both_families(25, POP3),
        mail=postfix_service(
            MYNETWORKS,
            domains=(mail.domain, fqdns(lab)[mail.name]),
            accounts=("postmaster", "root", "mailer-daemon", *(user.name for user in mail.users)),
        ),
        logins=(pop3(mail.users),),
        files=tn_files(lab),
        secret_files=secret_files(mail.users),
        volumes={"mailboxes": "/var/mail", "spool": "/var/spool/postfix"},
        capabilities=POSTFIX_CAPABILITIES,
        no_new_privileges=False,
    )


def outside_part(lab: LabConfig) -> Part:
    """The senders: a Postfix, and swaks and Python of the workstation's image; rights and volumes as on `tn`."""
    return Part(
        recipes=("dns", "mail", "workstation"),
        about=f"senders: {', '.join(sender.domain for sender in lab.internet.senders)}",
        roles=("postfix",),
        listens=both_families(25),
        mail=postfix_service(
            MYNETWORKS,
            domains=(name for sender in lab.internet.senders for name in (sender.domain, sender.host)),
            accounts=None,
        ),
        files=outside_files(lab),
        volumes={"mailboxes": "/var/mail", "spool": "/var/spool/postfix"},
        capabilities=POSTFIX_CAPABILITIES,
        no_new_privileges=False,
    )
