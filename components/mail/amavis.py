"""amavis with ClamAV and SpamAssassin, which look at messages on the mail server itself (tutorial: Amavis-new).

The files that the tutorial edits, 15-content_filter_mode and 20-debian_defaults, are Debian's with its lines
(files/amavis/image); here is what differs from school to school.
"""

from collections.abc import Iterable

from components.config.programs import VirusDatabase
from components.part import Part, scanner_recipes
from components.templates import render_template

AMAVIS, BACK = 10024, 10025


def amavis_part(domain: str, domains: Iterable[str], database: VirusDatabase = VirusDatabase.SMALL) -> Part:
    """The filter of a mail server that takes mail for `domains`, of the school `domain`.

    Its quarantine, and what it has learnt, are on a volume.
    """
    return Part(
        recipes=("mail", *scanner_recipes(database), "amavis"),
        about="",
        roles=("clamav", "amavis"),
        files={
            "/etc/amavis/conf.d/05-domain_id": render_template(
                "amavis/05-domain_id.j2", domain=domain, domains=tuple(dict.fromkeys(domains))
            ),
            "/etc/amavis/conf.d/50-user": render_template("amavis/50-user.j2"),
            "/etc/spamassassin/local.cf": render_template("amavis/local.cf.j2"),
        },
        volumes={"amavis": "/var/lib/amavis"},
        listens_inside=frozenset({(AMAVIS, 4), (AMAVIS, 6), (BACK, 4)}),
    )
