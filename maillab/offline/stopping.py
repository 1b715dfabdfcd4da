"""What can be stopped before its end: who presses Ctrl-C twice does not want to wait for what runs."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol, TypeVar

from maillab.offline.values import OfflineError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

STOPPED = "stopped by Ctrl-C before its end"


class StoppedError(OfflineError):
    """Something was ended early: how far it came is not known, as after a killed run."""


class Stoppable(Protocol):
    """Something that runs; both return at once and never fail."""

    def stop(self) -> None:
        """Have it end early."""

    def kill(self) -> None:
        """Have it end now: this process ends too. Takes no lock."""


Kind = TypeVar("Kind", bound=Stoppable)
_lock = threading.Lock()
_running: set[Stoppable] = set()
_stopped = False


@contextmanager
def stoppable(start: Callable[[], Kind]) -> Iterator[Kind]:
    """Start something, and know of it while it runs. Raises StoppedError when all was stopped already.

    Both under one lock: nothing starts behind the back of `stop_all`.
    """
    with _lock:
        if _stopped:
            raise StoppedError(STOPPED)
        work = start()
        _running.add(work)
    try:
        yield work
    finally:
        with _lock:
            _running.discard(work)


def stop_all() -> None:
    """Stop all that runs, and whatever would start from now on."""
    global _stopped  # noqa: PLW0603 (Ctrl-C is for the process)
    with _lock:
        _stopped = True
        for work in _running:
            work.stop()


def kill_all() -> None:
    """End all that runs at once, without the lock."""
    for work in tuple(_running):
        work.kill()


def allow() -> None:
    """A new run begins: things may start again."""
    global _stopped  # noqa: PLW0603
    with _lock:
        _stopped = False
