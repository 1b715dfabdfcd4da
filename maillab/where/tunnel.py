"""The Docker engine of another computer as a socket on this one: every user of it shares one SSH connection."""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from maillab.where import Say
from maillab.where.home import Home
from maillab.where.problem import WhereError
from maillab.where.program import finish
from maillab.where.ssh import Ssh, explain

OLDEST_ENGINE = (20, 10)
ASK = "docker version --format '{{json .Server}}' && docker context inspect --format '{{.Endpoints.docker.Host}}'"
HOPELESS = ("ssh-key-refused", "ssh-host-changed", "no-ssh", "engine-too-old")
ORDER_SECONDS = 20  # for an order to our own ssh in the background
OPEN_SECONDS = 120  # for a connection with its log-in
ALIVE = ("-o", "ServerAliveInterval=15", "-o", "ServerAliveCountMax=4")


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """A Docker engine on another computer: its version, its processor as in `linux/amd64`, its socket there."""

    version: str
    platform: str
    socket: str


def ask(ssh: Ssh) -> Remote:
    """The Docker engine there.

    Raises:
        WhereError: SSH refuses, there is no engine, the user has no right to it, or it is too old.
    """
    output = ssh.run(ASK).splitlines()
    # Before the answer there may be what a .bashrc prints.
    lines = output[next((at for at, line in enumerate(output) if line.startswith("{")), 0) :]
    try:
        server = json.loads(lines[0])
        version, system = str(server["Version"]), f"{server['Os']}/{server['Arch']}"
    except (IndexError, KeyError, TypeError, ValueError) as error:
        raise WhereError("no-engine-there", f"{ssh.name}: its Docker engine does not answer: {lines}") from error
    numbers = re.match(r"(\d+)\.(\d+)", version)
    if not numbers or (int(numbers[1]), int(numbers[2])) < OLDEST_ENGINE:
        remedy = "upgrade it there (Debian 12, 13 and Ubuntu have a newer docker.io)"
        raise WhereError("engine-too-old", f"{ssh.name}: its Docker engine is {version}, 20.10 is needed", remedy)
    address = lines[1].strip() if len(lines) > 1 else ""
    if not address.startswith("unix://"):
        address = "unix:///var/run/docker.sock"
    return Remote(version=version, platform=system, socket=address.removeprefix("unix://"))


@dataclass(frozen=True, slots=True)
class Tunnel:
    """The socket here; `home` is the folder that it belongs to."""

    home: Home

    @property
    def socket(self) -> Path:
        """The engine's socket on this computer."""
        return self.home.sockets / "docker.sock"

    @property
    def docker_host(self) -> str:
        """What DOCKER_HOST is for it."""
        return f"unix://{self.socket}"

    @property
    def _control(self) -> str:
        return str(self.socket.with_name("ssh.sock"))

    def alive(self, ssh: Ssh) -> bool:
        """Does the connection stand, and does the computer at its other end answer?"""
        if not self.socket.exists():
            return False
        asked = ["ssh", "-S", self._control, "-O", "check", *ssh.words]
        try:
            stands = finish(asked, seconds=ORDER_SECONDS).returncode == 0
        except (FileNotFoundError, WhereError):  # one that is stopped, or hangs, does not stand
            return False
        return stands and _answers(self.docker_host)

    def open(self, ssh: Ssh, remote_socket: str) -> None:
        """Make the connection; it stays behind in the background. Raises WhereError with ssh's words."""
        self.close(ssh)
        # The user's own LocalForward lines are for his own sessions, and may be taken.
        master = ("-M", "-f", "-N", "-S", self._control, "-o", "ControlPersist=no", "-o", "ClearAllForwardings=yes")
        self._ssh(ssh, ssh.command(options=[*master, *ALIVE]))
        forward = ["-S", self._control, "-O", "forward", "-o", "StreamLocalBindUnlink=yes"]
        try:
            self._ssh(ssh, ["ssh", *forward, "-L", f"{self.socket}:{remote_socket}", *ssh.words])
        except WhereError:
            self.close(ssh)  # nobody would end what stays in the background
            raise

    @staticmethod
    def _ssh(ssh: Ssh, words: list[str]) -> None:
        # To a file: the process in the background would hold a pipe, and its reader would wait for ever.
        with tempfile.TemporaryFile() as file:
            done = finish(words, seconds=OPEN_SECONDS, output=file, own_session=True)
            file.seek(0)
            errors = file.read().decode(errors="replace")
        if done.returncode:
            raise explain(ssh, done.returncode, errors)

    def close(self, ssh: Ssh) -> None:
        """End the connection; one that is gone already is fine."""
        with suppress(WhereError):  # one that hangs is left alone: without its socket nobody uses it
            finish(["ssh", "-S", self._control, "-O", "exit", *ssh.words], seconds=ORDER_SECONDS)
        for path in (self.socket, Path(self._control)):
            path.unlink(missing_ok=True)
        with suppress(OSError):
            self.home.sockets.rmdir()  # made again when it is needed


def _answers(host: str) -> bool:
    asked = ["docker", "--host", host, "version", "--format", "{{.Server.Version}}"]
    try:
        done = subprocess.run(asked, capture_output=True, timeout=60, check=False)
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return False
    # An engine that refuses this client's version does answer: a new connection would change nothing.
    return done.returncode == 0 or b"Error response from daemon" in done.stderr


def connect(home: Home, ssh: Ssh, known: Remote | None = None) -> Remote:
    """Have the tunnel stand; a live one is kept. Answers what is at its other end. Raises WhereError.

    `known`: it was asked just now (a machine that boots takes seconds for each answer).
    """
    with home.alone():
        tunnel = Tunnel(home)
        remote = known or ask(ssh)
        if not tunnel.alive(ssh):
            tunnel.open(ssh, remote.socket)
        return remote


def wait_for_engine(ssh: Ssh, running: Callable[[], bool], seconds: float, say: Say) -> Remote:
    """Until SSH and the Docker engine of a machine that boots answer; answers which it is.

    Raises:
        WhereError: it ended, or there was no answer within `seconds`.
    """
    deadline, started, reported = time.monotonic() + seconds, time.monotonic(), False
    while True:
        try:
            remote = ask(ssh)
        except WhereError as error:
            if error.id in HOPELESS:
                raise
            if not running():
                remedy = "see console.log and qemu.log in its folder"
                raise WhereError("vm-ended", f"{ssh.name} ended while it booted", remedy) from error
            if time.monotonic() > deadline:
                remedy = "a slow computer: fewer other programs, or more memory for it"
                still_on = "it is on, and may come yet: then run the same again"
                what = f"{ssh.name}: {error} (for {seconds:g} s)"
                raise WhereError("vm-silent", what, still_on, remedy, *ssh.advice) from error
            if not reported and error.id == "no-engine-there":
                say(f"SSH answers after {time.monotonic() - started:.0f} s, the Docker engine starts")
                reported = True
            time.sleep(0.3)
            continue
        say(f"its Docker engine answers after {time.monotonic() - started:.0f} s")
        return remote
