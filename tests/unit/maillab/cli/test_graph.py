"""`maillab graph`: where the picture goes, and what it is made of; no lab and no engine are needed."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from maillab.cli.app import app
from maillab.cli.problem import MaillabError
from tests.golden.pictures import PICTURES


@pytest.fixture(autouse=True)
def _no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILLAB_LANG", "en")
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere.sock")
    monkeypatch.setenv("COLUMNS", "200")


def kept(name: str) -> str:
    return (PICTURES / "en" / name).read_text(encoding="utf-8")


def test_picture_in_the_terminal_is_80_columns_wide_at_most() -> None:
    assert CliRunner().invoke(app, ["graph"]).stdout == kept("dc1es.txt")


def test_picture_fits_a_narrow_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "50")
    assert max(map(len, CliRunner().invoke(app, ["graph"]).stdout.splitlines())) == 50


def test_mermaid_of_another_stack() -> None:
    found = CliRunner().invoke(app, ["--stack", "onehost", "graph", "--format", "mermaid"])
    assert found.stdout == kept("onehost.mmd")


def test_picture_in_a_file_does_not_depend_on_the_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "50")
    path = tmp_path / "network.txt"
    found = CliRunner().invoke(app, ["graph", "--output", str(path)])
    assert (found.stdout, found.stderr) == ("", f"written: {path}\n")
    assert path.read_text(encoding="utf-8") == kept("dc1es.txt")


def test_file_that_can_not_be_written(tmp_path: Path) -> None:
    error = CliRunner().invoke(app, ["graph", "--output", str(tmp_path / "none" / "network.txt")]).exception
    assert isinstance(error, MaillabError)
    assert error.id == "not-written"


def test_stack_without_a_file() -> None:
    error = CliRunner().invoke(app, ["--stack", "nosuch", "graph"]).exception
    assert isinstance(error, MaillabError)
    assert error.id in ("no-stack", "no-stack-file")
