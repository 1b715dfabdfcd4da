"""The stacks of the project's folder: those with a file, and those of which a lab may still be there."""

from __future__ import annotations

from pathlib import Path

from maillab.cli.problem import MaillabError, failed, suggesting
from maillab.cli.stack import Engine, Stack
from maillab.offline.stack_file import stack_path
from maillab.where.known import KEPT, STATE

PREFIX, SUFFIX = "Pulumi.", ".yaml"


def names(root: Path) -> list[str]:
    """The names of all stacks that have a file."""
    found = (path.name.removeprefix(PREFIX).removesuffix(SUFFIX) for path in root.glob(f"{PREFIX}*{SUFFIX}"))
    return sorted(name for name in found if name)


def has_file(stack: Stack) -> bool:
    """Is there a file of this stack?"""
    return stack.name in names(stack.root)


def refuse_unknown(stack: Stack) -> None:
    """Refuse a stack that has neither a file nor anything that an earlier lab has left (MaillabError)."""
    left = [*map(stack.state_file, Engine), stack.root / STATE / KEPT / stack.name, stack.root / ".vm" / stack.name]
    if not has_file(stack) and not ("/" not in stack.name and any(path.exists() for path in left)):
        raise unknown(stack)


def refuse_without_file(stack: Stack) -> None:
    """Refuse a stack whose file is gone, although its lab may be there (MaillabError)."""
    if not has_file(stack):
        raise failed("no-stack-file", stack=stack.name, file=stack_path(stack.root, stack.name).name)


def unknown(stack: Stack) -> MaillabError:
    """The error for a stack that there is not."""
    known = names(stack.root)
    return suggesting(failed("no-stack", stack=stack.name, names=", ".join(known) or "–"), stack.name, known)
