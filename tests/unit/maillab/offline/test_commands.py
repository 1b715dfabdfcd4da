"""A command is read until its end, however it ends; one that was stopped is never taken for done."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from maillab.offline import commands, process, stopping
from maillab.offline.stopping import StoppedError
from maillab.offline.values import OfflineError, Props

Log = Callable[[str], None]


@pytest.fixture(autouse=True)
def allowed() -> Iterator[None]:
    """What one test stopped may start again in the next."""
    yield
    stopping.allow()


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Patience of moments: what waits for it waits for nothing else."""
    for name in ("GRACE", "LINGER", "LOOK"):
        monkeypatch.setattr(process, name, 0.01)


def run(script: str, log: Log = lambda _: None, **inputs: object) -> Props:
    """The script's outputs."""
    return commands.run(
        "it", script, {"interpreter": ["/bin/bash", "-c"], **inputs}, {}, lambda line, _="", /: log(line)
    )


def stopped_at(word: str) -> Log:
    """Stops everything when the command says the word."""

    def log(line: str) -> None:
        if line == word:
            threading.Thread(target=stopping.stop_all).start()

    return log


def test_what_it_writes_is_kept_line_by_line() -> None:
    said: list[str] = []
    found = run("printf 'one\\r\\ntwo\\n'; printf '\\xe4\\xb8\\xad\\xff' >&2", said.append)
    assert found == {"stdout": "one\ntwo", "stderr": "中\ufffd"}
    assert sorted(said) == ["one", "two", "中\ufffd"]


def test_it_is_fed_while_it_writes() -> None:
    """More than both pipes hold, in both directions at once."""
    text = "x" * 99 + "\n"
    assert run("cat", stdin=text * 20_000)["stdout"] == (text * 20_000).removesuffix("\n")


def test_what_it_does_not_read_is_its_own_affair() -> None:
    assert run("exec <&-; echo done", stdin="x" * 1_000_000)["stdout"] == "done"


def test_a_failure_has_all_that_it_wrote() -> None:
    with pytest.raises(OfflineError, match=r"it: exit status 3: running .*\none\ntwo$"):
        run("echo one; echo two; exit 3")


def test_a_stopped_one_is_not_done_whatever_its_exit_status() -> None:
    """A shell whose `sleep` was ended goes on, and so does who clears up in peace."""
    with pytest.raises(StoppedError, match="it: stopped by Ctrl-C before its end") as caught:
        run("trap 'echo cleared up; exit 0' TERM; echo runs; while :; do read -t 1 <> <(:); done", stopped_at("runs"))
    assert str(caught.value).endswith("\nruns\ncleared up")


def test_a_stopped_one_that_writes_much_is_read_to_its_end() -> None:
    """More than a pipe holds: nobody would read it, and it would wait for ever."""
    clear_up = "trap 'seq 1 100000; exit 0' TERM"
    with pytest.raises(StoppedError) as caught:
        run(f"{clear_up}; echo runs; while :; do read -t 1 <> <(:); done", stopped_at("runs"))
    assert str(caught.value).endswith("\n99999\n100000")


@pytest.mark.usefixtures("short")
def test_a_stopped_one_that_does_not_end_is_killed() -> None:
    with pytest.raises(StoppedError):
        run("trap '' TERM; echo runs; while :; do read -t 1 <> <(:); done", stopped_at("runs"))


def test_nothing_starts_after_all_was_stopped(tmp_path: Path) -> None:
    stopping.stop_all()
    with pytest.raises(StoppedError):
        run(f"touch {tmp_path}/started")
    assert not (tmp_path / "started").exists()
    stopping.allow()
    run(f"touch {tmp_path}/started")
    assert (tmp_path / "started").exists()


@pytest.mark.usefixtures("short")
def test_what_it_leaves_in_the_background_is_not_waited_for(tmp_path: Path) -> None:
    """It holds both pipes, until it is asked to end."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    try:
        assert run(f"read < {pipe} & echo done")["stdout"] == "done"
    finally:
        pipe.write_text("\n", "utf-8")


@pytest.mark.usefixtures("short")
def test_one_without_an_end_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "LIMIT", 0)
    with pytest.raises(OfflineError, match=r"it: no end after 0 s: it was stopped") as caught:
        run("while :; do read -t 1 <> <(:); done")
    assert not isinstance(caught.value, StoppedError)


@pytest.mark.usefixtures("short")
def test_one_with_a_limit_of_its_own_is_stopped_at_that() -> None:
    with pytest.raises(OfflineError, match=r"it: no end after 0.01 s: it was stopped") as caught:
        commands.run(
            "it", "read <> <(:)", {"interpreter": ["/bin/bash", "-c"]}, {}, lambda _, __="", /: None, limit=0.01
        )
    assert not isinstance(caught.value, StoppedError)


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.5, "0.5 s"), (59, "59 s"), (60, "1 min"), (5400, "1.5 h"), (10800, "3 h")]
)
def test_a_duration_is_in_its_largest_unit(seconds: float, words: str) -> None:
    assert process.duration(seconds) == words


@pytest.mark.parametrize(
    ("inputs", "why"),
    [
        ({"interpreter": ["/nowhere"]}, "can't run /nowhere: No such file or directory"),
        ({"environment": {"A": "\0"}}, "can't run /bin/bash: embedded null byte"),
        ({"environment": {"A": "x" * 3_000_000}}, "can't run /bin/bash: the environment is too large"),
        ({"dir": "/nowhere"}, "can't run /bin/bash: No such file or directory"),
    ],
)
def test_one_that_can_not_be_started(inputs: Props, why: str) -> None:
    with pytest.raises(OfflineError) as caught:
        run("true", **inputs)
    assert str(caught.value) == f"it: {why}"


def test_the_third_press_leaves_nothing_behind() -> None:
    """`kill_all` ends what ignores everything else, with what it started."""

    def log(_line: str) -> None:
        stopping.kill_all()

    with pytest.raises(OfflineError, match=f"it: signal {signal.SIGKILL}"):
        run("trap '' TERM; (trap '' TERM; while :; do read -t 1 <> <(:); done) & echo runs; wait", log)
