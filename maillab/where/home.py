"""The folder of a virtual machine: its files, and what it was last started with."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import secrets
import stat
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from maillab.where import maillab
from maillab.where.problem import WhereError

# A socket's path has 107 characters at most (unix(7)): a project may lie deeper, or be moved.
SHORT = Path("/tmp")
BUSY_SECONDS = 900  # for one command that works on a machine; the longest takes a snapshot (maillab/where/qmp.py)
LOOK = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a machine is started with: `memory` in MiB, `disk` in GiB, `ssh_port` 0 for any free one.

    `network`: `open`, or `closed` for a machine that reaches nothing but what it answers to.
    """

    name: str
    base: str
    cpus: int
    memory: int
    disk: int
    ssh_port: int
    accelerator: str
    network: str = "open"


def settings_of(given: Mapping[str, str]) -> Settings:
    """What the environment of the Commands says (components/resources/place.py)."""
    numbers = {key: int(given[key.upper()]) for key in ("cpus", "memory", "disk", "ssh_port")}
    return Settings(
        name=given["NAME"], base=given.get("BASE", ""), accelerator=given["ACCELERATOR"],
        network=given.get("NETWORK", "open"), **numbers,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Home:
    """`.vm/<stack>`: disk, keys, sockets and logs of one machine."""

    folder: Path

    @property
    def disk(self) -> Path:
        """The machine's own disk: what differs from `base`, and the snapshots."""
        return self.folder / "disk.qcow2"

    @property
    def maillab(self) -> str:
        """How the command for people is called for this machine's stack."""
        return maillab(self.folder.name)

    @property
    def ssh_config(self) -> Path:
        """For `ssh -F`: everything that is needed to reach the host `vm`."""
        return self.folder / "ssh_config"

    @property
    def id(self) -> str:
        """What the machine's process and sockets are called: it stays when the project's folder is moved."""
        known = self.read("id")
        if not known:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._write_first("id", f"{secrets.token_hex(6)}\n")
            known = self.read("id")
        return known

    @property
    def sockets(self) -> Path:
        """The folder of the sockets, absolute and short, for this user alone. Raises WhereError."""
        private = SHORT / f"maillab-{os.getuid()}"
        with suppress(FileExistsError):
            private.mkdir(mode=0o700)
        found = private.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
            raise WhereError("socket-folder", f"{private} is no folder of yours alone", f"remove it: rm -r {private}")
        own = private / self.id
        own.mkdir(mode=0o700, exist_ok=True)
        return own

    @property
    def qmp(self) -> str:
        """qemu's control socket, relative to where we are: paths of sockets are short."""
        return os.path.relpath(self.folder / "qmp.sock")

    def need_running(self) -> None:
        """Raise WhereError when the machine is off."""
        if not self.pid():
            raise WhereError("vm-stopped", "the virtual machine does not run", f"start it: {self.maillab} vm start")

    def settings(self) -> Settings | None:
        """What the machine was last started with, None before the first time."""
        try:
            return Settings(**json.loads((self.folder / "machine.json").read_text("utf-8")))
        except FileNotFoundError:
            return None
        except (TypeError, ValueError) as error:
            path = self.folder / "machine.json"
            raise WhereError(
                "vm-damaged", f"{path} can't be read: {error}", f"remove it, `make up` writes it again: rm {path}"
            ) from error

    def save(self, settings: Settings) -> None:
        """Remember the settings for `maillab vm start`."""
        self.write("machine.json", json.dumps(asdict(settings), indent=1) + "\n")

    def write(self, name: str, text: str) -> None:
        """A file of the folder for its owner alone, all or nothing. Raises WhereError when the disk refuses."""
        unfinished = self.folder / f"{name}.{secrets.token_hex(4)}"
        try:
            unfinished.touch(0o600)
            with unfinished.open("w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            put(unfinished, self.folder / name)
        except OSError as error:
            unfinished.unlink(missing_ok=True)
            if isinstance(
                error, PermissionError
            ):  # reported with another remedy (maillab/where/__main__.py, maillab/__main__.py)
                raise
            what = f"{self.folder / name} can't be written"
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                why = "this computer's disk is full"
                raise WhereError("no-space", f"{what}: {why}", "make room there: df -h") from error
            remedy = f"is the disk in order? findmnt --target {self.folder}; dmesg"
            raise WhereError("disk-refuses", f"{what}: {error.strerror}", remedy) from error

    def _write_first(self, name: str, text: str) -> None:
        """As `write`, but the second of two changes nothing: two Commands may ask for it at once."""
        beside = f"{name}.first-{secrets.token_hex(4)}"
        self.write(beside, text)
        try:
            os.link(self.folder / beside, self.folder / name)
        except FileExistsError:
            pass
        except OSError:  # a file system without links
            put(self.folder / beside, self.folder / name)
        (self.folder / beside).unlink(missing_ok=True)
        sync(self.folder)

    def read(self, name: str) -> str:
        """A file's text without the ends' white space, empty when there is none."""
        try:
            return (self.folder / name).read_text("utf-8").strip()
        except FileNotFoundError:
            return ""

    def pid(self) -> int | None:
        """The process that is the machine; None when it does not run."""
        text = self.read("qemu.pid")
        return int(text) if text.isdigit() and _is_qemu(int(text), f"maillab-{self.id}") else None

    @contextmanager
    def alone(self) -> Iterator[None]:
        """One at a time: starting, stopping, snapshots, the tunnel."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with hold(self.folder / "lock", BUSY_SECONDS):
            yield


def put(new: Path, target: Path) -> None:
    """Have the file (or folder), which is on the disk, be `target`: after a crash there is the old or the new one."""
    new.replace(target)
    sync(target.parent)


def sync(path: Path) -> None:
    """Have a file's content, or a folder's names, on the disk (fsync(2))."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL or not path.is_dir():  # not every file system can do it with folders
            raise
    finally:
        os.close(descriptor)


@contextmanager
def hold(lock: Path, seconds: float, waiting: Callable[[], object] = lambda: None) -> Iterator[None]:
    """Hold the lock; `waiting` is called once when another process has it. It ends with the process.

    Raises:
        WhereError: another process has it for so long.
    """
    deadline, called = time.monotonic() + seconds, False
    with lock.open("a", encoding="utf-8") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() > deadline:
                    what = f"another command works here for {seconds:g} s: {lock}"
                    raise WhereError(
                        "vm-busy", what, "`ps -ef` shows which one; wait for its end, or end it"
                    ) from error
            if not called:
                waiting()
                called = True
            time.sleep(LOOK)
        yield


def _is_qemu(pid: int, name: str) -> bool:
    """Is the process the machine of this name? After a reboot another program may have its number."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        state = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z" and name.encode() in words
