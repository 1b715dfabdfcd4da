"""Snapshots of a running machine: its disk and its memory, as they were at one moment."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass
from typing import cast

from where.home import Home
from where.keys import run
from where.problem import WhereError
from where.qmp import monitor, order
from where.ssh import to_machine
from where.tunnel import Tunnel

_Image = dict[str, list[dict[str, object]]]  # what is read of qemu's ImageInfo
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,40}\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """One snapshot: when it was made (seconds since 1970), and how many bytes its memory takes."""

    name: str
    made: int
    size: int


def snapshots(home: Home) -> list[Snapshot]:
    """The machine's snapshots, oldest first; of a stopped one too. Raises WhereError."""
    if home.pid():
        devices = cast("list[dict[str, dict[str, _Image]]]", order(home, "query-block"))
        images = [device.get("inserted", {}).get("image", {}) for device in devices]
    elif home.disk.exists():
        images = [json.loads(run(["qemu-img", "info", "--output=json", str(home.disk)]))]
    else:
        images = []
    found = [
        Snapshot(name=str(one["name"]), made=int(str(one["date-sec"])), size=int(str(one["vm-state-size"])))
        for image in images
        for one in image.get("snapshots", [])
    ]
    return sorted(found, key=lambda one: one.made)


def take(home: Home, name: str) -> float:
    """Keep the machine's present state under `name`; one of that name is replaced. Answers the seconds it took.

    The machine stands still meanwhile. Raises WhereError.
    """
    _check(home, name)
    begin = time.monotonic()
    with home.alone():
        _order(home, f"savevm {name}", "snapshot-failed")
        home.write(_note(name), json.dumps(_hardware(home)))
    return time.monotonic() - begin


def restore(home: Home, name: str) -> float:
    """Put the machine back to `name`. Answers the seconds it took. Its clock is behind: `set_clock`.

    Raises:
        WhereError: there is no such snapshot (those that there are are named), it was made with other hardware, or
            qemu refuses.
    """
    _check(home, name)
    _known(home, name)
    _refuse_other_hardware(home, name)
    begin = time.monotonic()
    with home.alone():
        Tunnel(home).close(to_machine(home))  # to the machine as it was then, no connection of now exists
        _order(home, f"loadvm {name}", "restore-failed")
        order(home, "cont")
    return time.monotonic() - begin


def set_clock(home: Home) -> None:
    """The machine's clock to this computer's. Raises WhereError."""
    to_machine(home).run(f"date --set=@{time.time():.3f}")


def drop(home: Home, name: str) -> None:
    """Remove a snapshot, and what it takes on the disk. Raises WhereError."""
    _check(home, name)
    _known(home, name)
    with home.alone():
        _order(home, f"delvm {name}", "snapshot-failed")
        (home.folder / _note(name)).unlink(missing_ok=True)


def _note(name: str) -> str:
    return f"snapshot-{name}.machine.json"


def _hardware(home: Home) -> dict[str, object]:
    """What a machine's memory can be put back into only if it is the same; the accelerator is part of it."""
    settings = home.settings()
    chosen = {key: getattr(settings, key) for key in ("cpus", "memory", "disk")} if settings else {}
    return {**chosen, "accelerator": home.read("accelerator")}


def _refuse_other_hardware(home: Home, name: str) -> None:
    """Before anything is touched: qemu would put the disk back first, and fail at the memory."""
    then, now = json.loads(home.read(_note(name)) or "null"), _hardware(home)
    # Without its note of then or of now (machine.json was lost) nothing is known against it.
    if differs := [key for key in now if then and key in then and then[key] != now[key]]:
        what = ", ".join(f"{key} {then[key]} (now {now[key]})" for key in differs)
        remedy = "set vm.* in Pulumi.<stack>.yaml as it was, bring it up, and restore then"
        raise WhereError("other-hardware", f"the snapshot {name} is of a machine with {what}", remedy)


def _known(home: Home, name: str) -> None:
    names = [one.name for one in snapshots(home)]
    if name not in names:
        what = f"there is no snapshot {name}"
        raise WhereError("no-snapshot", what, f"there are: {', '.join(names) or 'none; maillab vm snapshot NAME'}")


def _order(home: Home, line: str, failure: str) -> None:
    if words := monitor(home, line):
        raise WhereError(failure, f"qemu: {words}", "is this computer's disk full? df -h; then: bin/maillab vm status")


def _check(home: Home, name: str) -> None:
    if not NAME.match(name):
        raise WhereError("bad-name", f"{name!r} is no name of a snapshot", "letters, digits, - _ . after a letter")
    if not home.pid():
        raise WhereError("vm-stopped", "the virtual machine does not run", "start it: bin/maillab vm start")
