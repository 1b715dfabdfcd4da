"""Machines that answer from memory, and remember what they were asked."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Self, cast

from maillab.trace.machines import Machines, Running


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One command that a machine was given."""

    machine: str
    command: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeMachines(Machines):
    """`answer` gives what each command prints; it may raise what Machines.run raises.

    `lines`: whose line was waited for.
    """

    prefix: str = "fake-"
    answer: Callable[[Asked], str] = lambda _: ""
    asked: list[Asked] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    def run(self, machine: str, command: Sequence[str], text: str = "") -> str:
        """The answer."""
        asked = Asked(machine=machine, command=tuple(command), text=text)
        self.asked.append(asked)
        return self.answer(asked)

    def start(self, machine: str, command: Sequence[str]) -> Running:
        """A command whose output is the answer."""
        return cast("Running", FakeRunning(machines=self, machine=machine, command=tuple(command)))


@dataclass(slots=True, kw_only=True)
class FakeRunning:
    """A command of FakeMachines that runs: its line has come. What it prints grows: the answer is all so far."""

    machines: FakeMachines
    machine: str
    command: tuple[str, ...]
    given: int = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def line(self) -> str:
        """Whatever was waited for."""
        self.machines.lines.append(self.machine)
        return "ready\n"

    def end(self, text: str = "") -> str:
        """The answer."""
        return self.machines.run(self.machine, self.command, text)

    def news(self) -> bytes:
        """What the answer has now, and had not before."""
        whole = self.machines.run(self.machine, self.command).encode()
        before, self.given = self.given, len(whole)
        return whole[before:]
