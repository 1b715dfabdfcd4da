"""What a virtual machine can't be made of is reported before anything is made."""

import os
import pathlib
import socket
import subprocess
import sys
from collections.abc import Mapping

import pytest

from driver import place
from driver.lab import ROOT, make_lab
from tests.support.program import outcome


def refused(folder: pathlib.Path, sizes: Mapping[str, int], **environment: str) -> str:
    """What an `up` says that fails; it must have made nothing."""
    lab = make_lab(folder, "dc1es", place=place.of_own_vm(**{"memory": 2048, "disk": 16, **sizes}))
    command = [
        sys.executable,
        "-m",
        "maillab.offline",
        "up",
        "--yes",
        "--json",
        "--stack",
        lab.stack,
        "--cwd",
        str(lab.folder),
    ]
    given = os.environ | {"PYTHONPATH": str(ROOT)} | environment
    done = subprocess.run(command, cwd=ROOT, env=given, capture_output=True, text=True, check=False)
    failed = outcome(done)
    assert not failed.ok
    assert failed.made == {"where"}, "more than what says where the lab is to be"
    assert not (lab.folder / ".vm").exists()
    return failed.words


def test_no_qemu(tmp_path: pathlib.Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("bash", "sh", "docker", "ssh", "ssh-keygen", "mmdebstrap", "python3", "env"):
        (programs / name).symlink_to(f"/usr/bin/{name}")
    words = refused(tmp_path / "lab", {}, PATH=str(programs))
    assert "is not installed on this computer [no-qemu]" in words
    assert "` installs it, or by hand: apt install qemu-system-" in words
    assert "`make up STACK=" in words


def test_taken_port(tmp_path: pathlib.Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        words = refused(tmp_path, {"ssh_port": port})
    assert f"port {port} of 127.0.0.1 is taken [port-taken]" in words
    assert "choose another vm.ssh_port, or leave it out" in words


def test_more_memory_and_processors_than_there_are(tmp_path: pathlib.Path) -> None:
    """Both are reported at once."""
    words = refused(tmp_path, {"memory": 262_144, "cpus": 64})
    assert "vm.cpus is 64, this computer has" in words
    assert "vm.memory is 262144 MiB, this computer has" in words


@pytest.fixture
def small_disk(tmp_path: pathlib.Path) -> pathlib.Path:
    """A folder on a file system without room."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "none", str(folder)], check=False)
    assert mounted.returncode == 0, "mounting a small file system needs root's rights"
    return folder


def test_full_disk(small_disk: pathlib.Path) -> None:
    try:
        words = refused(small_disk / "lab", {})
    finally:
        subprocess.run(["umount", str(small_disk)], check=True)
    assert "MiB free, 4000 MiB are needed [no-space]" in words
    assert "make room there: df -h" in words
