"""Where the lab runs: the SSH way to a Docker engine, and the virtual machine on this computer.

The program's Commands call `python -m where VERB`, and `maillab vm` the same functions. All folders and files
are given relative to the project's folder, so that a project that is moved goes on as it is.
"""

from collections.abc import Callable

Say = Callable[[str], object]
"""Where the lines of progress go."""


def maillab(stack: str) -> str:
    """How the command for people is called for a stack, in instructions to them."""
    return f"bin/maillab --stack {stack}"


def naming(words: str, stack: str) -> str:
    """Instructions that name the stack: what knows none of it says just `make up`, which is another one's."""
    return words.replace("`make up`", f"`make up STACK={stack}`") if stack else words
