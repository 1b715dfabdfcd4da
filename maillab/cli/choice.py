"""What the options before a command say, and what every command does with it first."""

from __future__ import annotations

from dataclasses import dataclass

import typer

from maillab.cli.problem import MaillabError, failed
from maillab.cli.stack import Engine, Stack


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which lab, and which engine is wanted for it (None: the usual one)."""

    stack: Stack
    engine: Engine | None

    def run(self, verb: str, *flags: str) -> None:
        """Let the engine that the lab belongs to do `verb`."""
        from maillab.cli.engine import choose, run  # noqa: PLC0415

        try:
            run(choose(self.stack, self.engine), self.stack, verb, flags)
        except MaillabError as error:
            if error.id == "pool-taken":
                from maillab.cli.belongings import belongings_of  # noqa: PLC0415
                from maillab.cli.carrier import remedy  # noqa: PLC0415
                from maillab.cli.networks import networks  # noqa: PLC0415

                error.remedy = remedy(belongings_of(self.stack), networks())
            raise
        finally:
            self.note_folder()

    def note_folder(self) -> None:
        """Note where the folder is, which the engine knows by its id alone."""
        from maillab.cli.folders import remember  # noqa: PLC0415

        remember(self.stack.root, self.stack.owner)

    def refuse_without_file(self) -> None:
        """Refuse a stack without a file (MaillabError)."""
        from maillab.cli.stacks import refuse_without_file  # noqa: PLC0415

        refuse_without_file(self.stack)

    def refuse_copy(self) -> None:
        """Refuse a copy of a folder with its states (MaillabError): both would have the same lab."""
        from maillab.cli.folders import copied_from  # noqa: PLC0415

        if folder := copied_from(self.stack.root, self.stack.owner):
            raise failed("copied-folder", stack=self.stack.name, folder=folder, copy=self.stack.root)

    def refuse_taken(self) -> None:
        """Refuse names and a carrier that the engine has for somebody else (MaillabError)."""
        from maillab.cli.carrier import refuse_taken  # noqa: PLC0415
        from maillab.cli.docker import is_in_use  # noqa: PLC0415

        # A virtual machine that is not there yet has no networks, and this computer's engine is not the lab's.
        if is_in_use() or self.stack.setting("where") in ("", "local"):
            refuse_taken(self.stack)

    def refuse_moved(self, *, look_only: bool = False) -> None:
        """Refuse a configuration that would move the lab to another place (MaillabError)."""
        from maillab.cli.where import refuse_moved  # noqa: PLC0415

        refuse_moved(self.stack, look_only=look_only)

    def reach_engine(self, *, start: bool = False) -> None:
        """Have the lab's Docker engine within reach; `start` a virtual machine that is off."""
        from maillab.cli.where import reach_engine  # noqa: PLC0415

        reach_engine(self.stack, start=start)
        self.note_folder()

    def belongs_to_pulumi(self) -> bool:
        """Is it Pulumi that made the lab?"""
        return Engine.PULUMI in self.stack.makers()


def chosen(context: typer.Context) -> Choice:
    """What the options said. Raises MaillabError: there is no such stack."""
    from maillab.cli.folders import recall  # noqa: PLC0415
    from maillab.cli.stacks import refuse_unknown  # noqa: PLC0415

    found = context.find_object(Choice)
    if found is None:
        raise failed("no-stack-chosen")
    refuse_unknown(found.stack)
    recall(found.stack.root)
    return found
