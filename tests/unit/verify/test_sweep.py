"""A run takes away what it left, and nothing else."""

import mailbox
import pathlib
import subprocess
import sys

import pytest

from tests.unit.labs import Model, model, school
from tests.unit.verify.fakes import Asked, FakeMachines
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


@pytest.fixture(scope="module")
def swept(tutorial: Model) -> list[Asked]:
    """What the tutorial's machines are asked after a run."""
    machines = FakeMachines()
    sweep_mailboxes(tutorial.lab, tutorial.plans, machines, MARK)
    return machines.asked


def test_schools_mailboxes_are_asked_from_the_workstation(swept: list[Asked]) -> None:
    (asked,) = [asked for asked in swept if asked.machine == "workstation"]
    assert "163.26.182.2 chen lab-chen-2006" in asked.text.splitlines()
    assert "163.26.182.8 syncact lab-syncact-2006" in asked.text.splitlines()


def test_mark_is_given(swept: list[Asked]) -> None:
    assert {MARK in asked.command for asked in swept} == {True}


def test_other_domains_mailboxes_are_asked_from_outside(swept: list[Asked]) -> None:
    assert "203.68.102.25 tnuser tn-lab-3141\n" in [asked.text for asked in swept if asked.machine == "outside"]


def test_senders_mailboxes_are_files_of_mail(swept: list[Asked]) -> None:
    (asked,) = [asked for asked in swept if asked.machine == "outside" and asked.command[0] == "setpriv"]
    assert "--reuid=mail" in asked.command
    assert {"/var/mail/example.com", "/var/mail/ncku.edu.tw"} <= set(asked.command)


def test_school_without_a_workstation_is_left_alone() -> None:
    given = model(lambda data: school(data)["machines"].pop())
    machines = FakeMachines()
    sweep_mailboxes(given.lab, given.plans, machines, MARK)
    assert {asked.machine for asked in machines.asked} == {"outside"}


@pytest.fixture
def box(tmp_path: pathlib.Path) -> pathlib.Path:
    """A mailbox with a letter of the run, a bounce that quotes one, and a letter of somebody's."""
    path = tmp_path / "example.com"
    box = mailbox.mbox(path)
    for subject, text in (("letter", f"1{MARK}"), ("bounce", f"> Message-ID: <2{MARK}>"), ("other", "hello")):
        box.add(f"From: a@b.tw\nSubject: {subject}\n\n{text}\n")
    box.flush()
    return path


def left_in(path: pathlib.Path) -> list[str]:
    return [message["Subject"] for message in mailbox.mbox(path, create=False)]


def run_script(*paths: pathlib.Path) -> None:
    argv = [sys.executable, "-c", SCRIPT, MARK, *map(str, paths)]
    done = subprocess.run(argv, input="", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_script_takes_the_runs_letters_and_bounces_from_a_file(box: pathlib.Path) -> None:
    run_script(box)
    assert left_in(box) == ["other"]


def test_script_leaves_a_file_that_is_not_there(box: pathlib.Path) -> None:
    missing = box.with_name("missing")
    run_script(missing, box)
    assert not missing.exists()
