"""What a machine's kernel says on its console, kept from start to start in console.log."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from pathlib import Path

from maillab.where import Say
from maillab.where.home import Home
from maillab.where.problem import WhereError

RULE = "----"
PANIC = re.compile(r"Kernel panic - not syncing: (.*)")
PANICS = 3  # so many in one boot are no accident


def log_of(home: Home) -> Path:
    """Where qemu writes the console (`command_line`)."""
    return home.folder / "console.log"


def mark(home: Home, what: str) -> None:
    """Write into the log what happened to the machine; panics are counted from there on."""
    with log_of(home).open("a", encoding="utf-8") as log:
        log.write(f"\n{RULE} {what} {time.strftime('%Y-%m-%d %H:%M:%S %z')}\n")


def panics(home: Home) -> list[str]:
    """Why the kernel gave up, once for each time, since the last mark.

    It starts again by itself (`panic=` of kernel-parameters): seldom, an emulated one falls over its own new code.
    """
    try:
        text = log_of(home).read_text("utf-8", errors="replace")
    except FileNotFoundError:
        return []
    return [reason.strip() for reason in PANIC.findall(text.rpartition(f"\n{RULE} ")[2])]


@dataclass
class Boot:
    """A machine that boots: each panic of its kernel is reported once."""

    home: Home
    say: Say
    reported: list[str] = field(default_factory=list)

    def runs(self) -> bool:
        """Whether the machine is still there.

        Raises:
            WhereError: its kernel does nothing but give up.
        """
        self._report()
        if len(self.reported) >= PANICS:
            what = f"the kernel of the virtual machine gave up {len(self.reported)} times: {self.reported[-1]}"
            remedy = f"see {log_of(self.home)}; another vm.accelerator, or another vm.cpus, may be the way out"
            still_on = f"it is on, and goes on trying; switch it off: {self.home.maillab} vm stop"
            raise WhereError("vm-panics", what, still_on, remedy)
        return self.home.pid() is not None

    def came_up(self) -> None:
        """It is there: what it went through before is over."""
        self._report()
        mark(self.home, "its Docker engine answered")

    def _report(self) -> None:
        found = panics(self.home)
        for reason in found[len(self.reported) :]:
            self.say(f"its kernel gave up, and started again: {reason}")
        self.reported = found
