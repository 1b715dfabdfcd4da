"""A process and its terminal: Ctrl-C without tracebacks, and output that nobody may be reading any more.

`maillab down | head -1` ends `head`, and must not end `down`.
"""

from __future__ import annotations

import errno
import io
import os
import signal
import sys
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from collections.abc import Callable

READER_IS_GONE = (errno.EPIPE, errno.EIO)
"""A pipe without a reader; a terminal that was closed."""


class Lasting:
    """A text stream that fails nobody: when it can't be written any more, what is written is dropped."""

    def __init__(self, stream: TextIO | None) -> None:
        """Everything else is the stream's own; there is none (`>&-`) when its descriptor was closed."""
        self._stream: TextIO = stream or io.StringIO()
        self._writable = True

    def write(self, text: str) -> int:
        """Write, or drop it."""
        return self._try(lambda: self._stream.write(text)) or len(text)

    def flush(self) -> None:
        """Flush what was not dropped."""
        self._try(self._stream.flush)

    def _try(self, act: Any) -> Any:  # noqa: ANN401 (whatever the stream answers)
        if self._writable:
            try:
                return act()
            except (OSError, ValueError):  # gone, full, or closed: a run is not left half done because of its words
                self._writable = False
        return None

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        """`isatty`, `encoding`, `fileno` and the like."""
        return getattr(self._stream, name)


class _Outliving(Lasting):
    """A stream that leads nowhere once its reader is gone; other failures (a full disk) stay failures."""

    def _try(self, act: Any) -> Any:  # noqa: ANN401
        try:
            return act()
        except OSError as error:
            if error.errno not in READER_IS_GONE:
                raise
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())  # for what is still to be written, and for commands started later
            os.close(nowhere)
        return None


def die_quietly() -> None:
    """Ctrl-C ends the process by its signal: while modules are imported there is nothing to clear up, and to say."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # else it is ignored, which it stays
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def run_main(main: Callable[[], int]) -> int:
    """Run the program; returns its exit status. Ctrl-C raises KeyboardInterrupt in it, which here becomes a word.

    SIGTERM and SIGHUP raise SystemExit: what is to be cleared up in any case is cleared up then too.
    """
    outlive_readers()
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _leave)
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return main()
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return 128 + signal.SIGINT
    finally:
        die_quietly()  # what still runs is not waited for with a traceback


def _leave(number: int, _frame: object) -> None:
    raise SystemExit(128 + number)


def outlive_readers() -> None:
    """From now on this process, and what it starts, goes on when nobody reads its stdout or stderr any more.

    Nor does it end at a character that the reader's encoding has not (ASCII, Big5): `\\u2713` is written in its place.
    """
    streams: Any = sys
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if isinstance(stream, io.TextIOWrapper):  # there is none when the descriptor was closed
            if stream.errors == "strict":
                stream.reconfigure(errors="backslashreplace")
            setattr(streams, name, _Outliving(getattr(sys, name)))
