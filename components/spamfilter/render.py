"""The filter appliance's files: Postfix as gateway, the domain table as maps, rspamd's scores."""

from components.config.lab import MachineConfig, SchoolConfig
from components.config.mail import MESSAGE_SIZE_LIMIT, local_names
from components.config.spamfilter import SpamFilterConfig
from components.mail.postfix import POSTFIX_CAPABILITIES, RETRY, RETRY_MAX, master_cf, postfix_service
from components.part import Part, Relay, both_families, scanner_recipes
from components.templates import render_template

# In starting order: Postfix opens port 25 when everything that judges a message is there.
ROLES = ("redis", "clamav", "rspamd", "milter", "postfix")
# What rspamd gives the test message for spam filters (image/etc/rspamd/local.d/regexp.conf).
GTUBE_SCORE = 1000


def relays(school: SchoolConfig, config: SpamFilterConfig) -> tuple[Relay, ...]:
    """The domain table of a good configuration, in its order; `names` are local parts, sorted."""
    servers = {machine.name: machine for machine in school.machines}
    found = []
    for route in config.domains:
        server = servers[route.server]
        names = local_names(server.mail) if server.mail else frozenset()
        found.append(
            Relay(
                domain=route.domain.lower(),
                server=server.name,
                address=server.ipv4,
                names=tuple(sorted({name.lower() for name in names})),
            )
        )
    return tuple(found)


def mynetworks(school: SchoolConfig) -> str:
    """The whole school, both families: its servers send their outgoing mail through the filter."""
    network6 = school.network.ipv6
    school6 = f"[{network6.network_address}]/{network6.prefixlen}"
    return ", ".join(["127.0.0.0/8", "[::1]/128", str(school.network.ipv4), school6])


def spamfilter_files(school: SchoolConfig, machine: MachineConfig, config: SpamFilterConfig) -> dict[str, str]:
    """Every file of the filter `machine` but those of the network and the firewall; none is secret."""
    fqdn = machine.fqdn(school.domain)
    routes = relays(school, config)
    domains = tuple(route.domain for route in routes)
    main = render_template(
        "spamfilter/main.cf.j2",
        myhostname=fqdn,
        mydomain=school.domain,
        # What the machine itself has to say goes to the school's root and postmaster.
        myorigin="$mydomain" if school.domain in domains else "$myhostname",
        domains=domains,
        mynetworks=mynetworks(school),
        message_size_limit=MESSAGE_SIZE_LIMIT,
        retry=RETRY,
        retry_max=RETRY_MAX,
    )
    return {
        "/etc/postfix/main.cf": main,
        "/etc/postfix/master.cf": master_cf(),
        "/etc/postfix/transport": render_template("spamfilter/transport.j2", routes=routes),
        "/etc/postfix/relay_recipients": render_template("spamfilter/relay_recipients.j2", routes=routes),
        "/etc/mailname": f"{fqdn}\n",
        "/etc/rspamd/local.d/actions.conf": render_template(
            "spamfilter/actions.conf.j2", mark_score=config.mark_score, hold_score=config.hold_score
        ),
        "/etc/maillab/maps": "texthash:/etc/postfix/transport\ntexthash:/etc/postfix/relay_recipients\n",
        "/etc/maillab/probe-recipient": f"{_probe_recipient(routes)}\n",
    }


def _probe_recipient(routes: tuple[Relay, ...]) -> str:
    """Somebody whom the filter takes mail for; empty when there is nobody."""
    return next((f"{route.names[0]}@{route.domain}" for route in routes if route.names), "")


def spamfilter_part(school: SchoolConfig, machine: MachineConfig, config: SpamFilterConfig) -> Part:
    """The county's filter appliance. Its queue (with what is on hold) and rspamd's memory are on volumes."""
    return Part(
        recipes=("dns", "mail", *scanner_recipes(config.virus_database), "spamfilter"),
        about=f"filter for {', '.join(route.domain for route in config.domains)}",
        roles=ROLES,
        files=spamfilter_files(school, machine, config),
        listens=both_families(25),
        mail=postfix_service(
            mynetworks(school), relays=relays(school, config), holds_spam=config.hold_score <= GTUBE_SCORE
        ),
        volumes={"redis": "/var/lib/redis", "spool": "/var/spool/postfix"},
        # redis, clamd and rspamd need nothing more: they leave root as Postfix's services do.
        capabilities=POSTFIX_CAPABILITIES,
    )
