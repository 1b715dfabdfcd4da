"""Removes what a run left in queues and mailboxes, and nothing else."""

import pathlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from components.part import Blueprint
from maillab.trace.machines import MachineError, Machines

PATIENCE = 5  # seconds for a mailbox that is in use: a delivery takes milliseconds
SCRIPT = (pathlib.Path(__file__).parent / "sweep_mailboxes.pl").read_text(encoding="utf-8")


def sweep_queues(machines: Machines, plans: Mapping[str, Blueprint], left: Mapping[str, Sequence[str]]) -> None:
    """Deletes messages from the queues; `left`: machine to queue ids."""
    for name, queue_ids in left.items():
        service = plans[name].part.mail
        assert service is not None, f"{name} has a queue and no mail server"
        machines.run(name, service.delete, "".join(f"{queue_id}\n" for queue_id in queue_ids))


def mailboxes(plans: Mapping[str, Blueprint], machines: Machines) -> dict[str, str]:
    """Machine to the names in its /var/mail, a line each; a machine that can't be asked is left out."""
    names = [name for name, plan in plans.items() if "/var/mail" in plan.part.volumes.values()]
    found = machines.ask(dict.fromkeys(names, ("ls", "/var/mail")))
    return {name: text for name, text in found.items() if text is not None}


def sweep_mailboxes(machines: Machines, before: Mapping[str, str], mark: str) -> list[str]:
    """Deletes from every mailbox the messages, and the bounces, that have `mark` in their text.

    And the empty mailboxes that were not there before (`mailboxes`): a message or a login makes one. Answers what could
    not be swept; that stops nothing else.
    """
    with ThreadPoolExecutor(max(len(before), 1)) as pool:
        printed = pool.map(lambda name: _sweep_machine(machines, name, before[name], mark), before)
        return [line for lines in printed for line in lines]


def _sweep_machine(machines: Machines, name: str, before: str, mark: str) -> list[str]:
    # The shell's * leaves out what begins with a dot; a lock is no mailbox.
    every = 'shopt -s nullglob; exec perl -e "$1" "$2" "$3" /var/mail/!(*.lock)'
    command = ["bash", "-O", "extglob", "-c", every, "sweep", SCRIPT, mark, str(PATIENCE)]
    try:
        printed = machines.run(name, command, before)
    except MachineError as error:
        return [str(error)]
    return [f"{name}: {line}" for line in printed.splitlines()]
