"""What an exercise keeps of a machine's mail comes back: here the quarantine, and what sa-learn has taught."""

import os
import subprocess
from pathlib import Path

import pytest

from maillab.exercises.kept_mail import KEEP, PUT_BACK, put_back
from tests.unit.maillab.verify.fakes import FakeMachines

PROGRAMS = ("postqueue", "postsuper", "postfix", "service")


@pytest.fixture
def var(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine's /var; what is done to its services is noted in the file `called` there."""
    programs, var = tmp_path / "bin", tmp_path / "var"
    for folder in (programs, var / "mail", var / "lib/amavis/bayes", var / "lib/amavis/virusmails/U"):
        folder.mkdir(parents=True)
    for name in PROGRAMS:
        (programs / name).write_text(f'#!/bin/sh\necho "{name} $*" >>{var}/called\n', "utf-8")
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    (var / "lib/amavis/bayes/bayes_toks").write_bytes(b"taught")
    (var / "lib/amavis/virusmails/U/badh-1").write_bytes(b"a letter")
    return var


def run(program: str, var: Path, words: str = "") -> str:
    """What a program prints that an exercise gives to a machine."""
    command = ["bash", "-c", program.replace("/var", str(var))]
    return subprocess.run(command, input=words, capture_output=True, text=True, check=True).stdout


def files(var: Path) -> dict[str, bytes]:
    """The filter's files."""
    return {path.name: path.read_bytes() for path in (var / "lib/amavis").rglob("*") if path.is_file()}


def restarted(var: Path) -> bool:
    """Was the filter?"""
    return "service amavis restart" in (var / "called").read_text("utf-8")


def test_quarantine_and_what_was_learnt_come_back(var: Path) -> None:
    before, kept = files(var), run(KEEP, var)
    (var / "lib/amavis/bayes/bayes_toks").write_bytes(b"taught something else")
    (var / "lib/amavis/bayes/bayes_seen").write_bytes(b"new")
    (var / "lib/amavis/virusmails/U/badh-1").unlink()
    (var / "lib/amavis/virusmails/U/badh-2").write_bytes(b"another")
    run(PUT_BACK, var, kept)
    assert files(var) == before
    assert restarted(var)


def test_nothing_learnt_comes_back_as_nothing(var: Path) -> None:
    (var / "lib/amavis/bayes/bayes_toks").unlink()
    before, kept = files(var), run(KEEP, var)
    (var / "lib/amavis/bayes/bayes_toks").write_bytes(b"taught")
    run(PUT_BACK, var, kept)
    assert files(var) == before


def test_filter_that_has_learnt_nothing_goes_on(var: Path) -> None:
    run(PUT_BACK, var, run(KEEP, var))
    assert not restarted(var)


def test_machine_without_a_filter_has_none_afterwards(var: Path) -> None:
    kept = run(KEEP, var)
    subprocess.run(["rm", "-r", var / "lib"], check=True)
    run(PUT_BACK, var, kept)
    assert not (var / "lib").exists()


def test_queues_of_all_come_before_the_first_mailbox() -> None:
    """What a machine still sends another is in that one's mailbox, or queue, before it is put back."""
    machines = FakeMachines()
    kept = {"mail": "A1 \narchive\n", "filter": "\nanother\n"}
    put_back(machines, kept)
    asked = [(one.machine, one.command[-1], one.text) for one in machines.asked]
    assert sorted(asked[:2]) == [("filter", "queue", "\n"), ("mail", "queue", "A1 \n")]
    assert sorted(asked[2:]) == [(name, "all", text) for name, text in sorted(kept.items())]


def test_first_look_at_the_queue_leaves_mailboxes_alone(var: Path) -> None:
    kept = run(KEEP, var)
    (var / "mail/wang").write_bytes(b"new")
    command = ["bash", "-c", PUT_BACK.replace("/var", str(var)), "put-back-mail", "queue"]
    subprocess.run(command, input=kept.partition("\n")[0] + "\n", text=True, check=True)
    assert (var / "mail/wang").read_bytes() == b"new"
    run(PUT_BACK, var, kept)
    assert not (var / "mail/wang").exists()
