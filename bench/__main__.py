"""Runs the measures, all or the parts that are named, and prints one table."""

import argparse
import pathlib
import tempfile
from collections.abc import Callable, Mapping

from rich.console import Console

from bench.figures import Figure, print_table
from bench.measures import memory, previews_and_edits, proving, running_lab, throughput, up_to_first_message
from bench.real_cli import with_real_cli
from bench.two_schools import two_schools
from bench.vm import virtual_machines

RUNS = 3
PAIRS = 5  # two short times and their ratio vary more


def _running(folder: pathlib.Path, console: Console) -> list[Figure]:
    figures: list[Figure] = []
    with running_lab(folder) as lab:
        console.print("memory, previews and edits …")
        figures += memory(lab)
        figures += previews_and_edits(lab, RUNS) + with_real_cli(lab, RUNS)
        console.print("the prover …")
        figures += proving(lab, RUNS)
        console.print("messages a second …")
        figures += throughput(lab, RUNS)
    return figures


def _first_message(folder: pathlib.Path, console: Console) -> list[Figure]:
    console.print("up to the first message, and docker run …")
    return up_to_first_message(folder, PAIRS)


def _two_schools(folder: pathlib.Path, console: Console) -> list[Figure]:
    console.print("two schools, one of which filters on its mail server …")
    return two_schools(folder, RUNS)


def _virtual_machines(folder: pathlib.Path, console: Console) -> list[Figure]:
    console.print("virtual machines, some minutes …")
    return virtual_machines(folder)


PARTS: Mapping[str, Callable[[pathlib.Path, Console], list[Figure]]] = {
    "running": _running,
    "up": _first_message,
    "two": _two_schools,
    "vm": _virtual_machines,
}


def main() -> None:
    """All figures of one run."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)}; all without any")
    wanted: list[str] = parser.parse_args().parts
    if unknown := sorted(set(wanted) - set(PARTS)):
        parser.error(f"no such part: {', '.join(unknown)}. Parts are {', '.join(PARTS)}.")
    # A table that wraps can't be read: wider than a narrow terminal or a log.
    console = Console(width=max(Console().width, 120))
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="maillab-bench-") as name:
        for part, measure in PARTS.items():
            if part in (wanted or PARTS):
                figures += measure(pathlib.Path(name) / part, console)
    print_table(figures, console)


main()
