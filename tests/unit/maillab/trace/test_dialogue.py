"""SMTP conversations out of packets, as tcpdump writes them."""

import struct
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest

from maillab.trace import dialogue as module
from maillab.trace.dialogue import Dialogue, Said
from maillab.trace.packets import Capture, NoCaptureError, Segment

HEADER = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262_144, 276)
CLIENT, SERVER = "10.0.0.7", "10.0.0.2"


def tcp(source: int, target: int, sequence: int, data: bytes, flags: int = 16) -> bytes:
    return struct.pack(">HHIIBBHHH", source, target, sequence, 0, 5 << 4, flags, 64, 0, 0) + data


def packet(source: str, target: str, payload: bytes) -> bytes:
    """In a capture's file: with the cooked header, and that of IPv4 or IPv6."""
    ends = [ip_address(source), ip_address(target)]
    packed = b"".join(one.packed for one in ends)
    if isinstance(ends[0], IPv4Address):
        protocol, ip = 0x0800, struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(payload), 0, 0, 64, 6, 0) + packed
    else:
        assert isinstance(ends[0], IPv6Address)
        protocol, ip = 0x86DD, struct.pack(">IHBB", 6 << 28, len(payload), 6, 64) + packed
    whole = struct.pack(">HHIHBB8s", protocol, 0, 1, 1, 0, 6, bytes(8)) + ip + payload
    return struct.pack("<IIII", 1_796_000_000, 250_000, len(whole), len(whole)) + whole


