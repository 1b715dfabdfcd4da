"""`maillab verify`: the prover, run on a stack's configuration and its running machines."""

from __future__ import annotations

import json
import sys

from rich.console import Console

from maillab.cli.configuration import stack_plan
from maillab.cli.docker import RUNNING, host_environment
from maillab.cli.engine import environment
from maillab.cli.machines import MachineRow, of_stack, show_surroundings
from maillab.cli.matrices import matrices
from maillab.cli.problem import failed
from maillab.cli.proof import differences, remarks, summary
from maillab.cli.stack import Stack
from maillab.cli.status import LabStatus, ask
from maillab.cli.status_table import show_troubles
from maillab.cli.text import text
from maillab.cli.wrapped import Line, print_lines
from maillab.trace.machines import MachineError
from maillab.verify.report import as_json as proof_as_json
from maillab.verify.run import Proof, prove
from maillab.where import naming


def verify(stack: Stack, *, as_json: bool, mail: bool, everything: bool = False) -> bool:
    """Proves, and shows the proof. Answers whether everything is as the configuration says.

    `everything`: what was as configured too.

    Raises:
        MaillabError: the configuration is bad, there is no lab, or a machine can't be asked.
    """
    plan = stack_plan(stack)
    rows = of_stack(stack)
    if all(row.state != RUNNING for row in rows):
        raise failed("nothing-runs", stack=stack.name)
    # An IPv6 address may have a `:100:` in it, which would be an emoji.
    console, words = Console(emoji=False, highlight=False), Console(stderr=True)
    try:
        with words.status(text("proving-mail" if mail else "proving")):
            proof = prove(plan, mail=mail, environment=host_environment(environment()))
    except MachineError as error:
        _explain(stack, [row for row in rows if row.state != RUNNING] or rows, words)
        raise failed("machine-silent", stack=stack.name, words=naming(str(error), stack.name)) from error
    if as_json:
        json.dump(proof_as_json(proof), sys.stdout, ensure_ascii=False, indent=1)
        print()
        if not proof.holds:
            show_surroundings(stack, words)
        return proof.holds
    _show(stack, proof, rows, console, everything=everything)
    return proof.holds


def _show(stack: Stack, proof: Proof, rows: list[MachineRow], console: Console, *, everything: bool) -> None:
    """What differs, what explains it, with `everything` all the rest, and the summary."""
    print_lines(differences(proof, everything=everything), console)
    if not proof.holds:
        names = concerned(proof)
        _explain(stack, [row for row in rows if row.name in names or row.state != RUNNING or proof.failures], console)
        show_surroundings(stack, console)
        console.print()
    if everything:
        print_lines(matrices(proof, console.width), console)
    noted = list(remarks(proof))
    print_lines([*noted, *([Line()] if noted else [])], console)
    print_lines(summary(proof, stack.name), console)


def _explain(stack: Stack, rows: list[MachineRow], console: Console) -> None:
    """How the machines are that it is about: the service that is broken, the files that were edited."""
    asked = LabStatus(stack=stack.name, machines=ask(stack, rows))
    if asked.broken or any(one.report and one.report.edits for one in asked.machines):
        print_lines([Line(text("explained-by"), style="bold")], console)
        show_troubles(asked, console)
    elif rows:
        names = ", ".join(row.name for row in rows)
        print_lines([Line(text("not-explained", names=names), style="yellow")], console)


def concerned(proof: Proof) -> set[str]:
    """The machines that have a part in what differs."""
    names: set[str] = set()
    for cell in (*proof.cells, *proof.forged):
        if not cell.agrees:
            names |= {cell.cell.source.machine, cell.cell.target, cell.predicted.machine}
    names |= {answer.question.cell.target for answer in proof.answers if not answer.agrees}
    names |= {result.login.machine for result in proof.logins if not result.agrees}
    for message in (result for result in proof.messages if not result.agrees):
        names.add(message.message.writer.machine)
        names |= {hop for end in message.predicted | message.seen for hop in end.hops}
    return names
