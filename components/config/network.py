"""What a stack file says of the networks: the carrier and the segments."""

import enum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from components.config.problem import Problem, problem
from components.config.section import HostAddress6, section

MAX_SUBNET_PREFIX = 28
Address = IPv4Address | IPv6Address


class NoCarrier(enum.StrEnum):
    """Instead of a carrier: each Docker network has its segment's own addresses."""

    NONE = "none"


@section
class CarrierConfig:
    """`maillab:network`: `carrier` is the block that the Docker networks take their subnets from.

    Labs on one engine each need a carrier of their own: Docker refuses two networks with one subnet. Unset, the
    subnets follow from the lab's prefix (`components/network/carriers.py`).
    """

    carrier: IPv4Network | NoCarrier | None = None


@section
class SegmentConfig:
    """A broadcast domain as the configuration gives it: both prefixes and the router's addresses in them."""

    ipv4: IPv4Network
    ipv6: IPv6Network
    router: IPv4Address
    router6: HostAddress6

    def prefix(self, version: int) -> IPv4Network | IPv6Network:
        """The prefix of IP `version` (4 or 6)."""
        return self.ipv4 if version == 4 else self.ipv6


def check_segment(config: SegmentConfig, where: str) -> list[Problem]:
    """Problems of one segment's prefixes and router addresses."""
    problems = []
    for key, router, network in (
        ("router", config.router, config.ipv4),
        ("router6", config.router6, config.ipv6),
    ):
        if router not in network:
            values = {"address": router, "network": network}
            problems.append(problem("address-outside-network.router", f"{where}.{key}", **values))
    if config.ipv4.prefixlen > MAX_SUBNET_PREFIX:
        room = config.ipv4.num_addresses - 2
        place, least = f"{where}.ipv4", MAX_SUBNET_PREFIX
        problems.append(problem("network-too-small.prefix", place, network=config.ipv4, room=room, prefix=least))
    return problems
