"""TCP segments out of a capture's stream (pcap(5)), with the headers of `tcpdump -i any` (LINKTYPE_LINUX_SLL2)."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

MAGIC, FILE_HEADER, PACKET_HEADER = b"\xd4\xc3\xb2\xa1", 24, 16
COOKED = 276
LARGEST = 262_144  # bytes of a packet: tcpdump's own limit
IPV4, IPV6, TCP = 0x0800, 0x86DD, 6
EPOCH = datetime.fromtimestamp(0, UTC)


class NoCaptureError(Exception):
    """The stream is none of a capture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A piece of a connection: `source` and `target` are (address, port)."""

    when: datetime
    source: tuple[str, int]
    target: tuple[str, int]
    sequence: int
    starts: bool
    ends: bool
    data: bytes


@dataclass(slots=True, kw_only=True)
class Capture:
    """A stream as it comes; `has_begun`: its header has come, nothing is missed any more."""

    has_begun: bool = False
    _rest: bytearray = field(default_factory=bytearray)

    def feed(self, chunk: bytes) -> Iterator[Segment]:
        """The segments that are whole now.

        Raises:
            NoCaptureError: it has another form.
        """
        self._rest += chunk
        if not self.has_begun and len(self._rest) >= FILE_HEADER:
            if self._rest[:4] != MAGIC or struct.unpack_from("<I", self._rest, 20)[0] != COOKED:
                raise NoCaptureError
            self.has_begun = True
            del self._rest[:FILE_HEADER]
        while self.has_begun and len(self._rest) >= PACKET_HEADER:
            seconds, micros, size = struct.unpack_from("<III", self._rest)
            if size > LARGEST:
                raise NoCaptureError
            if len(self._rest) < PACKET_HEADER + size:
                return
            packet = bytes(self._rest[PACKET_HEADER : PACKET_HEADER + size])
            del self._rest[: PACKET_HEADER + size]
            try:
                segment = _segment(packet, EPOCH + timedelta(seconds=seconds, microseconds=micros))
            except (struct.error, IndexError, ValueError):  # a packet that somebody made by hand
                continue
            if segment:
                yield segment


def _segment(packet: bytes, when: datetime) -> Segment | None:
    """RFC 791, RFC 8200 without extension headers, RFC 9293."""
    (protocol,) = struct.unpack_from(">H", packet)
    ip = packet[20:]
    if protocol == IPV4 and ip[9] == TCP:
        start, end, addresses = (ip[0] & 15) * 4, struct.unpack_from(">H", ip, 2)[0], (ip[12:16], ip[16:20])
    elif protocol == IPV6 and ip[6] == TCP:
        start, end, addresses = 40, 40 + struct.unpack_from(">H", ip, 4)[0], (ip[8:24], ip[24:40])
    else:
        return None
    tcp = ip[start:end]
    source, target, sequence = struct.unpack_from(">HHI", tcp)
    flags = tcp[13]
    return Segment(
        when=when,
        source=(str(ip_address(addresses[0])), source),
        target=(str(ip_address(addresses[1])), target),
        sequence=sequence,
        starts=bool(flags & 2),
        ends=bool(flags & 5),
        data=tcp[(tcp[12] >> 4) * 4 :],
    )
