"""The engine of another computer, and its socket here; ssh and docker are scripts."""

import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from maillab.where.home import Home
from maillab.where.problem import WhereError
from maillab.where.ssh import to_host
from maillab.where.tunnel import Remote, Tunnel, ask, connect, wait_for_engine
from tests.unit.conftest import Program

HOST = to_host("ssh://teacher@lab.example")
SOCKET = "unix:///var/run/docker.sock"
Answers = Callable[..., None]


@pytest.fixture
def answers(program: Program) -> Answers:
    """Has ssh say these lines."""

    def make(*lines: str) -> None:
        program("ssh", "cat <<'END'\n" + "".join(f"{line}\n" for line in lines) + "END")

    return make


def server(version: str, arch: str = "amd64") -> str:
    """The line with the engine."""
    return json.dumps({"Version": version, "Os": "linux", "Arch": arch})


@pytest.mark.parametrize("version", ["20.10", "20.10.24+dfsg1", "26.1.5+dfsg1", "27.0.0-rc.2", "100.0"])
def test_an_engine_that_is_new_enough(answers: Answers, version: str) -> None:
    answers(server(version, "arm64"), SOCKET)
    assert ask(HOST) == Remote(version=version, platform="linux/arm64", socket="/var/run/docker.sock")


@pytest.mark.parametrize("version", ["19.03.15", "1.13.1", "20.9", "dev", ""])
def test_an_engine_that_is_too_old(answers: Answers, version: str) -> None:
    answers(server(version), SOCKET)
    with pytest.raises(WhereError, match=rf"its Docker engine is {version}, 20\.10 is needed") as old:
        ask(HOST)
    assert old.value.id == "engine-too-old"


@pytest.mark.parametrize(
    ("address", "socket"),
    [
        pytest.param("unix:///run/user/1000/docker.sock", "/run/user/1000/docker.sock", id="rootless"),
        pytest.param(f"{SOCKET}\n", "/var/run/docker.sock", id="the usual one"),
        pytest.param("tcp://127.0.0.1:2375", "/var/run/docker.sock", id="no socket"),
    ],
)
def test_the_engines_socket_there(answers: Answers, address: str, socket: str) -> None:
    answers(server("26.1.5"), address)
    assert ask(HOST).socket == socket


@pytest.mark.parametrize("lines", [[], ["null"], ["Welcome!"], ["[]"], ["{}"], ['{"Version": "26.1"}']])
def test_an_answer_that_is_none(answers: Answers, lines: list[str]) -> None:
    answers(*lines)
    with pytest.raises(WhereError, match="its Docker engine does not answer") as garbage:
        ask(HOST)
    assert garbage.value.id == "no-engine-there"


def test_the_socket_lies_where_its_path_is_short(home: Home) -> None:
    assert Tunnel(home).docker_host == f"unix://{home.sockets}/docker.sock"


@pytest.fixture
def opened(home: Home, program: Program) -> list[str]:
    """How ssh was called to make a connection: it has ended what may be left, made one, forwarded the socket."""
    program("ssh", 'echo "$*" >>calls')
    Tunnel(home).open(HOST, "/run/x.sock")
    return Path("calls").read_text("utf-8").splitlines()


def test_a_connection_is_made_then_given_the_sockets(opened: list[str]) -> None:
    steps = [next(word for word in ("-O exit", "-M", "-O forward") if word in line) for line in opened]
    assert steps == ["-O exit", "-M", "-O forward"]


def test_the_persons_own_forwardings_are_left_out(opened: list[str]) -> None:
    """They may be taken, by a session of the person's."""
    assert "-o ClearAllForwardings=yes" in opened[1]
    assert "-L" not in opened[1].split()


def test_the_connection_is_given_both_sockets(home: Home, opened: list[str]) -> None:
    assert opened[2].endswith(f"-L {home.sockets}/docker.sock:/run/x.sock -l teacher -- lab.example")
    assert opened[2].startswith(f"-S {home.sockets}/ssh.sock ")


def test_what_a_dead_connection_left_is_not_in_the_way(home: Home, program: Program) -> None:
    (home.sockets / "ssh.sock").touch()
    program("ssh", f'case "$*" in *" -f "*) ls {home.sockets} >found;; esac')
    Tunnel(home).open(HOST, "/run/x.sock")
    assert Path("found").read_text("utf-8") == ""


@pytest.fixture
def stays(program: Program) -> Iterator[None]:
    """An ssh that leaves a process in the background, as `-f` does; its number is in the file `background`."""
    program("ssh", 'case "$*" in *" -f "*) tail -f /dev/null & echo $! >background;; esac')
    yield
    os.kill(int(Path("background").read_text("ascii")), signal.SIGKILL)


@pytest.mark.usefixtures("stays")
@pytest.mark.parametrize("descriptor", [0, 1, 2])
def test_what_stays_behind_holds_no_pipe(home: Home, descriptor: int) -> None:
    """Pulumi waits for the end of a Command's pipes."""
    Tunnel(home).open(HOST, "/run/x.sock")
    process = Path("background").read_text("ascii").strip()
    assert not str(Path(f"/proc/{process}/fd/{descriptor}").readlink()).startswith("pipe:")


@pytest.mark.usefixtures("stays")
def test_ctrl_c_at_the_terminal_does_not_end_it(home: Home) -> None:
    Tunnel(home).open(HOST, "/run/x.sock")
    assert os.getsid(int(Path("background").read_text("ascii"))) != os.getsid(0)


def test_a_connection_that_fails_is_told_with_sshs_words(home: Home, program: Program) -> None:
    program("ssh", "echo 'ssh: connect to host lab.example port 22: Connection refused' >&2; exit 255")
    with pytest.raises(WhereError, match="no SSH server answers there: ssh: connect to host") as failure:
        Tunnel(home).open(HOST, "/run/x.sock")
    assert failure.value.id == "ssh-unreachable"


