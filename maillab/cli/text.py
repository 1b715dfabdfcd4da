"""What the command line says, in the reader's language: `messages/<language>.toml`.

Every text may name the stack that it is about (`{stack}`), and how the command is called for it (`{maillab}`).
"""

from __future__ import annotations

import unicodedata
from pathlib import Path

from components.config.catalogue import Value, line, plain_values, sentence
from maillab.where import maillab, naming

MESSAGES = Path(__file__).parent / "messages"
OF_THE_STACK = ("stack", "maillab")  # values that every text can have

_stack = "<stack>"  # the one that the command is about


def about(stack: str) -> None:
    """From now on texts that are given no other one name this stack."""
    global _stack  # noqa: PLW0603 (one command, one lab)
    _stack = stack


def names_stack(words: str) -> str:
    """The words of the room `where`, which knows no stack, about the stack of the command."""
    return naming(words, _stack)


def text(key: str, /, **values: object) -> str:
    """The text `key` (below `text` in the catalogue) with these values."""
    return line(key, _with_stack(values), MESSAGES)


def joined(*words: str) -> str:
    """What is there of it, with the reader's colon between."""
    return text("trace-colon").join(filter(None, words))


def error_text(key: str, part: str, values: dict[str, object]) -> str:
    """The `part` (`what`, `remedy`) of the error `key` (`id` or `id.variant`); empty when there is none."""
    return sentence(key, part, _with_stack(values), MESSAGES)


def _with_stack(values: dict[str, object]) -> dict[str, Value]:
    stack = str(values.get("stack", _stack))
    return plain_values({"maillab": maillab(stack), "stack": stack} | values)


def printable(words: str) -> str:
    """The words with a question mark for each character that is none to look at (controls, marks of direction …).

    What a machine says is anybody's who is root there: a terminal must not obey it. Ends of lines are none of a line.
    """
    return "".join(one if one.isprintable() or unicodedata.category(one) == "Zs" else "?" for one in words)