class Talk:
    """A conversation, packet by packet."""

    def __init__(self, client: str = CLIENT, server: str = SERVER) -> None:
        self.client, self.server = client, server
        self.numbers = {client: 4_294_967_290, server: 5}  # the client's start again from 0 soon
        self.packets: list[bytes] = []

    def say(self, by: str, data: bytes, flags: int = 16) -> None:
        by_client = by == self.client
        ports = (40_000, 25) if by_client else (25, 40_000)
        other = self.server if by_client else self.client
        self.packets.append(packet(by, other, tcp(*ports, self.numbers[by], data, flags)))
        self.numbers[by] = (self.numbers[by] + len(data) + (flags & 2) // 2) % (1 << 32)


def whole(client: str = CLIENT, server: str = SERVER) -> Talk:
    talk = Talk(client, server)
    talk.say(client, b"", 2)
    talk.say(server, b"", 18)
    talk.say(server, b"220 mail ESMTP\r\n")
    talk.say(client, b"EHLO a\r\n")
    talk.say(server, b"250-mail\r\n250 PIPELINING\r\n")
    talk.say(client, b"MAIL FROM:<>\r\nRCPT TO:<lin@b.tw>\r\nDATA\r\n")
    talk.say(server, b"250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n354 go on\r\n")
    talk.say(client, b"Subject: x\r\n\r\nRSET\r\n")
    talk.say(client, b".\r")
    talk.say(client, b"\nQUIT\r\n")
    talk.say(server, b"250 2.0.0 Ok: queued as BCDF\r\n221 Bye\r\n")
    return talk


def segments(*packets: bytes) -> list[Segment]:
    return list(Capture().feed(HEADER + b"".join(packets)))


def said(*packets: bytes) -> list[Said]:
    dialogue = Dialogue()
    return [one for segment in segments(*packets) for one in dialogue.take(segment)]


def texts(found: list[Said]) -> list[str]:
    return [f"{'>' if one.by_client else '<'} {one.text if one.size is None else one.size}" for one in found]


WHOLE = [
    "< 220 mail ESMTP", "> EHLO a", "< 250-mail", "< 250 PIPELINING", "> MAIL FROM:<>", "> RCPT TO:<lin@b.tw>",
    "> DATA", "< 250 2.1.0 Ok", "< 250 2.1.5 Ok", "< 354 go on", "> 20", "> QUIT",
    "< 250 2.0.0 Ok: queued as BCDF", "< 221 Bye",
]  # fmt: skip


@pytest.mark.parametrize(("client", "server"), [(CLIENT, SERVER), ("2001:db8::7", "2001:db8::2")])
def test_conversation(client: str, server: str) -> None:
    found = said(*whole(client, server).packets)
    assert texts(found) == WHOLE
    assert {(one.client, one.server) for one in found} == {(client, server)}
    assert found[0].when.isoformat() == "2026-11-30T00:53:20.250000+00:00"


def test_stream_in_pieces() -> None:
    stream, capture, dialogue = HEADER + b"".join(whole().packets), Capture(), Dialogue()
    pieces = [stream[place : place + 7] for place in range(0, len(stream), 7)]
    found = [one for piece in pieces for segment in capture.feed(piece) for one in dialogue.take(segment)]
    assert texts(found) == WHOLE


def test_segment_that_is_sent_again_is_said_once() -> None:
    packets = whole().packets
    assert texts(said(*(one for each in packets for one in (each, each)))) == WHOLE


def test_what_a_capture_has_missed_is_left_out() -> None:
    packets = whole().packets
    assert "> EHLO a" not in texts(said(*packets[:3], *packets[4:]))
    assert texts(said(*packets[:3], *packets[4:]))[-1] == "< 221 Bye"


def test_capture_that_began_later() -> None:
    assert texts(said(*whole().packets[3:])) == WHOLE[1:]


@pytest.mark.parametrize(("body", "size"), [(b".\r\n", 0), (b"a\r\n.\r\n", 3), (b"..\r\n.\r\n", 4)])
def test_size_of_the_message(body: bytes, size: int) -> None:
    talk = Talk()
    talk.say(SERVER, b"354 go on\r\n")
    for byte in body:
        talk.say(CLIENT, bytes([byte]))
    assert texts(said(*talk.packets)) == ["< 354 go on", f"> {size}"]


def test_chunks_are_not_lines() -> None:
    talk = Talk()
    talk.say(CLIENT, b"BDAT 8 LAST\r\nRSET\r\n\r\nQUIT\r\n")
    assert texts(said(*talk.packets)) == ["> BDAT 8 LAST", "> QUIT"]


def test_other_ports_are_not_smtp() -> None:
    assert said(packet(CLIENT, SERVER, tcp(40_000, 110, 1, b"USER lin\r\n"))) == []


@pytest.mark.parametrize(
    "made", [b"", b"\x45", packet(CLIENT, SERVER, b"")[16:], packet(CLIENT, SERVER, b"\0" * 13)[16:]]
)
def test_packet_that_somebody_made_by_hand(made: bytes) -> None:
    wrong = struct.pack("<IIII", 1, 2, len(made), len(made)) + made
    assert texts(said(wrong, *whole().packets)) == WHOLE


@pytest.mark.parametrize("stream", [b"\0" * 24, HEADER[:20] + b"\x01\0\0\0", HEADER + b"\xff" * 16])
def test_what_is_no_capture(stream: bytes) -> None:
    with pytest.raises(NoCaptureError):
        list(Capture().feed(stream))


def test_line_without_an_end_is_not_kept() -> None:
    talk, dialogue = Talk(), Dialogue()
    for _ in range(100):
        talk.say(CLIENT, b"x" * 1000)
    for segment in segments(*talk.packets):
        assert all(len(one.text) <= module.LONGEST for one in dialogue.take(segment))
    (connection,) = dialogue._connections.values()
    assert len(connection.client.rest) <= module.LONGEST


def test_remembers_no_more_connections_than_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEPT", 3)
    dialogue = Dialogue()
    for port in range(10):
        for segment in segments(packet(CLIENT, SERVER, tcp(port, 25, 1, b"NOOP\r\n"))):
            assert len(list(dialogue.take(segment))) == 1
    assert len(dialogue._connections) == 3
