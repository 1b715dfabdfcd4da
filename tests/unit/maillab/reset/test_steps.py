"""What is asked of the old container and of the new one, and what is never removed."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest

from maillab.offline import containers, docker_engine, providers
from maillab.offline.values import OfflineError, Props
from maillab.reset import steps
from maillab.reset.record import Machine, machines_of
from maillab.reset.steps import Reset, Wish, ensure
from tests.unit.conftest import Program
from tests.unit.maillab.reset.states import lab

KEPT = "maillab: mail: what was made by hand in it is kept in .pulumi-state/kept/lab/mail/2026-11-29T00-00-00Z:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """A script that was run."""

    script: str
    told: dict[str, str]
    stdin: str
    folder: str


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[Ran]:
    """Every script succeeds; what is kept is reported."""
    found: list[Ran] = []

    def run(_: str, script: str, inputs: Props, __: Props, log: steps.Say, *, limit: float | None = None) -> Props:  # noqa: ARG001
        told = inputs["environment"]
        found.append(Ran(script=script, told=told, stdin=inputs.get("stdin", ""), folder=inputs.get("dir", "")))
        if script == "keep":
            log(KEPT)
        return {"stdout": f"said by {script}"}

    monkeypatch.setattr(steps, "run", run)
    return found


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the Docker engine was asked; it has the lab's containers and all else that the state says."""
    asked: list[str] = []
    engine = SimpleNamespace(start=lambda made: asked.append(f"start {made}"), unpause=lambda _: None)
    monkeypatch.setattr(docker_engine, "client", lambda _: engine)
    monkeypatch.setattr(providers, "client", lambda _: engine)
    monkeypatch.setattr(providers, "read", lambda _, entry: entry["outputs"])
    monkeypatch.setattr(providers, "namesakes", lambda target, _: {f"old-{target.name}": {"maillab.owner": "us"}})
    monkeypatch.setattr(providers, "delete", lambda _, entry, __: asked.append(f"delete {entry['id']}"))
    return asked


def machine(name: str) -> Machine:
    return machines_of(lab())[name]


def reset_of(name: str, *, empty: bool = False) -> Reset:
    said: list[str] = []
    return Reset(machine=machine(name), wish=Wish(folder=Path("/project"), say=said.append, empty=empty))


def test_what_was_made_by_hand_is_kept_before_the_container_goes(ran: list[Ran], api: list[str]) -> None:
    reset_of("mail").put_away()
    (keep,) = [one for one in ran if one.script == "keep"]
    assert keep.folder == "/project"
    assert keep.told == {"CONTAINER": "old-mail", "STACK": "lab"}
    assert api == ["delete old-mail"]


def test_name_that_reads_like_a_folder_is_none(api: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def run(_: str, script: str, inputs: Props, __: Props, log: steps.Say, **_limit: object) -> Props:
        if script == "keep":
            log(KEPT)
            log("maillab: mail:   etc/x is kept in /etc/cron.d:")
        return {"stdout": "== routes\ndefault" if inputs["environment"]["CONTAINER"] == "new-mail" else "== routes\n"}

    monkeypatch.setattr(steps, "run", run)
    one = Reset(machine=machine("mail"), wish=Wish(folder=tmp_path, say=print))
    one.put_away()
    one.made = "new-mail"
    one.compare()
    assert one.kept == tmp_path / ".pulumi-state/kept/lab/mail/2026-11-29T00-00-00Z/differences"
    assert api


def test_postfix_is_stopped_in_order(ran: list[Ran], api: list[str]) -> None:
    reset_of("mail").put_away()
    (stop,) = [one for one in ran if one.script == steps.IN_ORDER]
    assert stop.told["STOP"] == "postfix"
    assert api


def test_container_that_can_say_nothing_goes_all_the_same(api: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: str, script: str, *__: object, **___: object) -> Props:
        if script == "keep":
            return {"stdout": ""}
        raise OfflineError("Container is not running")

    monkeypatch.setattr(steps, "run", refuse)
    reset_of("dns").put_away()
    assert api == ["delete old-dns"]


def test_container_that_an_interrupted_reset_made_goes_too(
    ran: list[Ran], api: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(providers, "namesakes", lambda *_: {"younger": {"maillab.owner": "us"}})
    reset_of("mail").put_away()
    assert api == ["delete old-mail", "delete younger"]
    assert ran


@pytest.mark.usefixtures("ran")
def test_container_of_somebody_else_stays(api: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(providers, "namesakes", lambda *_: {"theirs": {"maillab.owner": "them"}})
    with pytest.raises(OfflineError, match="lab-mail that this stack did not make"):
        reset_of("mail").put_away()
    assert api == []


def test_new_container_is_repaired_and_then_configured(ran: list[Ran], api: list[str]) -> None:
    one = reset_of("dns")
    one.put_away()
    ran.clear()
    one.made = "new-dns"
    one.configure()
    repair, apply = ran
    assert api == ["delete old-dns", "start new-dns"]
    assert (repair.script, repair.told["CONTAINER"], repair.told["EMPTY"]) == (steps.REPAIR, "new-dns", "")
    assert repair.stdin.splitlines() == ["school.tw 2006030801", f"said by {steps.SERVED}"]
    assert (apply.script, apply.told["CONTAINER"], apply.told["/etc/x.secret"]) == ("apply", "new-dns", "pass")
    assert (one.reported, one.is_configured) == ("said by apply", True)


def test_no_other_script_is_told_the_files(ran: list[Ran], api: list[str]) -> None:
    reset_of("mail").put_away()
    assert len(ran) > 1
    assert not [one for one in ran if any(key.startswith("/") for key in one.told)]
    assert api


def test_mail_goes_only_when_it_is_to_go(ran: list[Ran], api: list[str]) -> None:
    one = reset_of("mail", empty=True)
    one.configure()
    assert ran[0].told["EMPTY"] == "--empty"
    assert api


@pytest.mark.parametrize(("empty", "status"), [("", 0), ("--empty", 1)])
def test_image_that_can_not_empty_says_so(program: Program, empty: str, status: int) -> None:
    program("docker", 'shift 3; exec "$@"')  # on this computer there is no maillab-repair
    environment = {**os.environ, "CONTAINER": "new-mail", "EMPTY": empty}
    done = subprocess.run(
        ["/bin/bash", "-c", steps.REPAIR], capture_output=True, text=True, check=False, env=environment
    )
    assert done.returncode == status
    assert ("too old" in done.stderr) == bool(empty)


@pytest.mark.usefixtures("api")
def test_new_container_is_made_of_the_same_and_does_not_run_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[Props] = []

    def create(_: object, inputs: Props) -> str:
        given.append(inputs)
        return "new"

    monkeypatch.setattr(containers, "create", create)
    one = reset_of("mail")
    one.make()
    assert one.made == "new"
    assert given == [{**machine("mail").container.inputs, "start": False}]


def test_volume_that_is_gone_is_made_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Props] = []
    monkeypatch.setattr(providers, "read", lambda *_: None)
    monkeypatch.setattr(providers, "refuse_in_the_way", lambda *_: None)

    def create(_: object, inputs: Props, __: steps.Say) -> tuple[str, Props]:
        made.append(inputs)
        return "lab-mail-spool", {}

    monkeypatch.setattr(providers, "create", create)
    assert ensure(machine("mail").volumes[0]) == "lab-mail-spool"
    assert made == [{"name": "lab-mail-spool"}]
