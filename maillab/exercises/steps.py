"""Does what an exercise says on the machines: faults, and for the contract's tests repairs and cheats."""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from maillab.exercises.exercise import Step
from maillab.trace.machines import MachineError, Machines

# What a service leaves running must not hold the answer open: output goes to a file.
RUN = """
out=$(mktemp)
bash -c "$1" >"$out" 2>&1 </dev/null
status=$?
head -c 20000 "$out"
rm -f "$out"
exit $status
"""
# `docker restart` ends before the machine has booted; a boot that fails is looked at like everything else.
BOOTED = "for ((left = 300; left > 0; left--)); do . maillab-booted && exit 0; sleep 0.2; done; :"
WRITE = 'cat >"$1"'  # not a new file: a link, an owner and a mode stay
RENEW = (Path(__file__).parent / "programs" / "renew-manifest").read_text(encoding="utf-8")


class StepError(Exception):
    """A step could not be done; the words say which, and why."""


def do(machines: Machines, step: Step) -> str:
    """One step on a machine; answers what it printed. Raises StepError."""
    assert step.machine is not None
    try:
        if step.run is not None:
            return machines.run(step.machine, ["bash", "-c", RUN, "step", step.run])
        if step.restart:
            machines.restart(step.machine)
            return machines.run(step.machine, ["bash", "-c", BOOTED])
        text = machines.run(step.machine, ["cat", "--", str(step.edit)])
        changed = replaced(text, str(step.replace), str(step.by), f"{step.machine}: {step.edit}")
        return machines.run(step.machine, ["sh", "-c", WRITE, "write", str(step.edit)], changed)
    except MachineError as error:
        raise StepError(str(error)) from error


def replaced(text: str, old: str, new: str, where: str) -> str:
    """`text` with `new` for `old`, which it has exactly once. Raises StepError."""
    if (found := text.count(old)) != 1:
        raise StepError(f"{where}: this text is there {found} times, and must be there once: {old!r}")
    return text.replace(old, new)


def edited(text: str, steps: Iterable[Step], where: str) -> str:
    """A stack file's text after the `stack` steps among these. Raises StepError."""
    for step in steps:
        if step.stack is not None:
            text = replaced(text, step.stack, str(step.by), where)
    return text


def renew_manifests(machines: Machines, names: Sequence[str]) -> None:
    """From now on what is on these machines counts as configured: "edited by hand" begins here. Raises StepError."""
    try:
        with ThreadPoolExecutor(len(names) or 1) as pool:
            list(pool.map(lambda name: machines.run(name, ["bash", "-s"], RENEW), names))
    except MachineError as error:
        raise StepError(str(error)) from error


def machines_of(steps: Iterable[Step]) -> list[str]:
    """The machines on which the steps do something, each once."""
    found: Mapping[str, None] = {step.machine: None for step in steps if step.machine is not None}
    return list(found)
