"""`maillab verify`: its exit status, its words, and what it does with a configuration that is none."""

import json
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli import verify as command
from cli.app import app
from cli.problem import MaillabError
from cli.stack import ROOT, Stack
from components.config import LabConfig
from tests.unit.labs import Model, model
from tests.unit.verify.results import cell_result, good_proof
from verify.cells import Verdict
from verify.machines import MachineError
from verify.run import Proof


@pytest.fixture(scope="module")
def tutorial() -> Model:
    """The tutorial's school."""
    return model()


def proof(given: Model, seen: Verdict | None = None) -> Proof:
    """A run in which all was as predicted but the first connection, when something else is said of it."""
    found = good_proof(given)
    return replace(found, cells=(cell_result(given, found.cells[0].cell, seen), *found.cells[1:]))


@pytest.fixture
def good(monkeypatch: pytest.MonkeyPatch, tutorial: Model) -> list[tuple[LabConfig, bool]]:
    """All is as predicted; what was to be proved, and whether with mail."""
    asked: list[tuple[LabConfig, bool]] = []

    def prove(lab: LabConfig, *, mail: bool, environment: object) -> Proof:
        assert environment
        asked.append((lab, mail))
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
    assert verify()[1].startswith("Not as predicted")


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
def test_letters_are_an_option(good: list[tuple[LabConfig, bool]], options: list[str], mail: bool) -> None:
    verify(*options)
    assert [given for _, given in good] == [mail]


@pytest.mark.parametrize("stack", ["dc1es", "onehost"])
def test_stacks_own_configuration_is_proved(good: list[tuple[LabConfig, bool]], stack: str) -> None:
    verify(stack=stack)
    assert [lab for lab, _ in good] == [model(stack=stack).lab]


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
    assert "`make up` brings them up" in refusal.value.remedy[0]
