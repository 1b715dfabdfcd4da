"""The kernel's words on the console: those of this boot, and panics reported once."""

import pytest

from maillab.where.console import PANICS, Boot, log_of, mark, panics
from maillab.where.home import Home
from maillab.where.problem import WhereError
from tests.unit.maillab.where.conftest import Runs

FALLEN = "[    2.93] Kernel panic - not syncing: Fatal exception in interrupt\n[    8.28] Shutting down cpus with NMI\n"


def speak(home: Home, words: str) -> None:
    """As qemu does: what comes is added, whatever bytes they are."""
    with log_of(home).open("ab") as log:
        log.write(b"\xff\x00" + words.encode())


def test_a_machine_that_was_never_on_has_said_nothing(home: Home) -> None:
    assert panics(home) == []


def test_each_panic_of_this_boot_is_found(home: Home) -> None:
    mark(home, "switched on")
    speak(home, FALLEN + "[    0.00] Linux version 6.12\n" + FALLEN.replace("interrupt", "process"))
    assert panics(home) == ["Fatal exception in interrupt", "Fatal exception in process"]


def test_those_of_earlier_boots_are_kept_and_not_told(home: Home) -> None:
    mark(home, "switched on")
    speak(home, FALLEN)
    mark(home, "switched on")
    assert panics(home) == []
    assert FALLEN.encode() in log_of(home).read_bytes()


def test_a_panic_is_reported_once(home: Home, runs: Runs, said: list[str]) -> None:
    runs()
    mark(home, "switched on")
    ask = Boot(home, said.append).runs
    assert ask()
    assert said == []
    speak(home, FALLEN)
    assert ask()
    assert ask()
    assert said == ["its kernel gave up, and started again: Fatal exception in interrupt"]


def test_a_kernel_that_only_gives_up_is_not_waited_for(home: Home, runs: Runs, said: list[str]) -> None:
    runs()
    mark(home, "switched on")
    speak(home, FALLEN * (PANICS - 1))
    ask = Boot(home, said.append).runs
    assert ask()
    speak(home, FALLEN)
    with pytest.raises(WhereError, match="gave up 3 times: Fatal exception in interrupt") as failed:
        ask()
    assert failed.value.id == "vm-panics"
    assert f"{home.maillab} vm stop" in failed.value.remedy[0]
    assert str(log_of(home)) in failed.value.remedy[1]


def test_what_a_machine_went_through_is_over_once_it_is_there(home: Home, runs: Runs, said: list[str]) -> None:
    runs()
    mark(home, "switched on")
    speak(home, FALLEN * PANICS)
    Boot(home, said.append).came_up()
    assert len(said) == PANICS
    again = Boot(home, said.append)
    assert again.runs()
    again.came_up()
    assert len(said) == PANICS


def test_a_machine_that_ended_does_not_run(home: Home, said: list[str]) -> None:
    mark(home, "switched on")
    assert not Boot(home, said.append).runs()
