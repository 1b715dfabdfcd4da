"""A virtual machine's life: started, reached, stopped, removed."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import time
from contextlib import suppress
from dataclasses import replace

from maillab.where import Say
from maillab.where.console import Boot, mark
from maillab.where.disk import need_room
from maillab.where.home import Home, Settings
from maillab.where.own_disk import base_of, have_disk, keeps, refuse_shrinking
from maillab.where.problem import WhereError
from maillab.where.program import finish
from maillab.where.qemu import LOG, Arch, choose_accelerator, command_line, need_qemu, this_arch
from maillab.where.qmp import order, run_state
from maillab.where.ssh import to_machine
from maillab.where.tunnel import Tunnel, connect, wait_for_engine

PORTS = 3  # that are tried, when other programs take them meanwhile
BOOT_SECONDS = {"kvm": 120, "tcg": 600}
SHUTDOWN_SECONDS = 180
ORDER_SECONDS = 30  # for SSH to a machine that may hang
QUIT_SECONDS = 5  # for a process that ends
LAUNCH_SECONDS = 120  # for qemu to open its files and to go into the background
END_SECONDS = 60  # for its end after the order to quit, or a kill: it writes back what it holds of its disk
ROOM = 1500  # MiB that a lab writes to its machine's disk at least
LITTLE = 100  # MiB without which a machine that has its lab would stand still again at once


def start(home: Home, settings: Settings, say: Say) -> str:
    """Have the machine run with `settings`; one that runs with others is stopped first. Answers its accelerator.

    Raises:
        WhereError: a program, a port, room or the disk is missing, or qemu refuses.
    """
    with home.alone():
        before, base = home.settings(), base_of(home)
        if base and base != settings.base:
            say(keeps(home, base))
            settings = replace(settings, base=base)
        if home.pid() and before == settings:
            return _running(home)
        need_room(home.folder, LITTLE if home.disk.exists() else ROOM)
        if home.pid():
            refuse_shrinking(home, settings)  # before the lab in it stands still
            say("the machine runs with other settings: it is stopped first")
            _shut_down(home, say)
        arch = this_arch()
        need_qemu(arch)
        have_disk(home, settings, say)
        accelerator = choose_accelerator(settings.accelerator, arch, home.folder / "vmlinuz", say)
        # Before the machine is there: a start that is killed in between leaves none that nobody can reach.
        home.write("accelerator", f"{accelerator}\n")
        mark(home, "switched on")
        _switch_on(home, settings, arch, accelerator)
        home.save(settings)
        return accelerator


def _running(home: Home) -> str:
    """Goes on when the machine waits for room on this computer's disk (werror=enospc)."""
    if run_state(home) in ("io-error", "paused"):
        need_room(home.folder, LITTLE)
        order(home, "cont")
    return home.read("accelerator")


def _switch_on(home: Home, settings: Settings, arch: Arch, accelerator: str) -> None:
    """A free port may be taken before qemu has it: then another one is."""
    for attempt in range(1, PORTS + 1):
        port = _port(settings)
        home.write("port", f"{port}\n")
        try:
            _launch(home, command_line(home, settings, arch, accelerator, port))
        except WhereError as error:
            if error.id != "port-taken" or settings.ssh_port or attempt == PORTS:
                raise
        else:
            return


def _launch(home: Home, words: list[str]) -> None:
    for stale in ("qmp.sock", "qemu.pid", LOG):
        (home.folder / stale).unlink(missing_ok=True)
    done = finish(words, seconds=LAUNCH_SECONDS, folder=home.folder)
    if done.returncode:
        errors = f"{done.stderr}{home.read(LOG)}".strip()
        taken = "Could not set up host forwarding rule" in errors
        remedy = ["another program has the port: ss -ltnp; choose another vm.ssh_port, or none"] if taken else []
        raise WhereError("port-taken" if taken else "qemu-failed", f"qemu: {errors}", *remedy)


def _port(settings: Settings) -> int:
    """The port of this computer that leads to SSH in the machine. Raises WhereError when it is taken."""
    with socket.socket() as tried:
        # As qemu does: what is left of a connection that ended a moment ago is in nobody's way.
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind(("127.0.0.1", settings.ssh_port))
        except OSError as error:
            what = f"port {settings.ssh_port} of 127.0.0.1 is taken ({error.strerror})"
            remedy = f"see by whom: ss -ltnp 'sport = {settings.ssh_port}'; choose another vm.ssh_port, or leave it out"
            raise WhereError("port-taken", what, remedy) from error
        return int(tried.getsockname()[1])


