"""The lab's running machines: commands in them, by `docker exec` only."""

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

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
        argv = ["docker", "exec", "-i", f"{self.prefix}{machine}", *command]
        try:
            done = subprocess.run(
                argv,
                input=text,
                capture_output=True,
                text=True,
                errors="replace",  # a mail log may have any bytes in it
                check=False,
                timeout=LIMIT,
                env=self.environment,
            )
        except FileNotFoundError as error:
            raise MachineError("the docker client is not installed; `make up` installs it") from error
        except subprocess.TimeoutExpired as error:
            raise MachineError(f"{machine}: `{command[0]}` took longer than {LIMIT} s") from error
        if done.returncode != 0:
            raise MachineError(f"{machine}: `{command[0]}` failed: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout
