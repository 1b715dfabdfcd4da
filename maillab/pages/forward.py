"""A page of the lab on 127.0.0.1: each of a browser's connections goes on through a `docker exec` of its own."""

from __future__ import annotations

import asyncio
import errno
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from maillab.pages.heads import END, Heads

ADDRESS = "127.0.0.1"  # nobody else's computer comes here
CHUNK = 1 << 16
AT_ONCE = 16  # connections; a browser makes six
LAST_WORDS = 2  # seconds for the end of a command, and for what it still says
ANSWERS = {400: "Bad Request", 403: "Forbidden", 421: "Misdirected Request", 502: "Bad Gateway"}


class PortError(Exception):
    """Nothing can listen on the port: the words say why; `taken`: somebody does already."""

    def __init__(self, error: OSError) -> None:
        super().__init__(error.strerror or str(error))
        self.taken = error.errno == errno.EADDRINUSE


@dataclass(frozen=True, slots=True, kw_only=True)
class Forwarder:
    """`command` takes what it reads to the page's server, and prints the answer (maillab/pages/inside.py).

    `complain`: is given what a command says that could not.
    """

    url: str
    command: Sequence[str]
    complain: Callable[[str], None]
    environment: Mapping[str, str] | None = None

    async def serve(self, port: int, ready: Callable[[int], None], over: asyncio.Event) -> None:
        """Until it is `over`; `ready` is given the port (0: a free one). No command runs afterwards.

        Raises:
            PortError
        """
        open_ones: set[asyncio.Task[None]] = set()
        at_once = asyncio.Semaphore(AT_ONCE)

        async def connection(reader: StreamReader, writer: StreamWriter) -> None:
            task = asyncio.current_task()
            assert task
            open_ones.add(task)
            try:
                await self._pass(reader, writer, at_once)
            except (ConnectionError, asyncio.CancelledError):  # the browser has gone, or it is over
                pass
            finally:
                open_ones.discard(task)
                writer.close()

        try:
            server = await asyncio.start_server(connection, ADDRESS, port, limit=CHUNK)
        except OSError as error:
            raise PortError(error) from error
        ready(server.sockets[0].getsockname()[1])
        try:
            await over.wait()
        finally:
            server.close()
            for task in open_ones:
                task.cancel()
            await asyncio.gather(*open_ones, return_exceptions=True)

    async def _pass(self, browser: StreamReader, back: StreamWriter, at_once: asyncio.Semaphore) -> None:
        """One request, and its answer. Who asks nothing keeps nobody from asking."""
        heads = Heads.of(self.url, back.get_extra_info("sockname")[1])
        try:
            head = await browser.readuntil(END)
        except asyncio.IncompleteReadError as error:
            return await _say(back, 400, "that is no request of HTTP") if error.partial else None
        except asyncio.LimitOverrunError:
            return await _say(back, 400, "the request's head is too long")
        host = heads.host(head)
        if host not in heads.hosts:
            return await _say(back, 421, f"this is http://{ADDRESS}:{heads.port}, and nobody else")
        if heads.is_for_a_worker(head):
            return await _say(back, 403, "a page of the lab gets no service worker here")
        async with at_once, self._running() as process:
            assert process.stdin
            assert process.stdout
            process.stdin.write(heads.request(head))
            sending = asyncio.create_task(_copy(browser, process.stdin))
            try:
                answer = await process.stdout.readuntil(END)
                back.write(heads.answer(answer, host))
                await _copy(process.stdout, back)
            except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                words = await _last_words(process) or "the connection was closed without an answer"
                self.complain(words)
                await _say(back, 502, words)
            finally:
                sending.cancel()
                await asyncio.gather(sending, return_exceptions=True)
        return None

    @asynccontextmanager
    async def _running(self) -> AsyncIterator[asyncio.subprocess.Process]:
        """The command; it ends with the block. Its stdin ends when it does: what it runs inside the lab sees that.

        A browser's half-closed connection is no end: the answer is still to come.
        """
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            *self.command,
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
            env=self.environment,
            limit=CHUNK,
            start_new_session=True,  # Ctrl-C is for this process
        )
        try:
            yield process
        finally:
            assert process.stdin
            process.stdin.close()
            try:  # it is read to its end: what waits for a reader does not end
                await asyncio.wait_for(process.communicate(), LAST_WORDS)
            except (TimeoutError, asyncio.CancelledError):
                with suppress(ProcessLookupError):
                    process.kill()
                await process.communicate()


async def _copy(source: StreamReader, target: StreamWriter) -> None:
    """All that comes; the target stays open."""
    while chunk := await source.read(CHUNK):
        target.write(chunk)
        await target.drain()


async def _last_words(process: asyncio.subprocess.Process) -> str:
    assert process.stderr
    with suppress(TimeoutError):
        return (await asyncio.wait_for(process.stderr.read(), LAST_WORDS)).decode(errors="replace").strip()
    return ""


async def _say(back: StreamWriter, code: int, words: str) -> None:
    """An answer of the forwarder's own."""
    body = f"maillab: {words}\n".encode()
    head = (
        f"HTTP/1.1 {code} {ANSWERS[code]}\r\nContent-Type: text/plain; charset=utf-8\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    back.write(head.encode() + body)
    await back.drain()
