"""`--help` in the reader's language, whole sentences at any width: what typer prints by itself cuts them."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import typer.main

from components.config.catalogue import CHINESE, language

FILE = Path(__file__).with_name(f"help.{CHINESE}.toml")
EXTRA = "  ["  # typer puts defaults and variables behind an option's help
FIRST_COLUMN = 28  # columns; what is longer has a line of its own
# A command, and a formatter, of the click that typer brings.
Click = Any


@cache
def chinese() -> Mapping[str, Mapping[str, str]]:
    """`headings`, `extras` and `texts`: what stands for the English ones."""
    return tomllib.loads(FILE.read_text(encoding="utf-8"))


def said(english: str, section: str = "texts") -> str:
    """The text in the reader's language, on one line; English where there is no other."""
    line = " ".join(english.split()) if section == "texts" else english
    return chinese()[section].get(line, line) if language() == CHINESE else line


def first_sentence(words: str) -> str:
    """What a list of commands shows of a command's help."""
    ends = [place + 1 for mark in (". ", "。", ": `", "：`") if (place := words.find(mark)) > 0]
    return words[: min(ends, default=len(words))].rstrip(":：")


def command_of(app: typer.Typer) -> Click:
    """The command line, which speaks the reader's language."""
    command: Click = typer.main.get_command(app)
    for one in _all(command):
        if one.help:
            # Paragraphs are kept in English only: a translation is one.
            one.short_help = first_sentence(said(one.help))
            one.help = said(one.help) if language() == CHINESE else one.help
    context: Click = command.context_class
    context.make_formatter = lambda self: formatter(context.formatter_class)(
        width=self.terminal_width, max_width=self.max_content_width
    )
    return command


def _all(command: Click) -> Iterable[Click]:
    yield command
    for inner in getattr(command, "commands", {}).values():
        yield from _all(inner)


def _extra(words: str) -> str:
    """What typer puts between brackets behind an option's help."""
    for english, other in chinese()["extras"].items() if language() == CHINESE else ():
        words = words.replace(english, other)
    return words


def formatter(base: Click) -> Click:
    """A formatter that counts a Chinese character as the two columns that it has."""

    from rich.cells import cell_len  # noqa: PLC0415 (rich takes its time, and most commands print no help)

    from maillab.cli.wrapped import wrapped  # noqa: PLC0415

    class Formatter(base):  # type: ignore[misc]
        """`base` with the reader's words."""

        def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
            super().write_usage(prog, args, prefix or said("Usage: ", "headings"))

        def write_heading(self, heading: str) -> None:
            self.write(f"{'':{self.current_indent}}{said(f'{heading}:', 'headings')}\n")

        def write_text(self, text: str) -> None:
            for number, paragraph in enumerate(text.split("\n\n")):
                if number:
                    self.write("\n")
                for line in wrapped(said(paragraph), self.width, self.current_indent, hanging=0):
                    self.write(f"{line}\n")

        def write_dl(self, rows: Sequence[tuple[str, str]], col_max: int = FIRST_COLUMN, col_spacing: int = 2) -> None:
            widths = [cell_len(first) for first, _ in rows]
            column = self.current_indent + col_spacing + max((one for one in widths if one <= col_max), default=0)
            for (first, second), width in zip(rows, widths, strict=True):
                begin = f"{'':{self.current_indent}}{first}"
                text, extra, more = second.partition(EXTRA)
                words = _extra(text) if text.startswith("[") else said(text)
                lines = list(wrapped(words + extra + _extra(more), self.width, column, hanging=0))
                if width > col_max:
                    self.write(f"{begin}\n")
                else:
                    lines[0] = begin + lines[0][cell_len(begin) :]
                self.write("".join(f"{line}\n" for line in lines))

    return Formatter
