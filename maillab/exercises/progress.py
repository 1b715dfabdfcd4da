"""How far a student is: kept outside the machines, in the project's state folder, one exercise at a time."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from maillab.offline.files import make_folder, prepared
from maillab.where.known import STATE

PER_HINT, PER_CHECK, LEAST = 10, 5, 40  # points that a hint and a check too many cost, and the least for a solution
ALL = 100


@dataclass(slots=True, kw_only=True)
class Check:
    """One check: what was missed, what else was broken, whether all was well; `unknown`: not looked at."""

    when: str
    missed: list[str]
    broken: list[str]
    unknown: list[str] = field(default_factory=list)
    solved: bool = False


@dataclass(slots=True, kw_only=True)
class Progress:
    """One exercise of one student in one lab. Times are ISO 8601 in UTC.

    `messages`: name to the Message-IDs that the exercise sent. `touched`: machines that the fault is on. `facts`: what
    of each machine was in no file before. `hints`: how many were shown, the last one `hint`. `given_up`: why.
    """

    name: str
    stack: str
    student: str
    started: str
    messages: dict[str, list[str]] = field(default_factory=dict)
    touched: list[str] = field(default_factory=list)
    facts: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    checks: list[Check] = field(default_factory=list)
    shown: list[int] = field(default_factory=list)
    solution_shown: bool = False
    given_up: str = ""
    solved: str = ""
    ended: str = ""

    def give_up(self, why: str) -> None:
        """What comes from now on is no solution of the student's own, if there is none yet."""
        if not self.solved:
            self.given_up = self.given_up or why

    @property
    def minutes(self) -> float:
        """From the start to the solution, or to the end; else to the last check."""
        last = self.solved or self.ended or (self.checks[-1].when if self.checks else self.started)
        return (datetime.fromisoformat(last) - datetime.fromisoformat(self.started)).total_seconds() / 60

    @property
    def points(self) -> int:
        """Of 100: nothing without a solution of the student's own; ten less for a hint, five for a failed check."""
        if not self.solved or self.given_up:
            return 0
        failed = sum(not check.solved and not check.unknown for check in self.checks)
        return max(LEAST, ALL - PER_HINT * len(self.shown) - PER_CHECK * max(failed - 1, 0))


def now() -> str:
    """The time as it is noted."""
    return datetime.now(UTC).isoformat(timespec="seconds")


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """Where a stack's exercises are noted."""

    root: Path
    stack: str

    @property
    def folder(self) -> Path:
        """What belongs to this stack's exercises."""
        return self.root / STATE / "exercises" / self.stack

    @property
    def stack_file(self) -> Path:
        """The student's stack file."""
        return self.root / f"Pulumi.{self.stack}.yaml"

    def current(self) -> Progress | None:
        """The exercise that runs (or has been solved and not ended yet)."""
        try:
            return _progress(json.loads((self.folder / "current.json").read_text("utf-8")))
        except FileNotFoundError:
            return None

    def save(self, progress: Progress) -> None:
        """Note the exercise that runs. Raises OSError."""
        self.write("current.json", json.dumps(asdict(progress), ensure_ascii=False, indent=1))

    def end(self, progress: Progress, why: str) -> None:
        """It runs no more, and is kept for the report; unsolved, it is given up for `why`. Raises OSError."""
        progress.give_up(why)
        progress.ended = now()
        done = [*(asdict(one) for one in self.ended()), asdict(progress)]
        self.write("ended.json", json.dumps(done, ensure_ascii=False, indent=1))
        (self.folder / "current.json").unlink(missing_ok=True)

    def ended(self) -> list[Progress]:
        """The exercises that were ended, the oldest first."""
        try:
            return [_progress(one) for one in json.loads((self.folder / "ended.json").read_text("utf-8"))]
        except FileNotFoundError:
            return []

    def write(self, name: str, text: str) -> None:
        """A file of the exercise's own; whole or not at all. Raises OSError."""
        make_folder((self.folder / name).parent)
        with prepared(self.folder / name, text) as new:
            new.put()

    def read(self, name: str) -> str | None:
        """What `write` wrote."""
        try:
            return (self.folder / name).read_text("utf-8")
        except FileNotFoundError:
            return None


def _progress(data: Mapping[str, Any]) -> Progress:
    return Progress(**{**data, "checks": [Check(**one) for one in data["checks"]]})


def stacks_with_exercises(root: Path) -> list[str]:
    """The stacks of this folder in which exercises were started."""
    return sorted(path.name for path in (root / STATE / "exercises").glob("*") if path.is_dir())
