"""`maillab trace --logins`: who has logged in to send or to fetch, and who could not, by the machines' mail logs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from rich.console import Console
from rich.text import Text

from maillab.cli.docker import RUNNING, host_environment
from maillab.cli.engine import environment
from maillab.cli.machines import of_stack
from maillab.cli.problem import failed
from maillab.cli.stack import Stack
from maillab.cli.text import text
from maillab.cli.trace import READ_MAIL
from maillab.cli.trace_text import event_text
from maillab.cli.trace_tree import event_json
from maillab.cli.wrapped import wrapped
from maillab.trace.events import Event, Kind
from maillab.trace.live import Live
from maillab.trace.machines import Machines

LOGINS = (Kind.LOGGED_IN, Kind.AUTHENTICATED, Kind.NOT_AUTHENTICATED)
NEWEST = 20  # logins that are shown without a number
TIME = "%m-%d %H:%M:%S"


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """Somebody's login to a machine, or his wrong password there."""

    machine: str
    event: Event

    @property
    def when(self) -> datetime:
        """When it was."""
        return self.event.when


def show_logins(stack: Stack, number: int, *, as_json: bool) -> None:
    """The last `number` logins, the latest at the end, on the standard output. Raises MaillabError: there is no lab."""
    rows = of_stack(stack)
    machines = Machines(prefix="", environment=host_environment(environment()))
    names = {row.container: row.name for row in rows if row.state == RUNNING}
    logs = {names[container]: words for container, words in machines.ask(dict.fromkeys(names, READ_MAIL)).items()
            if words is not None}  # fmt: skip
    if not logs:
        raise failed("no-log", stack=stack.name)
    owners = {address: row.name for row in rows for address in (*row.ipv4.split(), *row.ipv6.split())}
    found = logins(logs, owners)[-number:]
    if as_json:
        rows_ = [{"machine": one.machine} | event_json(one.event) for one in found]
        print(json.dumps({"logins": rows_}, indent=1, ensure_ascii=False))
        return
    console = Console(highlight=False, emoji=False)
    width = max((len(one.machine) for one in found), default=0)
    for one in found:
        style = "yellow" if one.event.kind is Kind.NOT_AUTHENTICATED else ""
        head = f"{one.when.strftime(TIME)}  {one.machine:{width}}  "
        for line in wrapped(head + event_text(one.event), console.width, hanging=len(head)):
            console.print(Text(line, style=style), soft_wrap=True)
    if not found:
        print(text("trace-no-logins"))


def logins(logs: Mapping[str, str], owners: Mapping[str, str]) -> list[Login]:
    """Those in the mail logs (by machine), in their order; `owners`: address to machine."""
    found = []
    for machine, words in logs.items():
        live = Live(owners=owners)
        heard = (one for line in words.splitlines() for one in live.take(machine, line))
        found += [Login(machine=machine, event=one.event) for one in heard if one.event.kind in LOGINS]
    return sorted(found, key=lambda login: login.when)
