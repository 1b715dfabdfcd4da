"""Files that must not be lost or half written: whole on the disk, names included; and who may write them."""

from __future__ import annotations

import errno
import fcntl
import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class HeldError(Exception):
    """Another process has the lock: `holder` is what is known of it."""

    def __init__(self, holder: str) -> None:
        super().__init__(holder)
        self.holder = holder


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A new content of `target`, which is on the disk as `path`."""

    path: Path
    target: Path

    def put(self) -> None:
        """Have it be the file's content: a crash of the computer leaves the old or the new one. Raises OSError."""
        self.path.replace(self.target)
        sync_folder(self.target.parent)


@contextmanager
def prepared(target: Path, text: str) -> Iterator[Prepared]:
    """Write the text beside `target`, for its owner alone; what is not put there is removed again. Raises OSError."""
    beside = target.with_suffix(".tmp")
    make_folder(target.parent)
    try:
        beside.unlink(missing_ok=True)  # of a run that was killed: its rights are not known
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        yield Prepared(path=beside, target=target)
    finally:
        beside.unlink(missing_ok=True)


def make_folder(folder: Path) -> None:
    """The folder with its parents, their names on the disk. Raises OSError."""
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Have the folder's names on the disk: fsync(2) of a file says nothing of its name. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:  # a file system without it
            raise
    finally:
        os.close(descriptor)


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Hold the lock; it ends with the process, however that ends. Raises HeldError at once, and OSError."""
    make_folder(path.parent)
    with path.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            raise HeldError(file.read().strip() or "unknown") from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
