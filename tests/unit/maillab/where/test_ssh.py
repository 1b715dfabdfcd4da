"""What ssh and docker say, and what it means for a person; and how ssh is called."""

import shutil
import subprocess
from pathlib import Path

import pytest

from maillab.where.home import Home
from maillab.where.problem import WhereError
from maillab.where.ssh import Ssh, explain, to_host, to_machine
from tests.unit.conftest import Program

NAME = "ssh://teacher@lab.example"
CHANGED = """@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
IT IS POSSIBLE THAT SOMEONE IS DOING SOMETHING NASTY!
Host key for lab.example has changed and you have requested strict checking.
"""
OLD_RIGHT = (
    "Got permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock: "
    'Get "http://%2Fvar%2Frun%2Fdocker.sock/v1.24/version": dial unix /var/run/docker.sock: connect: permission denied'
)
API = "unix:///var/run/docker.sock"


@pytest.mark.parametrize(
    ("words", "id"),
    [
        pytest.param("teacher@lab.example: Permission denied (publickey).", "ssh-key-refused", id="key"),
        pytest.param("x@y: Permission denied (publickey,password).", "ssh-key-refused", id="key or password"),
        pytest.param("docker@docker: Permission denied (publickey).", "ssh-key-refused", id="a user called docker"),
        pytest.param(
            "Received disconnect from 192.0.2.1 port 22:2: Too many authentication failures",
            "ssh-key-refused",
            id="many keys",
        ),
        pytest.param("Host key verification failed.", "ssh-host-unknown", id="a new host"),
        pytest.param(
            "No ED25519 host key is known for lab.example and you have requested strict checking.\n"
            "Host key verification failed.",
            "ssh-host-unknown",
            id="a new host, strictly",
        ),
        pytest.param(CHANGED + "Host key verification failed.", "ssh-host-changed", id="another host key"),
        pytest.param(
            CHANGED + "x@y: Permission denied (publickey,password).", "ssh-host-changed", id="another, and no password"
        ),
        pytest.param(
            "ssh: Could not resolve hostname lab.example: Name or service not known", "ssh-no-such-host", id="name"
        ),
        pytest.param("ssh: connect to host 127.0.0.1 port 1: Connection refused", "ssh-unreachable", id="refused"),
        pytest.param("ssh: connect to host docker port 22: Connection timed out", "ssh-unreachable", id="silent"),
        pytest.param("ssh: connect to host x port 22: No route to host", "ssh-unreachable", id="no route"),
        pytest.param("ssh: connect to host x port 22: Network is unreachable", "ssh-unreachable", id="no network"),
        pytest.param(
            "kex_exchange_identification: Connection closed by remote host", "ssh-unreachable", id="closed at once"
        ),
        pytest.param("bash: line 1: docker: command not found", "no-docker-there", id="bash"),
        pytest.param("sh: 1: docker: not found", "no-docker-there", id="dash"),
        pytest.param("zsh:1: command not found: docker", "no-docker-there", id="zsh"),
        pytest.param("fish: Unknown command: docker", "no-docker-there", id="fish"),
        pytest.param(OLD_RIGHT, "no-docker-right", id="no right, Docker 20.10"),
        pytest.param(
            f"permission denied while trying to connect to the Docker daemon socket at {API}: Get …: connect: "
            "permission denied",
            "no-docker-right",
            id="no right, Docker 26",
        ),
        pytest.param(
            f"permission denied while trying to connect to the docker API at {API}", "no-docker-right", id="Docker 29"
        ),
        pytest.param(
            "Error response from daemon: client version 1.41 is too old. Minimum supported API version is 1.44, please "
            "upgrade your client to a newer version",
            "docker-versions-there",
            id="old client, Docker 29",
        ),
        pytest.param(
            "API version 1.41 is not supported by this client: the minimum supported API version is 1.44",
            "docker-versions-there",
            id="old engine, client 29",
        ),
        pytest.param(
            f"Cannot connect to the Docker daemon at {API}. Is the docker daemon running?",
            "no-engine-there",
            id="no engine",
        ),
        pytest.param(
            f"failed to connect to the docker API at {API}; check if the path is correct and if the daemon is running: "
            "dial unix /var/run/docker.sock: connect: connection refused",
            "no-engine-there",
            id="no engine, Docker 29",
        ),
    ],
)
def test_known_words(words: str, id: str) -> None:
    error = explain(Ssh(name=NAME, words=()), 255, f"{words}\n", ("docker version",))
    assert error.id == id
    assert str(error).startswith(f"{NAME}: ")
    assert str(error).endswith(words.splitlines()[-1])
    assert error.remedy


