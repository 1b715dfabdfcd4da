"""Signals, and a reader that is gone, while a run changes something: no traceback, and a state that says what is so."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from driver.machine import wait_until
from tests.engine.stacks import ROOT, OfflineStack

TWO = 'first = lab.command("first", {script!r})\nlab.command("second", "true", {{"depends_on": [first]}})'
# They tell that they run; the first one waits for a word, the others for their end.
WAITS = "echo yes >runs; cat go; echo done"
CLEARS_UP = "trap 'seq 1 100000; exit 0' TERM; echo yes >runs; read <>go"
STAYS = "trap '' TERM; echo $$ >runs; while :; do read -t 1 <>go; done"
UP = [sys.executable, "-u", "-m", "maillab.offline", "up", "--cwd"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}


class Running:
    """An `up` of its own process, in the middle of its first command."""

    def __init__(self, process: subprocess.Popen[str], word: str) -> None:
        self.process = process
        self.word = word
        self.said = ""

    def send(self, number: int, until: str) -> None:
        """The signal; returns when the run has said these words."""
        self.process.send_signal(number)
        assert self.process.stdout
        while until not in self.said:
            line = self.process.stdout.readline()
            assert line, f"it ended without {until!r}:\n{self.said}"
            self.said += line

    def end(self) -> int:
        """Its exit status; `said` is all that it said."""
        assert self.process.stdout
        self.said += self.process.stdout.read()
        return self.process.wait()


@contextmanager
def running(stack: OfflineStack, script: str) -> Iterator[Running]:
    for pipe in ("runs", "go"):
        os.mkfifo(stack.root / pipe)
    stack.program(TWO.format(script=f"cd {stack.root}; {script}"))
    words = [*UP, str(stack.root)]
    with subprocess.Popen(
        words, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            yield Running(process, (stack.root / "runs").read_text("utf-8").strip())
        finally:
            process.kill()


def next_up(stack: OfflineStack) -> dict[str, str]:
    """What the next run does, when the first command does nothing any more."""
    stack.program(TWO.format(script="true"))
    done = stack.up()
    assert done.ok, done.text
    return done.touched


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_first_signal_lets_the_running_step_end_and_begins_no_other(offline: OfflineStack, number: int) -> None:
    with running(offline, WAITS) as run:
        run.send(number, "cancelling")
        (offline.root / "go").write_text("go\n", "utf-8")
        assert run.end() == 1
    assert "Command first created" in run.said
    assert "Traceback" not in run.said
    assert next_up(offline) == {"first": "update", "second": "create"}


def test_a_terminal_that_is_closed_says_so_twice_and_only_cancels(offline: OfflineStack) -> None:
    """The kernel and the shell both send SIGHUP."""
    with running(offline, WAITS) as run:
        run.send(signal.SIGHUP, "cancelling")
        run.process.send_signal(signal.SIGHUP)
        (offline.root / "go").write_text("go\n", "utf-8")
        assert run.end() == 1
    assert "Command first created" in run.said


def test_the_second_one_stops_a_command_which_is_not_done_then(offline: OfflineStack) -> None:
    """It writes more than a pipe holds, and ends with exit status 0."""
    with running(offline, CLEARS_UP) as run:
        run.send(signal.SIGINT, "cancelling")
        run.send(signal.SIGINT, "stopping")
        assert run.end() == 1
    assert "Command first: stopped by Ctrl-C before its end" in run.said
    assert "Command first **creating failed**" in run.said
    assert "Traceback" not in run.said
    assert [entry["type"] for entry in offline.state()["pending_operations"]] == ["creating"]
    assert next_up(offline) == {"first": "create", "second": "create"}


def test_a_stopped_update_is_done_again_although_nothing_differs(offline: OfflineStack) -> None:
    """Nobody knows how far it came."""
    assert next_up(offline)["first"] == "create"
    with running(offline, CLEARS_UP) as run:
        run.send(signal.SIGINT, "cancelling")
        run.send(signal.SIGINT, "stopping")
        assert run.end() == 1
    offline.program(TWO.format(script="true"))
    assert offline.preview().touched == {"first": "update"}
    assert next_up(offline) == {"first": "update"}
    assert offline.preview().ops == {}


def test_an_unfinished_update_that_fails_again_stays_unfinished(offline: OfflineStack) -> None:
    program = """lab.command("first", 'test "$WORD" != {bad}', environment={{"WORD": "{word}"}})"""
    offline.program(program.format(word="one", bad="none"))
    assert offline.up().ok
    state = offline.root / ".pulumi-state" / "offline" / "test.json"
    unfinished = {"resource": offline.resource("first"), "type": "updating"}
    text = state.read_text("utf-8").replace(
        '"pending_operations": []', f'"pending_operations": [{json.dumps(unfinished)}]'
    )
    state.write_text(text, "utf-8")
    offline.program(program.format(word="one", bad="one"))
    assert not offline.up().ok
    offline.program(program.format(word="one", bad="none"))
    assert offline.up().touched == {"first": "update"}


def test_the_third_one_ends_everything_at_once(offline: OfflineStack) -> None:
    with running(offline, STAYS) as run:
        run.send(signal.SIGINT, "cancelling")
        run.send(signal.SIGINT, "stopping")
        run.process.send_signal(signal.SIGINT)
        assert run.end() == 130
    assert "Traceback" not in run.said
    wait_until("the command is gone, as it must when it is killed", lambda: not is_running(int(run.word)))
    assert next_up(offline)["first"] == "create"


def is_running(pid: int) -> bool:
    """Whether there is such a process, other than as a zombie that its parent has still to wait for."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def test_a_run_whose_words_nobody_reads_comes_to_its_end(offline: OfflineStack) -> None:
    """`maillab up | head -1`: what reads is gone before the first command has ended."""
    with running(offline, WAITS) as run:
        assert run.process.stdout
        run.process.stdout.close()
        (offline.root / "go").write_text("go\n", "utf-8")
        assert run.process.wait() == 0
    offline.program(TWO.format(script=f"cd {offline.root}; {WAITS}"))
    assert offline.preview().ops == {}


def test_a_destruction_whose_words_nobody_reads_comes_to_its_end(offline: OfflineStack) -> None:
    offline.program('lab.volume("one")\nlab.volume("two")\nlab.network("lan")')
    assert offline.up().ok
    ours, theirs = os.pipe()
    os.close(ours)
    words = [sys.executable, "-m", "maillab.offline", "destroy", "--yes", "--cwd", str(offline.root)]
    done = subprocess.run(words, env=ENVIRONMENT, stdout=theirs, stderr=subprocess.PIPE, check=False)
    os.close(theirs)
    assert (done.returncode, done.stderr) == (0, b"")
    assert offline.state()["resources"] == []
    assert offline.names("volumes") | offline.names("networks") == set()
