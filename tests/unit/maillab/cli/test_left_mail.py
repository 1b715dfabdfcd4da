"""Mail that another name would leave behind is named before anything is done, with the way to keep it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path

import pytest
import typer
import yaml
from typer.testing import CliRunner

from components.part import MAIL_VOLUMES
from components.plan import plan_of
from maillab.cli.app import app
from maillab.cli.choice import Choice
from maillab.cli.left_mail import left_mail_lines
from maillab.cli.stack import ROOT, Engine, Stack
from tests.golden.rendering import STACKS, lab_of
from tests.unit.conftest import Program
from tests.unit.maillab.cli.conftest import save_state

VOLUME = "docker:index/volume:Volume"
HOLDS_MAIL = ("/var/mail", "/var/spool/postfix", "/var/lib/amavis", "/home", "/var/lib/roundcube/db")


def write(
    root: Path, name: str, *, prefix: str = "", renamed: Mapping[str, str] | None = None, without: str = ""
) -> None:
    """A stack file like the tutorial's; machines may have another name, or be left out."""
    data = yaml.safe_load((ROOT / "Pulumi.dc1es.yaml").read_text("utf-8"))
    (school,) = data["config"]["maillab:schools"]
    new = renamed or {}
    school["machines"] = [one for one in school["machines"] if one["name"] != without]
    for machine in school["machines"]:
        machine["name"] = new.get(machine["name"], machine["name"])
        for domain in (filter_ := machine.get("spamfilter") or {}).get("domains", []):
            domain["server"] = new.get(domain["server"], domain["server"])
        if filter_:
            filter_["domains"] = [one for one in filter_["domains"] if one["server"] != without]
    data["config"]["maillab:prefix"] = prefix
    (root / f"Pulumi.{name}.yaml").write_text(yaml.safe_dump(data, allow_unicode=True), "utf-8")


@pytest.fixture
def school(stack: Stack) -> Stack:
    """A stack that is the tutorial's school, in a folder that has made labs."""
    (stack.root / "Pulumi.yaml").write_bytes((ROOT / "Pulumi.yaml").read_bytes())
    write(stack.root, "lab")
    (stack.root / ".pulumi-state").mkdir()
    (stack.root / ".pulumi-state" / "owner").write_text("us\n", "utf-8")
    return stack


def volumes_of() -> list[str]:
    """Every volume of the tutorial's school."""
    machines = plan_of(lab_of("dc1es")).machines
    return [f"{name}-{short}" for name, one in machines.items() for short in one.part.volumes]


def made(school: Stack, *, name: str = "lab", prefix: str = "lab-") -> None:
    """A state that has the school's volumes."""
    more = [
        {"urn": f"urn:pulumi:{name}::maillab::{VOLUME}::{one}", "type": VOLUME, "custom": True, "id": f"{prefix}{one}"}
        for one in volumes_of()
    ]
    save_state(Stack(name=name, root=school.root), Engine.OFFLINE, {}, more=more)


def engine(program: Program, *names: str, owner: str = "us", label: str = "lab") -> None:
    """An engine that has these volumes."""
    lines = "".join(f"{name}\\t{name}\\t{owner}\\t{label}\\n" for name in names)
    program("docker", f"""[ "$1 $2" = "volume ls" ] && printf '{lines}' || exit 1""")


def test_volumes_with_mail_are_known_by_their_short_names() -> None:
    for stack in STACKS:
        for machine in plan_of(lab_of(stack)).machines.values():
            assert {short for short, path in machine.part.volumes.items() if path in HOLDS_MAIL} <= {*MAIL_VOLUMES}
            assert all(path in HOLDS_MAIL for short, path in machine.part.volumes.items() if short in MAIL_VOLUMES)


def test_a_first_lab_leaves_nothing(school: Stack, program: Program) -> None:
    engine(program)
    assert left_mail_lines(school) == []


def test_an_update_leaves_nothing(school: Stack, program: Program) -> None:
    made(school)
    engine(program, *(f"lab-{one}" for one in volumes_of()))
    assert left_mail_lines(school) == []


@pytest.mark.parametrize("answers", [True, False])
def test_another_name_of_a_machine(school: Stack, program: Program, answers: bool) -> None:
    """Without an engine that answers, too: the state says enough."""
    made(school)
    if answers:
        engine(program, *(f"lab-{one}" for one in volumes_of()))
    else:
        program("docker", "exit 1")
    write(school.root, "lab", renamed={"mail": "post"})
    lines = left_mail_lines(school)
    assert "lab-mail-mailboxes, lab-mail-spool would be left behind" in lines[0]
    assert "empty ones: lab-post-mailboxes, lab-post-spool" in lines[1]
    assert "its old name" in lines[2]
    assert "-v lab-mail-mailboxes:/old:ro" in lines[4]
    assert "--volumes-from lab-post" in lines[4]
    assert lines[4].endswith("-a /old/. /var/mail/")
    assert lines[5].endswith("-a /old/. /var/spool/postfix/")
    assert lines[6].strip() == f"{school.maillab} reset post"


