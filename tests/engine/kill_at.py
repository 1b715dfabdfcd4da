"""Runs the offline engine in a process of its own and kills it hard at one of its writes of the state.

The processes are forked from one that has the libraries loaded already: tests/engine/test_kill.py needs a hundred.
"""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from driver.forked import FORKED

if TYPE_CHECKING:
    from pathlib import Path

Moment = Literal["before", "after"]
LIMIT = 120  # seconds for one run


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a run ended: `code` as subprocess gives it (negative: by that signal), `words` are all it printed."""

    code: int
    words: str

    @property
    def killed(self) -> bool:
        return self.code == -signal.SIGKILL


def run_until(number: int, moment: Moment, arguments: list[str], log: Path) -> Ended:
    """Runs the engine with these arguments, killed `before` or `after` the `number`-th write of its state."""
    log.write_text("", "utf-8")
    process = FORKED.Process(target=_run, args=(number, moment, arguments, log))
    process.start()
    try:
        process.join(LIMIT)
        code = process.exitcode
    finally:
        process.kill()  # one that has ended takes it in peace
        process.join()
    if code is None:
        raise TimeoutError(f"a run that was to end at write {number} runs after {LIMIT} s:\n{log.read_text('utf-8')}")
    return Ended(code=code, words=log.read_text("utf-8"))


def _run(number: int, moment: Moment, arguments: list[str], log: Path) -> None:
    file = os.open(log, os.O_WRONLY)
    os.dup2(file, 1)
    os.dup2(file, 2)
    import maillab.offline.deployment  # noqa: PLC0415 (see FORKED)
    import maillab.offline.state  # noqa: PLC0415
    from maillab.offline.__main__ import main  # noqa: PLC0415

    write = maillab.offline.state.write_atomically
    count = 0

    def counted(path: Path, text: str) -> None:
        nonlocal count
        count += 1
        if count == number and moment == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        write(path, text)
        if count == number:
            os.kill(os.getpid(), signal.SIGKILL)

    maillab.offline.state.write_atomically = counted
    # These runs find everything whole, or in the way for good: nothing is gained by waiting for it.
    maillab.offline.deployment.SETTLE_SECONDS = 1
    sys.exit(main(arguments))
