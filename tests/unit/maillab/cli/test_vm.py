"""`maillab vm`, and what `vm status` shows."""

import io

import pytest
from rich.console import Console
from typer.testing import CliRunner

from maillab.cli import vm_status, where
from maillab.cli.app import app
from maillab.cli.choice import Choice
from maillab.cli.problem import MaillabError
from maillab.cli.stack import Engine, Stack
from maillab.where.home import Home, Settings
from maillab.where.problem import WhereError
from maillab.where.snapshots import Snapshot
from tests.unit.maillab.cli.conftest import other_run, save_lab

MAILLAB = "bin/maillab --stack lab"

SETTINGS = Settings(name="lab", base="base", cpus=3, memory=1024, disk=8, ssh_port=0, accelerator="auto")
COMMANDS = (["status"], ["ssh"], ["start"], ["stop"], ["snapshot", "x"], ["restore", "x"], ["forget", "x"])


@pytest.fixture
def chosen(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Stack:
    """Every command is about this stack."""
    monkeypatch.setattr("maillab.cli.vm.chosen", lambda _: Choice(stack=stack, engine=None))
    return stack


def refusal(*words: str) -> MaillabError:
    error = CliRunner().invoke(app, ["vm", *words]).exception
    assert isinstance(error, MaillabError)
    return error


@pytest.mark.usefixtures("chosen")
@pytest.mark.parametrize("words", COMMANDS)
def test_without_a_lab(words: list[str]) -> None:
    error = refusal(*words)
    assert str(error) == "there is no lab lab: it has no virtual machine"
    assert "maillab:where: vm" in error.remedy[0]


@pytest.mark.parametrize("words", COMMANDS)
def test_a_lab_elsewhere(chosen: Stack, words: list[str]) -> None:
    save_lab(chosen, "ssh://teacher@lab")
    assert str(refusal(*words)) == "the lab lab is at ssh://teacher@lab: it has no virtual machine"


@pytest.mark.parametrize("words", [["ssh"], ["snapshot", "x"], ["restore", "x"], ["forget", "x"]])
def test_a_machine_that_is_off(chosen: Stack, words: list[str]) -> None:
    save_lab(chosen, "vm")
    error = refusal(*words)
    assert str(error) == "the virtual machine of the lab lab does not run"
    assert error.remedy == ("start it: bin/maillab --stack lab vm start",)


def test_a_machine_that_was_never_made_is_not_said_to_run(chosen: Stack) -> None:
    save_lab(chosen, "vm")
    assert str(refusal("start")) == "the virtual machine of the lab lab does not run"


@pytest.mark.parametrize(
    ("ready", "words"),
    [
        ([where.READY], "The virtual machine runs, its Docker engine answers."),
        ([], "The virtual machine runs; the first `up` did not come to its end: bin/maillab --stack lab up"),
    ],
)
def test_start_says_what_was_waited_for(
    chosen: Stack, monkeypatch: pytest.MonkeyPatch, ready: list[str], words: str
) -> None:
    save_lab(chosen, "vm", Engine.OFFLINE, where.MACHINE, *ready)
    monkeypatch.setattr(Choice, "reach_engine", lambda _, **__: None)
    monkeypatch.setattr(Home, "pid", lambda _: 1)
    assert CliRunner().invoke(app, ["vm", "start"], catch_exceptions=False).stdout == f"{words}\n"


def test_a_machine_in_which_another_run_works_is_not_stopped(chosen: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    save_lab(chosen, "vm")
    monkeypatch.setattr("maillab.where.power.stop", lambda *_: pytest.fail("it was stopped"))
    with other_run(chosen):
        assert str(refusal("stop")) == "another run works on stack lab (process unknown)"


def test_status_of_a_machine_that_was_never_made(chosen: Stack) -> None:
    save_lab(chosen, "vm")
    assert "there is no virtual machine in" in str(refusal("status"))


def test_a_failure_of_the_machine_is_words_for_people(chosen: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    save_lab(chosen, "vm")

    def fail(*_: object) -> None:
        raise WhereError("vm-no-control", "qemu does not answer", "end it")

    monkeypatch.setattr("maillab.where.power.stop", fail)
    error = refusal("stop")
    assert (str(error), error.remedy, error.id) == ("qemu does not answer", ("end it",), "vm-no-control")


def test_ssh_goes_into_the_machine(chosen: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    save_lab(chosen, "vm")
    executed: list[list[str]] = []
    monkeypatch.setattr(Home, "pid", lambda _: 1)
    monkeypatch.setattr("os.execvp", lambda _program, argv: executed.append(argv))
    CliRunner().invoke(app, ["vm", "ssh", "df", "-h"], catch_exceptions=False)
    assert executed == [["ssh", "-F", str(where.home_of(chosen).ssh_config), "vm", "df", "-h"]]


def test_forget_drops_a_snapshot(chosen: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    save_lab(chosen, "vm")
    dropped: list[str] = []
    monkeypatch.setattr(Home, "pid", lambda _: 1)
    monkeypatch.setattr("maillab.where.snapshots.drop", lambda _, name: dropped.append(name))
    done = CliRunner().invoke(app, ["vm", "forget", "before"], catch_exceptions=False)
    assert (dropped, done.stdout) == (["before"], "There is no snapshot before any more.\n")


@pytest.fixture
def home(stack: Stack) -> Home:
    """The machine of the stack, off."""
    found = where.home_of(stack)
    found.folder.mkdir(parents=True)
    found.save(SETTINGS)
    found.write("accelerator", "tcg\n")
    found.write("port", "40022\n")
    return found


def shown(stack: Stack) -> dict[str, str]:
    """The rows of the table."""
    console = Console(file=io.StringIO(), width=200)
    vm_status.show(stack, console)
    assert isinstance(console.file, io.StringIO)
    rows = (line.split(maxsplit=1) for line in console.file.getvalue().splitlines())
    return {key: value.strip() for key, value in rows}


@pytest.mark.usefixtures("home")
def test_status_of_a_machine_that_is_off(stack: Stack) -> None:
    rows = shown(stack)
    assert rows["state"] == "it is off; start it: bin/maillab --stack lab vm start"
    assert rows["memory"] == "1024 MiB"
    assert rows["disk"].startswith("8 GiB, of which 0 MiB are written")
    assert not {"processor", "SSH"} & rows.keys()


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("running", "it runs"),
        (
            "io-error",
            "it stands still: this computer's disk is full; make room, then: bin/maillab --stack lab vm start",
        ),
        (
            "restore-vm",
            f"it could not be put back to a snapshot; start it again: {MAILLAB} vm stop; {MAILLAB} vm start",
        ),
        ("guest-panicked", "guest-panicked"),
    ],
)
def test_status_of_a_machine_that_is_on(
    stack: Stack, home: Home, monkeypatch: pytest.MonkeyPatch, state: str, words: str
) -> None:
    monkeypatch.setattr(Home, "pid", lambda _: 1)
    monkeypatch.setattr(vm_status, "run_state", lambda _: state)
    monkeypatch.setattr(vm_status, "snapshots", lambda _: [Snapshot(name="before", made=0, size=5 << 20)])
    rows = shown(stack)
    assert home.pid()
    assert rows["state"] == words
    assert rows["processor"] == "3 × software emulation (TCG)"
    assert rows["SSH"] == "127.0.0.1 port 40022: bin/maillab --stack lab vm ssh"
    assert rows["snapshot"].startswith("before, 19")
    assert rows["snapshot"].endswith("5 MiB of memory")