REFUSES_FORWARD = """
echo "$*" >>calls
case "$*" in *"-O forward"*) echo 'mux_client_forward: forwarding request failed' >&2; exit 255;; esac
"""


def test_a_socket_that_can_not_be_made_is_told_with_sshs_words(home: Home, program: Program) -> None:
    program("ssh", REFUSES_FORWARD)
    with pytest.raises(WhereError, match="mux_client_forward: forwarding request failed"):
        Tunnel(home).open(HOST, "/run/x.sock")


def test_a_connection_without_a_socket_does_not_stay(home: Home, program: Program) -> None:
    program("ssh", REFUSES_FORWARD)
    with pytest.raises(WhereError, match="forwarding request failed"):
        Tunnel(home).open(HOST, "/run/x.sock")
    assert "-O exit" in Path("calls").read_text("utf-8").splitlines()[-1]


def test_a_dead_connection_is_closed(home: Home, program: Program) -> None:
    """ssh was killed: its sockets stay, nobody answers at them."""
    program("ssh", "echo 'Control socket connect: Connection refused' >&2; exit 255")
    for name in ("docker.sock", "ssh.sock"):
        (home.sockets / name).touch()
    Tunnel(home).close(HOST)
    assert list(home.sockets.iterdir()) == []


def test_none_is_closed(home: Home, program: Program) -> None:
    program("ssh", "exit 255")
    Tunnel(home).close(HOST)


@pytest.mark.parametrize(
    ("ssh", "docker", "alive"),
    [
        pytest.param(0, 0, True, id="both"),
        pytest.param(255, 0, False, id="no connection"),
        pytest.param(0, 1, False, id="no engine at its end"),
    ],
)
def test_alive(home: Home, program: Program, ssh: int, docker: int, alive: bool) -> None:
    program("ssh", f"exit {ssh}")
    program("docker", f"exit {docker}")
    (home.sockets / "docker.sock").touch()
    assert Tunnel(home).alive(HOST) is alive


def test_engine_that_refuses_this_computers_client_is_there(home: Home, program: Program) -> None:
    """A new connection would not help: it is the docker command that must say what is wrong."""
    program("ssh", "exit 0")
    program("docker", "echo 'Error response from daemon: client version 1.41 is too old.' >&2; exit 1")
    (home.sockets / "docker.sock").touch()
    assert Tunnel(home).alive(HOST)


def test_without_a_socket_nobody_is_asked(home: Home, program: Program) -> None:
    program("ssh", "touch asked")
    assert not Tunnel(home).alive(HOST)
    assert not Path("asked").exists()


@pytest.mark.parametrize(("alive", "opened"), [(True, 0), (False, 1)])
def test_a_connection_that_stands_is_kept(home: Home, program: Program, alive: bool, opened: int) -> None:
    program("docker", f"exit {0 if alive else 1}")
    said = f"""{server("26.1.5")}\n{SOCKET}"""
    program("ssh", f"""case "$*" in *" -f "*) echo open >>opened;; *"docker version"*) echo '{said}';; esac""")
    (home.sockets / "docker.sock").touch()
    assert connect(home, HOST).version == "26.1.5"
    assert (len(Path("opened").read_text("utf-8").splitlines()) if Path("opened").exists() else 0) == opened


def test_an_engine_that_answers_is_not_waited_for(answers: Answers, said: list[str]) -> None:
    answers(server("26.1.5"), SOCKET)
    assert wait_for_engine(HOST, lambda: True, 60, said.append).version == "26.1.5"
    assert said[-1].startswith("its Docker engine answers after ")


def test_an_engine_that_starts_is_waited_for(program: Program, said: list[str]) -> None:
    up, starts = f"""echo '{server("26.1.5")}'""", "echo 'Cannot connect to the Docker daemon at x' >&2; exit 1"
    program("ssh", f"[ -e up ] && {{ {up}; exit; }}; touch up; {starts}")
    wait_for_engine(HOST, lambda: True, 60, said.append)
    assert [line.split(" after ")[0] for line in said] == ["SSH answers", "its Docker engine answers"]


def test_an_engine_that_is_too_old_is_not_waited_for(program: Program) -> None:
    program("ssh", f"""echo '{server("19.03.8")}'""")
    with pytest.raises(WhereError) as failure:
        wait_for_engine(HOST, lambda: True, 60, print)
    assert failure.value.id == "engine-too-old"


def test_an_engine_that_was_asked_is_not_asked_again(home: Home, program: Program) -> None:
    program("ssh", 'case "$*" in *"docker version"*) touch asked;; esac')
    program("docker", "exit 1")
    known = Remote(version="26.1.5", platform="linux/amd64", socket="/run/docker.sock")
    assert connect(home, HOST, known) is known
    assert not Path("asked").exists()


@pytest.mark.parametrize(
    ("words", "running", "id", "remedy"),
    [
        pytest.param("Connection refused", False, "vm-ended", "qemu.log", id="it ended"),
        pytest.param("Connection refused", True, "vm-silent", "run the same again", id="no answer in time"),
        pytest.param("x: Permission denied (publickey).", True, "ssh-key-refused", "", id="waiting does not help"),
    ],
)
def test_waiting_has_an_end(program: Program, words: str, running: bool, id: str, remedy: str) -> None:
    program("ssh", f"echo '{words}' >&2; exit 255")
    with pytest.raises(WhereError) as failure:
        wait_for_engine(HOST, lambda: running, -1, print)
    assert failure.value.id == id
    assert remedy in failure.value.text
