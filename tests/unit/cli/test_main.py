"""`python -m cli`: what becomes of an exception."""

import importlib

import pytest


def test_a_file_of_another_user_is_words(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def fail(**_: object) -> None:
        raise PermissionError(13, "Permission denied", ".vm/lab/lock")

    monkeypatch.setattr("gc.disable", lambda: None)  # is for a process of its own
    module = importlib.import_module("cli.__main__")
    monkeypatch.setattr(module, "app", fail)
    assert module.main() == 1
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "maillab: no right to .vm/lab/lock"
    assert "sudo" in said[1]
