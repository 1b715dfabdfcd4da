"""Somebody who types at a terminal, and waits for what is to be seen on it."""

from __future__ import annotations

import fcntl
import os
import re
import select
import struct
import subprocess
import termios
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

LINES, COLUMNS = 24, 80
PROMPT = "typist> "
CONTROLS = re.compile(r"\x1b(?:\[[0-9;?]*[A-Za-z]|\][^\x07]*\x07|[=>])|\r")
CHUNK = 1 << 16


@dataclass(slots=True)
class Typist:
    """`terminal`: the master's file descriptor. `seen`: all so far, without control sequences."""

    terminal: int
    seen: str = ""
    _raw: bytes = b""
    _from: int = 0

    def type(self, line: str) -> None:
        """A line and the return key; what is waited for next comes after it."""
        self._from = len(self.seen)
        os.write(self.terminal, line.encode() + b"\r")

    def wait_for(self, words: str, seconds: float = 120) -> str:
        """What came since the last line was typed, once these words are there.

        Raises AssertionError: they do not come.
        """
        deadline = time.monotonic() + seconds
        while words not in (new := self.seen[self._from :]):
            left = max(deadline - time.monotonic(), 0)
            assert select.select([self.terminal], [], [], left)[0], f"no {words!r} in {seconds} s; seen:\n{new}"
            try:
                self._raw += os.read(self.terminal, CHUNK)
            except OSError:  # the last one who had it open has ended
                raise AssertionError(f"it ended without {words!r}; seen:\n{new}") from None
            self.seen = CONTROLS.sub("", self._raw.decode(errors="replace"))
        return new

    def run(self, line: str, prompt: str = PROMPT, seconds: float = 120) -> str:
        """Type a line, and see what it prints until the prompt is there again."""
        self.type(line)
        # The line itself is shown first, behind the prompt that was there.
        return self.wait_for(f"\n{prompt}", seconds)


@contextmanager
def typing(folder: Path, environment: Mapping[str, str]) -> Iterator[Typist]:
    """A shell in `folder` at a terminal of 80 columns."""
    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    given = {name: value for name, value in environment.items() if name not in ("COLUMNS", "LINES")}
    given |= {"PS1": PROMPT, "TERM": "xterm", "LANG": "C.UTF-8", "HISTFILE": ""}
    shell = ["setsid", "--ctty", "bash", "--norc", "--noprofile", "-i"]
    with subprocess.Popen(shell, stdin=slave, stdout=slave, stderr=slave, cwd=folder, env=given) as process:
        os.close(slave)
        try:
            typist = Typist(master)
            typist.wait_for(PROMPT)
            yield typist
        finally:
            process.kill()
            os.close(master)
