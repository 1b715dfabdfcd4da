"""How a lab's history is shown: own runs, Pulumi's, and what is edited by hand now."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from maillab.cli import history_view
from maillab.cli.app import app
from maillab.cli.history import append, path_of, runs
from maillab.cli.history_view import Hands, all_runs, hands_now, show
from maillab.cli.machines import MachineRow
from maillab.cli.problem import MaillabError
from maillab.cli.report import Edit, Report
from maillab.cli.stack import PROJECT, Stack
from maillab.cli.status import LabStatus, MachineStatus
from tests.unit.conftest import Program

RUN: dict[str, object] = {
    "run": "1", "command": "up", "asked": {}, "who": "teacher", "begun": "2026-11-30T08:00:00+00:00",
    "ended": "2026-11-30T08:00:10+00:00", "seconds": 10.04, "outcome": "done", "resources": {"update": 1},
    "things": {"replace": ["container mail", "container dns", "network lan"]},
    "files": {"mail": ["/etc/aliases", "/etc/postfix/main.cf"]},
    "by_hand": {"dns": [{"path": "/etc/hosts", "how": "edited"}]},
}  # fmt: skip


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> None:
    """Times are shown as they were noted."""
    monkeypatch.setattr(history_view, "_local", lambda time: time[:19].replace("T", " "))


def note(stack: Stack, **more: object) -> None:
    append(path_of(stack), json.dumps(RUN | more))


def pulumi_noted(stack: Stack, start: int, **more: object) -> None:
    """A file of Pulumi's own history."""
    said = {"kind": "update", "startTime": start, "endTime": start + 5, "result": "succeeded"}
    said |= {"resourceChanges": {"create": 2, "same": 40}}
    path = stack.root / ".pulumi-state" / ".pulumi" / "history" / PROJECT / stack.name / f"lab-{start}.history.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(said | more), "utf-8")


def shown(stack: Stack, hands: Hands | None = None, width: int = 80) -> list[str]:
    out = io.StringIO()
    show(stack, all_runs(stack), hands, Console(file=out, width=width))
    return out.getvalue().splitlines()


def test_a_run_says_what_changed(stack: Stack) -> None:
    note(stack)
    assert shown(stack) == [
        "2026-11-30 08:00:00  up, by teacher: done after 10.0 s",
        "    made again: containers mail, dns, network lan",
        "    new files on mail: /etc/aliases, /etc/postfix/main.cf",
        "    edited by hand on dns, and left as it was: /etc/hosts (edited)",
    ]


@pytest.mark.parametrize(
    ("more", "line"),
    [
        ({"command": "reset", "asked": {"machines": ["mail"], "mail": True}}, "reset mail --mail, by teacher: done"),
        ({"command": "down", "asked": {"keep_mail": True}}, "down --keep-mail, by teacher: done"),
        ({"outcome": "failed", "why": "`up` failed: the disk is full"}, "    `up` failed: the disk is full"),
        ({"resources": {}, "things": {}, "files": {}}, "    nothing changed"),
        ({"resources": {}, "started": ["tn", "mail"]}, "    started again: tn, mail"),
        ({"kept": {"mail": ".pulumi-state/kept/lab/mail/1"}}, "    mail: what was made by hand is kept in .pulumi"),
        ({"failed": {"mail": "no\nmore"}}, "    mail: no"),
        ({"machines": {"mail": 5.2, "dns": 5}}, "    as configured again: mail, dns"),
        ({"said": ["removed volumes lab-mail-spool"]}, "    removed volumes lab-mail-spool"),
    ],
)
def test_lines(stack: Stack, more: dict[str, object], line: str) -> None:
    note(stack, **more)
    assert any(line in one for one in shown(stack))


def test_what_a_machine_said_gives_the_terminal_no_orders(stack: Stack) -> None:
    note(stack, failed={"mail": "bind: \x1b[2Jgone"})
    assert "    mail: bind: ?[2Jgone" in shown(stack)


def test_a_run_that_was_killed_says_so(stack: Stack) -> None:
    append(path_of(stack), json.dumps({"run": "1", "command": "up", "who": "teacher", "begun": RUN["begun"]}))
    assert shown(stack, width=100) == [
        "2026-11-30 08:00:00  up, by teacher: its end was not noted: it still runs, or it was killed"
    ]


def test_no_line_is_wider_than_the_terminal(stack: Stack) -> None:
    note(stack, files={"mail": [f"/etc/postfix/some/long/name/{number}" for number in range(4)]})
    assert max(map(len, shown(stack, width=60))) <= 60


def test_an_empty_history_says_so(stack: Stack) -> None:
    assert shown(stack)[0].startswith("Nothing was noted of the lab")


