"""`maillab reset`: machines as the last `up` configured them, whichever engine has the lab."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from maillab.cli.engine import environment, execute, in_both_states
from maillab.cli.machines import of_stack
from maillab.cli.move import exported_by_pulumi, unused, written
from maillab.cli.problem import MaillabError, explain, failed
from maillab.cli.stack import Engine, Stack
from maillab.cli.text import printable, text
from maillab.offline.sealing import sealing_as, unsealing
from maillab.offline.terminal import Lasting
from maillab.offline.values import OfflineError, from_state, to_state
from maillab.reset.record import HalfMadeError
from maillab.reset.run import Change, Outcome, reset
from maillab.reset.steps import Wish

Entry = dict[str, Any]


@dataclass(slots=True)
class StateBook:
    """The stack's state of the engine that has the lab (maillab.reset.run.Book); its lock must be held.

    Raises MaillabError: it can't be read or written, or an operation is unfinished in it.
    """

    stack: Stack
    engine: Engine

    def resources(self) -> list[Entry]:
        """All resources, their secrets readable."""
        return self._opened(self._read())

    def change(self, change: Change) -> None:
        """Write what `change` makes of the resources; the rest of the state stays as it is."""
        exported = self._read()
        seal = sealing_as(exported["deployment"], json.dumps(exported))
        exported["deployment"]["resources"] = to_state(change(self._opened(exported)), seal)
        with written(self.stack, self.engine, json.dumps(exported, ensure_ascii=False)) as new:
            if self.engine is Engine.OFFLINE:
                new.put()
                return
            words = ["pulumi", "stack", "import", "--stack", self.stack.name, "--file", str(new.path)]
            execute(words, self.stack.root, environment())

    @staticmethod
    def _opened(exported: dict[str, Any]) -> list[Entry]:
        found: list[Entry] = from_state(exported["deployment"]["resources"], unsealing(exported["deployment"]))
        return found

    def _read(self) -> dict[str, Any]:
        if self.engine is Engine.PULUMI:
            return exported_by_pulumi(self.stack, environment())
        path = self.stack.state_file(self.engine)
        exported: dict[str, Any] = json.loads(path.read_text("utf-8"))
        if exported["deployment"].get("pending_operations"):
            raise failed("unfinished.offline", stack=self.stack.name, path=path)
        return exported


def reset_machines(stack: Stack, machines: Collection[str], *, mail: bool, quiet: bool = False) -> list[Outcome]:
    """Reset the machines (none: all), and report on stdout what was made by hand; the engine is within reach.

    Other code calls this one: it answers what became of each machine, and raises MaillabError when nothing was begun.
    """
    names = _names(stack, machines)
    makers = stack.makers()
    if len(makers) != 1:
        raise in_both_states(stack)
    words, lock = Lasting(sys.stdout), threading.Lock()

    def say(line: str) -> None:
        with lock:
            if quiet:
                return
            print(line.removeprefix("maillab: "), file=words, flush=True)

    with unused(stack):
        try:
            return reset(StateBook(stack, makers[0]), names, Wish(folder=stack.root, say=say, empty=mail))
        except HalfMadeError as error:
            raise failed("half-made", stack=stack.name, machine=error) from error
        except OfflineError as error:
            known = explain(str(error))
            raise MaillabError(str(error), *(known.remedy if known else ())) from error
        except KeyboardInterrupt as error:
            # `up` would bring what the stack's file says by now.
            raise MaillabError(text("interrupted"), text("reset-again", stack=stack.name), code=130) from error


def _names(stack: Stack, machines: Collection[str]) -> list[str]:
    """The machines' own names. Raises MaillabError: there is no lab, or no such machine."""
    there = {name: row.name for row in of_stack(stack) for name in (row.container, row.name)}
    if unknown := [name for name in machines if name not in there]:
        known = ", ".join(dict.fromkeys(there.values()))
        raise failed("no-machine", stack=stack.name, machine=", ".join(unknown), names=known)
    return [there[name] for name in machines]


def summary(stack: Stack, outcomes: Collection[Outcome], *, mail: bool) -> list[str]:
    """What became of the machines, in lines for people."""
    width = max((len(one.name) for one in outcomes), default=0)
    lines = [_differences(stack, one) for one in outcomes if one.differing]
    for one in outcomes:
        if not one.failure:
            lines.append(text("reset-ready", machine=f"{one.name:{width}}", seconds=f"{one.seconds:.1f}"))
    for one in outcomes:
        if one.failure:
            lines += [
                text("reset-failed", machine=one.name),
                *(f"    {printable(line)}" for line in one.failure.splitlines()),
            ]
    if any(one.failure for one in outcomes):
        return [*lines, text("reset-again", stack=stack.name)]
    return [*lines, text("reset-mail-emptied" if mail else "reset-mail-kept", stack=stack.name)]


def noted(stack: Stack, outcomes: Collection[Outcome]) -> dict[str, object]:
    """What the history has of it: after how many seconds each machine was ready, why not, and what was kept."""
    return {
        "machines": {one.name: round(one.seconds, 1) for one in outcomes if not one.failure},
        "failed": {one.name: one.failure for one in outcomes if one.failure},
        "kept": {one.name: str(one.kept.relative_to(stack.root)) for one in outcomes if one.kept},
    }


def _differences(stack: Stack, outcome: Outcome) -> str:
    names = ", ".join(text(f"differing-{name}") for name in outcome.differing)
    path = outcome.kept.relative_to(stack.root) if outcome.kept else ""
    return text("reset-differing", machine=outcome.name, names=names, path=path)
