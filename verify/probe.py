"""Real connections from the real addresses: what each cell's client sees."""

import pathlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor

from verify.cells import Cell, Verdict
from verify.machines import Machines

SCRIPT = (pathlib.Path(__file__).parent / "port_probe.pl").read_text(encoding="utf-8")
# A packet that got lost is sent again after 1 s (RFC 6298): only what stays without an answer then is dropped.
SECONDS = 2.5
AT_ONCE = 800  # connections of one process: select(2) knows 1,024 descriptors


def probe(machines: Machines, asked: Iterable[Cell], seconds: float = SECONDS) -> dict[Cell, Verdict]:
    """What was seen in each cell, all asked in parallel.

    Raises:
        MachineError: a machine could not be asked.
    """
    by_machine: dict[str, list[Cell]] = defaultdict(list)
    for cell in asked:
        by_machine[cell.source.machine].append(cell)
    portions = [
        (name, found[start : start + AT_ONCE])
        for name, found in by_machine.items()
        for start in range(0, len(found), AT_ONCE)
    ]
    seen: dict[Cell, Verdict] = {}
    with ThreadPoolExecutor(max(len(portions), 1)) as pool:
        for found in pool.map(lambda portion: _ask(machines, portion[0], portion[1], seconds), portions):
            seen.update(found)
    return seen


def _ask(machines: Machines, name: str, asked: list[Cell], seconds: float) -> Mapping[Cell, Verdict]:
    lines = [f"{number} {cell.source.address} {cell.address} {cell.port}\n" for number, cell in enumerate(asked)]
    said = machines.run(name, ["perl", "-e", SCRIPT, str(seconds)], "".join(lines))
    words = (line.split() for line in said.splitlines())
    return {asked[int(number)]: Verdict(word) for number, word in words}
