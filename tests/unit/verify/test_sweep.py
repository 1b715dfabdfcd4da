"""A run takes away what it left, and nothing else."""

import pathlib
import subprocess

import pytest

from tests.unit.labs import Model
from tests.unit.verify.fakes import Asked, FakeMachines
from verify.machines import MachineError
from verify.maillog import Entry
from verify.sweep import SCRIPT, sweep_mailboxes, sweep_queues

MARK = ".abc@verify.invalid"


def entry(queue_id: str, message_id: str = f"<1{MARK}>", *, removed: bool = False) -> Entry:
    return Entry(queue_id=queue_id, message_id=message_id, removed=removed)


def swept_queues(*entries: Entry) -> list[Asked]:
    machines = FakeMachines()
    sweep_queues(machines, {"mail": {found.queue_id: found for found in entries}}, MARK)
    return machines.asked


def test_letters_that_wait_are_deleted_from_the_queue() -> None:
    (asked,) = swept_queues(entry("4jA"), entry("4jB"))
    assert asked == Asked(machine="mail", command=("postsuper", "-d", "-"), text="4jA\n4jB\n")


@pytest.mark.parametrize(
    "found",
    [
        pytest.param(entry("4jA", removed=True), id="gone on"),
        pytest.param(entry("4jA", "<letter@example.com>"), id="somebody else's"),
        pytest.param(entry("4jA", "<1.def@verify.invalid>"), id="another run's"),
    ],
)
def test_nothing_else_is_deleted_from_the_queue(found: Entry) -> None:
    assert swept_queues(found) == []


def sweeping(asked: Asked) -> str:
    """One machine is not there, and on another a mailbox is in use."""
    if asked.machine == "mail2":
        raise MachineError("mail2: `bash` failed: no such container")
    return "/var/mail/chen is in use: its letters of this run stay there\n" if asked.machine == "mail" else ""


def test_every_machine_with_mailboxes_is_asked(tutorial: Model) -> None:
    machines = FakeMachines()
    assert sweep_mailboxes(tutorial.plans, machines, MARK) == []
    assert sorted(asked.machine for asked in machines.asked) == ["mail", "mail2", "outside", "tn"]
    assert {MARK in asked.command for asked in machines.asked} == {True}


def test_what_could_not_be_swept_is_told(tutorial: Model) -> None:
    assert sorted(sweep_mailboxes(tutorial.plans, FakeMachines(answer=sweeping), MARK)) == [
        "mail2: `bash` failed: no such container",
        "mail: /var/mail/chen is in use: its letters of this run stay there",
    ]


OTHER = (
    b"From a@b.tw  Tue Nov 24 10:46:41 2026\nFrom: a@b.tw\nSubject: other\n\n\xe5\xa4\xa7 \xff\n>From here on\n\n"
    b"text without a From line\n\n"
)


def letter(text: str) -> bytes:
    return f"From v@b.tw  Tue Nov 24 10:46:41 2026\nSubject: of the run\n\n{text}\n\n".encode()


@pytest.fixture
def box(tmp_path: pathlib.Path) -> pathlib.Path:
    """A mailbox with a letter of the run, a bounce that quotes one, and two letters of somebody's."""
    path = tmp_path / "chen"
    path.write_bytes(letter(f"1{MARK}") + OTHER + letter(f"> Message-ID: <2{MARK}>") + OTHER)
    path.chmod(0o600)
    return path


def run_script(*paths: pathlib.Path) -> str:
    done = subprocess.run(
        ["perl", "-e", SCRIPT, MARK, "0.2", *map(str, paths)], capture_output=True, text=True, check=True
    )
    return done.stdout


def test_script_leaves_the_others_letters_byte_for_byte(box: pathlib.Path) -> None:
    assert run_script(box) == ""
    assert box.read_bytes() == OTHER + OTHER
    assert box.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in box.parent.iterdir()] == ["chen"]


def test_script_does_not_touch_a_mailbox_without_a_letter_of_the_run(box: pathlib.Path) -> None:
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
