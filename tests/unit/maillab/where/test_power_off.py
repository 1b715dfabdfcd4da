"""A machine that is reached, stopped and removed."""

import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from maillab.where import power
from maillab.where.home import Home
from maillab.where.problem import WhereError
from tests.unit.conftest import Program
from tests.unit.maillab.where.conftest import Runs

MAILLAB = "bin/maillab --stack lab"


def test_a_machine_that_is_off_is_not_reached(home: Home, said: list[str]) -> None:
    with pytest.raises(WhereError, match="does not run") as refusal:
        power.reach(home, said.append)
    assert refusal.value.id == "vm-stopped"
    assert "vm start" in refusal.value.remedy[0]


def test_a_machine_that_is_reached_already_is_not_asked(
    home: Home, runs: Runs, orders: list[str], program: Program, said: list[str]
) -> None:
    runs()
    (home.sockets / "docker.sock").touch()
    program("ssh", 'case "$*" in *check*) ;; *) touch asked;; esac')
    program("docker", "exit 0")
    assert power.reach(home, said.append) == f"unix://{home.sockets}/docker.sock"
    assert (Path("asked").exists(), orders) == (False, [])


@pytest.fixture
def stands_still(orders: list[str], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A machine of which qemu says that it is paused: what it was ordered; nothing is waited for."""
    monkeypatch.setattr(power, "run_state", lambda _: "paused")
    clock = SimpleNamespace(monotonic=time.monotonic, sleep=lambda _: pytest.fail("it was waited for"))
    monkeypatch.setattr(power, "time", clock)
    return orders


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (
            "io-error",
            f"it stands still: this computer's disk is full (io-error)|make room, then: {MAILLAB} vm start",
        ),
        ("paused", "it stands still (paused)|go on: bin/maillab --stack lab vm start"),
        (
            "restore-vm",
            "it could not be put back to a snapshot (restore-vm)"
            f"|start it again: {MAILLAB} vm stop; {MAILLAB} vm start",
        ),
        (
            "internal-error",
            f"its processor failed (internal-error)|start it again: {MAILLAB} vm stop; {MAILLAB} vm start",
        ),
    ],
)
def test_a_machine_that_stands_still_is_told_at_once(
    home: Home, runs: Runs, monkeypatch: pytest.MonkeyPatch, state: str, words: str
) -> None:
    runs()
    monkeypatch.setattr(power, "run_state", lambda _: state)
    monkeypatch.setattr(power, "wait_for_engine", lambda *_: pytest.fail("it was waited for"))
    with pytest.raises(WhereError) as refusal:
        power.reach(home, pytest.fail)
    assert "|".join([str(refusal.value), *refusal.value.remedy]) == f"the virtual machine: {words}"
    assert refusal.value.id == "vm-stands-still"


def test_a_machine_that_stands_still_is_switched_off_at_once(
    home: Home, runs: Runs, stands_still: list[str], program: Program, said: list[str]
) -> None:
    runs()
    program("ssh", 'case "$*" in *poweroff) touch asked;; esac')
    power.stop(home, said.append)
    assert said == ["the machine stands still", "it is switched off, as by a power cut"]
    assert (stands_still, Path("asked").exists()) == (["quit"], False)


def test_stop_shuts_down_as_one_does_a_computer(
    home: Home, runs: Runs, orders: list[str], program: Program, said: list[str]
) -> None:
    runs()
    program("ssh", f'case "$*" in *poweroff) rm {home.folder}/qemu.pid;; esac')
    power.stop(home, said.append)
    assert home.pid() is None
    assert (orders, said) == ([], [])


@pytest.mark.usefixtures("impatient")
def test_what_does_not_shut_down_is_switched_off(
    home: Home, runs: Runs, orders: list[str], program: Program, said: list[str]
) -> None:
    runs()
    program("ssh", "exit 255")
    power.stop(home, said.append)
    assert orders == ["quit"]
    assert said == ["the machine did not shut down within 0 s", "it is switched off, as by a power cut"]


@pytest.mark.usefixtures("impatient")
def test_a_machine_whose_ssh_hangs_is_switched_off(
    home: Home, runs: Runs, orders: list[str], program: Program, said: list[str]
) -> None:
    runs()
    program("ssh", 'case "$*" in *poweroff) exec tail -f /dev/null;; esac')
    power.stop(home, said.append)
    assert orders == ["quit"]


def test_stop_of_a_machine_that_is_off(home: Home, orders: list[str], program: Program, said: list[str]) -> None:
    program("ssh", 'case "$*" in *poweroff) touch asked;; esac')
    power.stop(home, said.append)
    assert not Path("asked").exists()
    assert (orders, said) == ([], [])


def test_remove_takes_the_folder(home: Home, said: list[str]) -> None:
    home.disk.touch()
    sockets = home.sockets
    power.remove(home, said.append)
    assert not home.folder.exists()
    assert not sockets.exists()
    assert said == [f"removed the virtual machine {home.folder}"]


def test_remove_ends_a_machine_that_runs(
    home: Home, runs: Runs, orders: list[str], program: Program, said: list[str]
) -> None:
    program("ssh", "exit 0")
    runs()
    power.remove(home, said.append)
    assert orders == ["quit"]
    assert not home.folder.exists()


def test_remove_of_no_machine_says_nothing(home: Home, said: list[str]) -> None:
    home.folder.rmdir()
    power.remove(home, said.append)
    assert said == []


def test_a_qemu_that_goes_without_an_answer_is_gone(
    home: Home, runs: Runs, monkeypatch: pytest.MonkeyPatch, program: Program, said: list[str]
) -> None:
    def order(_home: Home, _command: str) -> None:
        (home.folder / "qemu.pid").unlink()
        raise WhereError("vm-no-control", "the connection was lost")

    monkeypatch.setattr(power, "order", order)
    program("ssh", "exit 0")
    runs()
    power.remove(home, said.append)
    assert not home.folder.exists()


def test_a_qemu_that_stays_without_an_answer_is_reported(
    home: Home, runs: Runs, monkeypatch: pytest.MonkeyPatch, program: Program, said: list[str]
) -> None:
    def order(_home: Home, _command: str) -> None:
        raise WhereError("vm-no-control", "another command is at work")

    monkeypatch.setattr(power, "order", order)
    monkeypatch.setattr(power, "QUIT_SECONDS", 0)
    program("ssh", "exit 0")
    runs()
    with pytest.raises(WhereError, match="another command is at work"):
        power.remove(home, said.append)
    assert home.folder.exists()
