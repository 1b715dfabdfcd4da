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
    heeded = [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    orders: SimpleQueue[int] = SimpleQueue()
    heard, told = os.pipe()
    os.set_blocking(told, False)
    threads = [
        threading.Thread(target=_listen, args=(heard, orders, display), daemon=True),
        threading.Thread(target=_obey, args=(orders, display), daemon=True),
    ]
    for thread in threads:
        thread.start()
    # In this order, and back in the other one: no signal comes to the handler alone.
    other = signal.set_wakeup_fd(told, warn_on_full_buffer=False)
    before = {number: signal.signal(number, _wake) for number in heeded}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(other)
        os.close(told)
        for thread in threads:
            thread.join(LAST_WORDS)


def _wake(_number: int, _frame: object) -> None:
    """Nothing: the interpreter has written the signal's number for `_listen`.

    A handler runs in the main thread, when that runs Python code again. A signal that comes just before the thread
    waits for the program's loop would be heard at the loop's next event only, which may never come.
    """


def _listen(heard: int, orders: SimpleQueue[int], display: Display) -> None:
    """Counts the signals. It waits for nothing else: `_obey` says and stops things, which takes locks."""
    presses = 0
    with open(heard, "rb", buffering=0) as signals:
        while number := signals.read(1):
            if number[0] not in SIGNALS:  # the program may have handlers of its own
                continue
            presses = max(presses, CANCEL) if number[0] == signal.SIGHUP else presses + 1
            if presses > STOP:
                display.leave()
                stopping.kill_all()
                os._exit(128 + number[0])
            display.cancelled, display.aborted = True, presses == STOP
            orders.put(presses)
    orders.put(0)


def _obey(orders: SimpleQueue[int], display: Display) -> None:
    obeyed = 0
    while order := orders.get():
        if order == obeyed:
            continue
        obeyed = order
        if order == STOP:
            stopping.stop_all()
        display.say(WORDS[order])
