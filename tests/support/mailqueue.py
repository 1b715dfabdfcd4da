"""Mail queues, as postqueue(1) shows them."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from driver.machine import Machine, wait_until

# Of Postfix, or of Sendmail in the same form.
LIST = "postqueue -j 2>/dev/null || /usr/lib/maillab/sendmail-queue list"


@dataclass(frozen=True, slots=True, kw_only=True)
class Queued:
    """A message in a queue: `queue` is active, deferred, hold, incoming or maildrop; a reason for each recipient."""

    queue_id: str
    queue: str
    sender: str
    recipients: tuple[str, ...]
    reasons: tuple[str, ...]


def mail_queue(machine: Machine) -> list[Queued]:
    """Everything in a machine's queue."""
    entries = [json.loads(line) for line in machine.succeed(LIST).splitlines()]
    return [
        Queued(
            queue_id=entry["queue_id"],
            queue=entry["queue_name"],
            sender=entry["sender"],
            recipients=tuple(recipient["address"] for recipient in entry["recipients"]),
            reasons=tuple(recipient.get("delay_reason", "") for recipient in entry["recipients"]),
        )
        for entry in entries
    ]


def queued(machine: Machine, queue_id: str) -> Queued | None:
    """The queue's entry with this id, None when it is not there (any more)."""
    return next((entry for entry in mail_queue(machine) if entry.queue_id == queue_id), None)


def wait_until_gone(machines: Iterable[Machine], *recipients: str, timeout: float = 60) -> None:
    """Until no queue has a message for one of them: from then on no further copy can arrive.

    `machines`: all on the way, first hop first, since a message leaves a queue only for one further on.
    """
    for machine in machines:

        def gone(machine: Machine = machine) -> bool:
            return all(set(entry.recipients).isdisjoint(recipients) for entry in mail_queue(machine))

        wait_until(f"no message for {', '.join(recipients)} in the queue of {machine.name}", gone, timeout)


def wait_for_queue(machine: Machine, queue_id: str, queue: str, timeout: float = 30) -> Queued:
    """The entry, once it is in this queue."""

    def look() -> Queued | None:
        entry = queued(machine, queue_id)
        return entry if entry and entry.queue == queue else None

    return wait_until(f"{queue_id} in the {queue} queue of {machine.name}", look, timeout)
