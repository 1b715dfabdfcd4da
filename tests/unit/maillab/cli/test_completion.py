"""TAB: the shell's script asks the command, which answers with names of stacks and machines."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from maillab.cli import completion
from maillab.cli.app import app
from maillab.cli.problem import MaillabError
from maillab.cli.stack import ROOT, Stack

BASH = """
source <(bin/maillab completion bash)
COMP_WORDS=({words}) COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
_maillab_completion bin/maillab "${{COMP_WORDS[COMP_CWORD]}}"
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


def completed(*words: str) -> list[str]:
    """What bash offers for the last of these words."""
    script = BASH.format(words=" ".join(f"'{word}'" for word in ("bin/maillab", *words)))
    done = subprocess.run(["bash", "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.split()


def test_commands_are_completed() -> None:
    assert completed("ver") == ["verify"]


def test_stacks_are_completed() -> None:
    assert completed("--stack", "one") == ["onehost"]


@pytest.mark.parametrize("shell", completion.Shell)
def test_script_says_where_it_goes_and_the_shell_can_read_it(shell: completion.Shell, tmp_path: Path) -> None:
    path = tmp_path / "script"
    path.write_text(completion.script(shell), "utf-8")
    assert f"bin/maillab completion {shell}" in path.read_text("utf-8")
    if program := shutil.which(str(shell)):
        assert subprocess.run([program, "-n", path], check=False, env=os.environ).returncode == 0


def test_machines_are_those_of_the_chosen_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    def outputs(stack: Stack) -> dict[str, object]:
        seen.append(stack.name)
        return {"machines": {"mail": {}, "dns": {}}}

    monkeypatch.setattr(Stack, "outputs", outputs)
    monkeypatch.setenv("_MAILLAB_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", "maillab --stack onehost shell m")
    monkeypatch.setenv("COMP_CWORD", "4")
    completion.prepare()
    result = CliRunner().invoke(app, prog_name="maillab")
    assert result.stdout.split() == ["mail"]
    assert seen == ["onehost"]


def test_pages_are_those_of_the_lab(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Stack, "outputs", lambda _: {"urls": {"webmail": "https://mail.school.example/"}})
    assert completion.pages_of(typer.Context(typer.main.get_command(app))) == ["webmail"]


def test_lab_that_is_not_there_completes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def outputs(_: Stack) -> dict[str, object]:
        raise MaillabError("the state is damaged")

    monkeypatch.setattr(Stack, "outputs", outputs)
    command = typer.main.get_command(app)
    assert completion.machines_of(typer.Context(command)) == []


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ({"_MAILLAB_COMPLETE": "complete_zsh"}, """_arguments '*: :(("onehost"))'"""),
        ({"_MAILLAB_COMPLETE": "complete_fish", "_TYPER_COMPLETE_FISH_ACTION": "get-args"}, "onehost"),
    ],
    ids=["zsh", "fish"],
)
def test_other_shells_are_answered(question: dict[str, str], answer: str) -> None:
    """What they do with it was tried with zsh 5.9 and fish 4."""
    env = os.environ | question | {"_TYPER_COMPLETE_ARGS": "bin/maillab --stack one"}
    done = subprocess.run(["bin/maillab"], cwd=ROOT, capture_output=True, text=True, check=False, env=env)
    assert done.stdout.strip() == answer
