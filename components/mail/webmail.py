"""Webmail: roundcube on lighttpd, on the mail server itself, by HTTPS.

It fetches by IMAP from Dovecot, and sends by Postfix as the user who has logged in.
"""

from components.config.lab import MachineConfig, SchoolConfig
from components.config.mail import MESSAGE_SIZE_LIMIT, MailServerConfig, destinations
from components.mail.sasl import SUBMISSION
from components.part import Page, Part, both_families
from components.templates import render_template
from components.tls.render import FOLDER

HTTP, HTTPS = 80, 443
SITE = "/etc/lighttpd/conf-enabled/20-webmail.conf"
ROUNDCUBE = "/etc/roundcube/config.inc.php"


def webmail_part(school: SchoolConfig, machine: MachineConfig, config: MailServerConfig) -> Part:
    """Webmail of `machine`'s users. Their settings and address books are on a volume."""
    host = machine.fqdn(school.domain)
    domains = destinations(config, host, school.domain)
    return Part(
        recipes=("mail", "webmail", "tls"),
        about="",
        roles=("webmail",),
        files={
            SITE: render_template("webmail/webmail.conf.j2", host=host, tls=FOLDER),
            ROUNDCUBE: render_template(
                "webmail/config.inc.php.j2",
                host=host,
                domain=next((domain for domain in (school.domain, host) if domain in domains), domains[0]),
                product=f"{school.name} Webmail",
                auth=config.authentication is not None,
                submission=SUBMISSION,
                tls=FOLDER,
                message_size_limit=MESSAGE_SIZE_LIMIT,
            ),
        },
        volumes={"webmail": "/var/lib/roundcube/db"},
        listens=both_families(HTTP, HTTPS),
        pages=(Page(name="webmail", url=f"https://{host}/"),),
    )
