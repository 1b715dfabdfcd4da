"""No wait is endless: what hangs is reported, and ended where it is ours."""

import fcntl
import os
import subprocess
from pathlib import Path

import pytest

from maillab.where import disk, images, keys, power, qemu, tunnel
from maillab.where.home import Home, hold
from maillab.where.problem import WhereError
from maillab.where.program import finish
from maillab.where.ssh import Ssh
from maillab.where.tunnel import Tunnel
from tests.unit.conftest import Program
from tests.unit.maillab.where.conftest import Runs

HANGS = "exec tail -f /dev/null"
HOST = Ssh(name="ssh://lab.example", words=("--", "lab.example"))


def is_gone(pid: str) -> bool:
    return not Path(f"/proc/{pid.strip()}").exists()


def test_a_program_that_ends_is_what_it_said() -> None:
    done = finish(["sh", "-c", "echo out; echo words >&2; exit 3"], seconds=60)
    assert (done.returncode, done.stdout, done.stderr) == (3, "out\n", "words\n")


def test_a_program_that_does_not_end_is_killed(tmp_path: Path) -> None:
    with pytest.raises(WhereError, match=r"`sh -c .*has not ended within 0\.1 s, and was killed"):
        finish(["sh", "-c", f"echo $$ >{tmp_path}/pid; {HANGS}"], seconds=0.1)
    pid = (tmp_path / "pid").read_text("utf-8") if (tmp_path / "pid").exists() else ""
    assert not pid or is_gone(pid)


def test_what_a_killed_program_started_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It holds both pipes."""
    monkeypatch.setattr("maillab.where.program.LAST_WORDS", 0.1)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    try:
        with pytest.raises(WhereError, match="has not ended"):
            finish(["sh", "-c", f"cat {pipe} & {HANGS}"], seconds=1)
    finally:
        pipe.write_text("", "utf-8")


@pytest.mark.parametrize("taken", ["ssh", "docker"])
def test_a_connection_that_hangs_does_not_stand(
    home: Home, program: Program, monkeypatch: pytest.MonkeyPatch, taken: str
) -> None:
    monkeypatch.setattr(tunnel, "ORDER_SECONDS", 0.2)
    (home.sockets / "docker.sock").touch()
    program("ssh", HANGS if taken == "ssh" else "exit 0")
    program("docker", "exit 0" if taken == "ssh" else "exit 1")
    assert not Tunnel(home).alive(HOST)


def test_a_connection_that_stands_does(home: Home, program: Program) -> None:
    """The control."""
    (home.sockets / "docker.sock").touch()
    program("ssh", "exit 0")
    program("docker", "exit 0")
    assert Tunnel(home).alive(HOST)


def test_a_connection_that_hangs_is_closed_all_the_same(
    home: Home, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tunnel, "ORDER_SECONDS", 0.2)
    (home.sockets / "docker.sock").touch()
    program("ssh", HANGS)
    Tunnel(home).close(HOST)
    assert not (home.sockets / "docker.sock").exists()


def test_a_connection_that_is_never_made_is_told(home: Home, program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tunnel, "OPEN_SECONDS", 0.2)
    program("ssh", f'case "$*" in *"-O exit"*) ;; *) {HANGS};; esac')
    with pytest.raises(WhereError, match="has not ended within"):
        Tunnel(home).open(HOST, "/run/x.sock")


@pytest.mark.parametrize(
    ("limit", "name", "act"),
    [
        ((keys, "SECONDS"), "ssh-keygen", lambda: keys.run(["ssh-keygen"])),
        ((disk, "MAKE_SECONDS"), "mmdebstrap", lambda: disk._run(["mmdebstrap"], "making the disk")),
        ((images, "LOOK_SECONDS"), "docker", lambda: images._inspect("unix:///x", "maillab/mail")),
    ],
)
def test_a_program_of_ours_that_hangs_is_told(
    program: Program, monkeypatch: pytest.MonkeyPatch, limit: tuple[object, str], name: str, act: object
) -> None:
    program(name, HANGS)
    monkeypatch.setattr(*limit, 0.2)
    assert callable(act)
    with pytest.raises(WhereError, match=f"{name}.*has not ended within"):
        act()


def test_images_that_do_not_come_are_told(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "COPY_SECONDS", 0.2)
    program("docker", f'case "$*" in *inspect*) exit 1;; *) {HANGS};; esac')
    with pytest.raises(WhereError, match="docker save and docker load have not ended"):
        images.bring({"maillab/mail": "sha256:1"}, "unix:///here", "unix:///there", lambda _: None)


def test_a_kvm_that_can_not_even_be_killed_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that hangs in the kernel takes no signal."""
    monkeypatch.setattr(qemu, "PROBE_SECONDS", 0.1)
    monkeypatch.setattr(subprocess.Popen, "kill", lambda _: None)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    try:
        assert (qemu._first_words(["cat", str(pipe)], tmp_path / "console", 0.1) or "").startswith(qemu.HANGS)
    finally:
        pipe.write_text("", "utf-8")


def test_a_machine_that_does_not_quit_is_killed(
    home: Home, runs: Runs, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(power, "END_SECONDS", 0.2)
    monkeypatch.setattr(power, "order", lambda *_: None)
    monkeypatch.setattr(power, "run_state", lambda _: "internal-error")
    runs()
    power.stop(home, said.append)
    assert home.pid() is None


def test_a_machine_that_can_not_be_killed_is_told(
    home: Home, runs: Runs, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(power, "END_SECONDS", 0.2)
    monkeypatch.setattr(power, "order", lambda *_: None)
    monkeypatch.setattr(power, "run_state", lambda _: "internal-error")
    monkeypatch.setattr("os.kill", lambda *_: None)
    runs()
    with pytest.raises(WhereError, match="does not end, not even when it is killed"):
        power.stop(home, said.append)


def test_another_command_that_works_on_a_machine_for_ever_is_told(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("maillab.where.home.BUSY_SECONDS", 0)
    with (home.folder / "lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(WhereError, match="another command works here") as refusal, home.alone():
            pass
    assert refusal.value.id == "vm-busy"
    with home.alone():
        pass


def test_who_waits_says_so_once_and_goes_on(home: Home, said: list[str]) -> None:
    """The other one ends when it was said."""
    other = (home.folder / "lock").open("w")
    fcntl.flock(other, fcntl.LOCK_EX)

    def say() -> None:
        said.append("waiting")
        other.close()

    with hold(home.folder / "lock", 60, say):
        assert said == ["waiting"]


def test_two_commands_that_ask_for_a_machines_name_get_one(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second one asks before the first has written it."""
    write = Home.write

    def slow(self: Home, name: str, text: str) -> None:
        write(self, name, text)
        if name.startswith("id.first") and not (self.folder / "id").exists():
            monkeypatch.setattr(Home, "write", write)
            others.append(Home(self.folder).id)

    others: list[str] = []
    monkeypatch.setattr(Home, "write", slow)
    assert [home.id] == others
    assert [path.name for path in home.folder.iterdir()] == ["id"]


@pytest.mark.parametrize("name", ["machine.json", "port"])
def test_a_files_name_is_on_the_disk_too(home: Home, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[tuple[bool, bool]] = []
    sync = os.fsync

    def seen(descriptor: int) -> None:
        synced.append((Path(f"/proc/self/fd/{descriptor}").is_dir(), (home.folder / name).exists()))
        sync(descriptor)

    monkeypatch.setattr("os.fsync", seen)
    home.write(name, "text")
    assert synced == [(False, False), (True, True)]