def reach(home: Home, say: Say) -> str:
    """Wait for the machine's Docker engine, and have its socket here; answers DOCKER_HOST.

    Raises:
        WhereError: the machine does not run, ended, or does not answer in time.
    """
    home.need_running()
    refuse_standing_still(home)
    ssh, tunnel = to_machine(home), Tunnel(home)
    if not tunnel.alive(ssh):
        limit = BOOT_SECONDS.get(home.read("accelerator"), BOOT_SECONDS["tcg"])
        boot = Boot(home, say)
        engine = wait_for_engine(ssh, boot.runs, limit, say)
        boot.came_up()
        connect(home, ssh, engine)
    return tunnel.docker_host


# qemu's words that a person can do something about (werror=enospc: qemu-system(1)).
STANDS_STILL = {
    "io-error": ("it stands still: this computer's disk is full", "make room, then: {} vm start"),
    "paused": ("it stands still", "go on: {} vm start"),
    "restore-vm": ("it could not be put back to a snapshot", "start it again: {0} vm stop; {0} vm start"),
    "internal-error": ("its processor failed", "start it again: {0} vm stop; {0} vm start"),
}


def why_still(home: Home, state: str) -> tuple[str, str] | None:
    """What is wrong and what to do, when a machine in this state does nothing."""
    if state not in STANDS_STILL:
        return None
    what, remedy = STANDS_STILL[state]
    return what, remedy.format(home.maillab)


def refuse_standing_still(home: Home) -> None:
    """Raise WhereError, with what to do, when the machine is there and does nothing."""
    state = run_state(home)
    if still := why_still(home, state):
        what, remedy = still
        raise WhereError("vm-stands-still", f"the virtual machine: {what} ({state})", remedy)


BASE = "debian:trixie-slim"  # as components/resources/images.py has it
IMPORT = (
    f"docker image inspect {BASE} >/dev/null 2>&1 || "
    f"docker import --change 'CMD [\"bash\"]' /var/lib/maillab/base.tar {BASE} >/dev/null"
)


def base_image(home: Home) -> str:
    """Have the machine's engine know the base image, which its disk carries; answers its name. Raises WhereError."""
    to_machine(home).run(IMPORT, timeout=600)
    return BASE


def stop(home: Home, say: Say) -> None:
    """Shut the machine down as one does a computer; its disk stays. One that does not run is fine."""
    with home.alone():
        _shut_down(home, say)


def _shut_down(home: Home, say: Say) -> None:
    ssh = to_machine(home)
    on = home.pid() is not None
    obeys = on and run_state(home) == "running"
    if obeys:
        # The machine ends the connection before the command has an answer.
        with suppress(WhereError):
            ssh.run("systemctl poweroff", timeout=ORDER_SECONDS)
    Tunnel(home).close(ssh)
    if not _gone(home, SHUTDOWN_SECONDS if obeys else 0):
        say(f"the machine did not shut down within {SHUTDOWN_SECONDS} s" if obeys else "the machine stands still")
        say("it is switched off, as by a power cut")
        _switch_off(home)


def _switch_off(home: Home) -> None:
    try:
        order(home, "quit")
    except WhereError:
        # It may have gone without an answer.
        if not _gone(home, QUIT_SECONDS):
            raise
    if _gone(home, END_SECONDS):
        return
    if pid := home.pid():
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    if not _gone(home, END_SECONDS):
        what = f"the virtual machine's process {home.pid()} does not end, not even when it is killed"
        raise WhereError("vm-stays", what, "it hangs in the kernel (see dmesg): restart this computer, then again")


def _gone(home: Home, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while home.pid():
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.1)
    return True


def remove(home: Home, say: Say) -> None:
    """The machine and everything in it: all mail of the lab is gone."""
    if not home.folder.exists():
        return
    if home.pid():
        with home.alone():
            Tunnel(home).close(to_machine(home))
            _switch_off(home)
    sockets = home.sockets
    shutil.rmtree(home.folder)
    shutil.rmtree(sockets, ignore_errors=True)
    say(f"removed the virtual machine {home.folder}")
