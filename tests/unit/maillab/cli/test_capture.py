"""A machine's packets; docker is a script that writes down what it was given."""

import pathlib
import signal
import subprocess

import pytest
from typer.testing import CliRunner

from maillab.cli import capture as module
from maillab.cli import sidecar as beside
from maillab.cli.app import app
from maillab.cli.choice import Choice
from maillab.cli.machines import MachineRow
from maillab.cli.problem import MaillabError
from maillab.cli.sidecar import TCPDUMP, arguments, sidecar
from maillab.cli.stack import Stack


def row(state: str = "running") -> MachineRow:
    return MachineRow(name="mail", container="lab-mail", ipv4="", ipv6="", state=state, role="")


@pytest.fixture
def docker(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """What docker was asked, a line each; `docker run` says `packets` and waits for the end of its stdin."""
    asked = tmp_path / "asked"
    script = f'echo "$@" >>{asked}\ncase $1 in inspect) echo sha256:0;; run) printf packets; cat;; esac'
    (tmp_path / "docker").write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    (tmp_path / "docker").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr("maillab.cli.machines.find", lambda _stack, _name: row())
    monkeypatch.setattr(Choice, "reach_engine", lambda _self: None)
    return asked


def test_it_may_read_packets_and_nothing_else(stack: Stack) -> None:
    words = arguments(stack, row(), "sha256:0", "lab-mail-capture-1", ["port", "25"])
    given = " ".join(words)
    assert "--network container:lab-mail --cap-drop ALL --cap-add NET_RAW --security-opt no-new-privileges" in given
    assert "--read-only" in words
    assert [word for word in words if word == "--cap-add"] == ["--cap-add"]
    assert words[-2:] == ["port", "25"]


def test_down_finds_one_that_stayed(stack: Stack) -> None:
    words = arguments(stack, row(), "sha256:0", "lab-mail-capture-1", [])
    assert f"maillab.stack={stack.label}" in words


def test_container_is_removed_in_any_case(docker: pathlib.Path, stack: Stack) -> None:
    with pytest.raises(ZeroDivisionError), sidecar(stack, row()) as process:
        1 / 0  # noqa: B018
    assert process.returncode is not None
    last = docker.read_text().splitlines()[-1]
    assert last.startswith("rm --force lab-mail-capture-")


def test_one_that_does_not_end_is_killed(docker: pathlib.Path, stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beside, "PATIENCE", 0.1)
    docker.with_name("docker").write_text(
        '#!/bin/sh\n[ "$1" != run ] || exec tail -f /dev/null >/dev/null\n', encoding="utf-8"
    )
    with sidecar(stack, row()) as process:
        pass
    assert process.returncode == -signal.SIGKILL


def test_machine_that_does_not_run(stack: Stack) -> None:
    with pytest.raises(MaillabError, match="does not run"), sidecar(stack, row("exited")):
        pass


def test_to_a_file(docker: pathlib.Path, tmp_path: pathlib.Path) -> None:
    docker.with_name("docker").write_text(docker.with_name("docker").read_text().replace("; cat;;", ";;"))
    path = tmp_path / "mail.pcap"
    done = CliRunner().invoke(app, ["capture", "mail", "port", "25", "--output", str(path)], catch_exceptions=False)
    assert (done.exit_code, path.read_text()) == (0, "packets")
    assert "tcpdump port 25" in docker.read_text()


def test_tcpdump_that_fails_is_a_failure(docker: pathlib.Path, tmp_path: pathlib.Path) -> None:
    docker.with_name("docker").write_text('#!/bin/sh\n[ "$1" != run ] || exit 1\n', encoding="utf-8")
    done = CliRunner().invoke(app, ["capture", "mail", "--output", str(tmp_path / "x")], catch_exceptions=False)
    assert done.exit_code == 1


def test_ctrl_c_writes_what_is_there_and_ends_well(
    docker: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What tcpdump writes after its end was asked for is kept too."""
    script = docker.with_name("docker")
    script.write_text(script.read_text().replace("; cat;;", "; cat; printf ' the last';;"))
    given = module._copy
    asked = iter([True])

    def copy(source: int, target: int, is_over: object) -> bool:
        if next(asked, False):
            raise KeyboardInterrupt
        return given(source, target, is_over)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "_copy", copy)
    path = tmp_path / "mail.pcap"
    done = CliRunner().invoke(app, ["capture", "mail", "--output", str(path)], catch_exceptions=False)
    assert (done.exit_code, path.read_text()) == (0, "packets the last")


def test_not_to_a_terminal(docker: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "is_terminal", lambda: True)
    with pytest.raises(MaillabError, match="terminal"):
        CliRunner().invoke(app, ["capture", "mail"], catch_exceptions=False)
    assert not docker.exists()


def test_the_script_ends_with_its_stdin(tmp_path: pathlib.Path) -> None:
    """However the docker client ends: then its stdin does."""
    program = tmp_path / "tcpdump"
    program.write_text('#!/bin/sh\necho listening "$@"\nexec tail -f /dev/null >/dev/null\n', encoding="utf-8")
    program.chmod(0o755)
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    words = ["/bin/sh", "-c", TCPDUMP, "tcpdump", "port", "25"]
    pipe = subprocess.PIPE
    with subprocess.Popen(words, stdin=pipe, stdout=pipe, text=True, env=environment) as process:
        assert process.stdin
        assert process.stdout
        assert process.stdout.readline().endswith("-- port 25\n")
        process.stdin.close()
        assert process.wait(20) == 128 + signal.SIGTERM
