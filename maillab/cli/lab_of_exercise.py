"""The lab of a stack, as exercises want it (maillab.exercises.session.Lab)."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from components.plan import Plan
from maillab.cli.configuration import stack_plan
from maillab.cli.docker import RUNNING, host_environment
from maillab.cli.engine import environment
from maillab.cli.machines import of_stack
from maillab.cli.problem import MaillabError, failed
from maillab.cli.reset import reset_machines
from maillab.cli.stack import Stack
from maillab.cli.status import ask
from maillab.exercises.progress import Book
from maillab.exercises.session import Session
from maillab.trace.machines import Machines

FORGET_SERIALS = ("sh", "-c", "rm -f /var/lib/maillab/zones/*.asked")


@dataclass(frozen=True, kw_only=True)
class StackLab:
    """One stack's lab."""

    stack: Stack

    @cached_property
    def machines(self) -> Machines:
        """The running machines. Raises MaillabError: there is no lab."""
        rows = of_stack(self.stack)
        prefix = rows[0].container.removesuffix(rows[0].name)
        return Machines(prefix=prefix, environment=host_environment(environment()))

    def plan_of(self, text: str) -> Plan:
        """The plan of a stack file with this text. Raises MaillabError: it has problems."""
        with tempfile.TemporaryDirectory(prefix="maillab-") as folder:
            root = Path(folder)
            shutil.copy(self.stack.root / "Pulumi.yaml", root)
            (root / f"Pulumi.{self.stack.name}.yaml").write_text(text, "utf-8")
            return stack_plan(Stack(name=self.stack.name, root=root))

    def up(self) -> None:
        """Bring the lab to what its file says, without a word. Raises MaillabError with the last ones."""
        argv = [sys.executable, "-m", "maillab", "--stack", self.stack.name, "up"]
        done = subprocess.run(
            argv, cwd=self.stack.root, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise failed("exercise-up", words="\n".join(done.stdout.splitlines()[-20:]))

    def bring_back(self) -> None:
        """The same, whatever serials were asked for meanwhile, and whatever was done by hand on the machines.

        Machines that refuse it for that are reset first. Raises MaillabError.
        """
        self._forget_serials()
        try:
            self.up()
        except MaillabError as error:
            if not (names := self._edited_anywhere()):  # it is no machine's fault
                raise error from None
            self.reset(names)
            self._forget_serials()
            self.up()

    def _forget_serials(self) -> None:
        """A serial that somebody raised in the stack file is no measure for the file as it was (role bind)."""
        with suppress(MaillabError):  # there is no lab, or no engine: `up` looks at that
            names = [row.name for row in of_stack(self.stack) if row.state == RUNNING]
            self.machines.ask(dict.fromkeys(names, FORGET_SERIALS))

    def _edited_anywhere(self) -> list[str]:
        try:
            return self.edited([row.name for row in of_stack(self.stack)])
        except MaillabError:
            return []

    def reset(self, names: Sequence[str]) -> None:
        """Have these machines be as the last `up` configured them. Raises MaillabError: one of them could not."""
        outcomes = reset_machines(self.stack, names, mail=True, quiet=True)
        if broken := [one for one in outcomes if one.failure]:
            words = "\n".join(f"{one.name}: {one.failure}" for one in broken)
            raise failed("exercise-reset", words=words)

    def edited(self, names: Sequence[str]) -> list[str]:
        """Those of these machines that have a problem, or on which files were edited by hand."""
        found = ask(self.stack, [row for row in of_stack(self.stack) if row.name in names])
        return [one.row.name for one in found if one.problems or (one.report and one.report.edits)]


def session_of(stack: Stack) -> Session:
    """The exercises of a stack."""
    return Session(lab=StackLab(stack=stack), book=Book(root=stack.root, stack=stack.name))
