"""Carriers: the addresses that Docker numbers the lab's networks with, below the ones that the machines really have.

Engines since 28.2 drop what is routed to a container's Docker address and does not come in by that container's own
bridge (rules in raw PREROUTING). Where the host's bridges are filtered, that is all routed traffic of a lab whose
Docker addresses are its real ones, and the traffic of every lab beside it. A carrier's addresses are in no packet.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Network

from components.config.catalogue import PhraseError, phrase
from components.config.network import Address, CarrierConfig, NoCarrier, SegmentConfig
from components.config.problem import Problem, problem, warning

# A Docker network that carries a larger segment is as large as this, or as its machines need.
CARRIER_PREFIX = 24
# Set aside for benchmarks of network devices (RFC 2544, appendix C.2.2): nobody has an address in it. Its first
# quarter is for stack files (with the project's own in PROJECT_CARRIERS), the second for stacks that name no carrier,
# the second half, 198.19.0.0/16, for tests.
BENCHMARKS = IPv4Network("198.18.0.0/15")
FILE_CARRIERS = IPv4Network("198.18.0.0/17")
PROJECT_CARRIERS = IPv4Network("198.18.0.0/18")
DEFAULT_CARRIERS = IPv4Network("198.18.128.0/17")
# This network, loopback, link-local, multicast (RFC 6890, RFC 5771): nothing that a machine can have.
UNUSABLE = tuple(map(IPv4Network, ("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4")))


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """What a machine asks of a segment before carrier addresses are assigned."""

    machine: str
    ipv4: IPv4Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """A segment before it has a subnet, with everyone on it."""

    name: str
    config: SegmentConfig
    attachments: tuple[Attachment, ...]

    @property
    def carrier_size(self) -> int:
        """How many addresses of a carrier it takes: the segment's own number, but no large part that stays empty."""
        # The network's and the broadcast address, and one for Docker's gateway entry, are nobody's.
        needed = 1 << (len(self.attachments) + 2).bit_length()
        return min(self.config.ipv4.num_addresses, max(needed, 1 << 32 - CARRIER_PREFIX))


def allocate_subnets(config: CarrierConfig, prefix: str, wires: Iterable[Wire]) -> dict[str, IPv4Network]:
    """Docker's subnet of each segment. A segment that is added at the end leaves the others' as they are.

    Raises:
        PhraseError: the carrier has no room for all segments.
    """
    if config.carrier is NoCarrier.NONE:
        return {wire.name: wire.config.ipv4 for wire in wires}
    if isinstance(config.carrier, IPv4Network):
        return _in_order(config.carrier, 0, wires)
    return _in_order(DEFAULT_CARRIERS, _offset(prefix), wires)


def _offset(prefix: str) -> int:
    """Where in DEFAULT_CARRIERS the lab of this prefix begins: at an even subnet, as most labs have two."""
    pair = 2 << 32 - CARRIER_PREFIX
    digest = hashlib.sha256(prefix.encode()).digest()
    return int.from_bytes(digest) % (DEFAULT_CARRIERS.num_addresses // pair) * pair


def _in_order(block: IPv4Network, offset: int, wires: Iterable[Wire]) -> dict[str, IPv4Network]:
    """One subnet after the other from `offset` on; after the block's end follows its beginning."""
    subnets: dict[str, IPv4Network] = {}
    start, used, room = offset, 0, block.num_addresses
    for wire in wires:
        size = wire.carrier_size
        skipped = -start % size
        if start + skipped + size > room:
            skipped = room - start
        used += skipped + size
        if used > room:
            raise PhraseError(phrase("no-room", block=block, segment=wire.name, network=wire.config.ipv4))
        start = (start + skipped) % room
        subnets[wire.name] = IPv4Network((int(block.network_address) + start, 32 - (size.bit_length() - 1)))
        start += size
    return subnets


def free_carrier(taken: Sequence[IPv4Network | IPv6Network], length: int = 22) -> IPv4Network | None:
    """A block for a new stack file that overlaps none of `taken` and none of the project's own."""
    rooms = sorted(FILE_CARRIERS.address_exclude(PROJECT_CARRIERS), reverse=True)
    blocks = (block for room in rooms for block in room.subnets(new_prefix=length))
    return next((block for block in blocks if not any(block.overlaps(net) for net in taken if net.version == 4)), None)


def assign_addresses(wire: Wire, subnet: IPv4Network) -> tuple[dict[str, IPv4Address], IPv4Address]:
    """The address Docker gives each machine in `subnet`, and one left over for Docker's gateway entry.

    A machine whose address lies in the segment keeps its host part, if the subnet has that; others (senders with
    addresses of far-away networks) get the next free one.
    """
    assigned: dict[str, IPv4Address] = {}
    visitors: list[str] = []
    last = subnet.num_addresses - 1
    for attachment in wire.attachments:
        offset = int(attachment.ipv4) - int(wire.config.ipv4.network_address)
        if attachment.ipv4 in wire.config.ipv4 and 0 < offset < last:
            assigned[attachment.machine] = subnet.network_address + offset
        else:
            visitors.append(attachment.machine)
    taken = set(assigned.values())
    free = (address for address in subnet.hosts() if address not in taken)
    assigned |= {machine: next(free) for machine in visitors}
    taken = set(assigned.values())
    backwards = (subnet.network_address + offset for offset in range(last - 1, 0, -1))
    return assigned, next(address for address in backwards if address not in taken)


def check_carrier(
    config: CarrierConfig, prefix: str, wires: Sequence[Wire], addresses: Iterable[Address], where: str
) -> list[Problem]:
    """Problems of the carrier of a lab with these `wires` and `addresses`."""
    if config.carrier is NoCarrier.NONE:
        return [warning("no-carrier", where)]
    try:
        subnets = allocate_subnets(config, prefix, wires).values()
    except PhraseError as error:
        return [problem("carrier-too-small", where, reason=error.reason, block=_large_enough(wires))]
    taken = [*(wire.config.ipv4 for wire in wires), *(IPv4Network(a) for a in addresses if a.version == 4)]
    if bad := next((subnet for subnet in subnets if any(map(subnet.overlaps, UNUSABLE))), None):
        return [problem("carrier-unusable", where, network=bad)]
    if real := next((real for real in taken if any(map(real.overlaps, subnets))), None):
        return [problem("carrier-is-real", where, network=real)]
    return []


def _large_enough(wires: Iterable[Wire]) -> IPv4Network:
    """A block that has room for them, in whatever order, and for some more."""
    needed = 2 * sum(wire.carrier_size for wire in wires)
    length = min(20, 32 - (needed - 1).bit_length())
    return IPv4Network(("198.18.64.0" if length >= BENCHMARKS.prefixlen else "10.0.0.0", length), strict=False)
