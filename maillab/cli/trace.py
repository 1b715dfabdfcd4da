"""`maillab trace`: which messages, and all machines' logs, read side by side."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from maillab.cli.docker import RUNNING, host_environment
from maillab.cli.engine import environment
from maillab.cli.machines import MachineRow, of_stack
from maillab.cli.problem import MaillabError, failed
from maillab.cli.stack import Stack
from maillab.cli.text import text
from maillab.cli.trace_tree import journey_json, show
from maillab.trace.found import Messages
from maillab.trace.journey import Journey
from maillab.trace.lines import MachineLog, read_lines
from maillab.trace.machines import MachineError, Machines
from maillab.trace.maillog import LOG
from maillab.trace.questions import LOG as QUESTIONS
from maillab.trace.questions import QuestionLog, read_questions

NEWEST = 8 << 20  # bytes of each log that are read, the newest ones: some thousand messages
# The mail log and a name server's log, each with what was moved away last; then the name server's clock. A machine has
# one of them or none.
BETWEEN = "== answers and questions =="
READ = (
    "sh",
    "-c",
    f"cat {LOG}.1 {LOG} 2>/dev/null | tail -c {NEWEST}; echo; echo '{BETWEEN}'; date +%z;"
    f" cat {QUESTIONS}.0 {QUESTIONS} 2>/dev/null | tail -c {NEWEST}",
)
READ_MAIL = ("sh", "-c", f"cat {LOG}.1 {LOG} 2>/dev/null | tail -c {NEWEST}")
NAMED = 5  # messages that there are, where the wanted one is not


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which messages: by their name (Message-ID or queue id), or the last `number` of all, or of those `to` somebody.

    `number` None: all of them; without `to`, one.
    """

    name: str | None = None
    to: str | None = None
    number: int | None = None

    def find(self, messages: Messages) -> list[Journey]:
        """Those that the logs have, the latest at the end."""
        if self.name is not None:
            return messages.named(self.name)
        if self.to is not None:
            return messages.to(self.to, self.number)
        return messages.last(self.number or 1)

    def __str__(self) -> str:
        return self.name or self.to or ""


def trace(stack: Stack, wanted: Wanted, *, as_json: bool, html: Path | None = None) -> None:
    """Show the messages on the standard output; with `html` write a page about them there instead.

    Raises:
        MaillabError: there is no lab, or no such message.
    """
    messages, unread = read_logs(stack)
    if unread:
        print(text("trace-unread", names=", ".join(unread)), file=sys.stderr)
    journeys = wanted.find(messages)
    if not journeys:
        raise not_found(wanted, messages)
    if html is not None:
        write_page(html, stack, journeys, unread)
    elif as_json:
        found = [journey_json(journey) for journey in journeys]
        print(json.dumps({"messages": found, "unread": unread}, indent=1, ensure_ascii=False))
    else:
        show(journeys, Console())


def write_page(path: Path, stack: Stack, journeys: Sequence[Journey], unread: Sequence[str]) -> None:
    """Write the page about the messages. Raises MaillabError: it can't be, or the stack's file has problems."""
    from maillab.cli.configuration import stack_plan  # noqa: PLC0415
    from maillab.cli.graph import write  # noqa: PLC0415
    from maillab.cli.trace_page import page_of  # noqa: PLC0415

    write(path, page_of(stack_plan(stack), journeys, unread))


def read_logs(stack: Stack) -> tuple[Messages, list[str]]:
    """What the machines' logs have, and the machines whose log could not be read.

    Raises:
        MaillabError: there is no lab, or none of its machines could be asked.
    """
    rows = of_stack(stack)
    machines = Machines(prefix="", environment=host_environment(environment()))
    with ThreadPoolExecutor(len(rows)) as pool:
        running = [row for row in rows if row.state == RUNNING]
        found = dict(zip(running, pool.map(lambda row: _logs(machines, row), running), strict=True))
    logs = {row.name: both[0] for row, both in found.items() if both}
    questions = [both[1] for both in found.values() if both and both[1].lines]
    if not logs:
        raise failed("no-log", stack=stack.name)
    owners = {address: row.name for row in rows for address in (*row.ipv4.split(), *row.ipv6.split())}
    return Messages(logs=logs, owners=owners, questions=questions), [row.name for row in rows if row.name not in logs]


def _logs(machines: Machines, row: MachineRow) -> tuple[MachineLog, QuestionLog] | None:
    """Read where others are still waited for."""
    try:
        mail, _, questions = machines.run(row.container, READ).partition(f"\n{BETWEEN}\n")
    except MachineError:
        return None
    return read_lines(mail), read_questions(row.name, questions)


def not_found(wanted: Wanted, messages: Messages) -> MaillabError:
    """The error that names what is there instead."""
    there = messages.last(NAMED)
    if not there:
        return failed("not-traced.empty")
    return failed("not-traced.other", wanted=wanted, messages="\n".join(map(_line, there)))


def _line(journey: Journey) -> str:
    to: Sequence[str] = journey.recipients
    return f"{journey.message_id or journey.roots[0].queue_id}  {journey.sender or '<>'} → {', '.join(to)}"
