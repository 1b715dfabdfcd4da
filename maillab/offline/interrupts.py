"""What signals mean while a run changes something: nothing is left half done without its being known."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import contextmanager
from queue import SimpleQueue
from typing import TYPE_CHECKING

from maillab.offline import stopping

if TYPE_CHECKING:
    from collections.abc import Iterator

    from maillab.offline.display import Display

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
CANCEL, STOP = 1, 2
LAST_WORDS = 10  # seconds for what is still to be said: on a busy computer the stopped run ends before
WORDS = {
    CANCEL: "\ncancelling: what is running comes to its end first (Ctrl-C again stops it)",
    STOP: "stopping what is running (Ctrl-C again ends everything at once)",
}


@contextmanager
def interrupts(display: Display) -> Iterator[None]:
    """Ctrl-C: begin nothing new; a second one stops running commands and builds; a third ends the process.

    A terminal that is closed (SIGHUP, maybe twice) only cancels. What is ignored (nohup) stays so.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    stopping.allow()
    presses = 0
    orders: SimpleQueue[int] = SimpleQueue()  # to say or to stop something takes locks, which a handler must not

    def on_signal(number: int, _frame: object) -> None:
        nonlocal presses
        presses = max(presses, CANCEL) if number == signal.SIGHUP else presses + 1
        if presses > STOP:
            display.leave()
            stopping.kill_all()
            os._exit(128 + number)
        display.cancelled, display.aborted = True, presses == STOP
        orders.put(presses)

    watcher = threading.Thread(target=_obey, args=(orders, display), daemon=True)
    watcher.start()
    heeded = [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, on_signal) for number in heeded}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        orders.put(0)
        watcher.join(LAST_WORDS)


def _obey(orders: SimpleQueue[int], display: Display) -> None:
    obeyed = 0
    while order := orders.get():
        if order == obeyed:
            continue
        obeyed = order
        if order == STOP:
            stopping.stop_all()
        display.say(WORDS[order])
