"""Which stacks there are, and what is said of one that there is not; also by the set-up, before it does anything."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from maillab.cli import stacks
from maillab.cli.problem import MaillabError
from maillab.cli.stack import ROOT, Engine, Stack
from maillab.where.known import note_kept
from tests.unit.maillab.cli.conftest import save_state


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two stack files, and the set-up, but without an environment."""
    for name in ("Pulumi.yaml", "Pulumi.dc1es.yaml", "Pulumi.onehost.yaml"):
        (tmp_path / name).touch()
    shutil.copytree(ROOT / "setup", tmp_path / "setup")
    return tmp_path


def test_stacks_are_those_with_a_file(folder: Path) -> None:
    assert stacks.names(folder) == ["dc1es", "onehost"]


def test_unknown_stack_is_refused_with_what_there_is(folder: Path) -> None:
    with pytest.raises(MaillabError, match=r"there is no stack nope: no file Pulumi\.nope\.yaml") as refusal:
        stacks.refuse_unknown(Stack(name="nope", root=folder))
    assert refusal.value.remedy == ("there are: dc1es, onehost", "make a new one: bin/maillab new NAME")


@pytest.mark.parametrize(("name", "near"), [("dc1e", "dc1es"), ("oneHost", "onehost"), ("onehosts", "onehost")])
def test_what_is_meant_is_asked(folder: Path, name: str, near: str) -> None:
    with pytest.raises(MaillabError) as refusal:
        stacks.refuse_unknown(Stack(name=name, root=folder))
    assert refusal.value.remedy[0] == f"did you mean {near}?"


def test_lab_whose_file_is_gone_can_be_removed_and_not_made(folder: Path) -> None:
    stack = Stack(name="gone", root=folder)
    save_state(stack, Engine.OFFLINE, {})
    stacks.refuse_unknown(stack)
    with pytest.raises(MaillabError, match=r"the file of the stack gone is gone: Pulumi.gone.yaml"):
        stacks.refuse_without_file(stack)


def test_mail_that_was_kept_can_be_removed_without_a_file(folder: Path) -> None:
    note_kept(folder, "gone", ["gone-spool"])
    stacks.refuse_unknown(Stack(name="gone", root=folder))


@pytest.mark.parametrize("name", ["", "../dc1es", "/etc/passwd", "."])
def test_what_is_no_name_is_no_stack(folder: Path, name: str) -> None:
    with pytest.raises(MaillabError, match="there is no stack"):
        stacks.refuse_unknown(Stack(name=name, root=folder))


def set_up(folder: Path, stack: str) -> subprocess.CompletedProcess[str]:
    """The set-up for a stack, on a computer without Python: it can go no further than that."""
    tools = folder / "tools"
    tools.mkdir()
    for name in ("awk", "mkdir", "dirname", "flock", "cat", "bash", "id"):
        (tools / name).symlink_to(str(shutil.which(name)))
    argv = [str(shutil.which("bash")), "setup/run", "stack", stack]
    env = os.environ | {"PATH": str(tools), "LC_ALL": "C.UTF-8"}
    return subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=False, env=env)


def test_set_up_for_an_unknown_stack_installs_nothing(folder: Path) -> None:
    done = set_up(folder, "onehots")
    assert done.returncode == 1
    assert done.stderr.splitlines()[1:] == [
        "setup: there is no stack onehots: no file Pulumi.onehots.yaml. Nothing was installed.",
        "  did you mean onehost?",
        "  there are: dc1es onehost",
        "  make a new one: bin/maillab new NAME",
    ]
    assert not (folder / ".venv").exists()


def test_set_up_for_a_stack_that_there_is_goes_on(folder: Path) -> None:
    done = set_up(folder, "onehost")
    assert "there is no stack" not in done.stderr


def test_set_up_for_a_lab_whose_file_is_gone_goes_on(folder: Path) -> None:
    save_state(Stack(name="gone", root=folder), Engine.OFFLINE, {})
    assert "there is no stack" not in set_up(folder, "gone").stderr
