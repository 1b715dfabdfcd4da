"""The table of machines: what the program says of them, and what Docker says."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from cli.docker import Container, containers
from cli.problem import MaillabError
from cli.stack import Stack
from where import maillab

if TYPE_CHECKING:
    from components.config import LabConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineRow:
    """One line of the table; `container` is the Docker name, `state` is Docker's word, or `missing`."""

    name: str
    container: str
    ipv4: str
    ipv6: str
    state: str
    role: str


def rows(outputs: Mapping[str, object], found: Iterable[Container]) -> list[MachineRow]:
    """The machines of the output `machines` by their addresses, each with the state of its container."""
    machines = outputs.get("machines")
    by_name = {container.name: container for container in found}
    if not isinstance(machines, Mapping):
        return []
    # Sorted here: what passes through an engine comes back in any order.
    return sorted(
        (_row(str(name), said, by_name) for name, said in machines.items() if isinstance(said, Mapping)),
        key=lambda row: ([int(part) if part.isdigit() else 0 for part in re.split(r"\D+", row.ipv4)], row.name),
    )


def _row(name: str, said: Mapping[str, object], found: Mapping[str, Container]) -> MachineRow:
    container = str(said.get("container", name))
    seen = found.get(container)
    return MachineRow(
        name=name,
        container=container,
        ipv4=_lines(said.get("ipv4")),
        ipv6=_lines(said.get("ipv6")),
        state=seen.state if seen else "missing",
        role=str(said.get("role", "")),
    )


def _lines(addresses: object) -> str:
    """One address, or several below each other (the router's, the outside's)."""
    return "\n".join(map(str, addresses)) if isinstance(addresses, list) else str(addresses or "")


def of_stack(stack: Stack) -> list[MachineRow]:
    """The stack's machines. Raises MaillabError when there is no lab."""
    outputs = stack.outputs()
    if not outputs.get("machines"):  # before Docker is asked: without a lab there may be no engine either
        raise MaillabError(f"there is no lab {stack.name}", "`make up` makes it")
    return rows(outputs, containers(stack.label))


def has_drift(stack: Stack) -> bool:
    """Does a machine not run that the last `up` left running? A plain `up`, as Pulumi's, would not look."""
    outputs = stack.outputs()
    if not outputs.get("machines"):
        return False
    return any(row.state != "running" for row in rows(outputs, containers(stack.label)))


def find(stack: Stack, name: str) -> MachineRow:
    """The machine `name`. Raises MaillabError, naming those that there are."""
    machines = of_stack(stack)
    for row in machines:
        if name in (row.name, row.container):
            return row
    raise MaillabError(
        f"there is no machine {name} in lab {stack.name}", f"one of: {', '.join(r.name for r in machines)}"
    )


def table(machines: Iterable[MachineRow]) -> Table:
    """For the terminal: green what runs, red what does not."""
    shown = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for title in ("machine", "IPv4", "IPv6", "state", "what it does"):
        shown.add_column(title, no_wrap=title != "what it does")
    for row in machines:
        colour = "green" if row.state == "running" else "red"
        shown.add_row(row.name, row.ipv4, row.ipv6, f"[{colour}]{row.state}[/]", row.role)
    return shown


def next_steps(
    stack: str, machines: Iterable[MachineRow], *, here: bool = True, somebody: str = ""
) -> list[tuple[str, str]]:
    """Three commands to try, each with what it shows; only of machines, and to a user, that there are.

    `here`: the docker command itself works on the lab's engine. `somebody`: the address of a user.
    """
    by_name = {row.name: row for row in machines}
    call = "bin/maillab" if stack == "dc1es" else maillab(stack)
    steps = []
    inside = by_name.get("mail") or by_name.get("dns")
    if inside:
        steps.append((f"{call} shell {inside.name}", "a shell on the mail server: postqueue -p, less /etc/aliases"))
    outside = by_name.get("outside")
    if outside and somebody:
        go_in = f"docker exec {outside.container}" if here else f"{call} shell {outside.name}"
        line = f"{go_in} {SWAKS.format(source=outside.ipv4.split()[0], somebody=somebody)}"
        steps.append((line, "a message from outside, along the MX records"))
    steps.append((f"{call} preview --diff", "after an edit of Pulumi.*.yaml: what `make up` would change"))
    return steps


# The machine has the addresses of many hosts: without one of them the system would choose.
SWAKS = "swaks --li {source} --from friend@example.com --to {somebody}"


def a_user_of(stack: Stack) -> str:
    """The address of somebody with a mailbox, as the stack's file says now; empty when it names nobody."""
    from cli.configuration import configuration  # noqa: PLC0415 (only this line needs the program)

    try:
        return somebody_of(configuration(stack))
    except MaillabError:  # it is being edited
        return ""


def somebody_of(lab: LabConfig) -> str:
    """The first user of a server that takes its school's mail; empty when there is none."""
    from components.config import Role  # noqa: PLC0415
    from components.mail.model import destinations  # noqa: PLC0415

    for school in lab.schools:
        for machine in school.with_role(Role.MAIL):
            mail, name = machine.mail, machine.fqdn(school.domain)
            if mail and mail.users and school.domain.lower() in destinations(mail, name, school.domain):
                return f"{mail.users[0].name}@{school.domain}"
    return ""


def show(stack: Stack, console: Console) -> None:
    """The table, and the commands to try next."""
    machines = of_stack(stack)
    console.print(table(machines))
    console.print("\nTry next:")
    here = stack.setting("where") in ("", "local")
    for line, meaning in next_steps(stack.name, machines, here=here, somebody=a_user_of(stack)):
        console.print(f"  {line}", style="bold", highlight=False, soft_wrap=True)
        console.print(f"      {meaning}", highlight=False, soft_wrap=True)
