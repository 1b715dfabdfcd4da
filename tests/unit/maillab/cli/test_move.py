"""A lab changes its engine; pulumi is a script that remembers what it was asked."""

import fcntl
import json
import os
from contextlib import nullcontext
from pathlib import Path

import pytest

from maillab.cli.move import move
from maillab.cli.problem import MaillabError
from maillab.cli.stack import Engine, Stack
from tests.unit.conftest import Program
from tests.unit.maillab.cli.conftest import save_state

PULUMI = """
echo "$1 $2" >>{log}
case $2 in import) cat "$6" >{log}.imported; stat -c %a "$6" >{log}.mode;; esac
[ "$2" != export ] || cat <<'END'
{exported}
END
"""
SALT = "v1:C0+C3vO9QSY=:v1:KCVyMSwgso0eQj0d:urPaj8xotjEnq5Id37k2ppx1IrZcpA=="


@pytest.fixture(autouse=True)
def project(stack: Stack) -> Path:
    """The stack's file, with what Pulumi's secrets need."""
    (stack.root / "Pulumi.yaml").write_text("name: maillab\n", "utf-8")
    path = stack.root / "Pulumi.lab.yaml"
    path.write_text(f"encryptionsalt: {SALT}\n", "utf-8")
    return path


@pytest.fixture
def log(tmp_path: Path, program: Program) -> Path:
    exported = {"version": 3, "deployment": {"resources": [{"type": "docker:index/volume:Volume", "custom": True}]}}
    program("pulumi", PULUMI.format(log=tmp_path / "log", exported=json.dumps(exported)))
    return tmp_path / "log"


def test_to_pulumi_imports_and_sets_the_offline_state_aside(stack: Stack, log: Path) -> None:
    save_state(stack, Engine.OFFLINE, {})
    move(stack, Engine.PULUMI)
    assert log.read_text("utf-8") == "stack select\nstack import\n"
    assert stack.resources(Engine.OFFLINE) == []


def test_pulumi_is_given_the_salt_of_now(stack: Stack, log: Path) -> None:
    """The state may be from before there was one."""
    save_state(stack, Engine.OFFLINE, {})
    move(stack, Engine.PULUMI)
    given = json.loads(log.with_name("log.imported").read_text("utf-8"))
    assert given["deployment"]["secrets_providers"] == {"type": "passphrase", "state": {"salt": SALT}}
    assert len(given["deployment"]["resources"]) == 2


def test_what_pulumi_is_given_is_its_owners_alone_and_does_not_stay(stack: Stack, log: Path) -> None:
    """It has the lab's passwords in it."""
    save_state(stack, Engine.OFFLINE, {})
    move(stack, Engine.PULUMI)
    assert log.with_name("log.mode").read_text("utf-8") == "600\n"
    left = sorted(path.name for path in stack.state_file(Engine.OFFLINE).parent.iterdir())
    assert left == ["lab.json.moved", "lab.lock"]


def test_a_stack_that_pulumi_makes_has_its_salt_before_it_is_given_the_state(
    stack: Stack, log: Path, project: Path, program: Program
) -> None:
    project.write_text("config: {}\n", "utf-8")
    save_state(stack, Engine.OFFLINE, {})
    salted = f'[ "$2" != select ] || echo "encryptionsalt: {SALT}" >>{project}\n'
    program("pulumi", salted + PULUMI.format(log=log, exported=""))
    move(stack, Engine.PULUMI)
    given = json.loads(log.with_name("log.imported").read_text("utf-8"))
    assert given["deployment"]["secrets_providers"]["state"] == {"salt": SALT}


def test_without_a_salt_nothing_is_moved(stack: Stack, log: Path, project: Path) -> None:
    """Pulumi would take a state whose secrets nobody can read."""
    project.write_text("config: {}\n", "utf-8")
    save_state(stack, Engine.OFFLINE, {})
    with pytest.raises(MaillabError, match=r"nothing was moved: .* no encryptionsalt") as refusal:
        move(stack, Engine.PULUMI)
    assert "pulumi stack rm --preserve-config lab" in str(refusal.value)
    assert "PULUMI_CONFIG_PASSPHRASE=" in refusal.value.remedy[0]
    assert log.read_text("utf-8") == "stack select\n"
    assert stack.makers() == [Engine.OFFLINE]


