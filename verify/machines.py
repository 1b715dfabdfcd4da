"""The lab's running machines: commands in them, by `docker exec` only."""

import select
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import NoReturn, Self

LIMIT = 300  # seconds for one command: some hand in a hundred letters, on an emulated processor perhaps


class MachineError(Exception):
    """A machine is not there, or a command in it failed: the words say which and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machines:
    """The machines of one lab; `prefix` is what their containers' names begin with.

    `environment` is the docker client's; unset, this process' own.
    """

    prefix: str
    environment: Mapping[str, str] | None = None

    def run(self, machine: str, command: Sequence[str], text: str = "") -> str:
        """What `command` prints on `machine`, given `text` on stdin.

        Raises:
            MachineError: it failed, or took longer than five minutes.
        """
        with self.start(machine, command) as running:
            return running.end(text)

    def start(self, machine: str, command: Sequence[str]) -> "Running":
        """`command` on `machine`, not waited for; the end of a `with` block ends the docker client, and so its stdin.

        Raises:
            MachineError: there is no docker client.
        """
        argv = ["docker", "exec", "-i", f"{self.prefix}{machine}", *command]
        pipe = subprocess.PIPE
        try:
            process = subprocess.Popen(argv, stdin=pipe, stdout=pipe, stderr=pipe, bufsize=0, env=self.environment)
        except FileNotFoundError as error:
            raise MachineError("the docker client is not installed; `make up` installs it") from error
        return Running(machine=machine, program=command[0], process=process)


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A command that runs on a machine."""

    machine: str
    program: str
    process: subprocess.Popen[bytes]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.process.kill()
        self.process.communicate()

    def line(self) -> str:
        """The next line it prints: it has come so far.

        Raises:
            MachineError: it ended without one, or none came in five minutes.
        """
        stdout = self.process.stdout
        assert stdout is not None
        if not select.select([stdout], [], [], LIMIT)[0]:
            self._late()
        if said := stdout.readline():
            return said.decode(errors="replace")
        self.end()
        raise MachineError(f"{self.machine}: `{self.program}` ended without a word")

    def end(self, text: str = "") -> str:
        """What it prints, given `text` on stdin and then stdin's end.

        Raises:
            MachineError: it failed, or took longer than five minutes.
        """
        try:
            out, err = self.process.communicate(text.encode(), timeout=LIMIT)
        except subprocess.TimeoutExpired:
            self._late()
        said = [words.decode(errors="replace") for words in (out, err)]  # a mail log may have any bytes in it
        if self.process.returncode != 0:
            raise MachineError(f"{self.machine}: `{self.program}` failed: {said[1].strip() or said[0].strip()}")
        return said[0]

    def _late(self) -> NoReturn:
        raise MachineError(f"{self.machine}: `{self.program}` took longer than {LIMIT} s")
