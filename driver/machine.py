"""Test verbs on one machine of the lab, after the NixOS test driver's vocabulary."""

import io
import pathlib
import shlex
import tarfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from docker.models.containers import Container

POLL = 0.1
Found = TypeVar("Found")


class Patience:
    """By how much everything may take longer than on a computer of today: `factor` 10 without KVM."""

    factor = 1.0


class DriverError(Exception):
    """The test's own tools failed: not what the test is about."""


def wait_until(what: str, look: Callable[[], Found | None], timeout: float = 30) -> Found:
    """What `look` finds, once that is true; fails naming `what` and what was last found after `timeout` seconds."""
    deadline = time.monotonic() + timeout * Patience.factor
    while not (found := look()):
        assert time.monotonic() < deadline, f"{what}: not in {timeout} s; last found: {found!r}"
        time.sleep(POLL)
    return found


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command on a machine gave."""

    status: int
    output: str


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine of a running lab. Everything goes through `docker exec`, never over the host's network."""

    name: str
    container: Container
    ipv4: str
    ipv6: str

    def execute(self, command: str, *, user: str = "root") -> Outcome:
        """Runs `command` with bash; stdout and stderr together."""
        status, output = self.container.exec_run(["bash", "-c", command], user=user)
        if status is None or not isinstance(output, bytes):
            raise DriverError(f"{self.name}: docker exec gave no status for {command!r}")
        return Outcome(status, output.decode(errors="replace"))

    def succeed(self, command: str, *, user: str = "root") -> str:
        """The output of a command that must succeed."""
        outcome = self.execute(command, user=user)
        assert outcome.status == 0, f"{self.name}: `{command}` exited {outcome.status}:\n{outcome.output}"
        return outcome.output

    def fail(self, command: str) -> str:
        """The output of a command that must fail."""
        outcome = self.execute(command)
        assert outcome.status != 0, f"{self.name}: `{command}` should have failed:\n{outcome.output}"
        return outcome.output

    def wait_until_succeeds(self, command: str, timeout: float = 30) -> str:
        """The output of `command` once it succeeds; fails with its last words after `timeout` seconds."""
        deadline = time.monotonic() + timeout * Patience.factor
        while (outcome := self.execute(command)).status != 0:
            assert time.monotonic() < deadline, (
                f"{self.name}: `{command}` did not succeed in {timeout} s:\n{outcome.output}"
            )
            time.sleep(POLL)
        return outcome.output

    def wait_for_open_port(self, port: int, timeout: float = 30) -> None:
        """Until something on this machine takes connections to `port`."""
        self.wait_until_succeeds(f"exec 3<>/dev/tcp/127.0.0.1/{port}", timeout)

    def read(self, path: str) -> str:
        """A file's text, empty when there is none."""
        return self.execute(f"cat {shlex.quote(path)} 2>/dev/null").output

    def put(self, path: str, content: bytes) -> None:
        """Writes a file on the machine."""
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w") as tar:
            info = tarfile.TarInfo(pathlib.PurePosixPath(path).name)
            info.size, info.mode = len(content), 0o644
            tar.addfile(info, io.BytesIO(content))
        if not self.container.put_archive(str(pathlib.PurePosixPath(path).parent), archive.getvalue()):
            raise DriverError(f"{self.name}: {path} was not written")

    def get(self, path: str) -> bytes:
        """A file's bytes, empty when there is none."""
        status, output = self.container.exec_run(["sh", "-c", f"cat {shlex.quote(path)} 2>/dev/null || true"])
        if status != 0 or not isinstance(output, bytes):
            raise DriverError(f"{self.name}: {path} was not read")
        return output

    def python(self, code: str, *arguments: str) -> str:
        """Runs Python on the machine (workstation and outside have it); its output, which must come with status 0."""
        words = " ".join(shlex.quote(argument) for argument in arguments)
        return self.succeed(f"python3 - {words} <<'MAILLAB_PYTHON'\n{code}\nMAILLAB_PYTHON")
