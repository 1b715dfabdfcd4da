"""`python -m where VERB`: words on stderr, the result alone on stdout, and the exit status."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from maillab.cli.stack import ROOT
from maillab.where import __main__ as command
from maillab.where.disk import folder_of
from maillab.where.home import Home
from maillab.where.problem import WhereError
from maillab.where.tunnel import Tunnel
from tests.unit.conftest import Program

SIZES = {"CPUS": "2", "MEMORY": "1024", "DISK": "8", "SSH_PORT": "0", "ACCELERATOR": "tcg", "NAME": "lab"}


def give(monkeypatch: pytest.MonkeyPatch, **environment: str) -> None:
    """Put it into this process's environment."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)


def where(verb: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """As the program's Commands run it."""
    env = os.environ | {"PYTHONPATH": str(ROOT), "FOLDER": ".vm/lab"} | environment
    argv = [sys.executable, "-m", "where", verb]
    return subprocess.run(argv, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)


def test_a_failure_is_words_and_an_exit_status() -> None:
    done = where("reach")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == [
        "maillab: the virtual machine does not run [vm-stopped]",
        "    start it: bin/maillab --stack lab vm start",
    ]


@pytest.mark.parametrize("given", [{"NAME": "two"}, {"FOLDER": ".vm/two"}])
def test_what_installs_it_names_the_stack(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], given: dict[str, str]
) -> None:
    """`make up` alone would install what another stack needs."""

    def fail() -> str:
        raise WhereError("no-qemu", "qemu-img is not installed", "`make up` installs it")

    monkeypatch.delenv("NAME", raising=False)
    give(monkeypatch, **given)
    monkeypatch.setitem(command.VERBS, "start", fail)
    assert command.main("start") == 1
    assert "    `make up STACK=two` installs it" in capsys.readouterr().err


def test_the_result_is_all_of_stdout(
    program: Program, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """It is an input of other resources: progress would be in it."""
    answer = '{"Version": "26.1.5", "Os": "linux", "Arch": "arm64"}'
    program("ssh", f"""case "$*" in *"docker version"*) printf '%s\\n' '{answer}' unix:///run/x.sock;; esac""")
    give(monkeypatch, FOLDER=".vm/lab", WHERE="ssh://host")
    assert command.main("connect") == 0
    assert capfd.readouterr() == (
        f"{Tunnel(Home(Path('.vm/lab'))).docker_host}\nlinux/arm64",
        "Docker engine 26.1.5, linux/arm64\n",
    )


@pytest.mark.parametrize("verb", list(command.VERBS))
def test_every_verb_tells_its_failure(
    verb: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> str:
        raise WhereError("out-of-luck", "it failed", "wait")

    monkeypatch.setitem(command.VERBS, verb, fail)
    assert command.main(verb) == 1
    assert capsys.readouterr() == ("", "maillab: it failed [out-of-luck]\n    wait\n")


def test_a_file_of_another_user_is_told_with_an_id(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As any failure: the command for people knows by the id where it ends."""

    def fail() -> str:
        raise PermissionError(13, "Permission denied", ".vm/lab/lock")

    monkeypatch.setitem(command.VERBS, "stop", fail)
    assert command.main("stop") == 1
    assert capsys.readouterr().err.startswith("maillab: no right to .vm/lab/lock [no-right]\n    ")


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    give(monkeypatch, **{**SIZES, "BASE": ".cache/vm/1", "SSH_PORT": "2222"})
    found = command._settings()
    assert (found.base, found.cpus, found.memory, found.disk, found.ssh_port) == (".cache/vm/1", 2, 1024, 8, 2222)


def test_the_recipe_is_what_begins_with_a_slash(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[object] = []
    monkeypatch.setattr("maillab.where.disk.make_disk", lambda *words: given.append(words[:3]))
    give(monkeypatch, **{"/etc/x": "text", "PACKAGES": "udev", "MAKE_DISK": "true", "FOLDER": ".vm/none"})
    command._disk()
    assert given == [({"/etc/x": "text"}, "udev", "true")]


@pytest.mark.parametrize("same", [False, True])
def test_a_machine_that_is_there_keeps_its_disk_whatever_the_recipe(
    home: Home, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], same: bool
) -> None:
    """No network is needed for an alias, though somebody fetched a newer maillab; where it is so, it is reported."""
    monkeypatch.setattr("maillab.where.disk.make_disk", lambda *_: pytest.fail("a disk is made"))
    base = str(folder_of({"/etc/x": "text"}, "udev", "true" if same else "false"))
    recipe = {"/etc/x": "text", "PACKAGES": "udev", "MAKE_DISK": "true"}
    give(monkeypatch, **{**SIZES, "BASE": base, "FOLDER": str(home.folder), **recipe})
    home.save(command._settings())
    home.disk.touch()
    assert command._disk() == base
    assert ("keeps the disk" in capfd.readouterr().err) is not same


def test_disconnect_closes_and_says_nothing(
    program: Program, home: Home, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    program("ssh", 'echo "$*" >>calls')
    give(monkeypatch, FOLDER=str(home.folder), WHERE="ssh://host")
    assert command.main("disconnect") == 0
    assert capfd.readouterr() == ("", "")
    assert "-O exit -- host" in Path("calls").read_text("utf-8")


def test_images_are_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[object] = []
    monkeypatch.setattr("maillab.where.images.bring", lambda *words: given.append(words[:3]))
    give(monkeypatch, IMAGES="a 1\nb 2\n", HERE="unix:///h", DOCKER_HOST="unix:///t")
    command._bring()
    assert given == [({"a": "1", "b": "2"}, "unix:///h", "unix:///t")]


def test_a_verb_whose_words_nobody_reads_does_its_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine that started it was killed."""
    done: list[str] = []

    class Gone(io.StringIO):
        def write(self, _text: str) -> int:
            raise BrokenPipeError

    def verb() -> str:
        command.say("the machine runs")
        done.append("its settings are noted")
        return ""

    monkeypatch.setitem(command.VERBS, "start", verb)
    monkeypatch.setattr("sys.stderr", Gone())
    assert (command.main("start"), done) == (0, ["its settings are noted"])
