"""`maillab queue`: what waits on the mail servers, and the command for what to do about it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime

from rich.console import Console
from rich.text import Text

from components.log import Log
from maillab.cli.configuration import stack_plan
from maillab.cli.docker import RUNNING, host_environment
from maillab.cli.engine import environment
from maillab.cli.machines import call_of, of_stack
from maillab.cli.problem import failed
from maillab.cli.send import explained
from maillab.cli.stack import Stack
from maillab.cli.status_table import QUEUES
from maillab.cli.text import printable, text
from maillab.cli.wrapped import Line, padded, print_lines, widths
from maillab.postman.problem import PostError
from maillab.postman.queues import Queued, queues
from maillab.postman.way import server_of, servers_of
from maillab.trace.machines import Machines

COLUMNS = ("column-machine", "in-queue-column-id", "column-state", "in-queue-column-age", "in-queue-column-size")
SHOWN = 50  # messages of one machine; a stuffed queue has thousands
NAMED = 5  # recipients of one message
STYLES = {"hold": "yellow", "deferred": "yellow", "active": "green"}
MINUTE, HOUR, DAY = 60, 3600, 86400


def show_queues(stack: Stack, machine: str | None, *, as_json: bool) -> None:
    """Show all servers' queues, or one's, on the standard output.

    Raises:
        MaillabError: there is no lab, no such machine, or nobody could be asked.
    """
    plan = stack_plan(stack)
    try:
        names = [server_of(plan, machine)] if machine else servers_of(plan)
    except PostError as error:
        raise explained(stack, error) from error
    states = {row.name: row.state for row in of_stack(stack)}
    running = [name for name in names if states.get(name) == RUNNING]
    machines = Machines(prefix=plan.config.prefix, environment=host_environment(environment()))
    services = {name: service for name in running if (service := plan.machines[name].part.mail)}
    found, silent = queues(machines, services)
    silent |= {name: states.get(name, "missing") for name in names if name not in running}
    if not found:
        name, why = next(iter(silent.items()))
        raise failed("no-queue", name=name, why=why)
    if as_json:
        print(json.dumps(queues_json(stack, found, silent), indent=1, ensure_ascii=False))
        return
    show(stack, found, silent, Console(emoji=False, highlight=False), datetime.now().astimezone())


def show(
    stack: Stack, found: Mapping[str, list[Queued]], silent: Mapping[str, str], console: Console, now: datetime
) -> None:
    """The table, and what to do next."""
    for name, why in silent.items():
        print_lines([Line(text("in-queue-unread", name=name, why=why), style="bold red")], console)
    waiting = [one for messages in found.values() for one in messages]
    if not waiting:
        print_lines([Line(text("in-queue-empty", names=", ".join(found)))], console)
        return
    _show_table(found, console, now)
    print_lines([Line(), Line(text("in-queue-next"), style="bold")], console)
    for (name, state), steps in next_steps(stack, found).items():
        number = sum(one.state == state for one in found[name])
        print_lines([Line(text("in-queue-of", name=name, state=state, number=number), indent=2)], console)
        for what, command in steps:
            # A whole line, which a terminal breaks by itself: a command can be copied.
            console.print(Text(f"    {what}{command}"), soft_wrap=True)


def _show_table(found: Mapping[str, list[Queued]], console: Console, now: datetime) -> None:
    shown = [one for messages in found.values() for one in messages[:SHOWN]]
    rows = [tuple(map(printable, _cells(one, now))) for one in shown]
    head = tuple(text(key) for key in COLUMNS)
    room = widths([head, *rows])
    console.print(Text("  ".join(padded(head, room)).rstrip(), style="bold"), soft_wrap=True)
    for one, row in zip(shown, rows, strict=True):
        console.print(Text("  ".join(padded(row, room)).rstrip(), style=STYLES.get(one.state, "")), soft_wrap=True)
        print_lines(_details(one), console)
    for name, messages in found.items():
        if len(messages) > SHOWN:
            print_lines([Line(text("in-queue-more", name=name, number=len(messages) - SHOWN))], console)


def _cells(one: Queued, now: datetime) -> tuple[str, ...]:
    return one.machine, one.queue_id, one.state, age((now - one.arrived).total_seconds()), f"{one.size / 1024:,.1f} KB"


def age(seconds: float) -> str:
    """How long ago, roughly: 12 s, 5 min, 3 h, 2 d."""
    past = max(int(seconds), 0)
    if past >= DAY:
        return text("in-queue-days", number=past // DAY)
    if past >= HOUR:
        return text("in-queue-hours", number=past // HOUR)
    if past >= MINUTE:
        return text("in-queue-minutes", number=past // MINUTE)
    return text("in-queue-seconds", number=past)


def _details(one: Queued) -> Iterator[Line]:
    """Who wrote to whom; each reason once."""
    names = [recipient.address for recipient in one.recipients]
    more = [text("edits-more", number=len(names) - NAMED)] if len(names) > NAMED else []
    yield Line(f"{one.sender or '<>'} → {', '.join([*names[:NAMED], *more])}", indent=4)
    for reason in list(dict.fromkeys(recipient.reason for recipient in one.recipients if recipient.reason))[:NAMED]:
        yield Line(reason, indent=4, style="dim")


def next_steps(stack: Stack, found: Mapping[str, list[Queued]]) -> dict[tuple[str, str], list[tuple[str, str]]]:
    """(machine, state) to what a person would do, each with its command: with one message of it as an example."""
    steps: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for name, messages in found.items():
        go_in = f"{call_of(stack.name)} shell {name}"
        for state in QUEUES:
            first = next((one for one in messages if one.state == state), None)
            if first is not None:
                steps_of = _sendmail_steps if first.log is Log.SENDMAIL else _steps
                steps[name, state] = steps_of(state, go_in, printable(first.queue_id))
    return steps


def _steps(state: str, go_in: str, queue_id: str) -> list[tuple[str, str]]:
    look = (text("in-queue-read"), f"{go_in} postcat -q {queue_id}")
    delete = (text("in-queue-delete"), f"{go_in} postsuper -d {queue_id}")
    if state == "hold":
        return [look, (text("in-queue-release"), f"{go_in} postsuper -H {queue_id}"), delete]
    if state == "deferred":
        flush = (text("in-queue-flush"), f"{go_in} postqueue -f")
        return [flush, (text("in-queue-requeue"), f"{go_in} postsuper -r ALL deferred"), look, delete]
    return [(text("in-queue-again"), f"{go_in} postqueue -p")]


def _sendmail_steps(state: str, go_in: str, queue_id: str) -> list[tuple[str, str]]:
    """A message's files have its queue id in their names; those that sendmail(1) left are a folder deeper."""
    if state not in ("deferred", "hold"):
        return [(text("in-queue-again"), f"{go_in} mailq")]
    files = f"{go_in} find /var/spool/mqueue -name '?f{queue_id}'"
    flush = [(text("in-queue-flush"), f"{go_in} sendmail -q")] if state == "deferred" else []
    return [*flush, (text("in-queue-read"), f"{files} -exec cat {{}} +"), (text("in-queue-delete"), f"{files} -delete")]


def queues_json(stack: Stack, found: Mapping[str, list[Queued]], silent: Mapping[str, str]) -> Mapping[str, object]:
    """For programs."""
    return {
        "servers": [
            {"machine": name, "messages": [_queued_json(one) for one in messages]} for name, messages in found.items()
        ],
        "unread": [{"machine": name, "why": why} for name, why in silent.items()],
        "next": [
            {"machine": name, "state": state, "commands": [command for _, command in steps]}
            for (name, state), steps in next_steps(stack, found).items()
        ],
    }


def _queued_json(one: Queued) -> Mapping[str, object]:
    return {
        "queue_id": one.queue_id,
        "state": one.state,
        "arrived": one.arrived.isoformat(),
        "size": one.size,
        "sender": one.sender,
        "recipients": [{"address": who.address, "reason": who.reason or None} for who in one.recipients],
    }
