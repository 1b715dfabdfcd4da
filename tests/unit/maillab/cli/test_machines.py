"""The machines, and what to try on them."""

from dataclasses import replace
from pathlib import Path

import pytest

from maillab.cli.configuration import stack_plan
from maillab.cli.docker import Container
from maillab.cli.machines import (
    a_user_of,
    find,
    next_steps,
    of_stack,
    plan_now,
    rows,
    small_scanners,
    somebody_of,
    standing_still,
)
from maillab.cli.problem import MaillabError
from maillab.cli.stack import ROOT, Engine, Stack
from tests.unit.conftest import Program
from tests.unit.maillab.cli.conftest import save_state

OUTPUTS: dict[str, object] = {
    "machines": {
        "router": {
            "container": "lab-router",
            "ipv4": ["163.26.182.254", "203.0.113.254"],
            "ipv6": "2001:db8:182::fe",
            "role": "gateway",
        },
        "mail": {"container": "lab-mail", "ipv4": "163.26.182.2", "ipv6": "2001:db8:182::2", "role": "mail server"},
        "outside": {"container": "lab-outside", "ipv4": "198.51.100.1", "ipv6": "", "role": "senders"},
    }
}
RUNNING = Container(name="lab-mail", machine="mail", stack="lab", state="running")


def test_machines_are_sorted_by_their_addresses_as_numbers() -> None:
    assert [row.name for row in rows(OUTPUTS, [])] == ["mail", "router", "outside"]


def test_a_container_shows_its_state() -> None:
    assert rows(OUTPUTS, [RUNNING])[0].state == "running"


def test_a_machine_without_a_container_is_missing() -> None:
    assert rows(OUTPUTS, [RUNNING])[1].state == "missing"


def test_a_schools_machines_come_first() -> None:
    machines = OUTPUTS["machines"]
    assert isinstance(machines, dict)
    outputs = {
        "machines": {name: {**said, "school": "x" if name == "router" else ""} for name, said in machines.items()}
    }
    assert [row.name for row in rows(outputs, [])] == ["router", "mail", "outside"]


@pytest.mark.parametrize("outputs", [{}, {"machines": None}, {"machines": []}], ids=str)
def test_other_outputs_give_no_rows(outputs: dict[str, object]) -> None:
    assert rows(outputs, [RUNNING]) == []


def test_three_commands_to_try() -> None:
    assert [line for line, _ in next_steps("dc1es", rows(OUTPUTS, []), somebody="chen@school.example")] == [
        "bin/maillab shell mail",
        "bin/maillab send --to chen@school.example",
        "bin/maillab preview --diff",
    ]


def test_a_message_to_nobody_is_not_proposed() -> None:
    assert not [line for line, _ in next_steps("dc1es", rows(OUTPUTS, [])) if "send" in line]


@pytest.fixture
def school(stack: Stack) -> Path:
    """The stack's file, which is the tutorial's."""
    (stack.root / "Pulumi.yaml").write_bytes((ROOT / "Pulumi.yaml").read_bytes())
    path = stack.root / "Pulumi.lab.yaml"
    path.write_bytes((ROOT / "Pulumi.dc1es.yaml").read_bytes())
    return path


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def test_the_message_goes_to_the_first_user(stack: Stack, school: Path) -> None:
    first = "- {name: admin, password: lab-admin-2006,"
    edit(school, first, "- {name: teacher, password: lab-2006}\n" + 14 * " " + first)
    assert a_user_of(plan_now(stack)) == "teacher@dc1es.tnc.edu.tw"


@pytest.mark.usefixtures("school")
@pytest.mark.parametrize("changes", [{"mydestination": ("$myhostname",)}, {"users": ()}], ids=str)
def test_a_server_without_users_of_the_school_has_nobody(stack: Stack, changes: dict[str, tuple[str, ...]]) -> None:
    lab = stack_plan(stack).config
    (school,) = lab.schools
    machines = tuple(
        replace(machine, mail=replace(machine.mail, **changes) if machine.mail else None)  # type: ignore[arg-type]
        for machine in school.machines
    )
    assert somebody_of(lab) == "admin@dc1es.tnc.edu.tw"
    assert somebody_of(replace(lab, schools=(replace(school, machines=machines),))) == ""


