"""Segments, interfaces and routes: where each machine of the lab stands in the network."""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Interface

from components.config.network import SegmentConfig


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
