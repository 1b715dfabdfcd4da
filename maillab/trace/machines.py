"""The lab's running machines: commands in them, by `docker exec` only."""

import os
import select
import selectors
import subprocess
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import IO, NoReturn, Self

LIMIT = 300  # seconds for one command: some hand in a hundred messages, on an emulated processor perhaps
MOST = 64 << 20  # bytes that one command may print: what a machine says is anybody's who is root there
CHUNK = 1 << 16


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

    def ask(self, commands: Mapping[str, Sequence[str]]) -> dict[str, str | None]:
        """What each machine's command prints, all side by side; None: it failed, or the machine can't be asked."""

        def answer(machine: str) -> str | None:
            try:
                return self.run(machine, commands[machine])
            except MachineError:
                return None

        with ThreadPoolExecutor(len(commands) or 1) as pool:
            return dict(zip(commands, pool.map(answer, commands), strict=True))

    def restart(self, machine: str) -> str:
        """`docker restart`, to the end. Raises MachineError."""
        argv = ["docker", "restart", f"{self.prefix}{machine}"]
        done = subprocess.run(argv, capture_output=True, text=True, check=False, env=self.environment)
        if done.returncode:
            raise MachineError(f"{machine}: `docker restart` failed: {done.stderr.strip()}")
        return ""

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
        for file in self._pipes:
            file.close()
        self.process.wait()

    def line(self) -> str:
        """The next line it prints: it has come so far.

        Raises:
            MachineError: it ended without one, or none came in five minutes.
        """
        stdout = self._pipes[1]
        if not select.select([stdout], [], [], LIMIT)[0]:
            self._late()
        if line := stdout.readline(CHUNK):
            return line.decode(errors="replace")
        self.end()
        raise MachineError(f"{self.machine}: `{self.program}` ended without a word")

    def news(self) -> bytes:
        """What it has printed since it was last asked, at once; empty: nothing.

        Raises:
            MachineError: it has ended.
        """
        found, stdout = bytearray(), self.output
        while select.select([stdout], [], [], 0)[0]:
            if not (chunk := os.read(stdout.fileno(), CHUNK)):
                if found:  # the end is for the next time
                    break
                self.end()
                raise MachineError(f"{self.machine}: `{self.program}` has ended")
            found += chunk
        return bytes(found)

    @property
    def output(self) -> IO[bytes]:
        """What it prints, for those who wait for several."""
        return self._pipes[1]

    def end(self, text: str = "") -> str:
        """What it prints, given `text` on stdin and then stdin's end.

        Bytes of `text` that are no UTF-8 are in it as `surrogateescape` has them.

        Raises:
            MachineError: it failed, took longer than five minutes, or printed more than 64 MiB.
        """
        out, err = self._exchange(text.encode(errors="surrogateescape"), time.monotonic() + LIMIT)
        printed = [words.decode(errors="replace") for words in (out, err)]  # a mail log may have any bytes in it
        if self.process.returncode != 0:
            raise MachineError(f"{self.machine}: `{self.program}` failed: {printed[1].strip() or printed[0].strip()}")
        return printed[0]

    def _exchange(self, text: bytes, until: float) -> list[bytes]:
        """What it prints on stdout and on stderr until it ends, given `text`: communicate(), with a limit of size."""
        stdin, *outputs = self._pipes
        printed = [bytearray() for _ in outputs]
        with selectors.DefaultSelector() as waiting:
            waiting.register(stdin, selectors.EVENT_WRITE)
            for file, words in zip(outputs, printed, strict=True):
                waiting.register(file, selectors.EVENT_READ, words)
            while waiting.get_map():
                ready = waiting.select(max(until - time.monotonic(), 0)) or self._late()
                for key, _ in ready:
                    if key.data is None:
                        text = more = _hand(key.fd, text)
                    else:
                        more = os.read(key.fd, CHUNK)
                        key.data.extend(more)
                    if not more:
                        waiting.unregister(key.fileobj)
                        if key.data is None:
                            stdin.close()
                if sum(map(len, printed)) > MOST:
                    raise MachineError(f"{self.machine}: `{self.program}` printed more than {MOST >> 20} MiB")
        try:
            self.process.wait(max(until - time.monotonic(), 0))
        except subprocess.TimeoutExpired:
            self._late()
        return [bytes(words) for words in printed]

    @property
    def _pipes(self) -> tuple[IO[bytes], IO[bytes], IO[bytes]]:
        """Its stdin, stdout and stderr."""
        process = self.process
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        return process.stdin, process.stdout, process.stderr

    def _late(self) -> NoReturn:
        raise MachineError(f"{self.machine}: `{self.program}` took longer than {LIMIT} s")


def _hand(stdin: int, text: bytes) -> bytes:
    """Write what the pipe takes at once; what is left of it: nothing where nobody reads any more."""
    try:
        return text[os.write(stdin, text[: select.PIPE_BUF]) :]
    except BrokenPipeError:
        return b""
