"""What is noted of each run, whatever becomes of it, and how it is read again."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
import typer

from maillab.cli import history
from maillab.cli.history import append, by_hand, path_of, recorded, runs, who
from maillab.cli.machines import MachineRow
from maillab.cli.problem import InterruptedByUserError, MaillabError
from maillab.cli.report import Edit, Report
from maillab.cli.stack import Engine, Stack
from maillab.cli.status import LabStatus, MachineStatus
from tests.unit.maillab.cli.conftest import save_state


def row(name: str) -> MachineRow:
    return MachineRow(name=name, container=f"lab-{name}", ipv4="", ipv6="", state="running", role="")


def test_a_run_is_noted_with_what_it_changed(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_USER", "teacher")
    with recorded(stack, "up", quick=False, machines=["mail"]) as record:
        save_state(stack, Engine.OFFLINE, {})
        record["said"] = ["hello"]
    (run,) = runs(stack)
    assert (run["command"], run["who"], run["asked"]) == ("up", "teacher", {"machines": ["mail"]})
    assert (run["outcome"], run["said"]) == ("done", ["hello"])
    assert run["things"] == {"create": ["container mail"]}
    assert run["begun"] <= run["ended"]


def test_the_begin_is_noted_before_anything_is_done(stack: Stack) -> None:
    """A run that is killed has no chance to say so."""
    with recorded(stack, "up"):
        (run,) = runs(stack)
    assert "outcome" not in run
    assert runs(stack)[0]["outcome"] == "done"


@pytest.mark.parametrize(
    ("error", "outcome", "why"),
    [
        (MaillabError("it failed\nwith more"), "failed", "it failed"),
        (MaillabError("nothing was removed", id="nothing-removed"), "cancelled", None),
        (InterruptedByUserError(), "interrupted", None),
        (KeyboardInterrupt(), "interrupted", None),
        (typer.Exit(1), "failed", None),
        (RuntimeError("secret"), "failed", "RuntimeError"),
    ],
)
def test_a_run_that_fails_is_noted_too(stack: Stack, error: BaseException, outcome: str, why: str | None) -> None:
    def fail() -> None:
        with recorded(stack, "up"):
            save_state(stack, Engine.OFFLINE, {})
            raise error

    with pytest.raises(type(error)):
        fail()
    (run,) = runs(stack)
    assert (run["outcome"], run.get("why")) == (outcome, why)
    assert run["things"] == {"create": ["container mail"]}


def test_runs_are_in_the_order_in_which_they_began(stack: Stack) -> None:
    for number, time in enumerate(("2026-11-30T08:00:01", "2026-11-30T08:00:00")):
        append(path_of(stack), json.dumps({"run": str(number), "command": "up", "begun": time}))
    assert [run["run"] for run in runs(stack)] == ["1", "0"]


def test_without_a_file_there_are_none(stack: Stack) -> None:
    assert runs(stack) == []


def test_it_is_for_its_owner_alone(stack: Stack) -> None:
    append(path_of(stack), "{}")
    assert stat.S_IMODE(path_of(stack).stat().st_mode) == 0o600


@pytest.mark.parametrize("torn", ['{"run": "1", "beg', "\udce9", "[]", "{}", "null", '{"run": ["1"]}'])
def test_a_line_that_was_cut_off_costs_no_other(stack: Stack, torn: str) -> None:
    path = path_of(stack)
    append(path, json.dumps({"run": "0", "begun": "2026-11-30T08:00:00"}))
    with path.open("ab") as file:
        file.write(torn.encode("utf-8", "surrogateescape"))
    append(path, json.dumps({"run": "2", "begun": "2026-11-30T08:00:02"}))
    assert [run["run"] for run in runs(stack)] == ["0", "2"]


def test_it_does_not_grow_for_ever(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "MOST", 6)
    monkeypatch.setattr(history, "LEFT", 3)
    sizes = []
    for number in range(20):
        append(path_of(stack), json.dumps({"run": str(number), "begun": f"{number:02}"}))
        sizes.append(len(runs(stack)))
    assert max(sizes) == 6
    assert [run["run"] for run in runs(stack)][-3:] == ["17", "18", "19"]


def test_what_can_not_be_noted_hinders_nothing(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    monkeypatch.setattr(history, "FOLDER", tmp_path / "file" / "history")
    done = []
    with recorded(stack, "up"):
        done.append("up")
    assert done == ["up"]
    assert "could not be noted" in capsys.readouterr().err


def test_who_it_was_is_known_without_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> str:
        raise KeyError

    monkeypatch.delenv("SUDO_USER", raising=False)
    monkeypatch.setattr("getpass.getuser", nobody)
    assert who().isdigit()


def test_edits_by_hand_are_noted_by_machine() -> None:
    edits = (Edit(how="edited", path="/etc/aliases"), Edit(how="removed", path="/etc/hosts"))
    machines = (
        MachineStatus(row=row("mail"), state="well", reset="", report=Report(state="configured", edits=edits)),
        MachineStatus(row=row("dns"), state="well", reset="", report=Report(state="configured")),
        MachineStatus(row=row("mail2"), state="missing", reset=""),
    )
    assert by_hand(LabStatus(stack="lab", machines=machines)) == {
        "mail": [{"path": "/etc/aliases", "how": "edited"}, {"path": "/etc/hosts", "how": "removed"}]
    }
