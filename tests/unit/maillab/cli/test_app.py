"""The commands as a person types them."""

import errno
import io
import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from maillab.cli import install
from maillab.cli.app import app
from maillab.cli.choice import Choice
from maillab.cli.machines import MachineRow
from maillab.cli.problem import MaillabError
from maillab.cli.stack import ROOT, Stack
from tests.unit.conftest import Program

LABELS = {"maillab.stack": "dc1es"}
OWN = LABELS | {"maillab.owner": "mine"}
COMMANDS = (
    "up",
    "preview",
    "refresh",
    "down",
    "status",
    "reset",
    "new",
    "labs",
    "outputs",
    "shell",
    "state",
    "completion",
    "trace",
)


@pytest.mark.parametrize("name", COMMANDS)
def test_help_lists(name: str) -> None:
    assert f" {name} " in CliRunner().invoke(app, ["--help"]).stdout


def test_preview_passes_its_options_on(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[str, ...]] = []
    monkeypatch.setattr(Choice, "run", lambda _self, *words: seen.append(words))
    CliRunner().invoke(app, ["preview", "--diff", "--expect-no-changes"], catch_exceptions=False)
    assert seen == [("preview", "--diff", "--expect-no-changes")]


def test_a_taken_network_lists_what_is_taken_and_proposes_what_is_free(
    monkeypatch: pytest.MonkeyPatch, program: Program
) -> None:
    monkeypatch.setattr(Stack, "owner", OWN["maillab.owner"])
    networks = [
        {"Id": "1", "Name": "vpn", "IPAM": {"Config": [{"Subnet": "198.18.64.0/22"}]}},
        {"Id": "2", "Name": "none", "IPAM": {"Config": None}, "Labels": None},
        {"Id": "3", "Name": "own", "IPAM": {"Config": [{"Subnet": "198.18.0.0/24"}]}, "Labels": OWN},
        {"Id": "4", "Name": "six", "IPAM": {"Config": [{"Subnet": "fd00::/64"}, {"Subnet": "10.0.0.0/8"}]}},
    ]
    program(
        "docker", f"""case "$1 $2" in *inspect) echo '{json.dumps(networks)}';; "network ls") echo 1 2 3 4;; esac"""
    )
    taken = MaillabError("up failed", "Taken now:", id="pool-taken")

    def fail(*_: object) -> None:
        raise taken

    monkeypatch.setattr("maillab.cli.engine.run", fail)
    CliRunner().invoke(app, ["preview"])
    assert taken.remedy[-2:] == ("    10.0.0.0/8 six", "    198.18.64.0/22 vpn")
    assert "    maillab:network: {carrier: 198.18.68.0/22}" in taken.remedy


@pytest.mark.parametrize("dashes", [[], ["--"]])
def test_a_commands_own_options_reach_the_machine(monkeypatch: pytest.MonkeyPatch, dashes: list[str]) -> None:
    row = MachineRow(name="outside", container="lab-outside", ipv4="", ipv6="", state="running", role="")
    executed: list[list[str]] = []
    monkeypatch.setattr("maillab.cli.machines.find", lambda *_: row)
    monkeypatch.setattr("os.execvpe", lambda _program, argv, _environment: executed.append(argv))
    CliRunner().invoke(app, ["shell", "outside", *dashes, "swaks", "--server", "mail"], catch_exceptions=False)
    assert executed == [["docker", "exec", "-i", "lab-outside", "swaks", "--server", "mail"]]


def test_dashes_of_the_command_itself_reach_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    row = MachineRow(name="mail", container="lab-mail", ipv4="", ipv6="", state="running", role="")
    executed: list[list[str]] = []
    monkeypatch.setattr("maillab.cli.machines.find", lambda *_: row)
    monkeypatch.setattr("os.execvpe", lambda _program, argv, _environment: executed.append(argv))
    CliRunner().invoke(app, ["shell", "mail", "--", "grep", "--", "-x", "/etc/aliases"], catch_exceptions=False)
    assert executed == [["docker", "exec", "-i", "lab-mail", "grep", "--", "-x", "/etc/aliases"]]


def test_machine_that_does_not_run_has_no_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    row = MachineRow(name="mail", container="lab-mail", ipv4="", ipv6="", state="exited", role="")
    monkeypatch.setattr("maillab.cli.machines.find", lambda *_: row)
    result = CliRunner().invoke(app, ["shell", "mail"])
    assert str(result.exception) == "the machine mail of lab dc1es does not run (exited)"


