"""The state's file and its lock: whole on the disk, and every way in which they can be damaged has words."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from maillab.cli.problem import MaillabError
from maillab.cli.stack import Engine, Stack
from maillab.offline import engine, files, state
from maillab.offline.deployment import Deployment
from maillab.offline.display import Display
from maillab.offline.project import Project, load_project
from maillab.offline.state import Store, locked, write_atomically
from maillab.offline.values import OfflineError

ROOT = Path(__file__).parents[4]
URN = "urn:pulumi:lab::maillab::a:b:C::d"
GOOD = {"urn": URN, "type": "a:b:C"}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with an empty stack `lab`."""
    (tmp_path / "Pulumi.yaml").write_text("name: maillab\n", "utf-8")
    (tmp_path / "Pulumi.lab.yaml").write_text("config: {}\n", "utf-8")
    (tmp_path / "__main__.py").write_text("", "utf-8")
    return load_project(tmp_path, "lab")


def save(project: Project, text: str | bytes) -> Path:
    path = state.state_path(project)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def deployment(*resources: object, version: object = 3) -> str:
    return json.dumps({"version": version, "deployment": {"resources": resources}})


DAMAGED: dict[str, str | bytes] = {
    "empty": "",
    "cut": deployment(GOOD)[:-20],
    "no JSON": "resources:\n",
    "another encoding": b'{"version": 3, "\xa4\xa4": 1}',
    "a list": "[]",
    "null": "null",
    "a number": "3",
    "another JSON": "{}",
    "null for a deployment": '{"version": 3, "deployment": null}',
    "a list for a deployment": '{"version": 3, "deployment": [1]}',
    "a resource that is none": deployment("a"),
    "a resource without its URN": deployment({"type": "a:b:C"}),
    "a resource without its type": deployment({"urn": URN}),
    "a URN that is none": deployment({"urn": 7, "type": "a:b:C"}),
    "nested without end": "[" * 100_000,
    "a newer version": deployment(GOOD, version=4),
    "a version that is none": deployment(GOOD, version="three"),
}


