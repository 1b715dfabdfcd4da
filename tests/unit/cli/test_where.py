"""Where a lab is, and that a changed configuration does not move it."""

from pathlib import Path

import pytest

from cli import docker, where
from cli.problem import MaillabError
from cli.stack import Engine, Stack
from cli.where import attend, home_of, place_of, refuse_moved
from tests.unit.cli.conftest import save_lab, save_state
from tests.unit.conftest import Program
from where import power
from where.home import Settings
from where.tunnel import Tunnel

LOCAL = "local unix:///var/run/docker.sock"
SETTINGS = Settings(name="lab", base="base", cpus=2, memory=1024, disk=8, ssh_port=0, accelerator="tcg")


@pytest.fixture(autouse=True)
def engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The command works on this computer's engine, until something else is said; no setting of the person's."""
    monkeypatch.setattr(docker, "_host", None)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    for name in ("DOCKER_HOST", "DOCKER_CONTEXT"):
        monkeypatch.delenv(name, raising=False)


def configure(stack: Stack, place: str) -> None:
    (stack.root / f"Pulumi.{stack.name}.yaml").write_text(f"config: {{'maillab:where': '{place}'}}\n", "utf-8")


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


def test_a_lab_without_a_guard_is_nowhere(stack: Stack) -> None:
    save_state(stack, Engine.OFFLINE, {})
    assert place_of(stack) == ""


@pytest.mark.parametrize(
    ("was", "wanted"),
    [
        pytest.param("vm", "local", id="out of the machine"),
        pytest.param(LOCAL, "vm", id="into a machine"),
        pytest.param("ssh://teacher@one", "ssh://teacher@two", id="to another computer"),
        pytest.param("ssh://lab", "ssh://teacher@lab", id="another user"),
        pytest.param("local tcp://127.0.0.1:2375", "local", id="another engine of this computer"),
    ],
)
def test_a_lab_is_not_moved(stack: Stack, was: str, wanted: str) -> None:
    save_lab(stack, was)
    configure(stack, wanted)
    with pytest.raises(MaillabError, match="nothing was changed") as refusal:
        refuse_moved(stack)
    assert refusal.value.id == "where-changed"
    assert f"the lab lab is at {was}," in str(refusal.value)
    assert "bin/maillab --stack lab down" in refusal.value.remedy[0]


def test_another_docker_host_would_move_it(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    save_lab(stack, LOCAL)
    monkeypatch.setattr(where, "environment", lambda: {"DOCKER_HOST": "tcp://192.0.2.1:2375"})
    with pytest.raises(MaillabError, match=r"says local tcp://192\.0\.2\.1:2375 now"):
        refuse_moved(stack)


@pytest.mark.parametrize("place", ["vm", "ssh://teacher@lab"])
def test_a_lab_stays_where_it_is(stack: Stack, place: str) -> None:
    save_lab(stack, place)
    configure(stack, place)
    refuse_moved(stack)


def test_a_local_lab_stays_without_a_word(stack: Stack) -> None:
    save_lab(stack, LOCAL)
    refuse_moved(stack)


def test_a_new_lab_may_be_anywhere(stack: Stack) -> None:
    configure(stack, "vm")
    refuse_moved(stack)


def test_a_lab_from_before_the_guard_goes_on(stack: Stack) -> None:
    save_state(stack, Engine.OFFLINE, {})
    refuse_moved(stack)


def test_docker_works_where_the_lab_is(stack: Stack) -> None:
    save_lab(stack, "local tcp://192.0.2.1:2375")
    attend(stack)
    assert host() == "tcp://192.0.2.1:2375"


def test_without_a_lab_docker_works_as_always(stack: Stack) -> None:
    configure(stack, "vm")
    attend(stack)
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
        attend(machine)
    assert (refusal.value.id, refusal.value.remedy) == ("vm-stopped", ("start it: bin/maillab --stack lab vm start",))


def test_a_machine_that_is_gone_is_told(machine: Stack) -> None:
    home_of(machine).disk.unlink()
    with pytest.raises(MaillabError, match="the virtual machine of the lab lab is gone") as refusal:
        attend(machine, start=True)
    assert refusal.value.id == "vm-gone"
    assert "bin/maillab --stack lab down" in refusal.value.remedy[0]


def test_a_machine_whose_settings_were_lost_is_started_as_the_state_says(
    machine: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[Settings] = []
    monkeypatch.setattr(power, "start", lambda _home, settings, _say: started.append(settings))
    monkeypatch.setattr(power, "reach", lambda *_: "unix:///machine")
    (home_of(machine).folder / "machine.json").unlink()
    attend(machine, start=True)
    assert started == [SETTINGS]


def test_a_damaged_machine_is_words_for_people(machine: Stack) -> None:
    (home_of(machine).folder / "machine.json").write_text("{", "utf-8")
    with pytest.raises(MaillabError, match=r"machine\.json can't be read") as refusal:
        attend(machine, start=True)
    assert refusal.value.id == "vm-damaged"


def test_a_machine_that_is_off_is_started_when_wanted(machine: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Settings] = []
    monkeypatch.setattr(power, "start", lambda _home, settings, _say: started.append(settings))
    monkeypatch.setattr(power, "reach", lambda *_: "unix:///machine")
    attend(machine, start=True)
    assert started == [SETTINGS]
    assert host() == "unix:///machine"


def test_a_machine_that_was_never_made_is_not_missed(stack: Stack) -> None:
    """The first `up` failed before: the next one goes on there."""
    save_lab(stack, "vm")
    attend(stack, start=True)
    assert host() is None


@pytest.mark.parametrize("stands", [True, False])
def test_another_computer_is_reached(stack: Stack, monkeypatch: pytest.MonkeyPatch, stands: bool) -> None:
    save_lab(stack, "ssh://lab", Engine.OFFLINE, where.PROVIDER)
    made: list[str] = []
    monkeypatch.setattr(Tunnel, "alive", lambda *_: stands)
    monkeypatch.setattr(where, "connect", lambda _home, ssh: made.append(ssh.name))
    attend(stack)
    assert made == ([] if stands else ["ssh://lab"])
    assert host() == Tunnel(home_of(stack)).docker_host


def test_a_refusal_of_ssh_is_words_for_people(stack: Stack, program: Program) -> None:
    save_lab(stack, "ssh://lab", Engine.OFFLINE, where.PROVIDER)
    program("ssh", "echo 'x@lab: Permission denied (publickey).' >&2; exit 255")
    with pytest.raises(MaillabError, match="it refuses the key") as refusal:
        attend(stack)
    assert refusal.value.id == "ssh-key-refused"
    assert "ssh-copy-id lab" in refusal.value.remedy[0]
