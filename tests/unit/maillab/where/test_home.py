"""A machine's folder: what is kept in it, and who may use it."""

import errno
import fcntl
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from maillab.where import home as module
from maillab.where.home import Home
from maillab.where.problem import WhereError
from tests.unit.maillab.where.conftest import SETTINGS, Runs, pretend_qemu


def test_a_new_machine_has_no_settings(home: Home) -> None:
    assert home.settings() is None


def test_settings_are_read_as_they_were_saved(home: Home) -> None:
    home.save(SETTINGS)
    assert home.settings() == SETTINGS


def test_files_are_their_owners_alone(home: Home) -> None:
    home.save(SETTINGS)
    assert (home.folder / "machine.json").stat().st_mode & 0o777 == 0o600


def test_a_file_is_replaced_as_a_whole(home: Home) -> None:
    home.write("port", "22\n")
    with (home.folder / "port").open(encoding="utf-8") as before:
        home.write("port", "2222\n")
        assert before.read() == "22\n"
    assert home.read("port") == "2222"
    assert [path.name for path in home.folder.iterdir()] == ["port"]


def fails(code: int) -> Callable[..., None]:
    def fail(*_words: object) -> None:
        raise OSError(code, os.strerror(code))

    return fail


@pytest.mark.parametrize(
    ("code", "id", "words"),
    [
        (errno.ENOSPC, "no-space", "this computer's disk is full"),
        (errno.EDQUOT, "no-space", "this computer's disk is full"),
        (errno.EIO, "disk-refuses", "Input/output error"),
        (errno.EROFS, "disk-refuses", "Read-only file system"),
    ],
)
@pytest.mark.parametrize("step", ["os.fsync", "pathlib.Path.replace"])
def test_a_disk_that_refuses_leaves_the_file_as_it_was(home: Home, step: str, code: int, id: str, words: str) -> None:
    home.write("port", "22\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(step, fails(code))
        with pytest.raises(WhereError, match=f"port can't be written: {words}") as refusal:
            home.write("port", "2222\n")
    assert (refusal.value.id, home.read("port")) == (id, "22")
    assert [path.name for path in home.folder.iterdir()] == ["port"]


def test_a_folder_of_another_user_is_told_elsewhere(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "touch", fails(errno.EACCES))
    with pytest.raises(PermissionError):
        home.write("port", "22\n")


def test_a_file_that_is_not_there_is_empty(home: Home) -> None:
    assert home.read("port") == ""


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param('{"name": "lab"', id="cut"),
        pytest.param("[]", id="no mapping"),
        pytest.param("null", id="null"),
        pytest.param(json.dumps({"name": "lab"}), id="something is missing"),
        pytest.param(json.dumps({"colour": "red"}), id="something unknown"),
    ],
)
def test_a_damaged_file_is_named_with_what_to_do(home: Home, text: str) -> None:
    (home.folder / "machine.json").write_text(text, "utf-8")
    with pytest.raises(WhereError, match=r"\.vm/lab/machine\.json can't be read") as damaged:
        home.settings()
    assert damaged.value.id == "vm-damaged"
    assert damaged.value.remedy == (f"remove it, `make up` writes it again: rm {home.folder}/machine.json",)


def test_its_name_stays(home: Home) -> None:
    assert home.id == Home(home.folder).id == home.read("id")


def test_a_machine_that_runs_has_a_number(home: Home, runs: Runs) -> None:
    number = runs()
    assert home.pid() == number


@pytest.mark.parametrize("text", ["", "x", "-1"])
def test_a_file_without_a_number_is_no_machine(home: Home, text: str) -> None:
    home.write("qemu.pid", text)
    assert home.pid() is None


def test_the_number_of_another_program_is_no_machine(home: Home) -> None:
    home.write("qemu.pid", f"{os.getpid()}\n")
    assert home.pid() is None


def test_the_machine_of_another_folder_is_not_this_one(home: Home) -> None:
    other = pretend_qemu("qemu", "-name", f"maillab-{Home(home.folder.parent / 'other').id}")
    try:
        home.write("qemu.pid", f"{other.pid}\n")
        assert home.pid() is None
    finally:
        other.communicate()


