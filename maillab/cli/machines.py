"""The machines: what the program says of them, and what Docker says; what to try on them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Console

from maillab.cli.docker import RUNNING, Container, containers
from maillab.cli.problem import MaillabError, failed, suggesting
from maillab.cli.stack import DEFAULT_STACK, Stack
from maillab.cli.text import text
from maillab.where import maillab

if TYPE_CHECKING:
    from components.config.lab import LabConfig
    from components.plan import Plan
    from maillab.cli.diagnosis import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineRow:
    """A machine; `container` is the Docker name, `state` is Docker's word, or `missing`.

    `school`: empty for the Internet's machines; `networks`: those that Docker must have it in (unknown: none).
    """

    name: str
    container: str
    ipv4: str
    ipv6: str
    state: str
    role: str
    school: str = ""
    networks: tuple[str, ...] = ()


def rows(outputs: Mapping[str, object], found: Iterable[Container]) -> list[MachineRow]:
    """The machines of the output `machines`, each with the state of its container: the schools', then the Internet's.

    Within these by their addresses.
    """
    machines = outputs.get("machines")
    by_name = {container.name: container for container in found}
    if not isinstance(machines, Mapping):
        return []
    # Sorted here: what passes through an engine comes back in any order.
    return sorted(
        (_row(str(name), said, by_name) for name, said in machines.items() if isinstance(said, Mapping)),
        key=lambda row: (
            not row.school,
            row.school,
            [int(part) if part.isdigit() else 0 for part in re.split(r"\D+", row.ipv4)],
            row.name,
        ),
    )


def _row(name: str, said: Mapping[str, object], found: Mapping[str, Container]) -> MachineRow:
    container = str(said.get("container", name))
    seen = found.get(container)
    networks = said.get("networks")
    return MachineRow(
        name=name,
        container=container,
        ipv4=_lines(said.get("ipv4")),
        ipv6=_lines(said.get("ipv6")),
        state=seen.state if seen else "missing",
        role=str(said.get("role", "")),
        school=str(said.get("school", "")),
        networks=tuple(map(str, networks)) if isinstance(networks, list) else (),
    )


def _lines(addresses: object) -> str:
    """One address, or several below each other (the router's, the outside's)."""
    return "\n".join(map(str, addresses)) if isinstance(addresses, list) else str(addresses or "")


def of_stack(stack: Stack) -> list[MachineRow]:
    """The stack's machines. Raises MaillabError when there is no lab."""
    outputs = stack.outputs()
    if not outputs.get("machines"):  # before Docker is asked: without a lab there may be no engine either
        raise failed("no-lab", stack=stack.name)
    return rows(outputs, containers(stack.label))


def standing_still(stack: Stack) -> dict[str, str]:
    """The machines that do not run, and that the last `up` left running, with their states."""
    outputs = stack.outputs()
    if not outputs.get("machines"):
        return {}
    return {row.name: row.state for row in rows(outputs, containers(stack.label)) if row.state != RUNNING}


def find(stack: Stack, name: str) -> MachineRow:
    """The machine `name`. Raises MaillabError, naming those that there are."""
    machines = of_stack(stack)
    for row in machines:
        if name in (row.name, row.container):
            return row
    known = [row.name for row in machines]
    raise suggesting(failed("no-machine", stack=stack.name, machine=name, names=", ".join(known)), name, known)


def call_of(stack: str) -> str:
    """How the command is called for the stack: the one that it means without a name needs none."""
    usual = os.environ.get("MAILLAB_STACK") or DEFAULT_STACK
    return "bin/maillab" if stack == usual else maillab(stack)


def next_steps(stack: str, machines: Iterable[MachineRow], *, somebody: str = "") -> list[tuple[str, str]]:
    """Three commands to try, each with what it shows; only of machines, and to a user (an address), that there are."""
    by_name = {row.name: row for row in machines}
    call = call_of(stack)
    steps = []
    inside = by_name.get("mail") or by_name.get("dns")
    if inside:
        steps.append((f"{call} shell {inside.name}", text("try-shell")))
    if somebody:
        steps.append((f"{call} send --to {somebody}", text("try-message")))
    steps.append((f"{call} preview --diff", text("try-preview")))
    return steps


def plan_now(stack: Stack) -> Plan | None:
    """What the stack's file says now; None while it is being edited."""
    from maillab.cli.configuration import stack_plan  # noqa: PLC0415 (only this needs the program)

    try:
        return stack_plan(stack)
    except MaillabError:
        return None


def a_user_of(plan: Plan | None) -> str:
    """The address of somebody with a mailbox; empty when the plan names nobody."""
    return somebody_of(plan.config) if plan else ""


def small_scanners(plan: Plan | None) -> list[str]:
    """The machines whose virus scanner has the lab's own few signatures only."""
    machines = plan.machines if plan else {}
    chains = {name: machine.part.recipes for name, machine in machines.items()}
    return [name for name, chain in chains.items() if "clamav" in chain and "signatures" not in chain]


def somebody_of(lab: LabConfig) -> str:
    """The first user of a server that takes its school's mail; empty when there is none."""
    from components.config.lab import Role  # noqa: PLC0415
    from components.config.mail import destinations  # noqa: PLC0415

    for school in lab.schools:
        for machine in school.with_role(Role.MAIL):
            mail, name = machine.mail, machine.fqdn(school.domain)
            if mail and mail.users and school.domain.lower() in destinations(mail, name, school.domain):
                return f"{mail.users[0].name}@{school.domain}"
    return ""


def show_findings(findings: Iterable[Finding], console: Console) -> None:
    """What is wrong around the lab, each with what to do."""
    for finding in findings:
        # An IPv6 address may have a `:100:` in it, which would be an emoji.
        console.print(f"\n{finding.what}", style="yellow", markup=False, emoji=False, highlight=False, soft_wrap=True)
        for line in finding.remedy:
            console.print(f"    {line}", markup=False, emoji=False, highlight=False, soft_wrap=True)


def show_surroundings(stack: Stack, console: Console) -> None:
    """What is wrong around the lab: it may be the computer under it that drops what should arrive."""
    from maillab.cli.diagnosis import diagnose  # noqa: PLC0415

    try:
        show_findings(diagnose(stack, of_stack(stack)), console)
    except MaillabError:  # there is no lab, or no engine: reported by those who need one
        return
