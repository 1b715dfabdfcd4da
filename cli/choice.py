"""What the options before a command say, and what every command does with it first."""

from __future__ import annotations

from dataclasses import dataclass

import typer

from cli.docker import subnets
from cli.problem import MaillabError
from cli.stack import Engine, Stack


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which lab, and which engine is wanted for it (None: the usual one)."""

    stack: Stack
    engine: Engine | None

    def run(self, verb: str, *flags: str) -> None:
        """Let the engine that the lab belongs to do `verb`."""
        from cli.engine import choose, run  # noqa: PLC0415

        try:
            run(choose(self.stack, self.engine), self.stack, verb, flags)
        except MaillabError as error:
            if error.id == "pool-taken":
                error.remedy += tuple(f"    {line}" for line in subnets(self.stack.label))
            raise

    def stay(self, *, look_only: bool = False) -> None:
        """Refuse a configuration that would move the lab to another place (MaillabError)."""
        from cli.where import refuse_moved  # noqa: PLC0415

        refuse_moved(self.stack, look_only=look_only)

    def attend(self, *, start: bool = False) -> None:
        """Have the lab's Docker engine within reach; `start` a virtual machine that is off."""
        from cli.where import attend  # noqa: PLC0415

        attend(self.stack, start=start)

    def belongs_to_pulumi(self) -> bool:
        """Is it Pulumi that made the lab?"""
        return Engine.PULUMI in self.stack.makers()


def chosen(context: typer.Context) -> Choice:
    """What the options said."""
    found = context.find_object(Choice)
    if found is None:
        raise MaillabError("no stack was chosen", "run bin/maillab")
    return found
