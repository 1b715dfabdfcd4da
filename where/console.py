"""What a machine's kernel says on its console, kept from start to start in console.log."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

from where.home import Home
from where.problem import WhereError

MARK = "---- switched on"
PANIC = re.compile(r"Kernel panic - not syncing: (.*)")
PANICS = 3  # so many at one start are no accident
Say = Callable[[str], object]


def log_of(home: Home) -> Path:
    """Where qemu writes the console (`command_line`)."""
    return home.folder / "console.log"


def switched_on(home: Home) -> None:
    """Begin a new start in the log."""
    with log_of(home).open("a", encoding="utf-8") as log:
        log.write(f"\n{MARK} {time.strftime('%Y-%m-%d %H:%M:%S %z')}\n")


def panics(home: Home) -> list[str]:
    """Why the kernel gave up, once for each time, since the machine was switched on.

    It starts again by itself (`panic=` of kernel-parameters): seldom, an emulated one falls over its own new code.
    """
    try:
        text = log_of(home).read_text("utf-8", errors="replace")
    except FileNotFoundError:
        return []
    return [reason.strip() for reason in PANIC.findall(text.rpartition(MARK)[2])]


def watch(home: Home, say: Say) -> Callable[[], bool]:
    """Answers a question to ask while the machine boots: does it run? Each panic of its kernel is said once.

    Raises:
        WhereError: the question does, when the kernel does nothing but give up.
    """
    told = 0

    def runs() -> bool:
        nonlocal told
        found = panics(home)
        for reason in found[told:]:
            say(f"its kernel gave up and starts again: {reason}")
        told = len(found)
        if told >= PANICS:
            what = f"the kernel of the virtual machine gave up {told} times: {found[-1]}"
            remedy = f"see {log_of(home)}; another vm.accelerator, or another vm.cpus, may be the way out"
            raise WhereError("vm-panics", what, remedy)
        return home.pid() is not None

    return runs
