"""Commands on the machines; docker is a script that says what it was given."""

import pathlib
import signal
from collections.abc import Callable

import pytest

from maillab.trace import machines as module
from maillab.trace.machines import MachineError, Machines, Running

Docker = Callable[[str], dict[str, str]]


@pytest.fixture
def docker(tmp_path: pathlib.Path) -> Docker:
    """Makes a docker of a shell script; the environment in which it is the only one."""

    def make(script: str) -> dict[str, str]:
        path = tmp_path / "docker"
        path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        path.chmod(0o755)
        return {"PATH": f"{tmp_path}:/usr/bin:/bin", "DOCKER_HOST": "unix:///lab.sock"}

    return make


def run(environment: dict[str, str], *command: str, text: str = "") -> str:
    return Machines(prefix="dc1es-", environment=environment).run("mail", command, text)


def start(environment: dict[str, str]) -> Running:
    return Machines(prefix="dc1es-", environment=environment).start("mail", ["perl"])


def test_command_runs_in_the_labs_container(docker: Docker) -> None:
    assert run(docker('echo "$@"'), "postqueue", "-p") == "exec -i dc1es-mail postqueue -p\n"


def test_text_is_the_commands_input(docker: Docker) -> None:
    assert run(docker("cat"), "x", text="一\n") == "一\n"


def test_engine_is_the_one_of_the_environment(docker: Docker) -> None:
    assert run(docker('echo "$DOCKER_HOST"'), "x") == "unix:///lab.sock\n"


def test_failed_command_is_told_with_its_words(docker: Docker) -> None:
    with pytest.raises(MachineError, match=r"^mail: `perl` failed: No such container: dc1es-mail$"):
        run(docker("echo No such container: dc1es-mail >&2; exit 1"), "perl")


def test_command_without_an_end_is_given_up(docker: Docker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LIMIT", 0.2)
    with pytest.raises(MachineError, match=r"^mail: `perl` took longer than 0\.2 s$"):
        run(docker("exec tail -f /dev/null"), "perl")


def test_missing_docker_client_is_named(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MachineError, match="docker client is not installed"):
        run({"PATH": str(tmp_path)}, "perl")


def test_command_is_left_running_until_its_input_ends(docker: Docker) -> None:
    with start(docker("echo ready; cat; echo end")) as running:
        assert running.line() == "ready\n"
        assert running.end("一\n") == "一\nend\n"


def test_command_that_ends_before_its_line_is_told_with_its_words(docker: Docker) -> None:
    with (
        start(docker("echo port 20009: in use >&2; exit 1")) as running,
        pytest.raises(MachineError, match=r"^mail: `perl` failed: port 20009: in use$"),
    ):
        running.line()


def test_line_that_never_comes_is_given_up(docker: Docker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LIMIT", 0.2)
    with (
        start(docker("exec cat")) as running,
        pytest.raises(MachineError, match=r"^mail: `perl` took longer than 0\.2 s$"),
    ):
        running.line()


def test_command_does_not_outlive_its_block(docker: Docker) -> None:
    with start(docker("exec tail -f /dev/null")) as running:
        pass
    assert running.process.returncode == -signal.SIGKILL


def test_command_that_ends_without_a_line_is_reported(docker: Docker) -> None:
    with (
        start(docker("exit 0")) as running,
        pytest.raises(MachineError, match=r"^mail: `perl` ended without a word$"),
    ):
        running.line()


def test_command_that_prints_without_an_end_is_given_up(docker: Docker, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root on a machine can make any program print what it likes."""
    monkeypatch.setattr(module, "MOST", 1 << 20)
    environment = docker('[ "$4" != yes ] || exec yes; head -c 1000000 /dev/zero')
    with pytest.raises(MachineError, match=r"^mail: `yes` printed more than 1 MiB$"):
        run(environment, "yes")
    assert len(run(environment, "x")) == 1_000_000


def test_much_goes_in_and_comes_back_at_once(docker: Docker) -> None:
    """Neither side waits for the other, however much a pipe holds."""
    text = "一\n" * 500_000
    assert run(docker("cat"), "x", text=text) == text


def test_text_that_nobody_reads_is_no_failure(docker: Docker) -> None:
    assert run(docker("echo done"), "x", text="一\n" * 500_000) == "done\n"
