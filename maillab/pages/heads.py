"""The heads of HTTP's requests and answers (RFC 9112), between a browser's address for a page and the lab's.

A connection carries one request: only the first bytes each way are looked at, and all others pass as they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

END = b"\r\n\r\n"
DEFAULT_PORTS = {"http": 80, "https": 443}
# What is about one connection alone: the lab's server and the browser have two.
OF_A_CONNECTION = (b"connection", b"keep-alive", b"proxy-connection", b"upgrade")
# `Expect` would have an answer before the answer.
NOT_FOR_THE_SERVER = (*OF_A_CONNECTION, b"expect")
# The browser's address is no place of HTTPS.
# 127.0.0.1 is other programs' as well: no page is to clear what they keep, or to stay in charge of the port.
NOT_FOR_THE_BROWSER = (
    *OF_A_CONNECTION, b"strict-transport-security", b"alt-svc", b"clear-site-data", b"service-worker-allowed"
)  # fmt: skip
NAMING_THE_PAGE = (b"origin", b"referer")
LEADING_ON = (b"location", b"content-location")
# A cookie with one of these is not taken from http://127.0.0.1 (`Secure`: by some browsers).
NOT_OF_A_COOKIE = (b"secure", b"domain")


@dataclass(frozen=True, slots=True, kw_only=True)
class Heads:
    """Between the page `url` and the `port` of 127.0.0.1 where a browser asks for it."""

    url: SplitResult
    port: int

    @classmethod
    def of(cls, url: str, port: int) -> Heads:
        """For the page `url` in the lab."""
        return cls(url=urlsplit(url), port=port)

    @property
    def hosts(self) -> tuple[bytes, ...]:
        """What a browser may call this place. Any other name is a web page's that leads here (DNS rebinding)."""
        names = [f"{name}:{self.port}".encode() for name in ("127.0.0.1", "localhost")]
        return (*names, b"127.0.0.1", b"localhost") if self.port == DEFAULT_PORTS["http"] else tuple(names)

    def host(self, head: bytes) -> bytes:
        """The place that the request names, in lower case; empty: none, or several."""
        named = [value.lower() for name, value in _fields(head) if name == b"host"]
        return named[0] if len(named) == 1 else b""

    @staticmethod
    def is_for_a_worker(head: bytes) -> bool:
        """Is the program of a service worker wanted? It would go on answering for whatever has this port later."""
        return any(name == b"service-worker" for name, _ in _fields(head))

    def request(self, head: bytes) -> bytes:
        """The request as the lab's server is to have it."""
        here, there = b"http://" + self.host(head), self._origin()
        lines = [head.split(b"\r\n", 1)[0], b"Host: " + self.url.netloc.encode(), b"Connection: close"]
        for name, value in _fields(head):
            if name == b"host" or name in NOT_FOR_THE_SERVER:
                continue
            lines.append(name + b": " + (_moved(value, here, there) if name in NAMING_THE_PAGE else value))
        return b"\r\n".join(lines) + END

    def answer(self, head: bytes, host: bytes) -> bytes:
        """The answer to a request for `host` as the browser is to have it."""
        lines = [head.split(b"\r\n", 1)[0], b"Connection: close"]
        for name, value in _fields(head):
            if name not in NOT_FOR_THE_BROWSER:
                lines.append(name + b": " + self._told(name, value, b"http://" + host))
        return b"\r\n".join(lines) + END

    def _told(self, name: bytes, value: bytes, here: bytes) -> bytes:
        """A field's value for the browser."""
        if name in LEADING_ON:
            moved = (_moved(value, origin, here) for origin in self._origins())
            return next((one for one in moved if one != value), value)
        if name == b"set-cookie":
            return b";".join(part for part in value.split(b";") if _attribute(part) not in NOT_OF_A_COOKIE)
        return value

    def _origin(self) -> bytes:
        return f"{self.url.scheme}://{self.url.netloc}".encode()

    def _origins(self) -> Iterator[bytes]:
        """How the server may name itself: with the port or without, and as what is not HTTPS."""
        yield self._origin()
        for scheme, port in DEFAULT_PORTS.items():
            yield from (f"{scheme}://{self.url.hostname}{end}".encode() for end in (f":{port}", ""))


def _fields(head: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The fields' names, in lower case, with their values."""
    for line in head.removesuffix(END).split(b"\r\n")[1:]:
        name, colon, value = line.partition(b":")
        if colon:
            yield name.strip().lower(), value.strip()


def _moved(value: bytes, before: bytes, after: bytes) -> bytes:
    """The URL or origin `value` with another origin, if it begins with `before`."""
    rest = value.removeprefix(before)
    return after + rest if rest != value and (not rest or rest[:1] in b"/?#") else value


def _attribute(part: bytes) -> bytes:
    return part.partition(b"=")[0].strip().lower()
