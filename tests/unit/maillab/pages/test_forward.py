"""The forwarder with a command in the place of `docker exec`: inside.py itself to a server here, or what fails."""

import asyncio
import contextlib
import pathlib
import sys
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from maillab.pages import forward, inside
from maillab.pages.forward import Forwarder, PortError

PYTHON = [sys.executable, "-ISc"]
INSIDE = pathlib.Path(inside.__file__).read_text(encoding="utf-8")
# Says on stdout that it runs, and when its stdin has ended.
STUBBORN = "import os, sys, time; open(sys.argv[1], 'a').write(f'{os.getpid()}\\n'); time.sleep(1000)"
OK = b"HTTP/1.1 200 OK\r\n\r\n"


@dataclass
class Running:
    """A forwarder that runs, and what it complained of."""

    port: int
    over: asyncio.Event
    serving: "asyncio.Task[None]"
    complaints: list[str] = field(default_factory=list)

    async def connect(self) -> tuple[StreamReader, StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def ask(self, path: str = "/", body: bytes = b"", host: str = "") -> bytes:
        reader, writer = await self.connect()
        length = f"Content-Length: {len(body)}\r\n" if body else ""
        head = f"POST {path} HTTP/1.1\r\nHost: {host or f'127.0.0.1:{self.port}'}\r\n{length}\r\n"
        writer.write(head.encode() + body)
        try:
            return await reader.read()
        finally:
            writer.close()


@contextlib.asynccontextmanager
async def forwarding(command: list[str], url: str = "http://page.example/") -> AsyncIterator[Running]:
    """Until the block ends."""
    complaints: list[str] = []
    port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    over = asyncio.Event()
    forwarder = Forwarder(url=url, command=command, complain=complaints.append)
    serving = asyncio.create_task(forwarder.serve(0, port.set_result, over))
    try:
        yield Running(port=await port, over=over, serving=serving, complaints=complaints)
    finally:
        over.set()
        await serving


Handler = Callable[[StreamReader, StreamWriter], Awaitable[None]]


@contextlib.asynccontextmanager
async def page(handler: Handler) -> AsyncIterator[Running]:
    """A forwarder to a server that does `handler`."""
    server = await asyncio.start_server(handler, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, forwarding([*PYTHON, INSIDE, "127.0.0.1", str(port), "http"]) as running:
        yield running


async def echo(reader: StreamReader, writer: StreamWriter) -> None:
    """Answers with the request, which says its length."""
    head = await reader.readuntil(b"\r\n\r\n")
    lengths = [line.split(b":")[1] for line in head.split(b"\r\n") if line.startswith(b"content-length:")]
    body = await reader.readexactly(int(lengths[0])) if lengths else b""
    writer.write(OK + head + body)
    writer.close()


def test_request_and_answer() -> None:
    async def go() -> None:
        async with page(echo) as running:
            answer = await running.ask("/a?b", b"\0\xff body")
            assert answer.startswith(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nPOST /a?b HTTP/1.1\r\n")
            assert b"\r\nHost: page.example\r\n" in answer
            assert answer.endswith(b"\r\n\r\n\0\xff body")

    asyncio.run(go())


def test_many_connections_at_once() -> None:
    """More than run at once, each with its own answer."""

    async def go() -> None:
        async with page(echo) as running:
            bodies = [bytes([number]) * 70_000 for number in range(forward.AT_ONCE * 2)]
            answers = await asyncio.gather(*(running.ask(body=body) for body in bodies))
            assert [answer[-70_000:] for answer in answers] == bodies

    asyncio.run(go())


def test_large_answer_comes_whole() -> None:
    large = bytes(range(256)) * 20_000

    async def answer(reader: StreamReader, writer: StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK + large)
        writer.close()

    async def go() -> None:
        async with page(answer) as running:
            assert (await running.ask()).partition(b"\r\n\r\n")[2] == large

    asyncio.run(go())


def test_half_closed_connection_has_its_answer() -> None:
    """Of a client that says no more after its request."""
    may_answer = asyncio.Event()

    async def answer(reader: StreamReader, writer: StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await may_answer.wait()
        writer.write(OK + b"all of it")
        writer.close()

    async def go() -> None:
        async with page(answer) as running:
            reader, writer = await running.connect()
            writer.write(f"GET / HTTP/1.1\r\nHost: localhost:{running.port}\r\n\r\n".encode())
            writer.write_eof()
            may_answer.set()
            assert (await reader.read()).endswith(b"all of it")
            writer.close()

    asyncio.run(go())


def test_browser_that_goes_away_ends_the_command() -> None:
    """In the middle of an answer."""
    gone = asyncio.Event()

    async def endless(_reader: StreamReader, writer: StreamWriter) -> None:
        writer.write(OK)
        with contextlib.suppress(ConnectionError):
            while True:
                writer.write(b"x" * 65_536)
                await writer.drain()
        gone.set()

    async def go() -> None:
        async with page(endless) as running:
            reader, writer = await running.connect()
            writer.write(f"GET / HTTP/1.1\r\nHost: localhost:{running.port}\r\n\r\n".encode())
            await reader.readexactly(100_000)
            writer.transport.abort()
            await asyncio.wait_for(gone.wait(), 60)

    asyncio.run(go())


def test_command_that_fails_is_said_to_browser_and_person() -> None:
    async def go() -> None:
        fails = [*PYTHON, "import sys; sys.exit('Error: no such container')"]
        async with forwarding(fails) as running:
            answer = await running.ask()
            assert answer.startswith(b"HTTP/1.1 502 ")
            assert answer.endswith(b"maillab: Error: no such container\n")
            assert running.complaints == ["Error: no such container"]

    asyncio.run(go())


def test_command_that_is_killed_takes_only_its_own_connection_along() -> None:
    async def go() -> None:
        dies = "import os, signal, sys; sys.stdin.buffer.readline(); os.kill(os.getpid(), signal.SIGKILL)"
        async with forwarding([*PYTHON, dies]) as running:
            answers = [await running.ask(), await running.ask()]
            assert [answer.split(b" ")[1] for answer in answers] == [b"502", b"502"]

    asyncio.run(go())


def test_server_that_is_not_there(unused_port: int) -> None:
    async def go() -> None:
        async with forwarding([*PYTHON, INSIDE, "127.0.0.1", str(unused_port), "http"]) as running:
            assert b"Connection refused" in await running.ask()

    asyncio.run(go())


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1:1"])
def test_page_of_somebody_else_is_not_served(host: str, tmp_path: pathlib.Path) -> None:
    async def go() -> None:
        started = tmp_path / "started"
        async with forwarding([*PYTHON, STUBBORN, str(started)]) as running:
            assert (await running.ask(host=host)).startswith(b"HTTP/1.1 421 ")
            assert not started.exists()

    asyncio.run(go())


def test_what_is_no_http_is_refused() -> None:
    async def go() -> None:
        async with page(echo) as running:
            reader, writer = await running.connect()
            writer.write(b"hello")
            writer.write_eof()
            assert (await reader.read()).startswith(b"HTTP/1.1 400 ")
            writer.close()

    asyncio.run(go())


def test_endless_head_reaches_no_server(tmp_path: pathlib.Path) -> None:
    async def go() -> None:
        started = tmp_path / "started"
        async with forwarding([*PYTHON, STUBBORN, str(started)]) as running:
            with contextlib.suppress(ConnectionResetError):  # what was not read is thrown away
                assert (await running.ask("/" + "x" * 200_000)).startswith(b"HTTP/1.1 400 ")
            assert not started.exists()

    asyncio.run(go())


def test_no_command_is_left_at_the_end(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also of those that do not end by themselves."""
    monkeypatch.setattr(forward, "LAST_WORDS", 0.1)

    async def go() -> None:
        started = tmp_path / "started"
        async with forwarding([*PYTHON, STUBBORN, str(started)]) as running:
            asked = [asyncio.create_task(running.ask()) for _ in range(3)]
            while not started.exists() or started.read_text().count("\n") < 3:
                await asyncio.sleep(0.01)
            running.over.set()
            await running.serving
            await asyncio.gather(*asked, return_exceptions=True)
        numbers = started.read_text().split()
        assert (len(numbers), [one for one in numbers if pathlib.Path("/proc", one).exists()]) == (3, [])

    asyncio.run(go())


def test_port_that_is_taken() -> None:
    async def go() -> None:
        async with page(echo) as running:
            forwarder = Forwarder(url="http://page.example/", command=[], complain=print)
            with pytest.raises(PortError) as raised:
                await forwarder.serve(running.port, print, asyncio.Event())
            assert raised.value.taken

    asyncio.run(go())


@pytest.fixture
def unused_port() -> int:
    """Where nobody listens: somebody listened there a moment ago."""

    async def go() -> int:
        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        async with server:
            port: int = server.sockets[0].getsockname()[1]
        return port

    return asyncio.run(go())


def test_connections_that_ask_nothing_keep_nobody_from_asking() -> None:
    async def go() -> None:
        async with page(echo) as running:
            silent = [await running.connect() for _ in range(forward.AT_ONCE + 1)]
            assert (await asyncio.wait_for(running.ask(), 30)).startswith(b"HTTP/1.1 200 ")
            for _, writer in silent:
                writer.close()

    asyncio.run(go())
