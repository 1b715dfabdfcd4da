"""The folder of a virtual machine: its files, and what it was last started with."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import secrets
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from where import maillab
from where.problem import WhereError

# A socket's path has 107 characters at most (unix(7)): a project may lie deeper, or be moved.
SHORT = Path("/tmp")


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
    """What the environment of the Commands says (components/vm/server.py)."""
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
            known = secrets.token_hex(6)
            self.write("id", f"{known}\n")
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
                "vm-damaged", f"{path} can't be read: {error}", f"remove it, `make up` writes it anew: rm {path}"
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
            unfinished.replace(self.folder / name)
        except OSError as error:
            unfinished.unlink(missing_ok=True)
            if isinstance(error, PermissionError):  # told with another remedy (where/__main__.py, cli/__main__.py)
                raise
            what = f"{self.folder / name} can't be written"
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                why = "this computer's disk is full"
                raise WhereError("no-space", f"{what}: {why}", "make room there: df -h") from error
            remedy = f"is the disk in order? findmnt --target {self.folder}; dmesg"
            raise WhereError("disk-refuses", f"{what}: {error.strerror}", remedy) from error

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
        with (self.folder / "lock").open("a", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def _is_qemu(pid: int, name: str) -> bool:
    """Is the process the machine of this name? After a reboot another program may have its number."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        state = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z" and name.encode() in words
