"""Segments, interfaces and routes: where each machine of the lab stands in the network."""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network

from components.problem import Problem

MAX_SUBNET_PREFIX = 28
Address = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True, kw_only=True)
class CarrierConfig:
    """`maillab:network`: `carrier` is the block that the Docker networks take their subnets from.

    Unset, each Docker network has its segment's own subnet. Docker refuses two networks with one
    subnet, so labs that run side by side each have a carrier of their own.
    """

    carrier: IPv4Network | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentConfig:
    """A broadcast domain as the configuration gives it: both prefixes and the router's addresses in them."""

    ipv4: IPv4Network
    ipv6: IPv6Network
    router: IPv4Address
    router6: IPv6Address

    def prefix(self, version: int) -> IPv4Network | IPv6Network:
        """The prefix of IP `version` (4 or 6)."""
        return self.ipv4 if version == 4 else self.ipv6


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One Docker network. `carrier` is its subnet, `docker_gateway` an address in it that nobody has."""

    name: str
    config: SegmentConfig
    carrier: IPv4Network
    docker_gateway: IPv4Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Interface:
    """A machine's leg in a segment: the address Docker gives (`carrier`), and the ones it really has."""

    segment: str
    carrier: IPv4Address
    addresses: tuple[IPv4Interface | IPv6Interface, ...]
    routes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """What a machine asks of a segment before carrier addresses are dealt out."""

    machine: str
    ipv4: IPv4Address


def carve(carrier: IPv4Network | None, segments: Iterable[tuple[str, SegmentConfig]]) -> dict[str, IPv4Network]:
    """Subnet of each segment: its own, or the next part of `carrier` of the same size.

    Raises:
        ValueError: `carrier` has no room for all segments.
    """
    if carrier is None:
        return {name: config.ipv4 for name, config in segments}
    subnets: dict[str, IPv4Network] = {}
    start = int(carrier.network_address)
    for name, config in segments:
        size = config.ipv4.num_addresses
        start = -(-start // size) * size
        if start + size - 1 > int(carrier.broadcast_address):
            raise ValueError(f"{carrier} has no room for segment {name} ({config.ipv4})")
        subnets[name] = IPv4Network((start, config.ipv4.prefixlen))
        start += size
    return subnets


def deal_addresses(
    config: SegmentConfig, subnet: IPv4Network, attachments: Iterable[Attachment]
) -> tuple[dict[str, IPv4Address], IPv4Address]:
    """The address Docker gives each machine in `subnet`, and one left over for Docker's gateway entry.

    A machine whose address lies in the segment keeps its host part; others (senders with addresses
    of far-away networks) get the next free one.
    """
    dealt: dict[str, IPv4Address] = {}
    visitors: list[str] = []
    for attachment in attachments:
        if attachment.ipv4 in config.ipv4:
            offset = int(attachment.ipv4) - int(config.ipv4.network_address)
            dealt[attachment.machine] = subnet.network_address + offset
        else:
            visitors.append(attachment.machine)
    free = [address for address in subnet.hosts() if address not in set(dealt.values())]
    for machine in visitors:
        dealt[machine] = free.pop(0)
    return dealt, free[-1]


def check_segment(config: SegmentConfig, where: str) -> list[Problem]:
    """Problems of one segment's prefixes and router addresses."""
    problems = []
    for key, router, network in (
        ("router", config.router, config.ipv4),
        ("router6", config.router6, config.ipv6),
    ):
        if router not in network:
            what, remedy = f"{router} is not in {network}", f"take an address in {network}"
            problems.append(Problem(id="address-outside-network", where=f"{where}.{key}", what=what, remedy=remedy))
    if config.ipv4.prefixlen > MAX_SUBNET_PREFIX:
        what = f"{config.ipv4} has room for {config.ipv4.num_addresses - 2} machines only"
        remedy = f"take a /{MAX_SUBNET_PREFIX} or larger"
        problems.append(Problem(id="network-too-small", where=f"{where}.ipv4", what=what, remedy=remedy))
    return problems
