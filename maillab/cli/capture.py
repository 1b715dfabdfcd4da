"""`maillab capture`: a machine's packets as a pcap file, or as a stream for Wireshark."""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated

import typer

from maillab.cli.choice import chosen
from maillab.cli.completion import machines_of
from maillab.cli.problem import failed

CHUNK = 1 << 16


def capture(
    context: typer.Context,
    machine: Annotated[str, typer.Argument(autocompletion=machines_of)],
    packets: Annotated[
        list[str] | None, typer.Argument(metavar="FILTER", help="Which packets, as for tcpdump: port 25.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The pcap file; else it goes to the standard output.", dir_okay=False),
    ] = None,
) -> None:
    """Record a machine's packets until Ctrl-C: `maillab capture mail port 25 | wireshark -k -i -`.

    A container beside the machine's reads them, and is gone at the end: no machine of the lab may read packets.
    """
    from maillab.cli.machines import find  # noqa: PLC0415
    from maillab.cli.reader import Reader  # noqa: PLC0415
    from maillab.cli.sidecar import PATIENCE, sidecar  # noqa: PLC0415

    choice = chosen(context)
    if output is None and is_terminal():
        raise failed("capture-on-terminal", machine=machine)
    choice.reach_engine()
    row = find(choice.stack, machine)
    reader = Reader.of_stdout()
    with _target(output) as target, sidecar(choice.stack, row, packets or []) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        source = process.stdout.fileno()
        with suppress(BrokenPipeError):
            try:
                has_ended = _copy(source, target, lambda: output is None and reader.has_gone())
            except KeyboardInterrupt:
                process.stdin.close()  # tcpdump writes what it still has, and ends
                _copy(source, target, lambda: False)
                return
            if has_ended and process.wait(PATIENCE):  # tcpdump has said why
                raise typer.Exit(1)


def is_terminal() -> bool:
    """Does somebody look at the standard output?"""
    return sys.stdout.isatty()


@contextmanager
def _target(output: Path | None) -> Iterator[int]:
    """The descriptor to write to."""
    if output is None:
        yield sys.stdout.fileno()
        return
    with output.open("wb") as file:
        yield file.fileno()


def _copy(source: int, target: int, is_over: Callable[[], bool]) -> bool:
    """Copy until it is over; whether the source ended before."""
    while not is_over():
        if select.select([source], [], [], 1)[0]:
            chunk = os.read(source, CHUNK)
            if not chunk:
                return True
            while chunk:
                chunk = chunk[os.write(target, chunk) :]
    return False
