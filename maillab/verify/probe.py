"""Real connections from the real addresses: what each cell's client sees."""

import pathlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor

from maillab.trace.machines import MachineError, Machines
from maillab.verify.cells import Cell, Verdict

SCRIPT = (pathlib.Path(__file__).parent / "port_probe.pl").read_text(encoding="utf-8")
# A packet that got lost is sent again after 1 s (RFC 6298): only what stays without an answer then is dropped.
SECONDS = 2.5
AT_ONCE = 800  # connections of one process: select(2) knows 1,024 descriptors


def probe(
    machines: Machines, asked: Iterable[Cell], seconds: float = SECONDS, failures: list[str] | None = None
) -> dict[Cell, Verdict]:
    """What was seen in each cell, all asked in parallel.

    With a list `failures`, a machine that could not be asked is reported there, and all is unreachable from it.

    Raises:
        MachineError: a machine could not be asked; with `failures`, none could.
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
        answers = [(cells, pool.submit(_ask, machines, name, cells, seconds)) for name, cells in portions]
    errors = [answer.exception() for _, answer in answers]
    for error in errors:
        if error is not None and (failures is None or all(errors) or not isinstance(error, MachineError)):
            raise error
    for (cells, answer), error in zip(answers, errors, strict=True):
        seen.update(dict.fromkeys(cells, Verdict.UNREACHABLE) if error else answer.result())
    if failures is not None:
        failures += dict.fromkeys(str(error) for error in errors if error)
    return seen


def _ask(machines: Machines, name: str, asked: list[Cell], seconds: float) -> Mapping[Cell, Verdict]:
    lines = [f"{number} {cell.source.address} {cell.address} {cell.port}\n" for number, cell in enumerate(asked)]
    printed = machines.run(name, ["perl", "-e", SCRIPT, str(seconds)], "".join(lines))
    words = (line.split() for line in printed.splitlines())
    return {asked[int(number)]: Verdict(word) for number, word in words}
