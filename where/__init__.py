"""Where the lab runs: the SSH way to a Docker engine, and the virtual machine on this computer.

The program's Commands call `python -m where VERB`, and `maillab vm` the same functions. All folders and files
are given relative to the project's folder, so that a project that is moved goes on as it is.
"""

from collections.abc import Callable

Say = Callable[[str], object]
"""Where the lines of progress go."""


def maillab(stack: str) -> str:
    """How the command for people is called for a stack, in what they are told to do."""
    return f"bin/maillab --stack {stack}"