@pytest.mark.parametrize("command", ["up", "preview", "refresh", "down", "status", "outputs", "verify"])
def test_stack_that_there_is_not_is_refused_first(monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    monkeypatch.setattr(Choice, "reach_engine", lambda *_, **__: pytest.fail("the engine was asked"))
    result = CliRunner().invoke(app, ["--stack", "onehots", command])
    assert isinstance(result.exception, MaillabError)
    assert (result.exception.id, result.exception.remedy[0]) == ("no-stack", "did you mean onehost?")


def test_version() -> None:
    words = CliRunner().invoke(app, ["--version"], catch_exceptions=False).stdout.split()
    assert words[:2] == ["maillab", tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]]


def test_outputs_are_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Stack, "outputs", lambda _: {"school": "大成國小"})
    result = CliRunner().invoke(app, ["outputs"], catch_exceptions=False)
    assert json.loads(result.stdout) == {"school": "大成國小"}


def test_down_may_forget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("maillab.cli.down.remove_lab", lambda *_, **__: iter(["removed"]))
    monkeypatch.setattr("maillab.cli.down.forget_lab", lambda _: iter(["forgotten"]))
    said = [CliRunner().invoke(app, ["down", *words]).stdout for words in ([], ["--forget"])]
    assert said == ["removed\n", "forgotten\n"]


@pytest.mark.parametrize("number", [errno.EPIPE, errno.ENOSPC, errno.EIO])
def test_a_lab_is_removed_whole_although_nobody_reads_about_it(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """`maillab down | head -1`; a full disk under `>log`; a terminal that was closed."""
    removed: list[str] = []

    def removal(*_: object, **__: object) -> Iterator[str]:
        for kind in ("containers", "networks", "volumes"):
            removed.append(kind)
            yield f"removed {kind}"

    class Gone(io.StringIO):
        def write(self, _text: str) -> int:
            raise OSError(number, os.strerror(number))

    monkeypatch.setattr("maillab.cli.down.remove_lab", removal)
    monkeypatch.setattr("sys.stdout", Gone())
    app(["down", "--yes"], standalone_mode=False)
    assert removed == ["containers", "networks", "volumes"]


def test_help_loads_neither_pulumi_nor_the_docker_sdk() -> None:
    code = "import sys, maillab.cli.app; sys.exit(bool({'pulumi', 'docker', 'maillab.offline'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_a_refusal_is_words_and_an_exit_status() -> None:
    argv = [sys.executable, "-m", "maillab", "--stack", "no-such-lab", "shell", "mail"]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False, env={"PATH": ""})
    assert done.returncode == 1
    assert done.stderr.splitlines()[0].startswith("maillab: ")


def test_the_wrapper_works_from_any_folder(tmp_path: Path) -> None:
    link = tmp_path / "maillab"
    link.symlink_to(ROOT / "bin" / "maillab")
    done = subprocess.run([link, "--help"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "Usage: maillab" in done.stdout


@pytest.mark.parametrize(
    ("words", "named", "stack"),
    [
        (["status"], "", "dc1es"),
        (["status"], "onehost", "onehost"),
        (["--stack", "two", "status"], "onehost", "two"),
        (["--stack=two", "status"], "onehost", "two"),
    ],
)
def test_the_wrapper_names_make_up_without_an_environment(
    tmp_path: Path, words: list[str], named: str, stack: str
) -> None:
    (tmp_path / "bin").mkdir()
    wrapper = tmp_path / "bin" / "maillab"
    wrapper.write_bytes((ROOT / "bin" / "maillab").read_bytes())
    env = os.environ | {"MAILLAB_STACK": named}
    done = subprocess.run(["sh", wrapper, *words], capture_output=True, text=True, check=False, env=env)
    assert done.returncode == 1
    assert f"run `make up STACK={stack}`" in done.stderr


@pytest.mark.parametrize(
    ("words", "named", "stack"),
    [([], "", "dc1es"), ([], "onehost", "onehost"), (["STACK=two"], "onehost", "two"), (["STACK=two"], "", "two")],
)
def test_make_is_about_the_stack_of_the_environment(words: list[str], named: str, stack: str) -> None:
    # What a `make` that runs these tests hands on is not a person's.
    others = {"STACK", "MAKEFLAGS", "MAKELEVEL", "MFLAGS"}
    env = {key: value for key, value in os.environ.items() if key not in others} | {"MAILLAB_STACK": named}
    argv = ["make", "--dry-run", "down", *words]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False, env=env)
    assert done.stdout.splitlines() == [f"setup/run stack {stack}", f"bin/maillab --stack {stack} down "]


def test_a_download_has_a_limit() -> None:
    with pytest.raises(install.DownloadError, match="no end after 0 s"):
        install.limited(["tail", "-f", "/dev/null"], 0.2)


def test_a_failed_download_gives_its_last_words() -> None:
    with pytest.raises(install.DownloadError, match=r"^no route$"):
        install.limited(["sh", "-c", "echo trying >&2; echo no route >&2; exit 1"])
