"""The way to a Docker engine has a limit for each wait; a build can be left before its end."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from maillab.offline import docker_engine, images, stopping
from maillab.offline.stopping import StoppedError
from maillab.offline.values import OfflineError, Props


@pytest.fixture
def context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Props:
    """The inputs of an image with an empty context."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Dockerfile").write_text("FROM scratch\n", "utf-8")
    build = {"context": ".", "dockerfile": "Dockerfile", "platform": "linux/amd64"}
    return {"imageName": "maillab/test:latest", "build": build}


@pytest.fixture(autouse=True)
def allowed() -> Iterator[None]:
    yield
    stopping.allow()


def test_an_engine_that_takes_connections_and_says_nothing_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(docker_engine, "CONNECT", 0.2)
    with socket.socket(socket.AF_UNIX) as mute:
        mute.bind(str(tmp_path / "s"))
        mute.listen()
        with pytest.raises(OfflineError, match="does not answer"):
            docker_engine.client(f"unix://{tmp_path}/s")


def test_a_build_is_asked_with_a_limit(context: Props) -> None:
    """Docker's SDK takes none for a build that is not told one."""
    asked: list[object] = []

    def build(**options: object) -> list[Props]:
        asked.append(options["timeout"])
        return [{"stream": "done"}]

    images.build(SimpleNamespace(build=build, inspect_image=lambda _: {"Id": "sha256:1"}), context, lambda _: None)
    assert asked == [images.SILENCE]


def test_a_build_that_says_nothing_is_left_when_all_is_stopped(context: Props) -> None:
    """The engine goes on until the connection ends, for as long as its step takes."""
    ends = threading.Event()

    def build(**_: object) -> Iterator[Props]:
        yield {"stream": "Step 1/2"}
        ends.wait()

    def log(_line: str) -> None:
        threading.Thread(target=stopping.stop_all).start()

    with pytest.raises(StoppedError):
        images.build(SimpleNamespace(build=build), context, log)
    ends.set()


def test_what_the_engine_refuses_is_raised_where_the_build_is_waited_for(context: Props) -> None:
    def build(**_: object) -> Iterator[Props]:
        raise OSError("connection reset")
        yield {}

    with pytest.raises(OSError, match="connection reset"):
        images.build(SimpleNamespace(build=build), context, lambda _: None)
