"""Removing a lab in a virtual machine: with its disk, or in it."""

from pathlib import Path

import pytest

from maillab.cli import docker, where
from maillab.cli.choice import Choice
from maillab.cli.down import remove_lab
from maillab.cli.problem import MaillabError
from maillab.cli.stack import Engine, Stack
from maillab.where.known import known_of
from tests.unit.conftest import Program
from tests.unit.maillab.cli.conftest import configure, other_run, save_lab, save_state


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch, program: Program) -> list[str]:
    """What the engine did, and what the machine was started for; its engine has a volume of the lab."""
    steps: list[str] = []
    program("docker", """case "$1" in volume) printf 'lab-spool\\tlab-spool\\t\\tlab\\n';; esac""")
    monkeypatch.setattr(docker, "_host", None)
    monkeypatch.setattr(Choice, "run", lambda _self, verb: steps.append(verb))

    def reach_engine(_: Choice, *, start: bool = False) -> None:
        steps.append("start" if start else "look")

    monkeypatch.setattr(Choice, "reach_engine", reach_engine)
    return steps


@pytest.fixture
def disk(stack: Stack) -> Path:
    """The disk of a lab in a virtual machine; the machine is off."""
    save_lab(stack, "vm", Engine.OFFLINE, f"LabVm${where.MACHINE}")
    configure(stack, "vm")
    path = where.home_of(stack).disk
    path.parent.mkdir(parents=True)
    path.touch()
    (stack.root / ".cache" / "vm" / "1").mkdir(parents=True)
    return path


def down(stack: Stack, *, yes: bool = False, keep_mail: bool = False, images: bool = True) -> list[str]:
    return list(remove_lab(Choice(stack=stack, engine=None), yes=yes, keep_mail=keep_mail, images=images))


def answer(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda _: text)


def test_yes_removes_the_machine_and_forgets_the_lab(stack: Stack, disk: Path, done: list[str]) -> None:
    lines = down(stack, yes=True)
    assert not disk.parent.exists()
    assert stack.makers() == []
    assert lines[0] == f"removed the virtual machine {disk.parent}"
    assert done == []


@pytest.mark.parametrize("keep_mail", [True, False])
def test_a_machine_in_which_another_run_works_is_left_alone(
    stack: Stack, disk: Path, done: list[str], keep_mail: bool
) -> None:
    with other_run(stack), pytest.raises(MaillabError, match="another run works on stack lab"):
        down(stack, yes=True, keep_mail=keep_mail)
    assert (disk.exists(), stack.makers(), done) == (True, [Engine.OFFLINE], [])


def test_the_engine_that_removes_the_lab_in_it_is_no_other_run(
    stack: Stack, disk: Path, done: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(_self: Choice, verb: str) -> None:
        with other_run(stack):
            done.append(verb)

    monkeypatch.setattr(Choice, "run", run)
    down(stack, keep_mail=True)
    assert (done, disk.exists()) == (["start", "destroy"], True)
    assert known_of(stack.root, "lab").kept == {"lab-spool"}


def test_what_machines_start_from_goes_with_the_last_one(stack: Stack, disk: Path, done: list[str]) -> None:
    down(stack, yes=True)
    assert not (stack.root / ".cache" / "vm").exists()
    assert (disk.exists(), done) == (False, [])


def test_it_stays_while_another_machine_is_there(stack: Stack, disk: Path, done: list[str]) -> None:
    other = disk.parent.with_name("other")
    other.mkdir()
    (other / "seed.img").touch()  # its keys: it may have no disk of its own yet
    down(stack, yes=True)
    assert (stack.root / ".cache" / "vm").exists()
    assert done == []


def test_it_stays_when_images_are_kept(stack: Stack, disk: Path, done: list[str]) -> None:
    down(stack, yes=True, images=False)
    assert (stack.root / ".cache" / "vm").exists()
    assert (disk.exists(), done) == (False, [])


def test_kept_mail_is_on_the_disk_and_the_lab_is_removed_in_it(stack: Stack, disk: Path, done: list[str]) -> None:
    assert down(stack, keep_mail=True) == [f"kept, with the mail: {disk}"]
    assert disk.exists()
    assert done == ["start", "destroy"]


def test_kept_mail_counts_more_than_yes(stack: Stack, disk: Path, done: list[str]) -> None:
    """As it does for a lab of this computer's engine."""
    down(stack, yes=True, keep_mail=True)
    assert disk.exists()
    assert "destroy" in done


def test_the_mail_goes_when_the_person_says_so(
    stack: Stack, disk: Path, done: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(monkeypatch, "d")
    down(stack)
    assert (disk.exists(), done) == (False, [])


@pytest.mark.parametrize("text", ["k", "keep"])
def test_the_mail_stays_when_the_person_does_not(
    stack: Stack, disk: Path, done: list[str], monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    answer(monkeypatch, text)
    down(stack)
    assert (disk.exists(), done) == (True, ["start", "destroy"])


def test_without_a_terminal_nothing_is_guessed(
    stack: Stack, disk: Path, done: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    with pytest.raises(MaillabError, match=rf"is in the disk {disk}, and there is no terminal to ask at"):
        down(stack)
    assert (disk.exists(), done) == (True, [])


def test_a_machine_that_is_gone_is_forgotten(stack: Stack, disk: Path, done: list[str]) -> None:
    disk.unlink()
    down(stack)
    assert (stack.makers(), done) == ([], [])


def test_pulumi_forgets_it_too(stack: Stack, disk: Path, done: list[str], program: Program) -> None:
    stack.state_file(Engine.OFFLINE).unlink()
    save_lab(stack, "vm", Engine.PULUMI)
    program("pulumi", 'echo "$*" >calls')
    down(stack, yes=True)
    assert (stack.root / "calls").read_text("utf-8") == "stack rm --force --yes --preserve-config lab\n"
    assert (disk.exists(), done) == (False, [])


def test_a_disk_that_was_kept_can_be_removed_later(stack: Stack, disk: Path, done: list[str]) -> None:
    save_state(stack, Engine.OFFLINE, {}, made=False)
    down(stack, yes=True)
    assert (disk.parent.exists(), done) == (False, [])


def test_a_disk_that_was_kept_can_be_kept_again(stack: Stack, disk: Path, done: list[str]) -> None:
    save_state(stack, Engine.OFFLINE, {}, made=False)
    assert down(stack, keep_mail=True) == [f"kept, with the mail: {disk}"]
    assert done == []


def test_a_local_lab_from_before_the_guard_is_not_forgotten(stack: Stack, done: list[str], program: Program) -> None:
    """Whatever its configuration says now: what it has is on this computer's engine."""
    program("docker", "exit 0")
    save_state(stack, Engine.OFFLINE, {})
    configure(stack, "vm")
    down(stack, yes=True)
    assert "destroy" in done
    assert stack.makers() == [Engine.OFFLINE]
