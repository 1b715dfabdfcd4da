"""A virtual machine on a computer whose disk is full: it stands still, says so, and goes on once there is room."""

import pathlib
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from tests.support.lab import Lab
from tests.support.machine import wait_until
from tests.vm.conftest import quiet
from where import power, snapshots
from where.home import Home
from where.keys import make_keys
from where.problem import WhereError
from where.qmp import run_state
from where.ssh import to_machine

MIB = 1 << 20
WRITTEN = 100  # MiB, of which a part finds no room
# In the background: it stands still with its machine. Its sum is taken before anything reaches the disk.
WRITE = (
    f"(head -c {WRITTEN}M /dev/urandom | tee /root/letters | sha256sum >/root/written; sync; : >/run/is-written)"
    " >/dev/null 2>&1 </dev/null &"
)


@pytest.fixture
def small(tmp_path: pathlib.Path) -> Iterator[Home]:
    """The folder of a machine, on a file system of its own that has little room."""
    folder = tmp_path / "small"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4g,mode=755", "none", str(folder)], check=True)
    home = Home(folder / "vm")
    try:
        yield home
        power.remove(home, quiet)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def leave(room: int, home: Home) -> None:
    """Makes the file system of the machine's folder so large that `room` MiB are free."""
    folder = home.folder.parent
    used = int(subprocess.check_output(["df", "--output=used", "-B1", str(folder)], text=True).split()[1])
    subprocess.run(["mount", "-o", f"remount,size={used + room * MIB}", str(folder)], check=True)


def refused(does: Callable[[], object]) -> str:
    """What `does` says that fails."""
    with pytest.raises(WhereError) as failed:
        does()
    return failed.value.text


def test_it_stands_still_and_goes_on_with_nothing_lost(lab: Lab, home: Home, small: Home) -> None:
    common = home.settings()
    assert common
    base = str((lab.folder / common.base).resolve())
    settings = replace(common, name="full", base=base, memory=1024, disk=8, network="closed")
    make_keys(small, "full")
    power.start(small, settings, quiet)
    power.reach(small, quiet)
    leave(WRITTEN // 3, small)
    machine = to_machine(small)
    machine.run(WRITE)
    wait_until("it stands still", lambda: run_state(small) == "io-error", 60)

    # Whatever is asked of it: what is wrong, and what to do.
    assert "this computer's disk is full" in refused(lambda: power.reach(small, quiet))
    assert "MiB free" in refused(lambda: power.start(small, settings, quiet))
    assert "disk full" in refused(lambda: snapshots.take(small, "now"))
    assert "port can't be written" in refused(lambda: small.write("port", "2" * MIB))
    assert small.read("port").isdigit()
    assert run_state(small) == "io-error"

    leave(2 * WRITTEN, small)
    power.start(small, settings, quiet)
    power.reach(small, quiet)
    wait_until("all is written", lambda: machine.run("[ ! -e /run/is-written ] || echo yes"), 60)
    machine.run("echo 3 >/proc/sys/vm/drop_caches")
    assert machine.run("sha256sum </root/letters") == machine.run("cat /root/written")
    assert "error" not in machine.run("dmesg --level emerg,alert,crit,err").lower()
    power.stop(small, quiet)
    assert small.pid() is None
