"""`maillab graph`: the network of the stack's file as a picture. Nothing is asked: it is there before `up`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from maillab.cli.choice import chosen
from maillab.cli.text import text

if TYPE_CHECKING:
    from maillab.graph.network import Picture

WIDTHS = range(40, 81)  # of a picture in a terminal


class Format(StrEnum):
    """What a picture is made of."""

    TERMINAL = "terminal"
    SVG = "svg"
    MERMAID = "mermaid"


def graph(
    context: typer.Context,
    form: Annotated[
        Format,
        typer.Option("--format", help="Characters for a terminal, SVG for a slide, or Mermaid for a Markdown page."),
    ] = Format.TERMINAL,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write it there instead of showing it.", dir_okay=False)
    ] = None,
    brief: Annotated[
        bool, typer.Option("--brief", help="In the terminal: without IPv6 addresses and the senders' hosts.")
    ] = False,
) -> None:
    """Draw the network that the stack's file describes: machines, addresses, MX records, relayhosts, firewall.

    It needs no lab and no Docker engine.
    """
    from maillab.cli.configuration import stack_plan  # noqa: PLC0415
    from maillab.graph.network import picture_of  # noqa: PLC0415

    choice = chosen(context)
    choice.refuse_without_file()
    picture = picture_of(stack_plan(choice.stack))
    words = picture_text(picture, form, brief=brief, width=WIDTHS[-1] if output else terminal_width())
    if output is None:
        typer.echo(words, nl=False)
    else:
        write(output, words)


def picture_text(picture: Picture, form: Format, *, brief: bool = False, width: int = WIDTHS[-1]) -> str:
    """The picture, with its last line's end."""
    from maillab.graph.mermaid import flowchart  # noqa: PLC0415
    from maillab.graph.svg import svg  # noqa: PLC0415
    from maillab.graph.terminal import drawn  # noqa: PLC0415
    from maillab.graph.words import text as word  # noqa: PLC0415

    if form is Format.SVG:
        return svg(picture, word("title", stack=picture.stack))
    lines = drawn(picture, width, brief=brief) if form is Format.TERMINAL else flowchart(picture)
    return "".join(f"{line}\n" for line in lines)


def terminal_width() -> int:
    """The columns that a picture may have here: those of the terminal, 80 at most."""
    from rich.console import Console  # noqa: PLC0415

    return min(max(Console().width, WIDTHS[0]), WIDTHS[-1])


def write(path: Path, words: str) -> None:
    """Write the file, and report it.

    Raises:
        MaillabError: it can't be written.
    """
    from maillab.cli.problem import failed  # noqa: PLC0415

    try:
        path.write_text(words, encoding="utf-8")
    except OSError as error:
        raise failed("not-written", file=path, words=error.strerror or error) from error
    typer.echo(text("written", file=path), err=True)
