"""What an exercise keeps of a machine's mail comes back: here the quarantine, and what sa-learn has taught."""

import os
import subprocess
from pathlib import Path

import pytest

from maillab.exercises.kept_mail import HOLD, KEEP, PUT_BACK, put_back
from maillab.trace.machines import MachineError
from tests.unit.maillab.verify.fakes import Asked, FakeMachines

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


def test_mail_stands_still_everywhere_before_the_first_mailbox_is_put_back() -> None:
    """What a machine still sends another would come after that one's mailboxes."""
    machines = FakeMachines()
    kept = {"mail": "A1 \narchive\n", "filter": "\nanother\n"}
    put_back(machines, kept)
    asked = [(one.command[-1], one.machine, one.text) for one in machines.asked]
    assert sorted(asked[:2]) == [(HOLD, "filter", ""), (HOLD, "mail", "")]
    assert sorted(asked[2:]) == [(PUT_BACK, name, text) for name, text in sorted(kept.items())]


def test_machine_that_fails_hinders_no_other() -> None:
    def answer(asked: Asked) -> str:
        if (asked.machine, asked.command[-1]) == ("filter", HOLD):
            raise MachineError("filter: it has stopped")
        return ""

    machines = FakeMachines(answer=answer)
    with pytest.raises(MachineError, match="filter: it has stopped"):
        put_back(machines, {"mail": "", "filter": ""})
    assert sorted(one.machine for one in machines.asked if one.command[-1] == PUT_BACK) == ["filter", "mail"]


def test_nothing_kept_is_nothing_put_back() -> None:
    machines = FakeMachines()
    put_back(machines, {})
    assert machines.asked == []