@pytest.mark.parametrize("verb", ["up", "preview", "refresh", "destroy", "outputs", "export_stack"])
@pytest.mark.parametrize("text", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_one_is_left_alone_with_a_remedy(project: Project, verb: str, text: str | bytes) -> None:
    path = save(project, text)
    before = path.read_bytes()
    with pytest.raises(OfflineError) as caught:
        getattr(engine, verb)(project.root, "lab")
    assert str(caught.value).startswith(f"{path}: ")
    assert path.read_bytes() == before


@pytest.mark.parametrize("text", [text for name, text in DAMAGED.items() if name not in ("a newer version",)])
def test_the_remedy_spares_the_mail(project: Project, text: str | bytes) -> None:
    save(project, text)
    with pytest.raises(OfflineError) as caught:
        Store(project)
    assert "can't be read" in str(caught.value) or "`maillab --stack lab down --keep-mail`" in str(caught.value)


def test_a_newer_version_is_named(project: Project) -> None:
    save(project, DAMAGED["a newer version"])
    with pytest.raises(OfflineError, match="it has version 4, and this engine reads version 3 only"):
        Store(project)


@pytest.mark.parametrize("text", [deployment(GOOD), deployment()])
def test_a_whole_one_is_read(project: Project, text: str) -> None:
    """The control."""
    save(project, text)
    assert [entry["urn"] for entry in Store(project).entries()] in ([], [URN])


SHAPES = ["empty", "cut", "a list", "null", "a number", "a list for a deployment", "a resource that is none"]


@pytest.mark.parametrize("name", SHAPES)
def test_the_command_line_has_words_for_it_too(project: Project, name: str) -> None:
    save(project, DAMAGED[name])
    with pytest.raises(MaillabError, match="the state of stack lab is damaged") as caught:
        Stack(name="lab", root=project.root).resources(Engine.OFFLINE)
    assert "down --keep-mail" in caught.value.remedy[1]


@pytest.mark.parametrize("text", ["", "[]", "null", "{", '{"checkpoint": [1]}', '{"checkpoint": {"latest": [1]}}'])
def test_a_damaged_state_of_pulumi_may_be_of_this_lab(project: Project, text: str) -> None:
    path = project.state_dir / ".pulumi" / "stacks" / "maillab" / "lab.json"
    path.parent.mkdir(parents=True)
    path.write_text(text, "utf-8")
    with pytest.raises(OfflineError, match=r"Pulumi's state of stack 'lab' can't be read .*\.bak"):
        engine.up(project.root, "lab")


@pytest.mark.parametrize("exported", [[], {}, None, 3, {"deployment": {"resources": [3]}}, {"version": 9}])
def test_what_is_no_export_is_not_taken_over(project: Project, exported: object) -> None:
    with pytest.raises(OfflineError, match="pulumi stack export --show-secrets"):
        engine.import_stack(project.root, "lab", cast("dict[str, object]", exported))
    assert not state.state_path(project).exists()


@pytest.mark.parametrize("given", ["", "{", "[" * 100_000])
def test_what_is_no_json_is_not_taken_over(project: Project, given: str) -> None:
    command = [sys.executable, "-m", "maillab.offline", "stack-import", "--stack", "lab", "--cwd", str(project.root)]
    done = subprocess.run(command, cwd=ROOT, input=given, capture_output=True, text=True, check=False)
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert "the export is not JSON" in done.stderr


def test_the_folder_is_synced_with_the_file_and_after_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A crash of the computer would else leave the old name, or none."""
    path = tmp_path / "a" / "b" / "lab.json"
    synced: list[tuple[str, bool]] = []
    sync = os.fsync

    def seen(descriptor: int) -> None:
        synced.append((os.path.relpath(Path(f"/proc/self/fd/{descriptor}").readlink(), tmp_path), path.exists()))
        sync(descriptor)

    monkeypatch.setattr("os.fsync", seen)
    write_atomically(path, "new")
    assert synced == [(".", False), ("a", False), ("a/b/lab.tmp", False), ("a/b", True)]


def test_a_folder_that_can_not_be_synced_is_no_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some network file systems have no fsync for folders; any other failure is one."""

    def failing(number: int) -> Callable[[int], None]:
        def sync(descriptor: int) -> None:
            if Path(f"/proc/self/fd/{descriptor}").is_dir():
                raise OSError(number, os.strerror(number))

        return sync

    monkeypatch.setattr("os.fsync", failing(errno.EINVAL))
    write_atomically(tmp_path / "lab.json", "new")
    assert (tmp_path / "lab.json").read_text("utf-8") == "new"
    monkeypatch.setattr("os.fsync", failing(errno.EIO))
    with pytest.raises(OfflineError, match="can't write the state: Input/output error"):
        write_atomically(tmp_path / "lab.json", "newer")


def test_what_a_killed_run_left_beside_it_is_written_again_for_its_owner_only(tmp_path: Path) -> None:
    (tmp_path / "lab.tmp").write_text("half", "utf-8")
    (tmp_path / "lab.tmp").chmod(0o644)
    write_atomically(tmp_path / "lab.json", "whole")
    assert (tmp_path / "lab.json").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["lab.json"]


def test_a_state_that_can_not_be_written_at_the_end_hides_no_other_error(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project.root / "__main__.py").write_text("raise ValueError('no such school')", "utf-8")

    def full(*_: object) -> None:
        raise OfflineError("lab.json: can't write the state: No space left on device; make room, then run again")

    monkeypatch.setattr(state, "write_atomically", full)
    result = engine.up(project.root, "lab", display=Display(quiet=True))
    messages = [item["message"] for item in result.diagnostics]
    assert (result.ok, len(messages)) == (False, 2)
    assert "no such school" in messages[0]
    assert "can't write the state" in messages[1]


def test_the_last_write_is_under_the_lock(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else another run may have begun, whose state is overwritten."""
    held: list[bool] = []

    def seen(*_: object) -> None:
        try:
            with files.alone(state.state_path(project).with_suffix(".lock")):
                held.append(False)
        except files.HeldError:
            held.append(True)

    monkeypatch.setattr(state, "write_atomically", seen)
    assert engine.up(project.root, "lab", display=Display(quiet=True)).ok
    assert held[-1:] == [True]


def test_a_lock_that_a_dead_process_left_is_free(project: Project) -> None:
    path = state.state_path(project).with_suffix(".lock")
    command = [sys.executable, "-c", "import fcntl, sys; fcntl.flock(open(sys.argv[1], 'w'), fcntl.LOCK_EX)", str(path)]
    path.parent.mkdir(parents=True)
    path.write_text("4711", "utf-8")
    subprocess.run(command, check=True)
    with locked(project):
        assert path.read_text("utf-8") == str(os.getpid())


def test_who_holds_it_is_named_whichever_command_it_is(project: Project) -> None:
    """A number of an earlier run would send the person after a process that has long ended."""
    from maillab.cli.move import unused  # noqa: PLC0415 (this test alone is about both)

    path = state.state_path(project).with_suffix(".lock")
    path.parent.mkdir(parents=True)
    path.write_text("4711", "utf-8")
    named = rf"locked by another run \(process {os.getpid()}\)"
    with unused(Stack(name="lab", root=project.root)), pytest.raises(OfflineError, match=named):
        engine.up(project.root, "lab")


@pytest.mark.parametrize("place", [".pulumi-state", ".pulumi-state/offline", ".pulumi-state/offline/lab.lock"])
def test_a_lock_that_there_can_not_be_is_words(project: Project, place: str) -> None:
    """A file where a folder must be, and the other way round."""
    path = project.root / place
    if path.suffix:
        path.mkdir(parents=True)
    else:
        path.parent.mkdir(exist_ok=True)
        path.write_text("", "utf-8")
    with pytest.raises(OfflineError, match=r"the stack can't be locked: (Not a directory|Is a directory|File exists)"):
        engine.up(project.root, "lab")


def test_looking_for_a_duplicate_and_adding_is_one_step() -> None:
    """Resources are registered by several threads: both would look before either adds."""
    made = Deployment(cast("Any", SimpleNamespace(pending={})), Display(quiet=True), dry_run=True)

    class Watched(set[str]):
        def __contains__(self, urn: object) -> bool:
            assert made._seen_lock.locked()
            return super().__contains__(urn)

        def add(self, urn: str) -> None:
            assert made._seen_lock.locked()
            super().add(urn)

    made.seen = Watched()
    made._see(URN)
    with pytest.raises(OfflineError, match="Duplicate resource URN"):
        made._see(URN)