def test_unknown_words_are_told_as_they_are() -> None:
    error = explain(Ssh(name=NAME, words=()), 255, "Bad configuration option: colour\n")
    assert (error.id, str(error)) == ("ssh-failed", f"{NAME}: ssh failed with 255: Bad configuration option: colour")


def test_a_command_that_failed_there_is_named() -> None:
    error = explain(Ssh(name=NAME, words=()), 2, "date: invalid date", ("date --set=x",))
    assert str(error) == f"{NAME}: `date --set=x` failed with 2: date: invalid date"


def test_a_file_that_may_not_be_read_there_is_no_refused_key() -> None:
    assert explain(Ssh(name=NAME, words=()), 1, "cat: /root/x: Permission denied", ("cat /root/x",)).id == "ssh-failed"


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        (NAME, "ssh teacher@lab.example"),
        ("ssh://lab.example:2222", "ssh -p 2222 lab.example"),
        ("ssh://teacher@lab.example:2222", "ssh -p 2222 teacher@lab.example"),
        ("ssh://teacher@[2001:db8::5]", "ssh teacher@2001:db8::5"),
    ],
)
def test_the_remedy_is_a_command_that_ssh_takes(name: str, typed: str) -> None:
    assert explain(Ssh(name=name, words=()), 255, "Host key verification failed.").remedy[0].endswith(typed)


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("ssh://host", ("--", "host")),
        ("ssh://teacher@host", ("-l", "teacher", "--", "host")),
        ("ssh://teacher@host:2222", ("-p", "2222", "-l", "teacher", "--", "host")),
        ("ssh://host:2222", ("-p", "2222", "--", "host")),
        ("ssh://Teacher@Lab-Server", ("-l", "Teacher", "--", "Lab-Server")),
        ("ssh://[2001:db8::5]", ("--", "2001:db8::5")),
        ("ssh://teacher@[2001:db8::5]:2222", ("-p", "2222", "-l", "teacher", "--", "2001:db8::5")),
    ],
)
def test_the_way_to_a_host(where: str, words: tuple[str, ...]) -> None:
    """With its capitals: a `Host` of ssh_config has them too."""
    assert to_host(where) == Ssh(name=where, words=words)


def test_a_configuration_of_ones_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILLAB_SSH_CONFIG", "/x/config")
    assert to_host("ssh://host:22").words == ("-F", "/x/config", "-p", "22", "--", "host")


def test_a_host_is_no_option_of_ssh() -> None:
    command = to_host("ssh://-oProxyCommand=touch%20x").command("true")
    assert command[command.index("--") + 1 :] == ["-oProxyCommand=touch%20x", "true"]


@pytest.mark.skipif(not shutil.which("ssh"), reason="looks how the real ssh reads it")
def test_ssh_itself_takes_it_for_a_host(project: Path) -> None:
    words = to_host("ssh://-oProxyCommand=touch made").command("true")
    done = subprocess.run(words, cwd=project, capture_output=True, check=False)
    assert done.returncode == 255
    assert not (project / "made").exists()


def test_the_way_into_the_machine_is_its_own(home: Home) -> None:
    assert to_machine(home).words == ("-F", str(home.folder / "ssh_config"), "vm")


def test_ssh_never_asks(home: Home) -> None:
    assert "BatchMode=yes" in to_machine(home).command("true")


def test_what_a_command_says(program: Program) -> None:
    program("ssh", 'echo "$*"; echo noise >&2')
    assert to_host("ssh://host").run("docker version").endswith("-- host docker version\n")


def test_a_refusal_of_ssh_is_explained(program: Program) -> None:
    program("ssh", "echo 'x: Permission denied (publickey).' >&2; exit 255")
    with pytest.raises(WhereError, match="it refuses the key"):
        to_host("ssh://host").run("true")


def test_silence_has_an_end(program: Program) -> None:
    program("ssh", "exec tail -f /dev/null")
    with pytest.raises(WhereError, match=r"^ssh://host: no answer within 0\.2 s$") as silence:
        to_host("ssh://host").run("true", timeout=0.2)
    assert silence.value.id == "ssh-silent"


def test_ssh_that_is_not_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(WhereError, match="ssh is not installed") as missing:
        to_host("ssh://host").run("true")
    assert missing.value.id == "no-ssh"


def test_the_virtual_machine_has_advice_of_its_own(home: Home) -> None:
    """Nobody copies a key into it."""
    error = explain(to_machine(home), 255, "Permission denied (publickey).")
    assert error.id == "ssh-key-refused"
    assert error.remedy == (
        f"see what it says: {home.folder}/console.log; and: {home.maillab} vm status (off: vm stop)",
    )
