"""The disk that all machines of one recipe start from: made once, kept under `.cache/vm/<hash of the recipe>`."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from maillab.where import Say
from maillab.where.home import hold, put, sync
from maillab.where.problem import WhereError
from maillab.where.program import finish
from maillab.where.qemu import this_arch

CACHE = Path(".cache/vm")
BASE_TAR = CACHE / "base.tar"
FILES = ("disk.raw", "vmlinuz", "initrd.img")
SIZE = 4096  # MiB of the file system as it is made; it grows with the machine's own disk at boot
NEEDED = 2500  # MiB that making it takes
LAST_WORDS = 20
MAKE_SECONDS = 2 * 3600


def make_disk(recipe: Mapping[str, str], packages: str, script: str, say: Say) -> str:
    """The folder of the disk that `recipe` (path in the machine to text) describes; made when there is none.

    Raises:
        WhereError: there is no room, or mmdebstrap failed.
    """
    folder = folder_of(recipe, packages, script)
    CACHE.mkdir(parents=True, exist_ok=True)
    with hold(CACHE / "lock", MAKE_SECONDS, lambda: say("another stack makes a disk: waiting for it")):
        if all((folder / name).exists() for name in FILES):
            say(f"the disk of this recipe is there: {folder}")
            return str(folder)
        need_room(CACHE, NEEDED)
        arch = this_arch().debian
        wanted = _packages(packages, arch)
        say("making the base image (mmdebstrap)")
        _base_tar()
        say(f"making the disk (mmdebstrap, mkfs.ext4): {', '.join(wanted)}")
        _build(folder, recipe, wanted, arch, script)
    return str(folder)


def folder_of(recipe: Mapping[str, str], packages: str, script: str) -> Path:
    """Where the disk of this recipe is, or will be."""
    arch = this_arch().debian
    files = (f"{path}\n{text}" for path, text in sorted(recipe.items()))
    parts = [arch, str(SIZE), script, *_packages(packages, arch), *files]
    return CACHE / hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def is_made() -> bool:
    """Is there a disk, of whatever recipe? Then nothing may have to be made."""
    return any(all((folder / name).exists() for name in FILES) for folder in CACHE.glob("*") if not folder.suffix)


def _packages(text: str, arch: str) -> list[str]:
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    return [line.replace("ARCH", arch) for line in lines if line]


def need_room(folder: Path, needed: int) -> None:
    """Raise WhereError when the disk under `folder` has less than `needed` MiB free."""
    while not folder.exists():
        folder = folder.absolute().parent
    free = shutil.disk_usage(folder).free >> 20
    if free < needed:
        remedy = "make room there: df -h; what maillab keeps is in .cache and .vm"
        raise WhereError("no-space", f"{folder.resolve()} has {free} MiB free, {needed} MiB are needed", remedy)


def _base_tar() -> None:
    if not BASE_TAR.exists():
        _run(["setup/base-tar", str(BASE_TAR)], "making the base image")


def _build(folder: Path, recipe: Mapping[str, str], packages: list[str], arch: str, script: str) -> None:
    """In a folder beside it, which gets its name when all is there."""
    unfinished = folder.with_suffix(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    for path, text in recipe.items():
        file = unfinished / "files" / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
        file.chmod(0o755 if text.startswith("#!") else 0o644)
    # They are laid over the machine's own folders: with the rights of a person's umask nobody but root could look in.
    for place in (unfinished / "files", *(unfinished / "files").rglob("*/")):
        place.chmod(0o755)
    for name, text in (("packages", "\n".join(packages)), ("arch", arch), ("size", str(SIZE)), ("make-disk", script)):
        (unfinished / name).write_text(f"{text}\n", "utf-8")
    os.link(BASE_TAR, unfinished / "base.tar")
    _run(["bash", str(unfinished / "make-disk"), str(unfinished)], "making the disk")
    shutil.rmtree(unfinished / "files")
    (unfinished / "base.tar").unlink()
    shutil.rmtree(folder, ignore_errors=True)
    for name in FILES:  # another machine is made from them tomorrow, whatever happens to this computer tonight
        sync(unfinished / name)
    put(unfinished, folder)


def _run(words: list[str], doing: str) -> None:
    done = finish(words, seconds=MAKE_SECONDS)
    if done.returncode:
        last = "\n".join((done.stdout + done.stderr).strip().splitlines()[-LAST_WORDS:])
        full = "No space left" in last
        remedy = "the disk is full: df -h" if full else "is the network away? Debian's packages are needed"
        raise WhereError("no-space" if full else "disk-failed", f"{doing} failed:\n{last}", remedy)
