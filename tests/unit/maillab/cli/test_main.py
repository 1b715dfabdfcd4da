"""`python -m maillab`: what becomes of an exception."""

import errno
import importlib
from collections.abc import Callable

import pytest

Main = Callable[[OSError], int]


@pytest.fixture
def main(monkeypatch: pytest.MonkeyPatch) -> Main:
    """Runs a command that fails so; answers the exit status."""
    monkeypatch.setattr("gc.disable", lambda: None)  # is for a process of its own
    module = importlib.import_module("maillab.__main__")

    def run(error: OSError) -> int:
        def fail(**_: object) -> None:
            raise error

        monkeypatch.setattr(module, "command_of", lambda _: fail)
        return int(module.main())

    return run


def test_a_file_of_another_user_is_words(main: Main, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(PermissionError(errno.EACCES, "Permission denied", ".vm/lab/lock")) == 1
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "maillab: no right to .vm/lab/lock"
    assert "sudo" in said[1]


def test_a_full_disk_is_words(main: Main, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(OSError(errno.ENOSPC, "No space left on device", ".vm/lab/lock")) == 1
    assert capsys.readouterr().err == "maillab: the disk is full: .vm/lab/lock\n  make room: df -h\n"


def test_what_nobody_thought_of_stays_what_it_is(main: Main) -> None:
    with pytest.raises(OSError, match="Input/output error"):
        main(OSError(errno.EIO, "Input/output error"))
