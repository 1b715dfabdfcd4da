"""Which folder has which id: what is noted of it, and what becomes of the note."""

import shutil
from pathlib import Path

import pytest

from maillab.cli import folders
from maillab.cli.choice import Choice
from maillab.cli.problem import MaillabError
from maillab.cli.stack import Stack


def folder(path: Path, owner: str = "id1") -> Path:
    """A folder with this id."""
    (path / ".pulumi-state").mkdir(parents=True)
    (path / folders.OWNER_FILE).write_text(f"{owner}\n", "ascii")
    return path


def owner_of(path: Path) -> str:
    return (path / folders.OWNER_FILE).read_text("ascii").strip()


def test_noted_folder_is_found_by_its_id(tmp_path: Path) -> None:
    root = folder(tmp_path / "中文 folder")
    folders.remember(root, "id1")
    assert folders.folder_of("id1") == root
    assert folders.folder_of("id2") is None


def test_moved_folder_is_found_where_it_is_now(tmp_path: Path) -> None:
    root = folder(tmp_path / "old")
    folders.remember(root, "id1")
    moved = root.rename(tmp_path / "new")
    assert folders.folder_of("id1") is None
    folders.remember(moved, "id1")
    assert folders.folder_of("id1") == moved


def test_copy_is_told_and_takes_no_note_away(tmp_path: Path) -> None:
    root = folder(tmp_path / "lab")
    folders.remember(root, "id1")
    copy = shutil.copytree(root, tmp_path / "copy")
    folders.remember(copy, "id1")
    assert folders.copied_from(copy, "id1") == root
    assert folders.copied_from(root, "id1") is None
    with pytest.raises(MaillabError, match="a copy of") as refusal:
        Choice(stack=Stack(name="lab", root=copy), engine=None).refuse_copy()
    assert refusal.value.id == "copied-folder"
    Choice(stack=Stack(name="lab", root=root), engine=None).refuse_copy()


def test_another_way_to_the_same_folder_is_no_copy(tmp_path: Path) -> None:
    root = folder(tmp_path / "lab")
    folders.remember(root, "id1")
    (tmp_path / "link").symlink_to(root)
    assert folders.copied_from(tmp_path / "link", "id1") is None


def test_id_that_was_lost_with_the_states_comes_back(tmp_path: Path) -> None:
    root = folder(tmp_path / "lab")
    folders.remember(root, "id1")
    shutil.rmtree(root / ".pulumi-state")
    folders.recall(root)
    assert owner_of(root) == "id1"


def test_new_folder_at_the_place_of_one_that_was_moved_gets_no_id(tmp_path: Path) -> None:
    root = folder(tmp_path / "lab")
    folders.remember(root, "id1")
    root.rename(tmp_path / "moved")
    root.mkdir()
    folders.recall(root)
    assert not (root / folders.OWNER_FILE).exists()


def test_id_that_is_there_is_kept(tmp_path: Path) -> None:
    root = folder(tmp_path / "lab")
    folders.remember(root, "id1")
    (root / folders.OWNER_FILE).write_text("id2\n", "ascii")
    folders.recall(root)
    assert owner_of(root) == "id2"


def test_notes_of_folders_that_are_gone_go(tmp_path: Path) -> None:
    gone = folder(tmp_path / "gone")
    folders.remember(gone, "id1")
    shutil.rmtree(gone)
    folders.remember(folder(tmp_path / "lab", "id2"), "id2")
    assert [note.name for note in folders._files()] == ["id2"]


def test_nothing_is_noted_where_nothing_can_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    root = folder(tmp_path / "lab")
    folders.remember(root, "id1")
    folders.recall(root)
    assert folders.folder_of("id1") is None


@pytest.mark.parametrize("said", ["", "{", "[]", '{"folder": 7}', "\x00"])
def test_damaged_note_is_none(tmp_path: Path, said: str) -> None:
    root = folder(tmp_path / "lab")
    folders.remember(root, "id1")
    (folders._notes() / "id1").write_text(said, "utf-8")
    assert folders.folder_of("id1") is None
    (root / folders.OWNER_FILE).unlink()
    folders.recall(root)
    assert not (root / folders.OWNER_FILE).exists()
