"""The SMTP conversations in captured segments, line by line (RFC 5321); a message's text is one line: its size."""

import re
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from maillab.trace.packets import Segment

SMTP = 25
KEPT = 1000  # connections
LONGEST = 2000  # bytes of a line
BDAT = re.compile(rb"BDAT (\d{1,9})\b", re.IGNORECASE)  # RFC 3030
AHEAD = 1 << 31


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A line: `client` and `server` are addresses. `text` is what was said; `size`: of a message's text, without it."""

    when: datetime
    client: str
    server: str
    by_client: bool
    text: str = ""
    size: int | None = None


@dataclass(slots=True, kw_only=True)
class _Side:
    """One direction: the next byte's number (None: nothing has come), and the beginning of a line."""

    following: int | None = None
    rest: bytes = b""

    def take(self, segment: Segment) -> None:
        """What is new of it; what a capture has missed is left out."""
        start = segment.sequence + segment.starts
        if self.following is None or segment.starts:
            self.following, self.rest = start % (1 << 32), b""
        known = (self.following - start) % (1 << 32)
        if known >= AHEAD:  # a gap
            known, self.following = 0, start
        if known < len(segment.data):
            self.rest += segment.data[known:]
            self.following = (start + len(segment.data)) % (1 << 32)


@dataclass(slots=True, kw_only=True)
class _Connection:
    client: _Side = field(default_factory=_Side)
    server: _Side = field(default_factory=_Side)
    in_text: bool = False
    size: int = 0  # of the text so far
    chunk: int = 0  # bytes of BDAT that are still to come


@dataclass(slots=True, kw_only=True)
class Dialogue:
    """The conversations of one machine's server, as they come."""

    _connections: OrderedDict[tuple[str, int], _Connection] = field(default_factory=OrderedDict)

    def take(self, segment: Segment) -> Iterator[Said]:
        """What is said with it."""
        by_client = segment.target[1] == SMTP
        client, server = (segment.source, segment.target) if by_client else (segment.target, segment.source)
        if server[1] != SMTP:
            return
        if by_client and segment.starts:
            self._connections[client] = _Connection()
        connection = self._connections.setdefault(client, _Connection())
        self._connections.move_to_end(client)
        while len(self._connections) > KEPT:
            self._connections.popitem(last=False)
        side = connection.client if by_client else connection.server
        side.take(segment)
        for text, size in _of_client(connection) if by_client else _of_server(connection):
            words = text[:LONGEST].decode(errors="replace").rstrip("\r")
            yield Said(
                when=segment.when, client=client[0], server=server[0], by_client=by_client, text=words, size=size
            )


def _lines(side: _Side) -> Iterator[bytes]:
    while b"\n" in side.rest:
        line, _, side.rest = side.rest.partition(b"\n")
        yield line
    if len(side.rest) > LONGEST:
        yield side.rest
        side.rest = b""


def _of_server(connection: _Connection) -> Iterator[tuple[bytes, int | None]]:
    for line in _lines(connection.server):
        if line.startswith(b"354"):
            connection.in_text, connection.size = True, 0
        yield line, None


def _of_client(connection: _Connection) -> Iterator[tuple[bytes, int | None]]:
    side = connection.client
    while side.rest:
        if connection.chunk:
            taken = min(connection.chunk, len(side.rest))
            connection.chunk, side.rest = connection.chunk - taken, side.rest[taken:]
        elif connection.in_text:
            if (size := _text(connection)) is None:
                return
            yield b"", size
        else:
            line, end, rest = side.rest.partition(b"\n")
            if not end and len(line) <= LONGEST:
                return
            side.rest = rest
            if match := BDAT.match(line):
                connection.chunk = int(match[1])
            yield line, None


def _text(connection: _Connection) -> int | None:
    """Drop what has come of the message's text; its size when it has ended."""
    side = connection.client
    whole = b"\r\n" + side.rest if connection.size == 0 else side.rest  # an empty text is its end alone
    before, end, after = whole.partition(b"\r\n.\r\n")
    extra = len(whole) - len(side.rest)
    if not end:
        kept = side.rest[-4:]
        connection.size += len(side.rest) - len(kept)
        side.rest = kept
        return None
    connection.in_text, side.rest = False, after
    return connection.size + max(len(before) + 2 - extra, 0)