def test_to_pulumi_keeps_a_copy(stack: Stack, log: Path) -> None:
    save_state(stack, Engine.OFFLINE, {})
    move(stack, Engine.PULUMI)
    assert stack.state_file(Engine.OFFLINE).with_suffix(".json.moved").exists()
    assert log.exists()


def test_to_offline_exports_then_forgets(stack: Stack, log: Path) -> None:
    save_state(stack, Engine.PULUMI, {})
    move(stack, Engine.OFFLINE)
    assert log.read_text("utf-8") == "stack export\nstack rm\n"
    assert [resource["type"] for resource in stack.resources(Engine.OFFLINE)] == ["docker:index/volume:Volume"]


def test_the_state_is_on_the_disk_before_pulumis_is_forgotten(
    stack: Stack, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file itself, then its name in the folder."""
    synced: list[tuple[bool, str]] = []
    sync = os.fsync

    def seen(descriptor: int) -> None:
        synced.append((Path(f"/proc/self/fd/{descriptor}").is_dir(), log.read_text("utf-8")))
        sync(descriptor)

    stack.state_file(Engine.OFFLINE).parent.mkdir(parents=True)
    monkeypatch.setattr("os.fsync", seen)
    save_state(stack, Engine.PULUMI, {})
    move(stack, Engine.OFFLINE)
    assert synced == [(False, "stack export\n"), (True, "stack export\n")]


def test_a_failed_import_leaves_the_offline_state(stack: Stack, program: Program) -> None:
    program("pulumi", '[ "$2" != import ]')
    save_state(stack, Engine.OFFLINE, {})
    with pytest.raises(MaillabError, match="pulumi stack import"):
        move(stack, Engine.PULUMI)
    assert stack.makers() == [Engine.OFFLINE]


def test_a_failed_export_forgets_nothing(stack: Stack, program: Program) -> None:
    program("pulumi", "echo no passphrase >&2; exit 1")
    save_state(stack, Engine.PULUMI, {})
    with pytest.raises(MaillabError, match="export` failed: no passphrase"):
        move(stack, Engine.OFFLINE)
    assert stack.makers() == [Engine.PULUMI]


def test_an_unfinished_operation_is_finished_first(stack: Stack, log: Path) -> None:
    save_state(stack, Engine.OFFLINE, {})
    path = stack.state_file(Engine.OFFLINE)
    state = json.loads(path.read_text("utf-8"))
    state["deployment"]["pending_operations"] = [{"type": "creating"}]
    path.write_text(json.dumps(state), "utf-8")
    with pytest.raises(MaillabError, match="interrupted in the middle"):
        move(stack, Engine.PULUMI)
    assert not log.exists()


@pytest.mark.usefixtures("log")
def test_a_move_to_its_own_engine_is_refused(stack: Stack) -> None:
    save_state(stack, Engine.OFFLINE, {})
    with pytest.raises(MaillabError, match="belongs to the offline engine already"):
        move(stack, Engine.OFFLINE)


@pytest.mark.usefixtures("log")
def test_no_lab_cannot_be_moved(stack: Stack) -> None:
    with pytest.raises(MaillabError, match="there is no lab lab"):
        move(stack, Engine.PULUMI)


@pytest.mark.usefixtures("program")
def test_without_pulumi_its_installation_is_named(stack: Stack) -> None:
    save_state(stack, Engine.OFFLINE, {})
    with pytest.raises(MaillabError, match="not on PATH") as refusal:
        move(stack, Engine.PULUMI)
    assert "make pulumi" in refusal.value.remedy[0]


@pytest.mark.usefixtures("log")
def test_a_run_under_way_is_waited_for(stack: Stack) -> None:
    save_state(stack, Engine.OFFLINE, {})
    with stack.state_file(Engine.OFFLINE).with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(MaillabError, match="another run works"):
            move(stack, Engine.PULUMI)


@pytest.mark.parametrize(("locked", "refused"), [("lab", True), ("other", False)])
def test_a_run_of_pulumi_under_way_is_waited_for(stack: Stack, log: Path, locked: str, refused: bool) -> None:
    save_state(stack, Engine.PULUMI, {})
    lock = stack.root / ".pulumi-state/.pulumi/locks/organization/maillab" / locked / "1.json"
    lock.parent.mkdir(parents=True)
    lock.touch()
    with pytest.raises(MaillabError, match="a run of Pulumi works") if refused else nullcontext():
        move(stack, Engine.OFFLINE)
    assert log.exists() is not refused
