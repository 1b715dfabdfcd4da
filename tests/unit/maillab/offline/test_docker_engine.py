"""The way to an engine: in the version of its API that it speaks, whichever that is."""

import json
import socketserver
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from maillab.offline.docker_engine import client
from maillab.offline.values import OfflineError

Engine = Callable[[str], str]


class Daemon(BaseHTTPRequestHandler):
    """As dockerd answers: its version without one, everything else in one version of the API only."""

    api = ""

    def do_GET(self) -> None:
        """Docker 29 refuses what is older than its minimum, every engine what is newer than its own."""
        if self.path == "/version":
            self._say(200, {"ApiVersion": self.api})
        elif self.path.startswith(f"/v{self.api}/"):
            self._say(200, [])
        else:
            self._say(400, {"message": "client version is too old or too new"})

    def _say(self, status: int, answer: object) -> None:
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """No log."""


@contextmanager
def _serving(api: str) -> Iterator[str]:
    """The address of an engine that speaks `api`. Its socket's path must be short."""
    with tempfile.TemporaryDirectory() as folder:
        socket = Path(folder) / "docker.sock"
        with socketserver.ThreadingUnixStreamServer(str(socket), type("Of", (Daemon,), {"api": api})) as server:
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            try:
                yield f"unix://{socket}"
            finally:
                server.shutdown()
                thread.join()


@pytest.fixture
def engine() -> Iterator[Engine]:
    """Makes an engine that speaks one version of the API."""
    with ExitStack() as stack:
        yield lambda api: stack.enter_context(_serving(api))


@pytest.mark.parametrize("api", ["1.41", "1.44", "1.52", "1.56"], ids=["20.10", "25", "29.0", "29"])
def test_engine_is_spoken_to_in_its_own_version(engine: Engine, api: str) -> None:
    assert client(engine(api)).containers() == []


def test_engine_that_is_too_old_is_named_so(engine: Engine) -> None:
    with pytest.raises(OfflineError, match=r"is too old .* 20\.10 or newer is needed"):
        client(engine("1.20"))


def test_engine_that_does_not_answer_is_no_old_one(tmp_path: Path) -> None:
    with pytest.raises(OfflineError, match="does not answer"):
        client(f"unix://{tmp_path}/no.sock")
