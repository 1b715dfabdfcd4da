"""A command as a process: it is fed, all that it writes is read until its end, and no wait for it is endless."""

from __future__ import annotations

import codecs
import io
import os
import selectors
import signal
import subprocess
import time
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Literal, Protocol

from maillab.offline.stopping import STOPPED, StoppedError
from maillab.offline.values import OfflineError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

Stream = Literal["stdout", "stderr"]


class Log(Protocol):
    """Takes a line that a process wrote."""

    def __call__(self, line: str, stream: Stream = "stdout", /) -> None:
        """`stream`: where it wrote the line."""


LOOK = 0.2
"""Seconds after which a silent process is looked at again."""
LIMIT = 3 * 3600
"""Seconds for one command; the longest one makes the disk of an emulated machine."""
GRACE = 10
"""Seconds for a stopped command to clear up, before it is killed."""
LINGER = 5
"""Seconds for its last words, when it has ended and something in the background holds its streams."""
CHUNK = 65536


class Process:
    """A running command in a session of its own: Ctrl-C is for the engine, which lets a step come to its end."""

    def __init__(
        self, words: Sequence[str], *, folder: str | None, environment: Mapping[str, str], limit: float | None = None
    ) -> None:
        """Start it; after `limit` seconds (LIMIT without one) it is stopped. Raises OSError."""
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            words, cwd=folder, env=environment, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True, bufsize=0
        )
        self._limit = limit or LIMIT
        self._started = time.monotonic()
        self._stopped_at: float | None = None
        self._ended_at: float | None = None
        self._why: OfflineError | None = None

    def stop(self) -> None:
        """Ask it, and what it started, to end."""
        self._end(StoppedError(STOPPED))

    def kill(self) -> None:
        """End it, and what it started, at once."""
        self._signal(signal.SIGKILL)

    def communicate(self, stdin: str, take: Callable[[Stream, str], None]) -> int:
        """Feed it, hand over its lines as they come, wait for its end; returns its exit status.

        Raises StoppedError when it was stopped, whatever its status then is, and OfflineError after its limit.
        """
        with self._process:  # closes what is still open
            self._pump(stdin.encode("utf-8", "surrogateescape"), take)
            while self._process.poll() is None:
                with suppress(subprocess.TimeoutExpired):
                    self._process.wait(LOOK)
                self._enforce_limits()
        if self._why:
            raise self._why
        return self._process.returncode

    def _pump(self, stdin: bytes, take: Callable[[Stream, str], None]) -> None:
        process, left = self._process, memoryview(stdin)
        assert process.stdin  # they are pipes, all three
        assert process.stdout
        assert process.stderr
        lines = {process.stdout: _Lines("stdout", take), process.stderr: _Lines("stderr", take)}
        with selectors.DefaultSelector() as selector:
            for stream in lines:
                selector.register(stream, selectors.EVENT_READ)
            os.set_blocking(process.stdin.fileno(), False)
            selector.register(process.stdin, selectors.EVENT_WRITE)
            while selector.get_map() and not self._lingers():
                for key, _ in selector.select(LOOK):
                    if key.fileobj is process.stdin:
                        left = _feed(process.stdin, left)
                        done = not left
                    else:
                        chunk = os.read(key.fd, CHUNK)
                        lines[key.fileobj].feed(chunk)  # type: ignore[index]
                        done = not chunk
                    if done:
                        selector.unregister(key.fileobj)
                        key.fileobj.close()  # type: ignore[union-attr]
                self._enforce_limits()
        for rest in lines.values():
            rest.end()

    def _lingers(self) -> bool:
        """Whether it ended long ago, and others only hold its streams."""
        if self._process.poll() is not None and self._ended_at is None:
            self._ended_at = time.monotonic()
        return self._ended_at is not None and time.monotonic() > self._ended_at + LINGER

    def _enforce_limits(self) -> None:
        now = time.monotonic()
        if self._stopped_at is None and now > self._started + self._limit:
            self._end(OfflineError(f"no end after {duration(self._limit)}: it was stopped"))
        if self._stopped_at is not None and now > self._stopped_at + GRACE:
            self._signal(signal.SIGKILL)

    def _end(self, why: OfflineError) -> None:
        if self._stopped_at is None:
            self._why, self._stopped_at = why, time.monotonic()
        self._signal(signal.SIGTERM)

    def _signal(self, number: int) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)


def duration(seconds: float) -> str:
    """The time in the largest unit that it has at least one of."""
    unit, name = next(((unit, name) for unit, name in ((3600, "h"), (60, "min")) if seconds >= unit), (1, "s"))
    return f"{seconds / unit:g} {name}"


class _Lines:
    """The bytes of one stream as whole lines of text."""

    def __init__(self, stream: Stream, take: Callable[[Stream, str], None]) -> None:
        self._stream = stream
        self._take = take
        self._decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder("utf-8")("replace"), translate=True)
        self._begun = ""

    def feed(self, chunk: bytes, *, final: bool = False) -> None:
        *whole, self._begun = (self._begun + self._decoder.decode(chunk, final=final)).split("\n")
        for line in whole:
            self._take(self._stream, f"{line}\n")

    def end(self) -> None:
        self.feed(b"", final=True)
        if self._begun:
            self._take(self._stream, self._begun)
            self._begun = ""


def _feed(stdin: IO[bytes], left: memoryview) -> memoryview:
    """Write what fits; answers what is left, nothing when nobody reads: that is the command's own affair."""
    try:
        return left[os.write(stdin.fileno(), left[:CHUNK]) :]
    except BlockingIOError:
        return left
    except BrokenPipeError:
        return left[len(left) :]
