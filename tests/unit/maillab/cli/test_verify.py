"""`maillab verify`: its exit status, its words, and what it does with a configuration that is none."""

import json
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path

import pytest
from typer.testing import CliRunner

from components.plan import Plan
from maillab.cli import verify as command
from maillab.cli.app import app
from maillab.cli.machines import MachineRow
from maillab.cli.problem import MaillabError, failed
from maillab.cli.report import CONFIGURED, Edit, Report
from maillab.cli.stack import ROOT, Stack
from maillab.cli.status import MachineStatus, Problem
from maillab.trace.machines import MachineError
from maillab.verify.cells import Verdict
from maillab.verify.run import Proof
from tests.unit.labs import Model, model
from tests.unit.maillab.verify.results import cell_result, good_proof

ROWS = [
    MachineRow(name=name, container=f"lab-{name}", ipv4="", ipv6="", state="running", role="", school="")
    for name in ("dns", "mail", "mail2")
]


@pytest.fixture(autouse=True)
def lab(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """A lab of three machines, all of them well; which of them were asked, each time."""
    asked: list[list[str]] = []

    def ask(_stack: Stack, rows: list[MachineRow]) -> tuple[MachineStatus, ...]:
        asked.append([row.name for row in rows])
        return tuple(MachineStatus(row=row, state="well", reset="", report=Report(state=CONFIGURED)) for row in rows)

    monkeypatch.setattr(command, "of_stack", lambda _stack: list(ROWS))
    monkeypatch.setattr(command, "ask", ask)
    monkeypatch.setattr(command, "show_surroundings", lambda *_: None)
    return asked


@pytest.fixture(scope="module")
def tutorial() -> Model:
    """The tutorial's school."""
    return model()


def proof(given: Model, seen: Verdict | None = None) -> Proof:
    """A run in which all was as predicted but the first connection, unless something else is given for it."""
    found = good_proof(given)
    return replace(found, cells=(cell_result(given, found.cells[0].cell, seen), *found.cells[1:]))


@pytest.fixture
def good(monkeypatch: pytest.MonkeyPatch, tutorial: Model) -> list[tuple[Plan, bool]]:
    """All is as predicted; what was to be proved, and whether with mail."""
    asked: list[tuple[Plan, bool]] = []

    def prove(plan: Plan, *, mail: bool, environment: object) -> Proof:
        assert environment
        asked.append((plan, mail))
        return proof(tutorial)

    monkeypatch.setattr(command, "prove", prove)
    return asked


@pytest.fixture
def bad(monkeypatch: pytest.MonkeyPatch, tutorial: Model) -> None:
    """One connection is not as predicted."""
    monkeypatch.setattr(command, "prove", lambda *_, **__: proof(tutorial, Verdict.UNREACHABLE))


def verify(*options: str, stack: str = "dc1es") -> tuple[int, str]:
    """Exit status and standard output of the command."""
    done = CliRunner().invoke(app, ["--stack", stack, "verify", *options], catch_exceptions=False)
    return done.exit_code, done.stdout


def test_help_lists_it() -> None:
    assert " verify " in CliRunner().invoke(app, ["--help"]).stdout


@pytest.mark.parametrize("options", [[], ["--json"], ["--no-mail"]], ids=str)
@pytest.mark.usefixtures("good")
def test_agreement_is_exit_status_0(options: list[str]) -> None:
    assert verify(*options)[0] == 0


@pytest.mark.parametrize("options", [[], ["--json"], ["--no-mail"]], ids=str)
@pytest.mark.usefixtures("bad")
def test_disagreement_is_exit_status_1(options: list[str]) -> None:
    assert verify(*options)[0] == 1


@pytest.mark.usefixtures("bad")
def test_words_begin_with_what_disagrees() -> None:
    assert verify()[1].startswith("Connections that are not as configured\n")


@pytest.mark.usefixtures("bad")
def test_words_end_with_five_lines_of_summary() -> None:
    lines = verify()[1].splitlines()
    assert lines[-5].startswith("Connections and datagrams ")
    assert lines[-6] == ""
    assert lines[-1].startswith("dc1es: 1 of ")


@pytest.mark.parametrize(("options", "shown"), [([], False), (["--all"], True)])
@pytest.mark.usefixtures("good")
def test_matrices_are_an_option(options: list[str], shown: bool) -> None:
    assert ("To mail2\n" in verify(*options)[1]) is shown


def broken(monkeypatch: pytest.MonkeyPatch, *edits: Edit) -> None:
    """Postfix is off on mail, or files were edited there."""
    problems = () if edits else (Problem(what="postfix: master is not running", repair="bin/maillab reset mail"),)
    found = MachineStatus(
        row=ROWS[1], state="broken", reset="bin/maillab reset mail", problems=problems,
        report=Report(state=CONFIGURED, edits=edits),
    )  # fmt: skip
    monkeypatch.setattr(command, "ask", lambda *_: (found,))


@pytest.mark.usefixtures("bad")
def test_the_service_that_explains_differences_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    broken(monkeypatch)
    words = verify()[1]
    assert "mail\n    postfix: master is not running\n    repair: bin/maillab reset mail\n" in words
    assert "are well" not in words


@pytest.mark.usefixtures("bad")
def test_a_file_that_was_edited_explains_differences_too(monkeypatch: pytest.MonkeyPatch) -> None:
    broken(monkeypatch, Edit(how="edited", path="/etc/postfix/main.cf"))
    assert "    /etc/postfix/main.cf (edited)\n" in verify()[1]


@pytest.mark.usefixtures("bad")
def test_services_that_are_well_are_reported_as_no_reason() -> None:
    assert "are well, and none of their files was edited" in " ".join(verify()[1].split())


def test_only_the_machines_concerned_are_asked(
    monkeypatch: pytest.MonkeyPatch, tutorial: Model, lab: list[list[str]]
) -> None:
    found = good_proof(tutorial)
    place = next(n for n, r in enumerate(found.cells) if (r.cell.source.machine, r.cell.target) == ("outside", "mail"))
    cells = [*found.cells]
    cells[place] = replace(cells[place], seen=Verdict.UNREACHABLE)
    monkeypatch.setattr(command, "prove", lambda *_, **__: replace(found, cells=tuple(cells)))
    verify()
    assert lab == [["mail"]]


@pytest.mark.usefixtures("good")
def test_nobody_is_asked_when_nothing_differs(lab: list[list[str]]) -> None:
    verify()
    assert lab == []


def test_every_machine_is_asked_when_something_could_not_be_tried(
    monkeypatch: pytest.MonkeyPatch, tutorial: Model, lab: list[list[str]]
) -> None:
    monkeypatch.setattr(command, "prove", lambda *_, **__: replace(good_proof(tutorial), failures=("passwords: x",)))
    verify()
    assert lab == [["dns", "mail", "mail2"]]


@pytest.mark.usefixtures("good")
def test_without_a_lab_nothing_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(stack: Stack) -> list[MachineRow]:
        raise failed("no-lab", stack=stack.name)

    monkeypatch.setattr(command, "of_stack", none)
    with pytest.raises(MaillabError, match=r"^there is no lab dc1es$"):
        command.verify(Stack(name="dc1es"), as_json=False, mail=True)


@pytest.mark.usefixtures("good")
def test_lab_that_is_off_is_reported_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "of_stack", lambda _: [replace(row, state="exited") for row in ROWS])
    with pytest.raises(MaillabError, match=r"^no machine of the lab dc1es runs$"):
        command.verify(Stack(name="dc1es"), as_json=False, mail=True)


