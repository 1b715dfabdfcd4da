"""Faults of meaning that a configuration can have, and what each rests on."""

from collections.abc import Mapping
from dataclasses import dataclass

DNS, MAIL, MAIL2, FILTER, WORKSTATION = (f"schools.0.machines.{index}" for index in range(5))


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One fault of dc1es: its problem, the changes that make it, and all places that it rests on (`*` is any item)."""

    id: str
    changes: Mapping[str, object]
    rests_on: tuple[str, ...]


HOSTS, ZONE = "schools.0.machines.*", "schools.0.zone"
FAULTS = [
    Fault(
        id="mx-without-address",
        changes={f"{ZONE}.records.+": "@ MX 5 sapmfilter"},
        rests_on=(f"{ZONE}.records.*", "schools.0.domain"),
    ),
    Fault(
        id="ns-without-address",
        changes={f"{ZONE}.soa.mname": "nowhere"},
        rests_on=(f"{ZONE}.soa.mname", f"{ZONE}.records.*", "schools.0.domain"),
    ),
    Fault(id="bad-record", changes={f"{ZONE}.records.3": "@ MX mail"}, rests_on=(f"{ZONE}.records.3",)),
    Fault(id="soa-out-of-range", changes={f"{ZONE}.soa.serial": 0}, rests_on=(f"{ZONE}.soa.serial",)),
    Fault(id="soa-expire", changes={f"{ZONE}.soa.expire": 5}, rests_on=(f"{ZONE}.soa.expire",)),
    Fault(
        id="address-outside-network",
        changes={f"{DNS}.ipv4": "163.26.183.1"},
        rests_on=(f"{DNS}.ipv4", "schools.0.network.ipv4"),
    ),
    Fault(
        id="address-twice",
        changes={f"{MAIL}.ipv6": "2001:db8:182::249"},
        rests_on=(f"{MAIL}.ipv6", f"{FILTER}.ipv6"),
    ),
    Fault(
        id="relayhost-unknown",
        changes={f"{MAIL}.mail.relayhost": "[163.26.182.9]"},
        rests_on=(f"{MAIL}.mail.relayhost", f"{HOSTS}.ipv4"),
    ),
    Fault(
        id="relayhost-unknown",
        changes={f"{MAIL}.mail.relayhost": "[IPv6:2001:db8:182::9]"},
        rests_on=(f"{MAIL}.mail.relayhost", f"{HOSTS}.ipv6"),
    ),
    Fault(
        id="relayhost-unknown",
        changes={f"{MAIL}.mail.relayhost": "spamfliter.dc1es.tnc.edu.tw"},
        rests_on=(f"{MAIL}.mail.relayhost", f"{HOSTS}.name", "schools.0.domain"),
    ),
    Fault(
        id="relayhost-unknown",
        changes={f"{MAIL}.mail.relayhost": "[163.26.182.2]"},
        rests_on=(f"{MAIL}.mail.relayhost", f"{MAIL}.ipv4"),
    ),
    Fault(
        id="alias-to-nobody",
        changes={f"{MAIL}.mail.aliases.+": "chen: nobody-here"},
        rests_on=(f"{MAIL}.mail.aliases.*", f"{MAIL}.mail.users.*.name"),
    ),
    Fault(
        id="alias-loop",
        changes={f"{MAIL2}.mail.aliases.2": "root: mailer-daemon"},
        rests_on=(f"{MAIL2}.mail.aliases.*",),
    ),
    Fault(
        id="alias-loop",
        changes={f"{MAIL2}.mail.aliases.2": "root: root"},
        rests_on=(f"{MAIL2}.mail.aliases.2", f"{MAIL2}.mail.users.*.name"),
    ),
    Fault(
        id="alias-loop",
        changes={
            f"{MAIL}.mail.aliases.0": "x: x@mail2.dc1es.tnc.edu.tw",
            f"{MAIL2}.mail.aliases.0": "x: x@dc1es.tnc.edu.tw",
        },
        rests_on=(
            *(f"{machine}.{key}" for machine in (MAIL, MAIL2) for key in ("name", "mail.aliases.0")),
            f"{MAIL}.mail.mydestination.1",
            f"{MAIL2}.mail.mydestination.0",
            "schools.0.domain",
        ),
    ),
    Fault(
        id="route-not-taken",
        changes={f"{FILTER}.spamfilter.domains.2.server": "mail"},
        rests_on=(
            f"{FILTER}.spamfilter.domains.2.*",
            f"{MAIL}.mail.mydestination.*",
            f"{MAIL}.name",
            "schools.0.domain",
        ),
    ),
    Fault(
        id="route-to-no-server",
        changes={f"{FILTER}.spamfilter.domains.2.server": "mial"},
        rests_on=(f"{FILTER}.spamfilter.domains.2.server", f"{HOSTS}.name"),
    ),
    Fault(
        id="bad-scores",
        changes={f"{FILTER}.spamfilter.mark_score": 20},
        rests_on=(f"{FILTER}.spamfilter.mark_score",),
    ),
    Fault(id="role-count", changes={f"{DNS}.roles": ["workstation"]}, rests_on=(f"{HOSTS}.roles.*",)),
    Fault(
        id="role-count",
        changes={f"{WORKSTATION}.roles": ["dns"]},
        rests_on=(f"{DNS}.roles.0", f"{WORKSTATION}.roles.0"),
    ),
    Fault(
        id="role-and-section",
        changes={f"{MAIL2}.roles": ["workstation"]},
        rests_on=(f"{MAIL2}.roles.0", f"{MAIL2}.mail"),
    ),
    Fault(id="hostname-twice", changes={f"{DNS}.hostname": "mail"}, rests_on=(f"{DNS}.hostname", f"{MAIL}.name")),
    Fault(
        id="machine-name-twice", changes={f"{WORKSTATION}.name": "dns"}, rests_on=(f"{DNS}.name", f"{WORKSTATION}.name")
    ),
    Fault(id="bad-domain", changes={"schools.0.domain": "tw"}, rests_on=("schools.0.domain",)),
    Fault(
        id="mail-name-twice",
        changes={"internet.senders.1.host": "mail.example.com"},
        rests_on=("internet.senders.0.host", "internet.senders.1.host"),
    ),
    Fault(id="no-sender", changes={"internet.senders": []}, rests_on=("internet.senders",)),
    Fault(
        id="outside-inside",
        changes={"internet.mail.ipv4": "163.26.182.77"},
        rests_on=("internet.mail.ipv4", "schools.0.network.ipv4"),
    ),
    Fault(id="carrier-too-small", changes={"network": {"carrier": "198.18.0.0/25"}}, rests_on=("network.carrier",)),
    Fault(
        id="link-unknown",
        changes={"links": {"mial": {"delay": "100ms"}}},
        rests_on=("links", f"{HOSTS}.name", "internet.mail.name"),
    ),
    Fault(id="empty-link", changes={"links": {"mail": {}}}, rests_on=("links", f"{MAIL}.name")),
    Fault(id="bad-link", changes={"links": {"mail": {"rate": "fast"}}}, rests_on=("links", f"{MAIL}.name")),
    Fault(id="bad-prefix", changes={"prefix": "Lab"}, rests_on=("prefix",)),
]
