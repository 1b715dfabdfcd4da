"""A virtual machine without a lab: a kernel that falls, and a computer whose disk is full."""

import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from driver.lab import Lab
from driver.machine import wait_until
from maillab.where import power, snapshots
from maillab.where.console import panics
from maillab.where.home import Home
from maillab.where.keys import make_keys
from maillab.where.problem import WhereError
from maillab.where.qmp import run_state
from maillab.where.ssh import to_machine
from maillab.where.tunnel import Tunnel
from tests.vm.conftest import quiet

pytestmark = pytest.mark.long
MIB = 1 << 20
WRITTEN = 100  # MiB, of which a part finds no room
# In the background: it stands still with its machine. Its sum is taken before anything reaches the disk.
WRITE = (
    f"(head -c {WRITTEN}M /dev/urandom | tee /root/letters | sha256sum >/root/written; sync; : >/run/is-written)"
    " >/dev/null 2>&1 </dev/null &"
)


@pytest.fixture(scope="module")
def small(lab: Lab, home: Home, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A machine that runs, whose folder is on a file system of its own that has little room."""
    common = home.settings()
    assert common
    base = str((lab.folder / common.base).resolve())
    settings = replace(common, name="small", base=base, memory=1024, disk=8, network="closed")
    folder = tmp_path_factory.mktemp("small")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4g,mode=755", "none", str(folder)], check=True)
    small = Home(folder / "vm")
    try:
        make_keys(small, "small")
        power.start(small, settings, quiet)
        power.reach(small, quiet)
        yield small
    finally:
        power.remove(small, quiet)
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


def test_kernel_that_falls_starts_again_by_itself(small: Home) -> None:
    pid, machine = small.pid(), to_machine(small)
    machine.run("echo kept >/root/kept; sync; (sleep 1; echo c >/proc/sysrq-trigger) >/dev/null 2>&1 &")
    wait_until("the kernel falls", lambda: panics(small), 60)
    said: list[str] = []
    power.reach(small, said.append)
    assert small.pid() == pid
    assert "its kernel gave up, and started again: sysrq triggered crash" in said
    assert Tunnel(small).alive(machine), "the way to the engine that fell is no way any more"
    # That a lab comes back from such an end: test_life.py, where qemu is killed.
    assert machine.run("cat /root/kept") == "kept\n"


def test_full_disk_stops_it_and_it_goes_on_with_nothing_lost(small: Home) -> None:
    settings = small.settings()
    assert settings
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
