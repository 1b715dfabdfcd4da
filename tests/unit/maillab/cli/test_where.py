"""Where a lab is, and how it is reached there."""

import json
from pathlib import Path

import pytest

from maillab.cli import docker, where
from maillab.cli.problem import MaillabError
from maillab.cli.stack import Engine, Stack
from maillab.cli.where import home_of, place_of, reach_engine
from maillab.where import power
from maillab.where.home import Home, Settings
from maillab.where.tunnel import Tunnel
from tests.unit.conftest import Program
from tests.unit.maillab.cli.conftest import configure, save_lab, save_old_lab, save_state

LOCAL = "local unix:///var/run/docker.sock"
SETTINGS = Settings(name="lab", base="base", cpus=2, memory=1024, disk=8, ssh_port=0, accelerator="tcg")


@pytest.fixture(autouse=True)
def engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The command works on this computer's engine, until another place is given; no setting of the person's."""
    monkeypatch.setattr(docker, "_host", None)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    for name in ("DOCKER_HOST", "DOCKER_CONTEXT"):
        monkeypatch.delenv(name, raising=False)


def host() -> str | None:
    """The engine that docker works on."""
    return docker.host_environment({}).get("DOCKER_HOST")


@pytest.mark.parametrize("engine", list(Engine))
@pytest.mark.parametrize("place", ["vm", "ssh://teacher@lab", LOCAL])
def test_the_place_is_read_from_either_state(stack: Stack, engine: Engine, place: str) -> None:
    save_lab(stack, place, engine)
    assert place_of(stack) == place


def test_no_lab_is_nowhere(stack: Stack) -> None:
    assert place_of(stack) == ""


def test_a_lab_from_before_the_guard_is_where_its_provider_is(stack: Stack) -> None:
    save_old_lab(stack, "tcp://192.0.2.1:2375")
    assert place_of(stack) == "local tcp://192.0.2.1:2375"


def test_a_lab_with_neither_is_nowhere(stack: Stack) -> None:
    save_state(stack, Engine.OFFLINE, {})
    assert place_of(stack) == ""


def test_a_provider_without_a_lab_is_nowhere(stack: Stack) -> None:
    """Nothing else was made with it."""
    save_old_lab(stack, "unix:///x")
    state = json.loads(stack.state_file(Engine.OFFLINE).read_text("utf-8"))
    resources = state["deployment"]["resources"]
    state["deployment"]["resources"] = [one for one in resources if one["type"].startswith("pulumi:")]
    stack.state_file(Engine.OFFLINE).write_text(json.dumps(state), "utf-8")
    assert place_of(stack) == ""


@pytest.mark.parametrize(
    ("urns", "made"),
    [
        pytest.param([], False, id="its place alone"),
        pytest.param(["command:local:Command::vm-check"], False, id="a look at this computer"),
        pytest.param([where.PROVIDER], True, id="an engine"),
        pytest.param([f"maillab:vm:LabVm${where.MACHINE}"], True, id="a machine"),
    ],
)
def test_what_counts_as_made(stack: Stack, urns: list[str], made: bool) -> None:
    save_lab(stack, "vm", Engine.OFFLINE, *urns)
    assert where.is_made(stack) is made


def test_docker_works_where_the_lab_is(stack: Stack) -> None:
    save_lab(stack, "local tcp://192.0.2.1:2375")
    reach_engine(stack)
    assert host() == "tcp://192.0.2.1:2375"


def test_without_a_lab_docker_works_as_always(stack: Stack) -> None:
    configure(stack, "vm")
    reach_engine(stack)
    assert host() is None


def test_the_labs_engine_overrules_the_persons() -> None:
    docker.use("unix:///lab")
    given = {"DOCKER_HOST": "unix:///other", "DOCKER_CONTEXT": "other", "HOME": "/root"}
    assert docker.host_environment(given) == {"DOCKER_HOST": "unix:///lab", "HOME": "/root"}


def test_until_then_the_persons_engine_is_taken() -> None:
    given = {"DOCKER_HOST": "unix:///other", "DOCKER_CONTEXT": "other"}
    assert docker.host_environment(given) == given


def test_docker_is_called_so(program: Program) -> None:
    program("docker", 'echo "$DOCKER_HOST"')
    docker.use("unix:///lab")
    assert docker.docker("ps") == "unix:///lab\n"


@pytest.fixture
def machine(stack: Stack) -> Stack:
    """A lab whose virtual machine was made, and is off."""
    save_lab(stack, "vm", Engine.OFFLINE, f"LabVm${where.MACHINE}", f"LabVm${where.READY}")
    home = home_of(stack)
    home.folder.mkdir(parents=True)
    home.save(SETTINGS)
    home.disk.touch()
    return stack


def test_a_machine_that_is_off_is_told(machine: Stack) -> None:
    with pytest.raises(MaillabError, match="the virtual machine of the lab lab does not run") as refusal:
        reach_engine(machine)
    assert (refusal.value.id, refusal.value.remedy) == ("vm-stopped", ("start it: bin/maillab --stack lab vm start",))


def test_a_machine_that_is_gone_is_told(machine: Stack) -> None:
    home_of(machine).disk.unlink()
    with pytest.raises(MaillabError, match="the virtual machine of the lab lab is gone") as refusal:
        reach_engine(machine, start=True)
    assert refusal.value.id == "vm-gone"
    assert "bin/maillab --stack lab down" in refusal.value.remedy[0]


def test_a_machine_whose_settings_were_lost_is_started_as_the_state_says(
    machine: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[Settings] = []
    monkeypatch.setattr(power, "start", lambda _home, settings, _say: started.append(settings))
    monkeypatch.setattr(power, "reach", lambda *_: "unix:///machine")
    (home_of(machine).folder / "machine.json").unlink()
    reach_engine(machine, start=True)
    assert started == [SETTINGS]


def test_a_damaged_machine_is_words_for_people(machine: Stack) -> None:
    (home_of(machine).folder / "machine.json").write_text("{", "utf-8")
    with pytest.raises(MaillabError, match=r"machine\.json can't be read") as refusal:
        reach_engine(machine, start=True)
    assert refusal.value.id == "vm-damaged"


def test_a_machine_that_is_off_is_started_when_wanted(machine: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Settings] = []
    monkeypatch.setattr(power, "start", lambda _home, settings, _say: started.append(settings))
    monkeypatch.setattr(power, "reach", lambda *_: "unix:///machine")
    reach_engine(machine, start=True)
    assert started == [SETTINGS]
    assert host() == "unix:///machine"


def test_a_machine_that_was_never_made_is_not_missed(stack: Stack) -> None:
    """The first `up` failed before: the next one goes on there."""
    save_lab(stack, "vm")
    reach_engine(stack, start=True)
    assert host() is None


@pytest.mark.parametrize("stands", [True, False])
def test_another_computer_is_reached(stack: Stack, monkeypatch: pytest.MonkeyPatch, stands: bool) -> None:
    save_lab(stack, "ssh://lab", Engine.OFFLINE, where.PROVIDER)
    made: list[str] = []
    monkeypatch.setattr(Tunnel, "alive", lambda *_: stands)
    monkeypatch.setattr(where, "connect", lambda _home, ssh: made.append(ssh.name))
    reach_engine(stack)
    assert made == ([] if stands else ["ssh://lab"])
    assert host() == Tunnel(home_of(stack)).docker_host


def test_a_refusal_of_ssh_is_words_for_people(stack: Stack, program: Program) -> None:
    save_lab(stack, "ssh://lab", Engine.OFFLINE, where.PROVIDER)
    program("ssh", "echo 'x@lab: Permission denied (publickey).' >&2; exit 255")
    with pytest.raises(MaillabError, match="it refuses the key") as refusal:
        reach_engine(stack)
    assert refusal.value.id == "ssh-key-refused"
    assert "ssh-copy-id lab" in refusal.value.remedy[0]


def test_a_computer_that_is_gone_for_good_can_be_forgotten(stack: Stack, program: Program) -> None:
    save_lab(stack, "ssh://lab", Engine.OFFLINE, where.PROVIDER)
    program("ssh", "echo 'ssh: connect to host lab port 22: No route to host' >&2; exit 255")
    with pytest.raises(MaillabError, match="no SSH server answers there") as refusal:
        reach_engine(stack)
    assert refusal.value.remedy[-1] == "if that computer is gone for good: bin/maillab --stack lab down --forget"


def test_a_machine_that_stands_still_is_words_for_people(machine: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Home, "pid", lambda _: 1)
    monkeypatch.setattr(power, "run_state", lambda _: "io-error")
    with pytest.raises(MaillabError, match="this computer's disk is full") as refusal:
        reach_engine(machine)
    assert (refusal.value.id, refusal.value.remedy) == (
        "vm-stands-still",
        ("make room, then: bin/maillab --stack lab vm start",),
    )
