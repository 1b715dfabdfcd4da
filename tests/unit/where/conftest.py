"""A machine's folder, a process that stands in for its qemu, and what is said meanwhile."""

import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from where import power
from where.home import Home, Settings

SETTINGS = Settings(name="lab", base="base", cpus=2, memory=1024, disk=8, ssh_port=0, accelerator="tcg")
Runs = Callable[[], int]


def settings(**changes: str | int) -> Settings:
    """What a machine is started with, but for `changes`."""
    return replace(SETTINGS, **changes)  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project's folder, which paths are relative to; no setting of the person's."""
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    for name in ("MAILLAB_SSH_CONFIG", "DOCKER_HOST", "DOCKER_CONTEXT"):
        monkeypatch.delenv(name, raising=False)
    return folder


@pytest.fixture
def home(project: Path) -> Home:
    """The folder of a machine, empty."""
    folder = project / ".vm" / "lab"
    folder.mkdir(parents=True)
    return Home(folder)


@pytest.fixture
def said() -> list[str]:
    """The lines of progress: give its `append`."""
    return []


def pretend_qemu(*words: str) -> subprocess.Popen[bytes]:
    """A process with these words in its command line; it ends with its stdin."""
    pipe = subprocess.PIPE
    process = subprocess.Popen(["/bin/sh", "-c", "echo; read -r _; exit 0", *words], stdin=pipe, stdout=pipe)
    assert process.stdout
    process.stdout.readline()  # from now on it has its words
    return process


@pytest.fixture
def runs(home: Home) -> Iterator[Runs]:
    """Call it: the machine runs from then on, as a process that does nothing. Answers its number."""
    started: list[subprocess.Popen[bytes]] = []

    def start() -> int:
        started.append(pretend_qemu("qemu", "-name", f"maillab-{home.id}"))
        home.write("qemu.pid", f"{started[-1].pid}\n")
        return started[-1].pid

    yield start
    for process in started:
        process.communicate()


@pytest.fixture
def orders(monkeypatch: pytest.MonkeyPatch, home: Home) -> list[str]:
    """What qemu, which says that the machine is running, was ordered; `quit` ends it."""
    given: list[str] = []

    def order(_home: Home, command: str) -> None:
        given.append(command)
        if command == "quit":
            (home.folder / "qemu.pid").unlink()

    monkeypatch.setattr(power, "order", order)
    monkeypatch.setattr(power, "run_state", lambda _: "running")
    return given


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that does not shut down is not waited for."""
    monkeypatch.setattr(power, "SHUTDOWN_SECONDS", 0)
    monkeypatch.setattr(power, "ORDER_SECONDS", 0.2)
