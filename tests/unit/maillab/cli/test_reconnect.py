"""What `up` does before an engine looks: paused machines go on, lost networks are connected again."""

import json
from pathlib import Path

import pytest

from maillab.cli.reconnect import CONTAINER, reconnect
from maillab.cli.stack import Engine, Stack
from tests.unit.conftest import Program
from tests.unit.maillab.cli.conftest import save_state

MACHINE = {"container": "lab-mail", "ipv4": ["163.26.182.2"], "ipv6": [], "networks": ["lab-dc1es"]}
OUTPUTS: dict[str, object] = {"machines": {"mail": MACHINE}}
ENDPOINT = {"name": "n1", "ipv4Address": "198.18.33.2"}
RESOURCE = {
    "urn": "urn:pulumi:lab::maillab::docker:index/container:Container::mail",
    "type": CONTAINER,
    "custom": True,
    "inputs": {"name": "lab-mail", "networksAdvanced": [ENDPOINT]},
}


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILLAB_LANG", "en")


@pytest.fixture
def calls(stack: Stack) -> Path:
    """Where the docker of `engine` notes what it was to change."""
    save_state(stack, Engine.OFFLINE, OUTPUTS, more=[RESOURCE])
    return stack.root / "calls"


def engine(program: Program, calls: Path, *, state: str, connected: bool) -> None:
    """A docker with one machine, in that state, and its network."""
    network = {"Id": "n1", "Name": "lab-dc1es", "Labels": {"maillab.stack": "lab"}}
    network |= {"Containers": {"x": {"Name": "lab-mail"}} if connected else {}}
    row = json.dumps(["lab-mail", "mail", "lab", state])
    program(
        "docker",
        f"""case "$1 $2" in
  "ps --all") echo '{row}' ;;
  "network ls") echo n1 ;;
  "network inspect") echo '{json.dumps([network])}' ;;
  *) echo "$@" >>{calls} ;;
esac""",
    )


def test_machine_that_lost_its_network(stack: Stack, program: Program, calls: Path) -> None:
    """It gets the address that Docker had given it, which nobody else is given."""
    engine(program, calls, state="running", connected=False)
    assert list(reconnect(stack)) == ["mail: connected to its network again, and restarted"]
    assert calls.read_text("utf-8").splitlines() == [
        "network connect --ip 198.18.33.2 n1 lab-mail",
        "restart lab-mail",
    ]


def test_paused_machine_goes_on(stack: Stack, program: Program, calls: Path) -> None:
    engine(program, calls, state="paused", connected=True)
    assert list(reconnect(stack)) == ["mail: goes on (it was paused)"]
    assert calls.read_text("utf-8") == "unpause lab-mail\n"


@pytest.mark.parametrize("state", ["running", "exited"])
def test_others_are_left_alone(stack: Stack, program: Program, calls: Path, state: str) -> None:
    """What is stopped is on no network as Docker says it; the engine starts it."""
    engine(program, calls, state=state, connected=state == "running")
    assert list(reconnect(stack)) == []
    assert not calls.exists()


def test_without_a_lab_docker_is_not_asked(stack: Stack, program: Program) -> None:
    program("docker", "exit 1")
    assert list(reconnect(stack)) == []
