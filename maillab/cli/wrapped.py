"""Lines for people that are broken between words only: a name, an address or a path stays in one piece.

Nothing is aligned to the right of a word and no lines are drawn: on a Chinese terminal some signs are two columns wide.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from maillab.cli.text import printable

HANGING = 4  # columns that a line's next ones are further to the right
NARROWEST = 20
# What stays together: a word, or a Chinese character, with the punctuation that may not end or begin a line.
PIECE = re.compile(r" +|[「（]*(?:[^ \u2e80-\uffff]+|[\u2e80-\uffff])[、。，：；！？）」]*")


@dataclass(frozen=True, slots=True)
class Line:
    """Some words, how far to the right they begin, and their style (rich's)."""

    words: str = ""
    indent: int = 0
    style: str = ""


def print_lines(lines: Iterable[Line], console: Console) -> None:
    """Each line, broken to the console's width."""
    for line in lines:
        for part in wrapped(line.words, console.width, line.indent):
            # A word that is longer than the console's width is the terminal's to break: it can be copied.
            console.print(Text(part, style=line.style), soft_wrap=True)


def widths(rows: Iterable[Sequence[str]]) -> list[int]:
    """The columns that each cell of these rows needs, by its place."""
    return [max(map(cell_len, column)) for column in zip(*rows, strict=True)]


def padded(cells: Sequence[str], to: Sequence[int]) -> list[str]:
    """The cells with blanks behind them, as wide as `to` says."""
    return [cell + " " * (width - cell_len(cell)) for cell, width in zip(cells, to, strict=True)]


def wrapped(words: str, width: int, indent: int = 0, hanging: int = HANGING) -> Iterator[str]:
    """The words as lines of at most `width` columns, if no word is longer."""
    words = "\n".join(map(printable, words.split("\n")))
    line, begin = " " * indent, indent
    room = max(width, NARROWEST)
    for piece in PIECE.findall(words):
        if cell_len(line) + cell_len(piece.rstrip()) > room and line.strip():
            yield line.rstrip()
            begin = indent + hanging
            line = " " * begin
        if piece.strip() or line.strip():
            line += piece
    yield line.rstrip()
