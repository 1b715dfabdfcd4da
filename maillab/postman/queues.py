"""The mail servers' queues, as postqueue(1) lists them, or what has the same form."""

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from components.log import Log
from components.part import MailService
from maillab.trace.machines import MachineError, Machines

STATES = ("active", "incoming", "maildrop", "deferred", "hold")
MOST = 8 * 1024 * 1024  # bytes of a list: some twenty thousand messages
LIST = f'set -o pipefail; "$@" | {{ head -c {MOST}; cat >/dev/null; }}'


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A recipient who has not got his copy, and why not (empty: it was not tried, or is on hold)."""

    address: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Queued:
    """A message in a machine's queue; `state` is one of STATES. An empty sender is a bounce's. `log`: its program."""

    machine: str
    queue_id: str
    state: str
    arrived: datetime
    size: int
    sender: str
    recipients: tuple[Waiting, ...]
    log: Log = Log.POSTFIX


def queues(machines: Machines, servers: Mapping[str, MailService]) -> tuple[dict[str, list[Queued]], dict[str, str]]:
    """Machine to what is in its queue, oldest first; and the machines that could not be asked, with the reason."""
    names = list(servers)

    def look(name: str) -> list[Queued] | MachineError:
        try:
            printed = machines.run(name, ["bash", "-c", LIST, "list", *servers[name].waiting])
        except MachineError as error:
            return error
        found = (replace(one, log=servers[name].log) for one in read_queue(name, printed))
        return sorted(found, key=lambda one: (one.arrived, one.queue_id))

    with ThreadPoolExecutor(max(len(names), 1)) as pool:
        found = dict(zip(names, pool.map(look, names), strict=True))
    failures = {name: str(one) for name, one in found.items() if isinstance(one, MachineError)}
    return {name: one for name, one in found.items() if not isinstance(one, MachineError)}, failures


def read_queue(machine: str, printed: str) -> Iterator[Queued]:
    """What `postqueue -j` printed; a line that is cut off, or none of its own, is left out."""
    for line in printed.splitlines():
        try:
            yield _queued(machine, json.loads(line))
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, OSError):
            continue


def _queued(machine: str, said: Mapping[str, object]) -> Queued:
    recipients = said["recipients"]
    if not isinstance(recipients, list):
        raise TypeError("no list of recipients")
    return Queued(
        machine=machine,
        queue_id=str(said["queue_id"]),
        state=str(said["queue_name"]),
        arrived=datetime.fromtimestamp(int(str(said["arrival_time"])), UTC),
        size=int(str(said["message_size"])),
        sender=str(said["sender"]),
        recipients=tuple(
            Waiting(address=str(one["address"]), reason=str(one.get("delay_reason", ""))) for one in recipients
        ),
    )
