"""What `up` shows at its end: how the machines are, and what to try on them."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

from rich.console import Console

from maillab.cli.machines import a_user_of, next_steps, plan_now, small_scanners
from maillab.cli.stack import Stack
from maillab.cli.status import LabStatus, status_of
from maillab.cli.status_table import show
from maillab.cli.text import text

BOOT = 60  # seconds for a machine that boots; most take one
PAUSE = 0.5


def show_first_screen(stack: Stack) -> LabStatus:
    """The status with the commands to try next, on the standard output; answers what it showed.

    A machine that was started may boot still: it is waited for.
    """
    console = Console()
    with ThreadPoolExecutor(1) as pool:  # the configuration is read while the machines are asked
        reading = pool.submit(plan_now, stack)
        status, deadline = status_of(stack), time.monotonic() + BOOT
        while status.unready and time.monotonic() < deadline:
            time.sleep(PAUSE)
            status = status_of(stack)
        plan = reading.result()
    show(status, console)
    if scanners := small_scanners(plan):
        console.print(text("small-signatures", names=", ".join(scanners)), highlight=False, soft_wrap=True)
    console.print(f"\n{text('try-next')}")
    for line, meaning in next_steps(stack.name, [one.row for one in status.machines], somebody=a_user_of(plan)):
        console.print(f"  {line}", style="bold", highlight=False, soft_wrap=True)
        console.print(f"      {meaning}", highlight=False, soft_wrap=True)
    return status
