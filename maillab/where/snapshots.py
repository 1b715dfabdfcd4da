"""Snapshots of a running machine: its disk and its memory, as they were at one moment."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from maillab.where.disk import need_room
from maillab.where.home import Home, put
from maillab.where.keys import run
from maillab.where.problem import WhereError
from maillab.where.qmp import monitor, order
from maillab.where.ssh import to_machine
from maillab.where.tunnel import Tunnel

_Image = dict[str, list[dict[str, object]]]  # what is read of qemu's ImageInfo
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,40}\Z")
LEAST = 100  # MiB without which a machine that goes on would stand still at once
QEMUS_OWN = 700  # MiB at most of its process that are not the machine's memory: translated code, buffers
RESIDENT = re.compile(r"^RssAnon:\s+(\d+) kB$", re.MULTILINE)  # proc(5), status


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """One snapshot: when it was made (seconds since 1970), and how many bytes its memory takes."""

    name: str
    made: float
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
        Snapshot(name=str(one["name"]), made=_seconds(one), size=int(str(one["vm-state-size"])))
        for image in images
        for one in image.get("snapshots", [])
    ]
    return sorted(found, key=lambda one: one.made)


def _seconds(image: Mapping[str, object]) -> float:
    return int(str(image["date-sec"])) + int(str(image["date-nsec"])) / 1e9


def take(home: Home, name: str, known: Mapping[str, str] | None = None) -> float:
    """Keep the machine's present state under `name`, and `known` with it; one of that name is replaced.

    Answers the seconds it took; the machine stands still meanwhile.

    Raises:
        WhereError: there is no room, or qemu refuses; the words mention it when the older one is gone all the same.
    """
    _check(home, name)
    begin = time.monotonic()
    with home.alone():
        _match_note(home, name)
        older = _find(home, name)
        _refuse_without_room(home, name, older)
        noted = {**_hardware(home), "known": dict(known or {}), "instead_of": older and older.made}
        home.write(_pending_note(name), json.dumps(noted))
        try:
            _order(home, f"savevm {name}", "snapshot-failed")
        except WhereError as error:
            lost = older and not _find(home, name)
            _match_note(home, name)
            if lost:  # qemu removes it first
                what = f"{error}; the older snapshot {name} is gone too"
                raise WhereError(error.id, what, *error.remedy) from error
            raise
        _match_note(home, name)
    return time.monotonic() - begin


def _refuse_without_room(home: Home, name: str, older: Snapshot | None) -> None:
    """When it is clear already that there is too little, nothing is touched: qemu would remove the older one first."""
    again = older.size >> 20 if older else 0
    try:
        need_room(home.folder, LEAST + max(_memory(home) - QEMUS_OWN - again, 0))
    except WhereError as error:
        what = f"there is no room for the snapshot {name}, nothing was changed: {error}"
        raise WhereError(error.id, what, f"is this computer's disk full? df -h; {_forget(home, 'NAME')}") from error


def _memory(home: Home) -> int:
    """MiB that the machine's process takes."""
    try:
        status = Path(f"/proc/{home.pid()}/status").read_text("utf-8", errors="replace")
    except OSError:  # it ended: qemu's answer will say so
        return 0
    return sum(map(int, RESIDENT.findall(status))) >> 10


def _match_note(home: Home, name: str) -> None:
    """Have the note be of the snapshot that is there.

    The process that took it may have ended before qemu did, which then goes on: what was written down beforehand
    counts if there is another snapshot of this name now.
    """
    new, final = home.folder / _pending_note(name), home.folder / _note(name)
    if not new.exists():
        return
    there = _find(home, name)
    if there and there.made != json.loads(new.read_text("utf-8"))["instead_of"]:
        put(new, final)
        return
    new.unlink()
    if not there:
        final.unlink(missing_ok=True)


def note(home: Home, name: str) -> Mapping[str, object]:
    """What was written down with a snapshot: the hardware, and what was `known`.

    Raises:
        WhereError: there is no such snapshot, or its note is damaged.
    """
    _check(home, name)
    with home.alone():
        return _read(home, name)


def restore(home: Home, name: str) -> float:
    """Put the machine back to `name`. Answers the seconds it took. Its clock is behind: `set_clock`.

    Raises:
        WhereError: there is no such snapshot (those that there are are named), it was made with other hardware, or
            qemu refuses.
    """
    _check(home, name)
    begin = time.monotonic()
    with home.alone():
        _refuse_other_hardware(home, name, _read(home, name))
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
    with home.alone():
        _refuse_unknown(home, name)
        _order(home, f"delvm {name}", "snapshot-failed")
        for path in (_note(name), _pending_note(name)):
            (home.folder / path).unlink(missing_ok=True)


def _forget(home: Home, name: str) -> str:
    return f"{home.maillab} vm forget {name}"


def _note(name: str) -> str:
    return f"snapshot-{name}.machine.json"


def _pending_note(name: str) -> str:
    return f"{_note(name)}.new"


def _hardware(home: Home) -> dict[str, object]:
    """What a machine's memory can be put back into only if it is the same; the accelerator is part of it."""
    settings = home.settings()
    chosen = {key: getattr(settings, key) for key in ("cpus", "memory", "disk")} if settings else {}
    return {**chosen, "accelerator": home.read("accelerator")}


def _refuse_other_hardware(home: Home, name: str, then: Mapping[str, object]) -> None:
    """Before anything is touched: qemu would put the disk back first, and fail at the memory."""
    now = _hardware(home)
    # Without its note of then or of now (machine.json was lost) nothing is known against it.
    differs = [key for key in now if key in then and then[key] != now[key]]
    if "disk" in differs:
        what = f"the snapshot {name} is of a disk of {then['disk']} GiB, which grew to {now['disk']} GiB since"
        remedy = f"it can't be gone back to any more; remove it: {_forget(home, name)}"
        raise WhereError("disk-grew", what, remedy)
    if differs:
        what = ", ".join(f"{key} {then[key]} (now {now[key]})" for key in differs)
        remedy = "set vm.* in Pulumi.<stack>.yaml as it was, bring it up, and restore then"
        raise WhereError("other-hardware", f"the snapshot {name} is of a machine with {what}", remedy)


def _read(home: Home, name: str) -> Mapping[str, object]:
    """The note of a snapshot that is there; empty for one from before there were notes."""
    _match_note(home, name)
    _refuse_unknown(home, name)
    try:
        return cast("dict[str, object]", json.loads(home.read(_note(name)) or "{}"))
    except ValueError as error:
        what = f"{home.folder / _note(name)} can't be read: {error}"
        remedy = f"the snapshot can't be gone back to any more; remove it: {_forget(home, name)}"
        raise WhereError("snapshot-damaged", what, remedy) from error


def _find(home: Home, name: str) -> Snapshot | None:
    return next((one for one in snapshots(home) if one.name == name), None)


def _refuse_unknown(home: Home, name: str) -> None:
    names = [one.name for one in snapshots(home)]
    if name not in names:
        known = ", ".join(names) or f"none; {home.maillab} vm snapshot NAME"
        raise WhereError("no-snapshot", f"there is no snapshot {name}", f"there are: {known}")


def _order(home: Home, line: str, failure: str) -> None:
    if words := monitor(home, line):
        raise WhereError(
            failure, f"qemu: {words}", f"is this computer's disk full? df -h; then: {home.maillab} vm status"
        )


def _check(home: Home, name: str) -> None:
    if not NAME.match(name):
        raise WhereError("bad-name", f"{name!r} is no name of a snapshot", "letters, digits, - _ . after a letter")
    home.need_running()
