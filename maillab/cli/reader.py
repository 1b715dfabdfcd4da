"""Who reads the standard output: `maillab trace --follow | head`, `maillab capture mail | wireshark -k -i -`."""

from __future__ import annotations

import os
import select
import sys
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """The reader of this process' standard output; `file`: what that was at the start."""

    file: tuple[int, int] | None

    @classmethod
    def of_stdout(cls) -> Reader:
        """As it is now."""
        return cls(file=_identity())

    def has_gone(self) -> bool:
        """Does nobody read any more? What is written then is dropped (maillab/offline/terminal.py)."""
        if self.file is None:
            return False
        if _identity() != self.file:
            return True
        waiting = select.poll()
        waiting.register(sys.stdout.fileno(), 0)
        return any(what & (select.POLLERR | select.POLLHUP) for _, what in waiting.poll(0))


def _identity() -> tuple[int, int] | None:
    try:
        found = os.fstat(sys.stdout.fileno())
    except (OSError, ValueError):  # none of the system's files
        return None
    return found.st_dev, found.st_ino
