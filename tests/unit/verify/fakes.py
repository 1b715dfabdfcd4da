"""Machines that answer from memory, and remember what they were asked."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from verify.machines import Machines


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One command that a machine was given."""

    machine: str
    command: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeMachines(Machines):
    """`answer` gives what each command prints; it may raise what Machines.run raises."""

    prefix: str = "fake-"
    answer: Callable[[Asked], str] = lambda _: ""
    asked: list[Asked] = field(default_factory=list)

    def run(self, machine: str, command: Sequence[str], text: str = "") -> str:
        """The answer."""
        asked = Asked(machine=machine, command=tuple(command), text=text)
        self.asked.append(asked)
        return self.answer(asked)
