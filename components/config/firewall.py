"""Packet filter rules: what a configuration may say of them, and the ordered rules of one machine."""

import enum
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network

from components.config.section import MayBeEmpty, section

Network = IPv4Network | IPv6Network


class Action(enum.StrEnum):
    """What a rule does (iptables-extensions(8)): DROP gives no answer, REJECT gives a refusal."""

    ACCEPT = "ACCEPT"
    DROP = "DROP"
    REJECT = "REJECT"


class Protocol(enum.StrEnum):
    """Protocols that a rule can ask for, by their names in /etc/protocols."""

    TCP = "tcp"
    UDP = "udp"
    ICMPV6 = "icmpv6"


class Chain(enum.StrEnum):
    """Where a packet is looked at (iptables(8)): for this machine, from it, or through it."""

    INPUT = "INPUT"
    OUTPUT = "OUTPUT"
    FORWARD = "FORWARD"


class Ipv6Policy(enum.StrEnum):
    """`closed`: port 25 has the same rules on both families. `tutorial`: on IPv6 it is open, as printed."""

    CLOSED = "closed"
    TUTORIAL = "tutorial"


@section
class RuleConfig:
    """A rule as the configuration gives it; the first that fits a packet decides (iptables(8)).

    `source`, `source6`: where the packet comes from, for each family; with `not_source`, `not_source6` it comes
    from anywhere else. A rule with a source of one family only is for that family; one with none is for both.
    `protocol`: unset, TCP for a rule with a port, else every one.
    `comment` is the tutorial's, in Chinese; `note` stands under it in English.
    """

    action: Action
    port: int | None = None
    protocol: Protocol | None = None
    source: IPv4Network | None = None
    source6: IPv6Network | None = None
    not_source: IPv4Network | None = None
    not_source6: IPv6Network | None = None
    comment: MayBeEmpty = ""
    note: MayBeEmpty = ""

    def source_for(self, version: int) -> tuple[Network | None, bool]:
        """(network, inverted) of IP `version`; (None, False) stands for any source."""
        plain, inverted = (self.source, self.not_source) if version == 4 else (self.source6, self.not_source6)
        return (inverted, True) if plain is None and inverted is not None else (plain, False)

    def is_for(self, version: int) -> bool:
        """Does IP `version` have this rule?"""
        sources = (self.source, self.source6, self.not_source, self.not_source6)
        return self.source_for(version)[0] is not None or not any(sources)


@section
class FirewallConfig:
    """`firewall` of a school.

    `mail`: the rules of the mail servers' /etc/rc.local, in their order. `router`: further rules for what the router
    passes on to the school. Without `mail` everybody may connect to the mail servers.
    """

    ipv6: Ipv6Policy = Ipv6Policy.CLOSED
    mail: tuple[RuleConfig, ...] = ()
    router: tuple[RuleConfig, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One line of a machine's /etc/rc.local, for one family.

    `port` is the destination's. `syn`: only packets that begin a connection. `in_interface`, `out_interface`: a
    segment's name, `lo`, or with `!` before it any other; `icmp_type` by its name in iptables-extensions(8).
    """

    version: int
    chain: Chain
    action: Action
    protocol: Protocol | None = None
    port: int | None = None
    syn: bool = False
    source: Network | None = None
    not_source: bool = False
    destination: Network | None = None
    in_interface: str | None = None
    out_interface: str | None = None
    icmp_type: str | None = None
    comment: str = ""
    note: str = ""
