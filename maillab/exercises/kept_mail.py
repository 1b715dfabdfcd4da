"""The mail on a lab's machines, kept when an exercise begins, and put back when it ends."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from maillab.trace.machines import Machines

_PROGRAMS = Path(__file__).parent / "programs"
KEEP = (_PROGRAMS / "keep-mail").read_text(encoding="utf-8")
PUT_BACK = (_PROGRAMS / "put-back-mail").read_text(encoding="utf-8")


def keep(machines: Machines, name: str) -> str:
    """A machine's queue ids (a line), then its mailboxes, queue, quarantine and what its filter learnt (base64 of tar).

    Raises MachineError.
    """
    return machines.run(name, ["sh", "-s"], KEEP)


def put_back(machines: Machines, kept: Mapping[str, str]) -> None:
    """Each machine's mail as it was kept; messages that came since then are gone, also those that just move.

    First the queues of all machines: what one of them still sends another must be there before mailboxes are put back.

    Raises:
        MachineError: a machine can't be asked; the others' mail has been put back, or their queues only.
    """
    if not kept:
        return
    with ThreadPoolExecutor(len(kept)) as pool:

        def run(part: str, words: Mapping[str, str]) -> None:
            command = ["bash", "-c", PUT_BACK, "put-back-mail", part]
            list(pool.map(lambda name: machines.run(name, command, words[name]), words))

        run("queue", {name: words[: words.index("\n") + 1] for name, words in kept.items()})
        run("all", kept)
