"""Runs every measure and prints one table."""

import pathlib
import tempfile

from rich.console import Console

from bench.figures import Figure, print_table
from bench.measures import docker_run, memory, previews_and_edits, proving, running_lab, throughput, up_to_first_message
from bench.vm import virtual_machines

RUNS = 3


def main() -> None:
    """All figures of one run."""
    # A table that wraps can't be read: wider than a narrow terminal or a log.
    console = Console(width=max(Console().width, 120))
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="maillab-bench-") as name:
        folder = pathlib.Path(name)
        with running_lab(folder / "warm") as lab:
            console.print("memory, previews and edits …")
            figures += memory(lab)
            figures += previews_and_edits(lab, RUNS)
            console.print("the prover …")
            figures += proving(lab, RUNS)
            console.print("messages a second …")
            figures += throughput(lab, RUNS)
            console.print("docker run …")
            figures.append(docker_run(lab, RUNS))
        console.print("up to the first message …")
        figures += up_to_first_message(folder / "up", RUNS)
        console.print("virtual machines, some minutes …")
        figures += virtual_machines(folder / "vm")
    print_table(figures, console)


main()
