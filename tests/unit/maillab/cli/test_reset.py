"""`maillab reset`: the state of either engine, clear errors, and the exit status."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from maillab.cli.app import app
from maillab.cli.choice import Choice
from maillab.cli.problem import MaillabError
from maillab.cli.reset import StateBook, reset_machines, summary
from maillab.cli.stack import Engine, Stack
from maillab.reset.differences import LOOK
from maillab.reset.record import HalfMadeError
from maillab.reset.run import Outcome
from maillab.reset.steps import Wish
from tests.unit.conftest import Program
from tests.unit.maillab.cli.conftest import other_run, save_state
from tests.unit.maillab.reset.states import Entry, lab, of

MACHINES: dict[str, object] = {"machines": {"mail": {"container": "lab-mail", "ipv4": ["163.26.182.2"]}}}
READY = Outcome(name="mail", seconds=3.21)
FAILED = Outcome(name="dns", seconds=0.0, failure="dns: bind does not answer\nsomething \x1b[1mmore")


def renamed(resources: list[Entry]) -> list[Entry]:
    """The change of these tests."""
    return [{**one, "id": "new"} if one.get("id") == "old-mail" else one for one in resources]


@pytest.fixture
def offline(stack: Stack) -> Stack:
    """A stack with a lab that the offline engine made."""
    save_state(stack, Engine.OFFLINE, MACHINES)
    path = stack.state_file(Engine.OFFLINE)
    exported = json.loads(path.read_text("utf-8"))
    secret = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "plaintext": '"word"'}
    exported["deployment"]["resources"] = [*exported["deployment"]["resources"], *lab()]
    of(exported["deployment"]["resources"], "mail-config")["inputs"]["environment"]["/etc/x.secret"] = secret
    path.write_text(json.dumps({**exported, "more": "stays"}), "utf-8")
    return stack


@pytest.fixture
def no_machines_asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No Docker engine is asked what runs."""
    monkeypatch.setattr("maillab.cli.machines.containers", lambda _: [])
    return iter(())


def test_offline_state_is_changed_where_it_stands(offline: Stack) -> None:
    book = StateBook(offline, Engine.OFFLINE)
    before = json.loads(offline.state_file(Engine.OFFLINE).read_text("utf-8"))
    book.change(renamed)
    after = json.loads(offline.state_file(Engine.OFFLINE).read_text("utf-8"))
    of_mail = [one for one in after["deployment"]["resources"] if one.get("id") == "new"]
    assert len(of_mail) == 1
    of_mail[0]["id"] = "old-mail"
    assert after == before
    assert offline.state_file(Engine.OFFLINE).stat().st_mode & 0o777 == 0o600


def test_pulumis_state_goes_through_pulumi(stack: Stack, program: Program, tmp_path: Path) -> None:
    save_state(stack, Engine.PULUMI, MACHINES)
    exported = tmp_path / "exported"
    exported.write_text(json.dumps({"version": 3, "deployment": {"resources": lab()}}), "utf-8")
    program("pulumi", f'case "$2" in export) cat {exported};; import) cp "$6" {tmp_path}/imported;; esac')
    StateBook(stack, Engine.PULUMI).change(renamed)
    imported = json.loads((tmp_path / "imported").read_text("utf-8"))
    assert imported["deployment"]["resources"] == renamed(lab())


def test_made_by_pulumi_and_pulumi_is_not_there(stack: Stack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MaillabError, match="pulumi is not on PATH"):
        StateBook(stack, Engine.PULUMI).resources()


def test_interrupted_run_is_to_be_finished_first(offline: Stack) -> None:
    path = offline.state_file(Engine.OFFLINE)
    exported = json.loads(path.read_text("utf-8"))
    exported["deployment"]["pending_operations"] = [{"type": "creating"}]
    path.write_text(json.dumps(exported), "utf-8")
    with pytest.raises(MaillabError) as caught:
        StateBook(offline, Engine.OFFLINE).resources()
    assert caught.value.remedy == ("finish it first: bin/maillab --stack lab --engine offline up",)


def test_no_lab(stack: Stack) -> None:
    with pytest.raises(MaillabError, match="there is no lab lab"):
        reset_machines(stack, [], mail=False)


@pytest.mark.usefixtures("no_machines_asked")
def test_unknown_machine(offline: Stack) -> None:
    with pytest.raises(MaillabError, match="there is no machine mial in lab lab") as caught:
        reset_machines(offline, ["mial"], mail=False)
    assert caught.value.remedy == ("one of: mail",)