def test_a_machine_that_goes(school: Stack, program: Program) -> None:
    engine(program)
    made(school)
    write(school.root, "lab", without="mail2")
    lines = left_mail_lines(school)
    assert lines
    assert "lab-mail2-mailboxes" in lines[0]
    assert not any("empty" in line for line in lines)


def test_another_prefix_of_a_lab_that_is_there(school: Stack, program: Program) -> None:
    """Its volumes keep the names of their birth: nothing is left."""
    made(school)
    engine(program, *(f"lab-{one}" for one in volumes_of()))
    write(school.root, "lab", prefix="other-")
    assert left_mail_lines(school) == []


def test_another_prefix_of_a_lab_whose_mail_was_kept(school: Stack, program: Program) -> None:
    engine(program, "lab-mail-mailboxes", "lab-dns-zones")
    write(school.root, "lab", prefix="other-")
    lines = left_mail_lines(school)
    assert "The mail in lab-mail-mailboxes would" in lines[0]
    assert any("--volumes-from other-mail -v lab-mail-mailboxes:/old:ro" in line for line in lines)


def test_the_same_prefix_takes_the_mail_up_again(school: Stack, program: Program) -> None:
    engine(program, "lab-mail-mailboxes", "lab-mail-spool")
    assert left_mail_lines(school) == []


def test_another_name_of_the_stack(school: Stack, program: Program) -> None:
    engine(program, "lab-mail-mailboxes")
    (school.root / "Pulumi.lab.yaml").rename(school.root / "Pulumi.class.yaml")
    lines = left_mail_lines(Stack(name="class", root=school.root))
    assert "The mail in lab-mail-mailboxes would" in lines[0]
    assert any("--volumes-from class-mail -v lab-mail-mailboxes" in line for line in lines)


def test_a_stack_beside_it_keeps_its_own(school: Stack, program: Program) -> None:
    engine(program, "lab-mail-mailboxes")
    write(school.root, "class")
    assert left_mail_lines(Stack(name="class", root=school.root)) == []


def test_a_lab_of_another_stack_that_is_there_is_not_left(school: Stack, program: Program) -> None:
    """Its file is gone, its machines are not: it has its mail."""
    made(school)
    engine(program, "lab-mail-mailboxes")
    (school.root / "Pulumi.lab.yaml").rename(school.root / "Pulumi.class.yaml")
    lines = left_mail_lines(Stack(name="class", root=school.root))
    assert lines == []


def test_another_folders_mail_is_not_ours(school: Stack, program: Program) -> None:
    engine(program, "lab-mail-mailboxes", owner="theirs")
    write(school.root, "lab", prefix="other-")
    assert left_mail_lines(school) == []


def test_a_configuration_that_is_wrong_is_reported_by_the_engine(school: Stack, program: Program) -> None:
    engine(program)
    (school.root / "Pulumi.lab.yaml").write_text("config: {maillab:schools: []}", "utf-8")
    assert left_mail_lines(school) == []


def test_the_copy_is_one_command_for_a_shell(school: Stack, program: Program) -> None:
    engine(program, "lab-mail-mailboxes")
    write(school.root, "lab", prefix="other-")
    line = next(line for line in left_mail_lines(school) if "docker run" in line)
    assert shlex.split(line)[:4] == ["docker", "run", "--rm", "--network"]
    assert "$(docker inspect -f '{{.Image}}' other-mail)" in line


@pytest.mark.parametrize("command", ["up", "preview"])
def test_it_is_said_before_anything_is_done(monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    def stop(*_: object) -> None:
        print("the engine runs")
        raise typer.Exit

    for name in ("reach_engine", "refuse_copy", "refuse_moved", "refuse_taken"):
        monkeypatch.setattr(Choice, name, lambda *_, **__: None)
    monkeypatch.setattr("maillab.cli.left_mail.left_mail_lines", lambda _: ["mail would be left behind"])
    monkeypatch.setattr("maillab.cli.reconnect.reconnect", stop)
    monkeypatch.setattr(Choice, "run", stop)
    said = CliRunner().invoke(app, [command], catch_exceptions=False).stdout
    assert said.splitlines() == ["mail would be left behind", "the engine runs"]