def test_scanners_with_few_signatures_are_named(stack: Stack, school: Path) -> None:
    assert small_scanners(plan_now(stack)) == ["spamfilter"]
    edit(school, "          spamfilter:\n", "          spamfilter:\n            virus_database: full\n")
    assert small_scanners(plan_now(stack)) == []


def test_a_file_that_is_being_edited_names_nobody(stack: Stack, school: Path) -> None:
    edit(school, "domain: dc1es.tnc.edu.tw", "domain: [")
    assert (a_user_of(plan_now(stack)), small_scanners(plan_now(stack))) == ("", [])


def test_without_a_file_there_is_nobody(stack: Stack) -> None:
    assert a_user_of(plan_now(stack)) == ""


def test_another_stack_is_named_in_the_commands() -> None:
    assert next_steps("two", rows(OUTPUTS, []))[0][0] == "bin/maillab --stack two shell mail"


def test_the_environments_stack_is_the_one_that_needs_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILLAB_STACK", "two")
    assert next_steps("two", rows(OUTPUTS, []))[0][0] == "bin/maillab shell mail"
    assert next_steps("dc1es", rows(OUTPUTS, []))[0][0] == "bin/maillab --stack dc1es shell mail"


def test_without_a_mail_machine_its_host_is_dns() -> None:
    single: dict[str, object] = {"machines": {"dns": {"container": "lab-dns"}}}
    assert next_steps("dc1es", rows(single, []))[0][0] == "bin/maillab shell dns"


def test_an_unknown_machine_is_refused_with_the_known_ones(stack: Stack, program: Program) -> None:
    program("docker", "exit 0")
    save_state(stack, Engine.OFFLINE, OUTPUTS)
    with pytest.raises(MaillabError, match="no machine mial in lab lab") as refusal:
        find(stack, "mial")
    assert refusal.value.remedy == ("did you mean mail?", "one of: mail, router, outside")


@pytest.fixture
def no_engine(program: Program) -> None:
    """A docker whose engine does not answer."""
    program("docker", "echo 'Cannot connect to the Docker daemon at unix:///x' >&2; exit 1")


@pytest.mark.usefixtures("no_engine")
def test_no_lab_is_said_without_an_engine(stack: Stack) -> None:
    with pytest.raises(MaillabError, match="there is no lab lab"):
        of_stack(stack)


def test_status_asks_docker_for_the_stack_only(stack: Stack, program: Program) -> None:
    said = '["lab-mail","mail","lab","exited"]'
    program("docker", f"""case "$*" in *label=maillab.stack=lab*) echo '{said}';; esac""")
    save_state(stack, Engine.OFFLINE, OUTPUTS)
    assert find(stack, "mail").state == "exited"


def test_a_stopped_machine_is_drift(stack: Stack, program: Program) -> None:
    program("docker", """echo '["lab-mail","mail","lab","exited"]'""")
    save_state(stack, Engine.OFFLINE, OUTPUTS)
    assert standing_still(stack)


@pytest.mark.usefixtures("no_engine")
def test_without_a_lab_there_is_no_drift(stack: Stack) -> None:
    """The first `up` on a computer without an engine: it makes one, in a virtual machine, or goes to another one."""
    assert not standing_still(stack)


@pytest.mark.usefixtures("no_engine")
@pytest.mark.parametrize("outputs", [{}, {"machines": {}}], ids=str)
def test_a_lab_without_machines_has_no_drift(stack: Stack, outputs: dict[str, object]) -> None:
    save_state(stack, Engine.OFFLINE, outputs)
    assert not standing_still(stack)


@pytest.mark.usefixtures("no_engine")
def test_a_lab_whose_engine_is_away_is_told(stack: Stack) -> None:
    save_state(stack, Engine.OFFLINE, OUTPUTS)
    with pytest.raises(MaillabError, match="no Docker engine answers"):
        standing_still(stack)


def test_running_machines_are_no_drift(stack: Stack, program: Program) -> None:
    program(
        "docker", """for m in router mail outside; do echo "[\\"lab-$m\\",\\"$m\\",\\"lab\\",\\"running\\"]"; done"""
    )
    save_state(stack, Engine.OFFLINE, OUTPUTS)
    assert not standing_still(stack)
