"""What can be known to go wrong before anything is made; all of it is reported at once."""

import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from maillab.where import preflight
from maillab.where.disk import CACHE, FILES
from maillab.where.home import Home
from maillab.where.preflight import INSTEAD_OF_ROOT, MAKES_DISK, PROGRAMS, check
from maillab.where.problem import WhereError
from maillab.where.qemu import this_arch
from tests.unit.conftest import Program
from tests.unit.maillab.where.conftest import Runs, settings

PACKAGES = PROGRAMS | MAKES_DISK | INSTEAD_OF_ROOT


@pytest.fixture(autouse=True)
def programs(program: Program, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The folder with all that an ordinary user needs, and nothing else is found; two processors; room enough."""
    for name in (this_arch().program, "qemu-img", *PACKAGES):
        path = program(name, "")
    monkeypatch.setenv("PATH", str(path.parent))
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setattr(preflight, "KEYS", tmp_path)
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    monkeypatch.setattr(preflight, "NEEDED", 0)
    monkeypatch.setattr(preflight, "ROOM", 0)
    return path.parent


def problem(home: Home, **changes: int | str) -> WhereError:
    with pytest.raises(WhereError) as caught:
        check(home, settings(**changes))
    return caught.value


def test_a_computer_that_has_it_all(home: Home) -> None:
    assert check(home, settings()) == "2 processors, 1024 MiB of memory, 8 GiB of disk"


@pytest.mark.parametrize("name", [this_arch().program, "qemu-img"])
def test_no_qemu(home: Home, programs: Path, name: str) -> None:
    (programs / name).unlink()
    assert problem(home).id == "no-qemu"


@pytest.mark.parametrize("name", ["ssh", "ssh-keygen", "mmdebstrap", "fakeroot", "newuidmap"])
def test_a_missing_program_is_named_by_its_package(home: Home, programs: Path, name: str) -> None:
    (programs / name).unlink()
    found = problem(home)
    assert (found.id, str(found)) == ("no-program", f"missing on this computer: {PACKAGES[name]}")
    assert found.remedy[0].endswith(f"apt install {PACKAGES[name]}")


def test_debians_keys_are_needed(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "KEYS", Path("/nowhere"))
    found = problem(home)
    assert (found.id, str(found)) == ("no-program", "missing on this computer: debian-archive-keyring")


def test_root_needs_less(home: Home, programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    for name in INSTEAD_OF_ROOT:
        (programs / name).unlink()
    assert check(home, settings())


def made_before(home: Home) -> None:
    """The machine has its disk."""
    home.disk.touch()


def made_by_another(_home: Home) -> None:
    """A disk that machines start from is in the cache."""
    (CACHE / "0a").mkdir(parents=True)
    for name in FILES:
        (CACHE / "0a" / name).touch()


@pytest.fixture
def makes_nothing(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is nothing to make a disk with."""
    monkeypatch.setattr(preflight, "KEYS", Path("/nowhere"))
    for name in MAKES_DISK | INSTEAD_OF_ROOT:
        (programs / name).unlink()


@pytest.mark.usefixtures("makes_nothing")
@pytest.mark.parametrize("prepare", [made_before, made_by_another])
def test_a_disk_that_is_there_need_not_be_made(home: Home, prepare: Callable[[Home], None]) -> None:
    prepare(home)
    assert check(home, settings())


@pytest.mark.usefixtures("makes_nothing")
def test_a_disk_that_was_not_finished_is_made_again(home: Home) -> None:
    made_by_another(home)
    (CACHE / "0a").rename(CACHE / "0a.unfinished")
    assert problem(home).id == "no-program"


@pytest.mark.parametrize("accelerator", ["auto", "tcg"])
def test_kvm_is_missed_by_nobody_who_did_not_ask_for_it(
    home: Home, monkeypatch: pytest.MonkeyPatch, accelerator: str
) -> None:
    monkeypatch.setattr(preflight, "device_fault", lambda: "there is no /dev/kvm")
    assert check(home, settings(accelerator=accelerator))


def test_kvm_that_is_wanted_and_is_not_there(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is reported before the disk is made, which takes minutes."""
    monkeypatch.setattr(preflight, "device_fault", lambda: "there is no /dev/kvm")
    found = problem(home, accelerator="kvm")
    assert (found.id, str(found)) == ("no-kvm", "KVM can't be used: there is no /dev/kvm")
    assert found.remedy == ("write accelerator: auto (or leave it out)",)


def test_kvm_that_is_wanted_and_is_there(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "device_fault", lambda: None)
    assert check(home, settings(accelerator="kvm"))


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