@pytest.mark.usefixtures("no_machines_asked")
@pytest.mark.parametrize("name", ["mail", "lab-mail"])
def test_machine_by_either_name(offline: Stack, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []

    def reset(_: StateBook, names: list[str], __: Wish) -> list[Outcome]:
        asked.append(names)
        return [READY]

    monkeypatch.setattr("maillab.cli.reset.reset", reset)
    assert reset_machines(offline, [name], mail=False) == [READY]
    assert asked == [["mail"]]


@pytest.mark.usefixtures("no_machines_asked")
def test_not_beside_another_run(offline: Stack) -> None:
    with other_run(offline), pytest.raises(MaillabError, match="another run works on stack lab"):
        reset_machines(offline, [], mail=False)


@pytest.mark.usefixtures("no_machines_asked")
def test_half_made_lab_names_up(offline: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> list[Outcome]:
        raise HalfMadeError("mail")

    monkeypatch.setattr("maillab.cli.reset.reset", refuse)
    with pytest.raises(MaillabError) as caught:
        reset_machines(offline, [], mail=False)
    assert str(caught.value) == "the machine mail was not made to its end by the last `up`"
    assert caught.value.remedy == ("finish it first: bin/maillab --stack lab up",)


@pytest.mark.usefixtures("no_machines_asked")
def test_ctrl_c_names_reset(offline: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> list[Outcome]:
        raise KeyboardInterrupt

    monkeypatch.setattr("maillab.cli.reset.reset", interrupt)
    with pytest.raises(MaillabError, match="interrupted") as caught:
        reset_machines(offline, [], mail=False)
    assert caught.value.code == 130
    assert caught.value.remedy == (
        "`bin/maillab --stack lab reset` again, or `bin/maillab --stack lab up`, goes on from here",
    )


def test_words_when_all_went_well(stack: Stack) -> None:
    assert summary(stack, [READY], mail=False) == [
        "mail  as the last `up` configured it, after 3.2 s",
        "mailboxes and queues were not touched; `bin/maillab --stack lab verify` proves that all is as configured",
    ]
    assert "emptied" in summary(stack, [READY], mail=True)[-1]


def test_words_when_something_failed(stack: Stack) -> None:
    assert summary(stack, [FAILED, READY], mail=False) == [
        "mail  as the last `up` configured it, after 3.2 s",
        "dns: not reset:",
        "    dns: bind does not answer",
        "    something ?[1mmore",
        "`bin/maillab --stack lab reset` again, or `bin/maillab --stack lab up`, goes on from here",
    ]


def test_words_on_what_was_in_no_file(stack: Stack) -> None:
    path = stack.root / "kept" / "differences"
    broken = Outcome(name="mail", seconds=1.0, differing=("rules", "routes6"), kept=path)
    first = summary(stack, [broken], mail=False)[0]
    assert first == "mail: not as configured were: packet filter rules, routes of IPv6 (kept/differences)"


@pytest.mark.parametrize("name", re.findall(r"section (\w+) ", LOOK))
def test_every_section_has_a_name_in_chinese(name: str, stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = Outcome(name="mail", seconds=1.0, differing=(name,))
    english = summary(stack, [broken], mail=False)[0]
    monkeypatch.setenv("MAILLAB_LANG", "zh-TW")
    assert summary(stack, [broken], mail=False)[0] != english


@pytest.mark.parametrize(("outcome", "status"), [(READY, 0), (FAILED, 1)])
def test_exit_status(outcome: Outcome, status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[Callable[[], object] | list[str] | bool] = []

    def reset(_: Stack, machines: list[str], *, mail: bool) -> list[Outcome]:
        given.extend([machines, mail])
        return [outcome]

    monkeypatch.setattr("maillab.cli.reset.reset_machines", reset)
    monkeypatch.setattr(Choice, "reach_engine", lambda *_, **__: None)
    done = CliRunner().invoke(app, ["reset", "--mail", "mail"])
    assert done.exit_code == status
    assert given == [["mail"], True]


def test_copy_of_a_folder_resets_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def reset(*_: object, **__: object) -> list[Outcome]:
        raise AssertionError("the lab is another folder's")

    monkeypatch.setattr("maillab.cli.folders.copied_from", lambda *_: Path("/lab"))
    monkeypatch.setattr("maillab.cli.reset.reset_machines", reset)
    monkeypatch.setattr(Choice, "reach_engine", lambda *_, **__: None)
    done = CliRunner().invoke(app, ["reset"])
    assert isinstance(done.exception, MaillabError)
    assert done.exception.id == "copied-folder"


def test_no_engine(offline: Stack, program: Program) -> None:
    program("docker", "echo 'Cannot connect to the Docker daemon at unix:///engine.' >&2; exit 1")
    with pytest.raises(MaillabError, match="no Docker engine answers"):
        reset_machines(offline, [], mail=False)
