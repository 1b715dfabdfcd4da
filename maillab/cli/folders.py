"""Where the folders with labs are: the engine knows only their ids (`maillab.owner`), so that a folder can be moved.

Noted for each person below XDG_STATE_HOME, a file for each id. What can't be noted, or was noted for somebody else, is
not known, and everything works without it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from maillab.where.known import STATE

OWNER_FILE = STATE / "owner"


def remember(root: Path, owner: str) -> None:
    """Note that the folder `root` has the id `owner`, unless it is a copy of one that is noted and still there."""
    if not owner or copied_from(root, owner):
        return
    said = json.dumps({"folder": str(root.resolve()), "inode": root.stat().st_ino}, ensure_ascii=False)
    path = _notes() / owner
    with suppress(OSError, ValueError):
        if path.exists() and path.read_text("utf-8") == said:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(said, "utf-8")
        for other in _notes().iterdir():  # of folders that are gone, or that have another id now
            if other != path and folder_of(other.name) is None and not _noted(other.name):
                other.unlink()


def folder_of(owner: str) -> Path | None:
    """The folder with this id, if it is noted and still there."""
    folder = _noted(owner)
    return folder if folder and _id_of(folder) == owner else None


def copied_from(root: Path, owner: str) -> Path | None:
    """The other folder whose id this one has, too: it is a copy of it, states and all."""
    folder = folder_of(owner)
    return folder if folder and not folder.samefile(root) else None


def recall(root: Path) -> None:
    """Give the folder its id back when it was lost with the states: the newest that is noted for this very folder."""
    if (root / OWNER_FILE).exists():
        return
    with suppress(OSError, ValueError):
        inode = root.stat().st_ino
        own = [note for note in _files() if _read(note) == {"folder": str(root.resolve()), "inode": inode}]
        if own:
            (root / OWNER_FILE).parent.mkdir(exist_ok=True)
            (root / OWNER_FILE).write_text(max(own, key=lambda note: note.stat().st_mtime).name + "\n", "ascii")


def _notes() -> Path:
    state = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    return Path(state).expanduser() / "maillab" / "folders"


def _files() -> Iterator[Path]:
    return _notes().iterdir() if _notes().is_dir() else iter(())


def _read(note: Path) -> object:
    return json.loads(note.read_text("utf-8"))


def _noted(owner: str) -> Path | None:
    """The folder that was noted for an id, if there is one at that place."""
    if not owner or "/" in owner or owner.startswith("."):
        return None
    with suppress(OSError, ValueError, TypeError, KeyError):
        folder = Path(str(_read(_notes() / owner)["folder"]))  # type: ignore[index]
        return folder if folder.is_dir() else None
    return None


def _id_of(folder: Path) -> str:
    with suppress(OSError, ValueError):
        return (folder / OWNER_FILE).read_text("utf-8").strip()
    return ""
