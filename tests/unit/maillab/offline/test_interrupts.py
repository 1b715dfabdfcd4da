"""A signal is heard whatever the main thread waits for: Python runs its handlers there alone."""

import io
import signal
import threading
from collections.abc import Iterator

import pytest

from maillab.offline import stopping
from maillab.offline.display import Display
from maillab.offline.interrupts import interrupts


class Heard(Display):
    """Tells the test what it says."""

    def __init__(self) -> None:
        super().__init__(out=io.StringIO())
        self.cancelling, self.stopping = threading.Event(), threading.Event()

    def say(self, text: str = "") -> None:
        if "cancelling" in text:
            self.cancelling.set()
        if "stopping" in text:
            self.stopping.set()


@pytest.fixture(autouse=True)
def _allowed() -> Iterator[None]:
    yield
    stopping.allow()


def interrupt_another_thread() -> None:
    """As the kernel may choose, and as good as a signal that comes before the main thread waits: nothing wakes it."""
    thread = threading.Thread(target=lambda: signal.pthread_kill(threading.get_ident(), signal.SIGINT))
    thread.start()
    thread.join()


def test_signals_are_heard_while_the_main_thread_waits() -> None:
    display = Heard()
    blocked = threading.Lock()
    blocked.acquire()

    def interrupt_twice() -> None:
        interrupt_another_thread()
        display.cancelling.wait(10)
        interrupt_another_thread()
        display.stopping.wait(10)
        blocked.release()

    with interrupts(display):
        threading.Thread(target=interrupt_twice).start()
        # A signal of another thread does not interrupt a wait for a lock.
        assert blocked.acquire(timeout=30)
        assert display.cancelled
        assert display.aborted
        assert display.stopping.is_set()


def test_handlers_and_the_wakeup_are_as_before_afterwards() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    with interrupts(Heard()):
        assert signal.getsignal(signal.SIGINT) is not before[0]
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)] == before
    assert signal.set_wakeup_fd(-1) == -1
