"""Output that nobody reads any more ends neither the run nor what it started."""

from __future__ import annotations

import errno
import io
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from maillab.offline.display import Display

ROOT = Path(__file__).parents[4]
GONE = """
import subprocess, sys
from maillab.offline.terminal import run_main

def main():
    print("first", flush=True)
    sys.stdin.readline()
    for _ in range(3):
        print("nobody reads this", flush=True)
        {more}
    return 7

sys.exit(run_main(main))
"""


def run_without_reader(program: str) -> tuple[int, str]:
    """Exit status and stderr of a program whose stdout nobody reads after its first line."""
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdin
        assert process.stdout
        assert process.stderr
        assert process.stdout.readline() == "first\n"
        process.stdout.close()
        process.stdin.write("go\n")
        process.stdin.close()
        said = process.stderr.read()
    return process.returncode, said


def test_a_program_comes_to_its_own_end() -> None:
    assert run_without_reader(GONE.format(more="pass")) == (7, "")


def test_what_it_starts_can_write_too() -> None:
    assert run_without_reader(GONE.format(more="subprocess.run(['seq', '100000'], check=True)")) == (7, "")


def test_without_this_it_ends_in_the_middle() -> None:
    """The control: the pipe is really closed."""
    _, said = run_without_reader(GONE.format(more="pass").replace("run_main(main)", "main()"))
    assert "BrokenPipeError" in said


def test_a_full_disk_is_a_failure_where_output_is_what_was_asked_for() -> None:
    program = "import sys; from maillab.offline.terminal import run_main; run_main(lambda: print(1, flush=True))"
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-c", program], cwd=ROOT, stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert b"No space left on device" in done.stderr


def test_ctrl_c_is_a_word() -> None:
    imports = "import os, sys; from maillab.offline.terminal import run_main"
    program = f"{imports}; sys.exit(run_main(lambda: os.kill(os.getpid(), 2)))"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "\ninterrupted\n")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_what_is_to_be_cleared_up_is_cleared_up_when_the_process_is_ended(number: int) -> None:
    program = (
        "import sys; from maillab.offline.terminal import run_main\n"
        "def main():\n"
        "    try:\n"
        "        print('runs', flush=True); sys.stdin.read()\n"
        "    finally:\n"
        "        print('cleared up', flush=True)\n"
        "sys.exit(run_main(main))\n"
    )
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, text=True, stdin=pipe, stdout=pipe, stderr=pipe
    ) as process:
        assert process.stdout
        assert process.stderr
        assert process.stdout.readline() == "runs\n"
        process.send_signal(number)
        assert (process.stdout.read(), process.stderr.read()) == ("cleared up\n", "")
    assert process.returncode == 128 + number


@pytest.mark.parametrize("module", ["maillab", "maillab.offline"])
def test_ctrl_c_while_modules_are_imported_says_nothing(module: str) -> None:
    """The first import after the packages' own is in the way of the rest, and tells so."""
    program = (
        "import os, runpy, sys\n"
        "class Finder:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name in ('maillab.cli.app', 'maillab.offline.engine'):\n"
        "            os.kill(os.getpid(), 2)\n"
        "sys.meta_path.insert(0, Finder())\n"
        f"runpy.run_module('{module}', run_name='__main__')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "")


@pytest.mark.parametrize("module", ["maillab", "maillab.offline"])
def test_the_command_line_outlives_its_reader(module: str) -> None:
    """More than a pipe holds is not needed: it is closed before anything is written."""
    ours, theirs = os.pipe()
    os.close(ours)
    done = subprocess.run(
        [sys.executable, "-m", module, "--help"], cwd=ROOT, stdout=theirs, stderr=subprocess.PIPE, check=False
    )
    os.close(theirs)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_display_goes_on_without_its_output() -> None:
    """A full disk under a log, a terminal that was closed: the run is what counts."""

    class Full(io.StringIO):
        def write(self, _text: str) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    shown = Display(out=Full())
    with shown.step("urn:pulumi:test::maillab::a:b:C::d", "create") as log:
        log("said")
    shown.summary({}, 1.0, dry_run=False)
    assert [step["op"] for step in shown.steps] == ["create"]


def test_a_closed_stdout_is_no_hindrance(monkeypatch: pytest.MonkeyPatch) -> None:
    """`maillab down >&-`"""
    monkeypatch.setattr("sys.stdout", None)
    shown = Display()
    with shown.progress():
        shown.say("said")
    shown.planned("urn:pulumi:test::maillab::a:b:C::d", "create")
    assert len(shown.steps) == 1


SIGNS = """
import sys
from maillab.offline.terminal import run_main

def main():
    print("→ 郵件 ✓")
    return 0

sys.exit(run_main(main))
"""


@pytest.mark.parametrize(
    ("encoding", "written"),
    [
        ("utf-8", "→ 郵件 ✓\n".encode()),
        ("big5", "→ 郵件 \\u2713\n".encode("big5")),
        ("ascii", rb"\u2192 \u90f5\u4ef6 \u2713" + b"\n"),
    ],
)
def test_signs_that_an_encoding_has_not_end_nothing(encoding: str, written: bytes) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SIGNS], cwd=ROOT, capture_output=True, check=False,
        env=os.environ | {"PYTHONIOENCODING": encoding},
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, written)
