"""`--help`: whole sentences in both languages, and no line wider than the terminal."""

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from rich.cells import cell_len

from maillab.cli.app import app
from maillab.cli.help import chinese, command_of, first_sentence
from tests.support.documents import ROOT
from tests.support.language import speaking

Click = Any


def commands(command: Click, *path: str) -> Iterator[tuple[str, ...]]:
    yield path
    for name, inner in getattr(command, "commands", {}).items():
        yield from commands(inner, *path, name)


PATHS = [*commands(command_of(app))]


def shown(language: str, *words: str, width: int = 80) -> str:
    """What the command prints."""
    with speaking(language):
        command = command_of(app)
        context = command.make_context("maillab", [], resilient_parsing=True, terminal_width=width)
        for name in words:
            command = command.commands[name]
            context = command.make_context(name, [], parent=context, resilient_parsing=True, terminal_width=width)
        return str(command.get_help(context))


@pytest.mark.parametrize("language", ["en", "zh-TW"])
@pytest.mark.parametrize("path", PATHS, ids=" ".join)
def test_no_line_is_wider_than_the_terminal(path: tuple[str, ...], language: str) -> None:
    assert [line for line in shown(language, *path).splitlines() if cell_len(line) > 80] == []


@pytest.mark.parametrize("path", PATHS, ids=" ".join)
def test_nothing_is_english_in_chinese(path: tuple[str, ...]) -> None:
    words = "".join(shown("zh-TW", *path).split())
    assert words.startswith("用法：maillab")
    assert [english for english in ("default:", "envvar:", "required", "Options") if english in words] == []
    assert [english for english in chinese()["texts"] if len(english) > 30 and "".join(english.split()) in words] == []


def test_list_shows_sentences_that_are_whole() -> None:
    for language in ("en", "zh-TW"):
        assert "..." not in shown(language).partition("[ARGS]...")[2]


def test_command_that_is_narrow_keeps_its_columns() -> None:
    lines = shown("en", "down", width=50).splitlines()
    place = lines.index("  --forget       Its place is gone for good:")
    assert lines[place + 1] == "                 remove nothing there."


@pytest.mark.parametrize(
    ("words", "first"),
    [
        ("One. Two.", "One."),
        ("Go into a machine: `maillab shell mail`; or run one.", "Go into a machine"),
        ("移除實驗環境：容器、網路。詢問之後。", "移除實驗環境：容器、網路。"),
        ("No end", "No end"),
    ],
)
def test_first_sentence(words: str, first: str) -> None:
    assert first_sentence(words) == first


def test_the_programs_own_help_is_so() -> None:
    words = [sys.executable, "-m", "maillab", "send", "--help"]
    done = subprocess.run(words, cwd=ROOT, env={**os.environ, "MAILLAB_LANG": "zh-TW"}, capture_output=True, check=True)
    assert "用法：maillab send" in done.stdout.decode()
