"""The mail on a lab's machines, kept when an exercise begins, and put back when it ends."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from maillab.trace.machines import MachineError, Machines

_PROGRAMS = Path(__file__).parent / "programs"
KEEP = (_PROGRAMS / "keep-mail").read_text(encoding="utf-8")
HOLD = (_PROGRAMS / "hold-mail").read_text(encoding="utf-8")
PUT_BACK = (_PROGRAMS / "put-back-mail").read_text(encoding="utf-8")


def keep(machines: Machines, name: str) -> str:
    """A machine's queue ids (a line), then its mailboxes, queue, quarantine and what its filter learnt (base64 of tar).

    Raises MachineError.
    """
    return machines.run(name, ["sh", "-s"], KEEP)


def put_back(machines: Machines, kept: Mapping[str, str]) -> None:
    """Each machine's mail as it was kept; messages that came since then are gone, those under way included.

    Mail stands still on all machines before the first mailbox is put back: what one of them sends another would come
    after that.

    Raises:
        MachineError: of the first machine that failed, when the others' mail has been put back.
    """
    failed = []

    def run(name: str, program: str, words: str = "") -> None:
        try:
            machines.run(name, ["bash", "-c", program], words)
        except MachineError as error:
            failed.append(error)

    with ThreadPoolExecutor(len(kept) or 1) as pool:
        try:
            list(pool.map(lambda name: run(name, HOLD), kept))
        finally:  # no Ctrl-C leaves them without a mail server
            list(pool.map(lambda name: run(name, PUT_BACK, kept[name]), kept))
    if failed:
        raise failed[0]
