"""Removes what a run of letters left in queues and mailboxes, and nothing else."""

import pathlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from components.part import Blueprint
from verify.machines import MachineError, Machines
from verify.maillog import Entry

PATIENCE = 5  # seconds for a mailbox that is in use: a delivery takes milliseconds
SCRIPT = (pathlib.Path(__file__).parent / "sweep_mailboxes.pl").read_text(encoding="utf-8")


def sweep_queues(machines: Machines, logs: Mapping[str, Mapping[str, Entry]], mark: str) -> None:
    """Deletes from every queue the letters whose Message-ID has `mark` in it."""
    for name, entries in logs.items():
        left = [entry.queue_id for entry in entries.values() if mark in entry.message_id and not entry.removed]
        if left:
            machines.run(name, ["postsuper", "-d", "-"], "".join(f"{queue_id}\n" for queue_id in left))


def sweep_mailboxes(plans: Mapping[str, Blueprint], machines: Machines, mark: str) -> list[str]:
    """Deletes from every mailbox the letters, and the bounces, that have `mark` in their text.

    Answers what could not be swept; that stops nothing else.
    """
    names = [name for name, plan in plans.items() if "/var/mail" in plan.part.volumes.values()]
    with ThreadPoolExecutor(max(len(names), 1)) as pool:
        said = pool.map(lambda name: _sweep_machine(machines, name, mark), names)
        return [line for lines in said for line in lines]


def _sweep_machine(machines: Machines, name: str, mark: str) -> list[str]:
    # The shell's * leaves out what begins with a dot; a lock is no mailbox.
    every = 'shopt -s nullglob; exec perl -e "$1" "$2" "$3" /var/mail/!(*.lock)'
    try:
        said = machines.run(name, ["bash", "-O", "extglob", "-c", every, "sweep", SCRIPT, mark, str(PATIENCE)])
    except MachineError as error:
        return [str(error)]
    return [f"{name}: {line}" for line in said.splitlines()]