def test_a_machine_that_ended_does_not_run(home: Home) -> None:
    ended = pretend_qemu("qemu", "-name", f"maillab-{home.id}")
    home.write("qemu.pid", f"{ended.pid}\n")
    ended.communicate()
    assert home.pid() is None


def test_a_machine_that_nobody_waited_for_does_not_run(home: Home) -> None:
    ended = pretend_qemu("qemu", "-name", f"maillab-{home.id}")
    home.write("qemu.pid", f"{ended.pid}\n")
    assert ended.stdin
    ended.stdin.close()
    os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)  # it has ended, and is a zombie still
    try:
        assert home.pid() is None
    finally:
        ended.wait()


def test_qemus_socket_is_named_from_where_we_are(home: Home) -> None:
    assert home.qmp == ".vm/lab/qmp.sock"


def test_one_at_a_time(home: Home) -> None:
    """A second one would wait."""
    with home.alone():
        assert _locked(home)
    assert not _locked(home)


def _locked(home: Home) -> bool:
    with (home.folder / "lock").open() as other:
        try:
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def test_the_folder_is_made_when_it_is_first_used(tmp_path: Path) -> None:
    home = Home(tmp_path / "new" / "lab")
    with home.alone():
        assert home.folder.stat().st_mode & 0o777 == 0o700


@pytest.fixture
def short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The private folder, which is not made yet, in another one than /tmp."""
    folder = tmp_path / "t"
    folder.mkdir()
    monkeypatch.setattr(module, "SHORT", folder)
    return folder / f"maillab-{os.getuid()}"


def test_sockets_lie_in_a_private_folder(short: Path, home: Home) -> None:
    found = home.sockets
    assert found.parent == short
    assert found.stat().st_mode & 0o777 == short.stat().st_mode & 0o777 == 0o700


def test_sockets_stay_when_the_folder_is_moved(short: Path, home: Home) -> None:
    """The state has their path."""
    before = home.sockets
    moved = home.folder.with_name("moved")
    home.folder.rename(moved)
    assert Home(moved).sockets == before
    assert before.parent == short


@pytest.mark.usefixtures("short")
def test_each_machine_has_its_own(home: Home) -> None:
    assert home.sockets != Home(home.folder.with_name("other")).sockets


def _open_to_others(path: Path) -> None:
    path.mkdir()
    path.chmod(0o755)


def _link_to_a_folder(path: Path) -> None:
    (path.parent / "elsewhere").mkdir(mode=0o700)
    path.symlink_to("elsewhere")


@pytest.mark.parametrize(
    "prepare",
    [
        pytest.param(_open_to_others, id="open to others"),
        pytest.param(_link_to_a_folder, id="a link"),
        pytest.param(lambda path: path.symlink_to("nowhere"), id="a link to nothing"),
        pytest.param(lambda path: path.touch(mode=0o600), id="a file"),
    ],
)
def test_a_folder_that_others_prepared_is_refused(short: Path, home: Home, prepare: Callable[[Path], None]) -> None:
    prepare(short)
    with pytest.raises(WhereError, match="is no folder of yours alone") as refusal:
        _ = home.sockets
    assert refusal.value.id == "socket-folder"
    assert str(short) in refusal.value.remedy[0]


def test_a_folder_of_somebody_else_is_refused(short: Path, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    other = short.with_name("maillab-4711")
    other.mkdir(mode=0o700)
    monkeypatch.setattr("os.getuid", lambda: 4711)
    with pytest.raises(WhereError, match="is no folder of yours alone"):
        _ = home.sockets


def test_a_machine_goes_on_when_the_folder_is_moved(home: Home, runs: Runs) -> None:
    number = runs()
    moved = home.folder.with_name("moved")
    home.folder.rename(moved)
    try:
        assert Home(moved).pid() == number
    finally:
        moved.rename(home.folder)
