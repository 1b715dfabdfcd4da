"""Mail logs as they grow: one command a machine that goes on, so that a look costs nothing on the machines."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from maillab.trace.machines import MOST, MachineError, Machines, Running
from maillab.trace.maillog import LOG

# Its clock's offset when it begins, then what is new, also after the file was moved away; looked at ten times a second,
# because tail(1) knows no better on an overlay file system. It ends with its stdin: with the docker client.
FOLLOW = (
    "sh",
    "-c",
    f"size=$(stat -c %s {LOG} 2>/dev/null || echo 0); date +%z; tail -s 0.1 -q -c +$((size + 1)) -F {LOG} 2>/dev/null &"
    " cat >/dev/null; kill $!",
)


@dataclass(slots=True, kw_only=True)
class GrowingLogs:
    """What the mail logs of the machines `names` have since the `with` block began.

    `failed`: why a machine's log can't be read, or not any more.
    """

    machines: Machines
    names: Sequence[str]
    failed: dict[str, MachineError] = field(default_factory=dict)
    _running: dict[str, Running] = field(default_factory=dict)
    _printed: dict[str, bytearray] = field(default_factory=dict)
    _open: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Self:
        """When it returns, nothing that comes is missed. Raises MachineError: there is no docker client."""
        with ExitStack() as opened:
            running = {name: opened.enter_context(self.machines.start(name, FOLLOW)) for name in self.names}
            for name, one in running.items():
                try:
                    one.line()
                except MachineError as error:
                    self.failed[name] = error
            self._running = running
            self._printed = {name: bytearray() for name in running}
            self._open = opened.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.__exit__(kind, error, trace)

    def read(self, name: str) -> str:
        """The whole lines that a machine's log has so far.

        Raises:
            MachineError: the machine is not there, or is no longer, or logs more than 64 MiB.
        """
        if name in self.failed:
            raise self.failed[name]
        printed = self._printed[name]
        try:
            printed += self._running[name].news()
        except MachineError as error:
            self.failed[name] = error
            raise
        if len(printed) > MOST:
            raise MachineError(f"{name}: {LOG} has grown by more than {MOST >> 20} MiB")
        return printed[: printed.rfind(b"\n") + 1].decode(errors="replace")
