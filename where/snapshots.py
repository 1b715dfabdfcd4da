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
    return time.monotonic() - begin


def restore(home: Home, name: str) -> float:
    """Put the machine back to `name`, and its clock to the present. Answers the seconds it took.

    Raises:
        WhereError: there is no such snapshot (those that there are are named), or qemu refuses.
    """
    _check(home, name)
    names = [one.name for one in snapshots(home)]
    if name not in names:
        what = f"there is no snapshot {name}"
        raise WhereError("no-snapshot", what, f"there are: {', '.join(names) or 'none; maillab vm snapshot NAME'}")
    begin = time.monotonic()
    ssh = to_machine(home)
    with home.alone():
        Tunnel(home).close(ssh)  # to the machine as it was then, no connection of now exists
        _order(home, f"loadvm {name}", "restore-failed")
        order(home, "cont")
    ssh.run(f"date --set=@{time.time():.3f}")
    return time.monotonic() - begin


def _order(home: Home, line: str, failure: str) -> None:
    if words := monitor(home, line):
        remedy = "is this computer's disk full? df -h"
        raise WhereError(failure, f"qemu: {words}", remedy)


def _check(home: Home, name: str) -> None:
    if not NAME.match(name):
        raise WhereError("bad-name", f"{name!r} is no name of a snapshot", "letters, digits, - _ . after a letter")
    if not home.pid():
        raise WhereError("vm-stopped", "the virtual machine does not run", "start it: bin/maillab vm start")
