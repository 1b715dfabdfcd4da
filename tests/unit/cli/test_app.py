"""The commands as a person types them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli import install
from cli.app import app
from cli.choice import Choice
from cli.machines import MachineRow
from cli.problem import MaillabError
from cli.stack import ROOT, Stack
from tests.unit.conftest import Program

COMMANDS = ("up", "preview", "refresh", "down", "status", "outputs", "shell", "state")


@pytest.mark.parametrize("name", COMMANDS)
def test_help_lists(name: str) -> None:
    assert f" {name} " in CliRunner().invoke(app, ["--help"]).stdout


def test_preview_passes_its_options_on(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[str, ...]] = []
    monkeypatch.setattr(Choice, "run", lambda _self, *words: seen.append(words))
    CliRunner().invoke(app, ["preview", "--diff", "--expect-no-changes"], catch_exceptions=False)
    assert seen == [("preview", "--diff", "--expect-no-changes")]


def test_a_taken_network_lists_what_is_taken(monkeypatch: pytest.MonkeyPatch, program: Program) -> None:
    program("docker", 'case "$2" in inspect) echo "163.26.182.0/24 vpn";; ls) echo vpn;; esac')
    taken = MaillabError("up failed", "Taken now:", id="pool-taken")

    def fail(*_: object) -> None:
        raise taken

    monkeypatch.setattr("cli.engine.run", fail)
    CliRunner().invoke(app, ["--stack", "no-such-lab", "preview"])
    assert taken.remedy == ("Taken now:", "    163.26.182.0/24 vpn")


def test_a_commands_own_options_reach_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    row = MachineRow(name="outside", container="lab-outside", ipv4="", ipv6="", state="running", role="")
    executed: list[list[str]] = []
    monkeypatch.setattr("cli.machines.find", lambda *_: row)
    monkeypatch.setattr("os.execvpe", lambda _program, argv, _environment: executed.append(argv))
    CliRunner().invoke(
        app, ["--stack", "no-such-lab", "shell", "outside", "swaks", "--server", "mail"], catch_exceptions=False
    )
    assert executed == [["docker", "exec", "-i", "lab-outside", "swaks", "--server", "mail"]]


def test_outputs_are_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Stack, "outputs", lambda _: {"school": "大成國小"})
    result = CliRunner().invoke(app, ["outputs"], catch_exceptions=False)
    assert json.loads(result.stdout) == {"school": "大成國小"}


def test_down_may_forget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli.down.remove_lab", lambda *_, **__: iter(["removed"]))
    monkeypatch.setattr("cli.down.forget_lab", lambda _: iter(["forgotten"]))
    said = [CliRunner().invoke(app, ["down", *words]).stdout for words in ([], ["--forget"])]
    assert said == ["removed\n", "forgotten\n"]


def test_help_loads_neither_pulumi_nor_the_docker_sdk() -> None:
    code = "import sys, cli.app; sys.exit(bool({'pulumi', 'docker', 'offline'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_a_refusal_is_words_and_an_exit_status() -> None:
    argv = [sys.executable, "-m", "cli", "--stack", "no-such-lab", "shell", "mail"]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False, env={"PATH": ""})
    assert done.returncode == 1
    assert done.stderr.splitlines()[0].startswith("maillab: ")


def test_the_wrapper_works_from_any_folder(tmp_path: Path) -> None:
    link = tmp_path / "maillab"
    link.symlink_to(ROOT / "bin" / "maillab")
    done = subprocess.run([link, "--help"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "Usage: maillab" in done.stdout


def test_the_wrapper_names_make_up_without_an_environment(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    wrapper = tmp_path / "bin" / "maillab"
    wrapper.write_bytes((ROOT / "bin" / "maillab").read_bytes())
    done = subprocess.run(["sh", wrapper], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "run `make up`" in done.stderr


def test_a_download_has_a_limit() -> None:
    with pytest.raises(install.DownloadError, match="no end after 0 s"):
        install.limited(["tail", "-f", "/dev/null"], 0.2)


def test_a_failed_download_gives_its_last_words() -> None:
    with pytest.raises(install.DownloadError, match=r"^no route$"):
        install.limited(["sh", "-c", "echo trying >&2; echo no route >&2; exit 1"])
