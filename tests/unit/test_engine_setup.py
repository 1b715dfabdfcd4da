"""setup/engine.sh: an engine that answers, whatever it answers, is no reason to start another one."""

import subprocess
from pathlib import Path

import pytest

from tests.unit.conftest import Program

ROOT = Path(__file__).resolve().parents[2]
CLIENT_TOO_OLD = (
    "Error response from daemon: client version 1.41 is too old. Minimum supported API version is 1.44, "
    "please upgrade your client to a newer version"
)
CLIENT_TOO_NEW = "Error response from daemon: client version 1.52 is too new. Maximum supported API version is 1.41"
# Docker 29's client.
ENGINE_TOO_OLD = "API version 1.41 is not supported by this client: the minimum supported API version is 1.44"
NOBODY = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?"
NOBODY_29 = (
    "failed to connect to the docker API at unix:///var/run/docker.sock; check if the path is correct and if the "
    "daemon is running: dial unix /var/run/docker.sock: connect: no such file or directory"
)
# Instead of what would change this computer: it is noted.
SET_UP = (
    "set -u; LOG=.cache/setup.log; mkdir -p .cache; . {root}/setup/lib.sh; . {root}/setup/engine.sh; "
    "packages() {{ echo packages >>called; }}; start_engine() {{ echo start_engine >>called; {start}; }}; "
    "engine_elsewhere() {{ return 1; }}; ensure_engine"
)


def set_up(folder: Path, *, start: str = "true", **environment: str) -> subprocess.CompletedProcess[str]:
    """`ensure_engine` in an empty folder, with the docker command of the test."""
    command = ["bash", "-c", SET_UP.format(root=ROOT, start=start)]
    path = f"{folder}/bin:/usr/bin:/bin"
    return subprocess.run(
        command, cwd=folder, env={"PATH": path, **environment}, capture_output=True, text=True, check=False
    )


def started(folder: Path) -> bool:
    """Was an engine started?"""
    called = folder / "called"
    return called.exists() and "start_engine" in called.read_text("utf-8")


@pytest.mark.parametrize(
    ("words", "what"),
    [
        pytest.param(CLIENT_TOO_OLD, "the docker client {client} is too old for the Docker engine", id="client"),
        pytest.param(CLIENT_TOO_NEW, "the Docker engine is too old for the docker client {client}", id="engine"),
        pytest.param(ENGINE_TOO_OLD, "the Docker engine is too old for the docker client {client}", id="engine, 29"),
        pytest.param("Error response from daemon: authorization denied", "the Docker engine runs, but", id="refusal"),
    ],
)
def test_engine_that_refuses_is_an_engine(program: Program, tmp_path: Path, words: str, what: str) -> None:
    client = program("docker", f"echo '{words}' >&2; exit 1")
    done = set_up(tmp_path)
    assert done.returncode == 1
    assert f"setup: {what.format(client=client)}" in done.stderr
    assert words in done.stderr
    assert not started(tmp_path)


def test_hanging_engine_is_an_engine(program: Program, tmp_path: Path) -> None:
    program("docker", "exit 0")
    program("timeout", "exit 124")  # timeout(1): the command took too long
    done = set_up(tmp_path)
    assert "no answer within 20 seconds" in done.stderr
    assert not started(tmp_path)


@pytest.mark.parametrize("words", [NOBODY, NOBODY_29], ids=["20.10", "29"])
def test_where_nobody_answers_an_engine_is_started(program: Program, tmp_path: Path, words: str) -> None:
    program("docker", f"[ -e {tmp_path}/up ] && echo 29.7.2 && exit; echo '{words}' >&2; exit 1")
    done = set_up(tmp_path, start=f"touch {tmp_path}/up")
    assert (done.returncode, done.stderr) == (0, "")
    assert started(tmp_path)


def test_engine_that_was_started_may_refuse_too(program: Program, tmp_path: Path) -> None:
    program("docker", f"[ -e {tmp_path}/up ] && echo '{CLIENT_TOO_OLD}' >&2 || echo '{NOBODY}' >&2; exit 1")
    done = set_up(tmp_path, start=f"touch {tmp_path}/up")
    assert "is too old for the Docker engine" in done.stderr
    assert "you have no right" not in done.stderr


def test_pinned_version_is_named(program: Program, tmp_path: Path) -> None:
    program("docker", f"echo '{CLIENT_TOO_OLD}' >&2; exit 1")
    assert "unset DOCKER_API_VERSION" in set_up(tmp_path, DOCKER_API_VERSION="1.41").stderr
    assert "DOCKER_API_VERSION" not in set_up(tmp_path).stderr


def test_engine_that_answers_is_used(program: Program, tmp_path: Path) -> None:
    program("docker", "echo 20.10.24")
    assert set_up(tmp_path).returncode == 0
    assert not started(tmp_path)


@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        pytest.param('"bridge" network: IPv4 forwarding is disabled: check', '"ip-forward": false', id="nftables"),
        pytest.param("iptables: operation not permitted", "--privileged", id="in a container"),
    ],
)
def test_reason_in_the_engines_log_has_its_remedy(tmp_path: Path, words: str, remedy: str) -> None:
    (tmp_path / ".cache").mkdir()
    (tmp_path / ".cache" / "dockerd.log").write_text(f"failed to start daemon: {words}\n", "utf-8")
    script = f'. {ROOT}/setup/lib.sh; remedy "$(tail -n 1 .cache/dockerd.log)" "In a container it needs --privileged."'
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert remedy in done.stdout
