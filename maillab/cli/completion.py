"""What TAB completes: for the shell a script, and for its questions the names of stacks and machines.

The command answers them itself (typer's protocol), called by the word that was typed: it needs no place on PATH.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

import typer

from maillab.cli.stack import DEFAULT_STACK, ROOT, Stack

QUESTION = "_MAILLAB_COMPLETE"  # a variable that the scripts set
SCRIPTS = Path(__file__).parent / "shells"


class Shell(StrEnum):
    """For which shell."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


def prepare() -> None:
    """Know the shells' questions, if this is one: typer does it when it has options of its own for it."""
    if QUESTION in os.environ:
        from typer._completion_classes import completion_init  # noqa: PLC0415

        completion_init()


def script(shell: Shell) -> str:
    """What the shell reads."""
    return (SCRIPTS / f"maillab.{shell}").read_text("utf-8")


def stacks() -> list[str]:
    """The stacks with a file."""
    from maillab.cli.stacks import names  # noqa: PLC0415

    return names(ROOT)


def machines_of(context: typer.Context) -> list[str]:
    """The machines of the chosen stack's lab, as its last `up` left them."""
    return _names("machines", context)


def pages_of(context: typer.Context) -> list[str]:
    """Its web pages."""
    return _names("urls", context)


def _names(output: str, context: typer.Context) -> list[str]:
    parent = context.parent
    name = str(parent.params.get("stack") or DEFAULT_STACK) if parent else DEFAULT_STACK
    try:
        found = Stack(name=name).outputs().get(output)
    except Exception:  # TAB says nothing of what is wrong: the command will
        return []
    return sorted(found) if isinstance(found, Mapping) else []