def test_what_pulumi_did_alone_is_there_too(stack: Stack) -> None:
    note(stack)
    begun = 1796025600  # 2026-11-30T08:00:00
    pulumi_noted(stack, begun + 1)  # of the run above
    pulumi_noted(stack, begun + 60, result="failed")
    pulumi_noted(stack, begun + 120, kind="import")
    (own, other) = all_runs(stack)
    assert (own["run"], other["command"], other["outcome"]) == ("1", "pulumi up", "failed")
    assert other["resources"] == {"create": 2}
    assert shown(stack)[-2:] == ["2026-11-30 08:01:00  pulumi up: failed after 5.0 s", "    resources: 2 create"]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"kind": 1, "startTime": "x"}', '{"startTime": 1e99}'])
def test_a_damaged_file_of_pulumis_costs_nothing(stack: Stack, text: str) -> None:
    pulumi_noted(stack, 1)
    next(stack.root.glob(".pulumi-state/**/*.history.json")).write_text(text, "utf-8")
    assert all_runs(stack) == []


def status(*edits: Edit) -> LabStatus:
    row = MachineRow(name="mail", container="lab-mail", ipv4="", ipv6="", state="running", role="")
    report = Report(state="configured", edits=edits)
    return LabStatus(stack="lab", machines=(MachineStatus(row=row, state="well", reset="", report=report),))


def test_an_edit_has_the_time_of_its_file(program: Program) -> None:
    program("docker", "printf '1796025660\\t/etc/aliases\\n'; echo gone >&2; exit 1")
    edits = (Edit(how="edited", path="/etc/aliases"), Edit(how="removed", path="/etc/hosts"))
    assert hands_now(status(*edits)) == {
        "mail": [
            {"path": "/etc/aliases", "how": "edited", "time": "2026-11-30T08:01:00+00:00"},
            {"path": "/etc/hosts", "how": "removed"},
        ]
    }


def test_edits_are_shown_last(stack: Stack) -> None:
    note(stack)
    edit = {"path": "/etc/aliases", "how": "edited", "time": "2026-11-30T08:01:00+00:00"}
    assert shown(stack, {"mail": [edit, {"path": "/etc/hosts", "how": "removed"}]})[-3:] == [
        "Edited by hand since the last update of each machine:",
        "    2026-11-30 08:01:00  mail: /etc/aliases (edited)",
        "    time not known       mail: /etc/hosts (removed)",
    ]


def test_the_command_shows_the_newest(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(Stack, "outputs", lambda _: {})
    monkeypatch.setattr("maillab.cli.history_view._of_pulumi", lambda _: [])
    for number in range(3):
        note(Stack(name="dc1es", root=tmp_path), run=str(number), begun=f"2026-11-30T08:0{number}:00+00:00")
    found = json.loads(CliRunner().invoke(app, ["history", "2", "--json"], catch_exceptions=False).stdout)
    assert [run["run"] for run in found["runs"]] == ["1", "2"]
    assert found["by_hand"] is None


def test_machines_that_can_not_be_asked_hide_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: object) -> None:
        raise MaillabError("the virtual machine is off")

    monkeypatch.setattr(Stack, "outputs", lambda _: {"machines": {"mail": {}}})
    monkeypatch.setattr("maillab.cli.choice.Choice.reach_engine", refuse)
    done = CliRunner().invoke(app, ["history"], catch_exceptions=False)
    assert done.exit_code == 0
    assert "What was edited by hand is not known: the virtual machine is off" in done.output


def test_up_reset_and_down_are_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    nothing: dict[str, object] = {
        "choice.Choice.reach_engine": None, "choice.Choice.refuse_copy": None, "choice.Choice.refuse_moved": None,
        "choice.Choice.refuse_taken": None, "choice.Choice.run": None, "reconnect.reconnect": ["mail: connected"],
        "drift.flags_of": ([], ""), "machines.standing_still": {"mail": "exited", "dns": "exited"},
        "tags.former_tags": {}, "tags.remove_everywhere": [],
        "belongings.Belongings.unused_mail": [], "reset.reset_machines": [], "down.remove_lab": iter(["removed"]),
        "first_screen.show_first_screen": status(Edit(how="edited", path="/etc/aliases")),
    }  # fmt: skip
    for name, answer in nothing.items():
        monkeypatch.setattr(f"maillab.cli.{name}", lambda *_, answer=answer, **__: answer)
    for words in (["up"], ["reset", "mail"], ["down", "--yes"]):
        CliRunner().invoke(app, words, catch_exceptions=False)
    noted = runs(Stack(name="dc1es"))
    assert [run["command"] for run in noted] == ["up", "reset", "down"]
    assert [run["outcome"] for run in noted] == ["done"] * 3
    assert noted[0]["started"] == ["mail"]
    assert noted[0]["by_hand"] == {"mail": [{"path": "/etc/aliases", "how": "edited"}]}
    assert noted[1]["asked"] == {"machines": ["mail"]}
    assert (noted[0]["said"], noted[2]["said"]) == (["mail: connected"], ["removed"])
