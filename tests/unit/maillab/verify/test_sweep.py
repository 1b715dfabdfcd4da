"""A run takes away what it left, and nothing else."""

import pathlib
import subprocess

import pytest

from maillab.trace.machines import MachineError
from maillab.verify.sweep import SCRIPT, mailboxes, sweep_mailboxes, sweep_queues
from tests.unit.labs import Model
from tests.unit.maillab.verify.fakes import Asked, FakeMachines

MARK = ".abc@verify.invalid"


def test_messages_that_are_left_are_deleted_from_the_queue(tutorial: Model) -> None:
    machines = FakeMachines()
    sweep_queues(machines, tutorial.plans, {"mail": ["4jA", "4jB"]})
    (asked,) = machines.asked
    assert asked == Asked(machine="mail", command=("postsuper", "-d", "-"), text="4jA\n4jB\n")


def test_empty_queue_is_not_touched(tutorial: Model) -> None:
    machines = FakeMachines()
    sweep_queues(machines, tutorial.plans, {})
    assert machines.asked == []


def sweeping(asked: Asked) -> str:
    """One machine is not there, and on another a mailbox is in use."""
    if asked.machine == "mail2":
        raise MachineError("mail2: `bash` failed: no such container")
    return "/var/mail/chen is in use: its messages of this run stay there\n" if asked.machine == "mail" else ""


def test_every_machine_with_mailboxes_is_asked(tutorial: Model) -> None:
    machines = FakeMachines(answer=lambda asked: "chen\n" if asked.command[0] == "ls" else "")
    assert sweep_mailboxes(machines, mailboxes(tutorial.plans, machines), MARK) == []
    swept = [asked for asked in machines.asked if MARK in asked.command]
    assert sorted(asked.machine for asked in swept) == ["mail", "mail2", "outside", "tn"]
    assert {asked.text for asked in swept} == {"chen\n"}


def test_machine_that_can_not_say_its_mailboxes_is_left_out(tutorial: Model) -> None:
    assert sorted(mailboxes(tutorial.plans, FakeMachines(answer=sweeping))) == ["mail", "outside", "tn"]


def test_what_could_not_be_swept_is_told() -> None:
    before = dict.fromkeys(("mail", "mail2", "tn"), "")
    assert sorted(sweep_mailboxes(FakeMachines(answer=sweeping), before, MARK)) == [
        "mail2: `bash` failed: no such container",
        "mail: /var/mail/chen is in use: its messages of this run stay there",
    ]


OTHER = (
    b"From a@b.tw  Tue Nov 24 10:46:41 2026\nFrom: a@b.tw\nSubject: other\n\n\xe5\xa4\xa7 \xff\n>From here on\n\n"
    b"text without a From line\n\n"
)


def new_message(text: str) -> bytes:
    return f"From v@b.tw  Tue Nov 24 10:46:41 2026\nSubject: of the run\n\n{text}\n\n".encode()


@pytest.fixture
def box(tmp_path: pathlib.Path) -> pathlib.Path:
    """A mailbox with a message of the run, a bounce that quotes one, and two messages of somebody's."""
    path = tmp_path / "chen"
    path.write_bytes(new_message(f"1{MARK}") + OTHER + new_message(f"> Message-ID: <2{MARK}>") + OTHER)
    path.chmod(0o600)
    return path


def run_script(*paths: pathlib.Path, before: str = "chen\n") -> str:
    command = ["perl", "-e", SCRIPT, MARK, "0.2", *map(str, paths)]
    done = subprocess.run(command, input=before, capture_output=True, text=True, check=True)
    return done.stdout


def test_script_leaves_the_others_messages_byte_for_byte(box: pathlib.Path) -> None:
    assert run_script(box) == ""
    assert box.read_bytes() == OTHER + OTHER
    assert box.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in box.parent.iterdir()] == ["chen"]


def test_script_does_not_touch_a_mailbox_without_a_message_of_the_run(box: pathlib.Path) -> None:
    box.write_bytes(OTHER)
    before = box.stat()
    run_script(box)
    after = box.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_script_leaves_a_mailbox_that_is_in_use(box: pathlib.Path) -> None:
    before, lock = box.read_bytes(), box.with_name("chen.lock")
    lock.touch()
    assert "chen is in use" in run_script(box)
    assert box.read_bytes() == before
    assert lock.exists()


def test_script_leaves_a_file_that_is_not_there(box: pathlib.Path) -> None:
    missing = box.with_name("missing")
    run_script(missing, box)
    assert not missing.exists()


@pytest.mark.parametrize("content", [b"", new_message(f"1{MARK}")])
def test_script_removes_an_empty_mailbox_that_the_run_made(box: pathlib.Path, content: bytes) -> None:
    box.write_bytes(content)
    run_script(box, before="lin\n")
    assert list(box.parent.iterdir()) == []


@pytest.mark.parametrize("content", [b"", new_message(f"1{MARK}")])
def test_script_leaves_an_empty_mailbox_that_was_there(box: pathlib.Path, content: bytes) -> None:
    box.write_bytes(content)
    run_script(box)
    assert box.read_bytes() == b""


def test_script_leaves_a_new_mailbox_with_somebodys_message(box: pathlib.Path) -> None:
    run_script(box, before="")
    assert box.read_bytes() == OTHER + OTHER
