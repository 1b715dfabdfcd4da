"""What can be known to go wrong before anything is made; all of it is told at once."""

import socket
from pathlib import Path

import pytest

from tests.unit.conftest import Program
from tests.unit.where.conftest import Runs, settings
from where import preflight
from where.home import Home
from where.preflight import PROGRAMS, check
from where.problem import WhereError
from where.qemu import this_arch


@pytest.fixture(autouse=True)
def programs(program: Program, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder with everything that is needed, and nothing else is found; two processors; room enough."""
    for name in (this_arch().program, "qemu-img", *PROGRAMS):
        path = program(name, "")
    monkeypatch.setenv("PATH", str(path.parent))
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    monkeypatch.setattr(preflight, "NEEDED", 0)
    monkeypatch.setattr(preflight, "ROOM", 0)
    return path.parent


def problem(home: Home, **changes: int) -> WhereError:
    with pytest.raises(WhereError) as caught:
        check(home, settings(**changes))
    return caught.value


def test_a_computer_that_has_it_all(home: Home) -> None:
    assert check(home, settings()) == "2 processors, 1024 MiB of memory, 8 GiB of disk"


@pytest.mark.parametrize("name", [this_arch().program, "qemu-img"])
def test_no_qemu(home: Home, programs: Path, name: str) -> None:
    (programs / name).unlink()
    assert problem(home).id == "no-qemu"


@pytest.mark.parametrize("name", ["ssh", "ssh-keygen", "mmdebstrap"])
def test_a_missing_program_is_named_by_its_package(home: Home, programs: Path, name: str) -> None:
    (programs / name).unlink()
    found = problem(home)
    assert (found.id, str(found)) == ("no-program", f"missing on this computer: {PROGRAMS[name]}")
    assert found.remedy[0].endswith(f"apt install {PROGRAMS[name]}")


def test_too_many_processors(home: Home) -> None:
    found = problem(home, cpus=3)
    assert (found.id, str(found)) == ("too-many-cpus", "vm.cpus is 3, this computer has 2")


def test_too_little_memory(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sysconf", {"SC_PHYS_PAGES": 2048 << 8, "SC_PAGE_SIZE": 4096}.__getitem__)
    found = problem(home, memory=1537)
    assert (found.id, str(found)) == ("too-little-memory", "vm.memory is 1537 MiB, this computer has 2048 MiB in all")
    assert found.remedy == ("write at most 1536",)
    assert check(home, settings(memory=1536))


def test_no_room(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "NEEDED", 1 << 40)
    assert problem(home).id == "no-space"


def test_a_machine_that_is_made_needs_no_more_room(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "NEEDED", 1 << 40)
    home.disk.touch()
    assert check(home, settings())


@pytest.fixture
def taken() -> socket.socket:
    """A port of this computer that another program has."""
    return socket.create_server(("127.0.0.1", 0))


def test_a_taken_port(home: Home, taken: socket.socket) -> None:
    with taken:
        port = taken.getsockname()[1]
        found = problem(home, ssh_port=port)
    assert (found.id, str(found)) == ("port-taken", f"port {port} of 127.0.0.1 is taken")


def test_the_machines_own_port_is_not_taken(home: Home, runs: Runs, taken: socket.socket) -> None:
    runs()
    home.write("port", f"{taken.getsockname()[1]}\n")
    with taken:
        assert check(home, settings(ssh_port=taken.getsockname()[1]))


def test_another_port_for_a_machine_that_runs_is_looked_at(home: Home, runs: Runs, taken: socket.socket) -> None:
    runs()
    home.write("port", "40000\n")
    with taken:
        assert problem(home, ssh_port=taken.getsockname()[1]).id == "port-taken"


def test_everything_is_told_at_once(home: Home, programs: Path, taken: socket.socket) -> None:
    for name in ("qemu-img", "mmdebstrap"):
        (programs / name).unlink()
    with pytest.MonkeyPatch.context() as patch, taken:
        patch.setattr(preflight, "NEEDED", 1 << 40)
        text = problem(home, cpus=9, memory=1 << 40, ssh_port=taken.getsockname()[1]).text
    for id in ("no-qemu", "no-program", "too-many-cpus", "too-little-memory", "no-space", "port-taken"):
        assert f"[{id}]\n" in text
    assert "apt install mmdebstrap" in text
