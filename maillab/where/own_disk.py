"""A machine's own disk: made over the common one, grown when its configuration says so."""

from __future__ import annotations

import json
import os
from pathlib import Path

from maillab.where import Say
from maillab.where.disk import FILES
from maillab.where.home import Home, Settings, put
from maillab.where.keys import run
from maillab.where.problem import WhereError
from maillab.where.snapshots import snapshots


def base_of(home: Home) -> str:
    """The common disk that the machine was made from; empty when there is no machine yet.

    Whatever the recipe says since: making another disk needs a network, and this machine would not take it.
    """
    settings = home.settings()
    return settings.base if settings and home.disk.exists() else ""


def keeps(home: Home, base: str) -> str:
    """The words about a machine whose disk is not made again, though its recipe is another one now."""
    name = home.maillab
    return f"the machine keeps the disk it was made from ({base}); `{name} down`, then `{name} up` make it again"


def have_disk(home: Home, settings: Settings, say: Say) -> None:
    """Have the machine's disk, which holds what differs from the common one; it grows when it shall be larger.

    Raises:
        WhereError: there is nothing to make it from, or it would have to shrink.
    """
    base = Path(settings.base)
    if home.disk.exists():
        _grow(home, settings, say)
        return
    if not all((base / name).exists() for name in FILES):
        remedy = f"make it again: {home.maillab} down, then {home.maillab} up"
        raise WhereError("no-disk", f"the disk that machines start from is gone: {base}", remedy)
    for name in FILES:
        target = home.folder / name
        target.unlink(missing_ok=True)
        try:
            os.link(base / name, target)  # stays when the cache is emptied, and takes no room
        except OSError:
            run(["cp", "--sparse=always", str(base / name), str(target)])
    new = home.disk.with_suffix(".new")
    run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", "disk.raw", str(new), f"{settings.disk}G"])
    put(new, home.disk)


def refuse_shrinking(home: Home, settings: Settings) -> None:
    """Raise WhereError when the disk that is there is larger than `settings` say."""
    there = _size(home)
    if settings.disk < there:
        remedy = f"write vm.disk: {there}, or make the machine again: {home.maillab} down, then up"
        raise WhereError("disk-shrinks", f"a disk of {there} GiB can't become one of {settings.disk} GiB", remedy)


def _grow(home: Home, settings: Settings, say: Say) -> None:
    refuse_shrinking(home, settings)
    if settings.disk > _size(home):
        if lost := ", ".join(one.name for one in snapshots(home)):
            say(f"the disk grows to {settings.disk} GiB; from then on no snapshot of before can be restored: {lost}")
        run(["qemu-img", "resize", "-q", str(home.disk), f"{settings.disk}G"])


def _size(home: Home) -> int:
    """GiB of the disk, also while the machine runs."""
    described = json.loads(run(["qemu-img", "info", "--force-share", "--output=json", str(home.disk)]))
    return int(described["virtual-size"]) >> 30
