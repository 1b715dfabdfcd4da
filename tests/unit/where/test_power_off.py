"""A machine that is reached, stopped and removed."""

from pathlib import Path

import pytest

from tests.unit.conftest import Program
from tests.unit.where.conftest import Runs
from where import power
from where.home import Home
from where.problem import WhereError


def test_a_machine_that_is_off_is_not_reached(home: Home, said: list[str]) -> None:
    with pytest.raises(WhereError, match="does not run") as refusal:
        power.reach(home, said.append)
    assert refusal.value.id == "vm-stopped"
    assert "vm start" in refusal.value.remedy[0]


def test_a_machine_that_is_reached_already_is_not_asked(
    home: Home, runs: Runs, program: Program, said: list[str]
) -> None:
    runs()
    (home.folder / "docker.sock").touch()
    program("ssh", 'case "$*" in *check*) ;; *) touch asked;; esac')
    program("docker", "exit 0")
    assert power.reach(home, said.append) == f"unix://{home.folder}/docker.sock"
    assert not Path("asked").exists()


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
    assert said == ["the machine did not shut down within 0 s: it is switched off"]


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
    power.remove(home, said.append)
    assert not home.folder.exists()
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
