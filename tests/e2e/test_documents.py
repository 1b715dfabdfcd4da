"""The readme, the first lesson and the first hour, typed word for word: what they show is what a reader sees.

Left out by name: `make test`, of which this is a part, and the set-up that `make up` begins with.
"""

import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import docker
import pytest

from components.config.place import LOCAL
from driver.lab import ROOT, copy_project, free_carrier
from driver.machine import wait_until
from driver.place import WANTED
from tests.support.documents import Step, command, steps
from tests.support.typist import typing

STACK = "dc1es"  # the one that the commands mean when they name none
LEFT_OUT = {"make test"}
# Each is a session of many commands; the lab begins with nothing.
pytestmark = pytest.mark.timeout(900)


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """A clone of the project, and the terminal of somebody who sits before it."""

    folder: Path
    prefix: str
    environment: Mapping[str, str]

    def type(self, line: str) -> subprocess.CompletedProcess[str]:
        """Runs one line as it is printed."""
        return subprocess.run(
            ["bash", "-c", line],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    def follow(self, step: Step) -> None:
        """Does what the step says, and sees what it shows."""
        if step.edit:
            path = self.folder / step.edit
            path.write_text(step.edited(path.read_text(encoding="utf-8")), encoding="utf-8")
            return
        for line in step.commands[:-1]:
            self.succeed(step, line)
        last = step.commands[-1]
        if step.mark == "until":
            wait_until(f"{step.place}: `{last}` shows {step.expected}", lambda: self.shows(step, last), timeout=60)
        elif step.mark == "fails":
            done = self.type(last)
            assert done.returncode != 0, f"{step.place}: `{last}` should fail:\n{done.stdout}"
            assert missing(step, done.stdout) == [], f"{step.place}: `{last}` printed\n{done.stdout}"
        else:
            said = self.succeed(step, last)
            assert missing(step, said) == [], f"{step.place}: `{last}` printed\n{said}"

    def succeed(self, step: Step, line: str) -> str:
        """What a line prints that must succeed."""
        if command(line) in LEFT_OUT:
            return ""
        done = self.type(line)
        assert done.returncode == 0, f"{step.place}: `{line}` exited {done.returncode}:\n{done.stdout}"
        return done.stdout

    def shows(self, step: Step, line: str) -> bool:
        """Does it succeed, and is all there that the step shows?"""
        done = self.type(line)
        return done.returncode == 0 and missing(step, done.stdout) == []

    def left(self) -> list[str]:
        """The lab's containers that are there."""
        found = docker.from_env().containers.list(all=True, filters={"name": f"^/{self.prefix}"})
        return [str(container.name) for container in found]


def missing(step: Step, said: str) -> list[str]:
    """The lines that the step shows, and nobody said; how many blanks are between words does not matter."""
    seen = " ".join(said.split())
    return [line for line in step.expected if " ".join(line.split()) not in seen]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A clone whose lab has a prefix and a carrier of its own: no other lab is met, whatever its stack is called."""
    if WANTED != LOCAL:
        pytest.skip("the readme and the first hour are about a lab on this computer")
    prefix = f"documents-{secrets.token_hex(3)}-"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAILLAB_")}
    environment |= {"MAILLAB_ENGINE": "offline", "NO_COLOR": "1", "COLUMNS": "80", "MAILLAB_LANG": "en"}
    folder = tmp_path_factory.mktemp("documents") / "maillab"
    carrier = free_carrier(docker.from_env())
    copy_project(folder, STACK, STACK, {"prefix": prefix, "network": {"carrier": carrier}})
    shutil.copytree(ROOT / "bin", folder / "bin")
    shutil.copy2(ROOT / "Makefile", folder / "Makefile")
    (folder / "setup" / "run").write_text("#!/bin/sh\n", encoding="utf-8")
    desk = Desk(folder=folder, prefix=prefix, environment=environment)
    try:
        yield desk
    finally:
        done = desk.type("bin/maillab down --yes --keep-images")
        assert desk.left() == [], done.stdout


def test_readme_can_be_typed_word_for_word(desk: Desk) -> None:
    for step in steps(ROOT / "README.md"):
        desk.follow(step)


def test_first_lesson_can_be_typed_word_for_word(desk: Desk) -> None:
    """In Chinese, as a class has it; the English slides have the same commands (tests/unit/test_documents.py)."""
    desk = replace(desk, environment={**desk.environment, "MAILLAB_LANG": "zh-TW"})
    for step in steps(ROOT / "docs" / "zh-TW" / "slides" / "first-lesson.md"):
        desk.follow(step)


def test_exercise_is_done_at_a_terminal(desk: Desk) -> None:
    """As a student does it, in Chinese and in a shell on the machine."""
    assert desk.type("make up").returncode == 0
    with typing(desk.folder, {**desk.environment, "MAILLAB_LANG": "zh-TW"}) as student:
        assert "新同事收不到信" in student.run("bin/maillab exercise start new-colleague --student 11402")
        assert "新同事收不到信" in student.run("bin/maillab exercise status")
        assert "newaliases" not in student.run("bin/maillab exercise hint")
        untouched = student.run("bin/maillab exercise check; echo $?")
        assert "service@dc1es.tnc.edu.tw" in untouched
        assert untouched.splitlines()[-2] == "1"
        student.run("bin/maillab shell mail", prompt="root@mail:/# ")
        student.run("newaliases", prompt="root@mail:/# ")
        student.run("exit")
        assert student.run("bin/maillab exercise check; echo $?").splitlines()[-2] == "0"
        assert "new-colleague" in student.run("bin/maillab exercise report")
        assert student.run("bin/maillab exercise reset; echo $?").splitlines()[-2] == "0"
        assert "Traceback" not in student.seen


def test_tutorial_can_be_typed_word_for_word(desk: Desk) -> None:
    for step in steps(ROOT / "docs" / "en" / "tutorial.md"):
        desk.follow(step)
    assert desk.left() == []
