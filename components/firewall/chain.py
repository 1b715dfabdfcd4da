"""What a chain of rules does with a packet: the first rule that fits decides, else the chain's policy ACCEPT."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from components.config.firewall import Chain, Network, Protocol, Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """A packet as a chain sees it: addresses as numbers, interfaces by segment (or `lo`).

    `syn`: it begins a connection (TCP only).
    """

    version: int
    source: int
    destination: int
    protocol: Protocol | None = Protocol.TCP
    port: int | None = None
    syn: bool = True
    in_interface: str = ""
    out_interface: str = ""
    icmp_type: str = ""


def contains(network: Network, address: int) -> bool:
    """Does `address`, as a number of the network's family, lie in it?"""
    return (address ^ int(network.network_address)) >> (network.max_prefixlen - network.prefixlen) == 0


def fits(rule: Rule, packet: Packet) -> bool:
    """Is the rule about this packet? (Its chain is the caller's.)"""
    # What tells most rules apart comes first: thousands of packets are asked about.
    if rule.port not in (None, packet.port) or rule.version != packet.version:
        return False
    return fits_addresses(rule, packet.source, packet.destination) and _fits_kind(rule, packet)


def fits_addresses(rule: Rule, source: int, destination: int) -> bool:
    """Is the rule about packets between these two?"""
    if rule.source is not None and contains(rule.source, source) is rule.not_source:
        return False
    return rule.destination is None or contains(rule.destination, destination)


def _fits_kind(rule: Rule, packet: Packet) -> bool:
    """Protocol, flags and interfaces."""
    return (
        rule.protocol in (None, packet.protocol)
        and (not rule.syn or (packet.syn and packet.protocol is Protocol.TCP))
        and rule.icmp_type in (None, packet.icmp_type)
        and _is_interface(rule.in_interface, packet.in_interface)
        and _is_interface(rule.out_interface, packet.out_interface)
    )


def _is_interface(wanted: str | None, found: str) -> bool:
    if wanted is None:
        return True
    return wanted[1:] != found if wanted.startswith("!") else wanted == found


def of_family(rules: Iterable[Rule], version: int) -> tuple[Rule, ...]:
    """The rules of IP `version`, in their order."""
    return tuple(rule for rule in rules if rule.version == version)


def of_chain(rules: Iterable[Rule], version: int, chain: Chain) -> tuple[Rule, ...]:
    """The rules of one chain and family, in their order."""
    return tuple(rule for rule in of_family(rules, version) if rule.chain is chain)


def decide(rules: Sequence[Rule], packet: Packet) -> Rule | None:
    """The rule that decides about the packet; None is the policy, which is ACCEPT in every chain of the lab."""
    return next((rule for rule in rules if fits(rule, packet)), None)


def representatives(networks: Iterable[Network | None], version: int) -> list[int]:
    """Addresses, as numbers, of which every set that `networks` can tell apart has at least one.

    Prefixes lie in each other or apart: where a set begins, one of them begins or has just ended.
    """
    last = 2 ** (32 if version == 4 else 128) - 1
    edges = {0}
    for network in networks:
        if network is not None:
            edges |= {int(network.network_address), int(network.broadcast_address) + 1}
    return sorted(edge for edge in edges if edge <= last)
