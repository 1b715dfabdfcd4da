"""The words of the pictures, in the reader's language: `messages/<language>.toml`."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from pathlib import Path

from components.config.catalogue import line, plain_values

MESSAGES = Path(__file__).parent / "messages"


def text(key: str, /, **values: object) -> str:
    """The text `key` (below `text` in the catalogue) with these values."""
    return line(key, plain_values(values), MESSAGES)


def listed(words: Iterable[str]) -> str:
    """The words with the reader's comma between."""
    return text("list-comma").join(words)


def printable(words: str) -> str:
    """The words with a question mark for each character that is none to look at (controls, marks of direction)."""
    return "".join(one if one.isprintable() or unicodedata.category(one) == "Zs" else "?" for one in words)