def test_address_is_no_emoji(monkeypatch: pytest.MonkeyPatch, tutorial: Model) -> None:
    found = proof(tutorial, Verdict.UNREACHABLE)
    first = found.cells[0]
    source = replace(first.cell.source, address=ip_address("2001:db8:1:100::1"))
    odd = replace(found, cells=(replace(first, cell=replace(first.cell, source=source)), *found.cells[1:]))
    monkeypatch.setattr(command, "prove", lambda *_, **__: odd)
    monkeypatch.setenv("COLUMNS", "250")
    assert "2001:db8:1:100::1" in verify()[1]


@pytest.mark.usefixtures("bad")
def test_json_is_all_that_is_said() -> None:
    assert json.loads(verify("--json")[1])["holds"] is False


@pytest.mark.parametrize(("options", "mail"), [([], True), (["--mail"], True), (["--no-mail"], False)])
def test_messages_are_an_option(good: list[tuple[Plan, bool]], options: list[str], mail: bool) -> None:
    verify(*options)
    assert [given for _, given in good] == [mail]


@pytest.mark.parametrize("stack", ["dc1es", "onehost"])
def test_stacks_own_configuration_is_proved(good: list[tuple[Plan, bool]], stack: str) -> None:
    verify(stack=stack)
    assert [plan for plan, _ in good] == [model(stack=stack).plan]


@pytest.fixture
def edited(tmp_path: Path) -> Stack:
    """The tutorial's stack in a folder of its own, with two mistakes."""
    text = (ROOT / "Pulumi.dc1es.yaml").read_text("utf-8")
    text = text.replace('relayhost: "[163.26.182.249]"', 'relayhost: "[163.26.182.9]"', 1)
    text = text.replace("port: 25", "port: 0", 1)
    (tmp_path / "Pulumi.dc1es.yaml").write_text(text, "utf-8")
    (tmp_path / "Pulumi.yaml").write_bytes((ROOT / "Pulumi.yaml").read_bytes())
    return Stack(name="dc1es", root=tmp_path)


@pytest.mark.parametrize("problem", ["relayhost-unknown", "bad-rule"])
def test_every_problem_of_a_bad_configuration_is_told(edited: Stack, problem: str) -> None:
    with pytest.raises(MaillabError, match=rf"\[{problem}\]"):
        command.verify(edited, as_json=False, mail=True)


@pytest.mark.usefixtures("good")
def test_stack_that_is_not_there_is_told(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_bytes((ROOT / "Pulumi.yaml").read_bytes())
    with pytest.raises(MaillabError, match="nowhere"):
        command.verify(Stack(name="nowhere", root=tmp_path), as_json=False, mail=True)


def test_machine_that_is_not_there_has_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: object, **__: object) -> Proof:
        raise MachineError("mail: `perl` failed: No such container: dc1es-mail")

    monkeypatch.setattr(command, "prove", gone)
    with pytest.raises(MaillabError, match="No such container") as refusal:
        command.verify(Stack(name="dc1es"), as_json=False, mail=True)
    assert "`make up STACK=dc1es` brings them up" in refusal.value.remedy[0]


@pytest.mark.parametrize(("holds", "looked"), [(True, 0), (False, 1)])
def test_what_the_computer_does_is_said_of_differences_only(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, holds: bool, looked: int
) -> None:
    request.getfixturevalue("good" if holds else "bad")
    looks: list[object] = []
    monkeypatch.setattr(command, "show_surroundings", lambda *_: looks.append(None))
    assert verify()[0] == (0 if holds else 1)
    assert len(looks) == looked
