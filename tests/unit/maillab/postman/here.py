"""This computer in place of the lab's machines: servers that a test plays, and the perl of this computer."""

import shutil
import socketserver
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from maillab.trace.machines import Machines


@contextmanager
def listening(handler: type[socketserver.BaseRequestHandler], played: object) -> Iterator[int]:
    """The port where `handler` answers; it finds what it plays as its server's `played`."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as server:
        server.played = played  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


@dataclass(frozen=True, slots=True, kw_only=True)
class Here(Machines):
    """This computer in place of a machine; `port`: the test server's, in place of the one that is asked for."""

    port: int | None = None

    def run(self, machine: str, command: Sequence[str], text: str = "") -> str:
        """Runs it here."""
        del machine
        argv = list(command)
        if self.port is not None:
            argv[4] = str(self.port)
        perl = shutil.which("perl")
        assert perl, "perl-base is essential in Debian and Ubuntu"
        done = subprocess.run([perl, *argv[1:]], input=text, capture_output=True, text=True, check=True)
        assert done.stderr == ""
        return done.stdout
