"""`maillab labs`: the labs on this computer's Docker engine, and this folder's that are elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

from rich.console import Console

from maillab.cli.docker import RUNNING, containers, docker
from maillab.cli.folders import folder_of
from maillab.cli.networks import networks
from maillab.cli.problem import MaillabError
from maillab.cli.stack import Engine, Stack
from maillab.cli.stacks import names
from maillab.cli.text import printable, text
from maillab.cli.where import place_of
from maillab.cli.wrapped import Line, padded, print_lines, widths
from maillab.where.known import KINDS, Thing
from maillab.where.ownership import listed


class State(StrEnum):
    """How a lab is: the last three have no machines."""

    RUNNING = "running"
    PARTLY = "partly"
    STOPPED = "stopped"
    MAIL = "mail"
    NETWORKS = "networks"
    ELSEWHERE = "elsewhere"


@dataclass(frozen=True, slots=True, kw_only=True)
class LabRow:
    """A lab: `lab` is its label on the engine, `stack` the stack of this folder that it is of, if it is of one.

    `folder` is where it was made, as far as it is known, and `owner` that folder's id. `place` is empty for this
    computer's engine, and `running` and `machines` are None where nobody has looked.
    """

    lab: str
    stack: str
    folder: str
    owner: str
    here: bool
    place: str
    running: int | None
    machines: int | None
    volumes: int
    carriers: tuple[str, ...]

    @property
    def state(self) -> State:
        """How it is."""
        if self.place:
            return State.ELSEWHERE
        if self.machines:
            partly = State.PARTLY if self.running else State.STOPPED
            return State.RUNNING if self.running == self.machines else partly
        return State.MAIL if self.volumes else State.NETWORKS

    @property
    def words(self) -> str:
        """Its state for people."""
        if self.place:
            return text("lab-elsewhere", place=self.place)
        if self.state is State.PARTLY:
            return text("lab-partly", machines=self.machines, running=self.running)
        if self.state is State.RUNNING:
            return text("lab-running", machines=self.machines)
        return text(f"lab-has-{self.state}")


def labs(root: Path) -> list[LabRow]:
    """All labs, this folder's first. Raises MaillabError: the engine can't be asked."""
    owner = Stack(name="", root=root).owner
    stacks = {name: Stack(name=name, root=root) for name in _known(root)}
    by_label = {_label(stack): name for name, stack in stacks.items()}
    there = [one for kind in KINDS for one in listed(kind, docker) if one.label]
    running = {one.name for one in containers() if one.state == RUNNING}
    subnets = {one.name: one.subnets for one in networks()}
    found: dict[tuple[str, str], list[Thing]] = {}
    for one in there:
        found.setdefault((one.label, one.owner), []).append(one)
    rows = [
        LabRow(
            lab=label,
            stack=by_label.get(label, "") if of == owner and owner else "",
            folder=str(root if of == owner and owner else folder_of(of) or ""),
            owner=of,
            here=bool(owner) and of == owner,
            place="",
            running=sum(one.name in running for one in things if one.kind == "container"),
            machines=sum(one.kind == "container" for one in things),
            volumes=sum(one.kind == "volume" for one in things),
            carriers=tuple(
                str(net)
                for one in things
                if one.kind == "network"
                for net in subnets.get(one.name, ())
                if net.version == 4
            ),
        )
        for (label, of), things in found.items()
    ]
    rows += [_elsewhere(stack, root, owner) for stack in stacks.values() if _place(stack)]
    return sorted(rows, key=lambda row: (not row.here, row.folder, row.lab))


def _known(root: Path) -> set[str]:
    """The stacks with a file or a state."""
    states = (path for engine in Engine for path in Stack(name="x", root=root).state_file(engine).parent.glob("*.json"))
    return {*names(root), *(path.stem for path in states if not path.stem.endswith(".for-pulumi"))}


def _label(stack: Stack) -> str:
    try:
        return stack.label
    except MaillabError:  # its file is being edited
        return stack.name


def _place(stack: Stack) -> str:
    """Where the stack's lab is, if not on this computer's engine."""
    try:
        place = place_of(stack)
    except MaillabError:  # a damaged state
        return ""
    return "" if place.startswith("local") else place


def _elsewhere(stack: Stack, root: Path, owner: str) -> LabRow:
    return LabRow(
        lab=_label(stack), stack=stack.name, folder=str(root), owner=owner, here=True, place=_place(stack),
        running=None, machines=None, volumes=0, carriers=(),
    )  # fmt: skip


def as_json(rows: Iterable[LabRow]) -> list[dict[str, object]]:
    """For programs."""
    return [asdict(row) | {"state": str(row.state)} for row in rows]


def show(rows: Iterable[LabRow], console: Console) -> None:
    """A line for each lab, each folder's path on a line of its own: it may be long."""
    rows = list(rows)
    if not rows:
        console.print(text("no-labs"))
        return
    for group in dict.fromkeys((row.here, row.folder, row.owner) for row in rows):
        here, folder, owner = group
        console.print(
            _title(here=here, folder=folder, owner=owner), style="bold", markup=False, highlight=False, soft_wrap=True
        )
        print_lines(_lines([row for row in rows if (row.here, row.folder, row.owner) == group]), console)


def _lines(rows: list[LabRow]) -> Iterator[Line]:
    """A lab a line: no name is broken, however narrow the terminal is."""
    cells = [(printable(_name(row)), row.words) for row in rows]  # a label is anybody's
    room = widths(cells)
    for row, words in zip(rows, cells, strict=True):
        yield Line("  ".join([*padded(words, room), ", ".join(row.carriers)]), indent=2)


def _name(row: LabRow) -> str:
    if row.stack and row.stack != row.lab:
        return text("lab-of-stack", lab=row.lab, stack=row.stack)
    return row.lab


def _title(*, here: bool, folder: str, owner: str) -> str:
    if here:
        return text("this-folder", folder=folder)
    if folder:
        return folder
    return text("some-folder", id=owner) if owner else text("no-folder")
