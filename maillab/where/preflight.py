"""What can be known to go wrong before anything is made."""

from __future__ import annotations

import os
import shutil
import socket
from pathlib import Path

from maillab.where.disk import NEEDED, is_made, need_room
from maillab.where.home import Home, Settings
from maillab.where.power import ROOM
from maillab.where.problem import WhereError
from maillab.where.qemu import device_fault, need_qemu, no_kvm, this_arch

PROGRAMS = {"ssh": "openssh-client", "ssh-keygen": "openssh-client", "mkfs.ext4": "e2fsprogs"}
# What the disk is made with, and what an ordinary user needs for it (files/vm/make-disk).
MAKES_DISK = {"mmdebstrap": "mmdebstrap"}
INSTEAD_OF_ROOT = {"fakeroot": "fakeroot", "newuidmap": "uidmap"}
KEYS = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
SPARE = 512  # MiB that this computer keeps for itself


def check(home: Home, settings: Settings) -> str:
    """Everything that a machine needs of this computer; answers a line on it.

    Raises:
        WhereError: with everything that is missing.
    """
    problems: list[WhereError] = []
    for attempt in (_qemu, _accelerator, _programs, _processors, _memory, _room, _port):
        try:
            attempt(home, settings)
        except WhereError as problem:
            problems.append(problem)
    if len(problems) == 1:
        raise problems[0]
    if problems:
        all_of_them = "\n".join(problem.text for problem in problems)
        raise WhereError("vm-check", f"this computer lacks several things:\n{all_of_them}")
    return f"{settings.cpus} processors, {settings.memory} MiB of memory, {settings.disk} GiB of disk"


def _qemu(_home: Home, _settings: Settings) -> None:
    need_qemu(this_arch())


def _accelerator(_home: Home, settings: Settings) -> None:
    """Only what can be seen without a kernel, which comes with the disk."""
    if settings.accelerator == "kvm" and (why := device_fault()):
        raise no_kvm(why)


def _programs(home: Home, _settings: Settings) -> None:
    needed = dict(PROGRAMS)
    makes_disk = not (home.disk.exists() or is_made())
    if makes_disk:
        needed |= MAKES_DISK | (INSTEAD_OF_ROOT if os.geteuid() else {})
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    missing = sorted({package for program, package in needed.items() if not shutil.which(program, path=path)})
    if makes_disk and not KEYS.exists():
        missing.append("debian-archive-keyring")
    if missing:
        what = f"missing on this computer: {', '.join(missing)}"
        raise WhereError("no-program", what, f"`make up` installs them, or by hand: apt install {' '.join(missing)}")


def _processors(_home: Home, settings: Settings) -> None:
    there = os.cpu_count() or 1
    if settings.cpus > there:
        raise WhereError("too-many-cpus", f"vm.cpus is {settings.cpus}, this computer has {there}", "write fewer")


def _memory(home: Home, settings: Settings) -> None:
    if home.pid():
        return
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") >> 20
    if settings.memory + SPARE > pages:
        what = f"vm.memory is {settings.memory} MiB, this computer has {pages} MiB in all"
        raise WhereError("too-little-memory", what, f"write at most {pages - SPARE}")


def _room(home: Home, _settings: Settings) -> None:
    if not home.disk.exists():
        need_room(home.folder, NEEDED + ROOM)


def _port(home: Home, settings: Settings) -> None:
    """Only a wanted one: a free one is found later."""
    own = home.pid() and home.read("port") == str(settings.ssh_port)
    if not settings.ssh_port or own:
        return
    with socket.socket() as tried:
        if tried.connect_ex(("127.0.0.1", settings.ssh_port)) == 0:
            remedy = f"see whose: ss -ltnp 'sport = {settings.ssh_port}'; choose another vm.ssh_port, or leave it out"
            raise WhereError("port-taken", f"port {settings.ssh_port} of 127.0.0.1 is taken", remedy)
