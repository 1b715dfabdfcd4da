"""What is noted of an exercise, and what it is worth."""

from pathlib import Path

import pytest

from maillab.cli.exercise_report import as_csv_text, rows
from maillab.exercises.progress import Book, Check, Progress


def progress(**values: object) -> Progress:
    known = {"name": "quota", "stack": "dc1es", "student": "王小明", "started": "2026-11-30T08:00:00+00:00"}
    return Progress(**known | values)  # type: ignore[arg-type]


def check(*missed: str, solved: bool = False) -> Check:
    return Check(when="2026-11-30T08:10:00+00:00", missed=list(missed), broken=[], solved=solved)


@pytest.mark.parametrize(
    ("checks", "hints", "given_up", "points"),
    [
        ([check(solved=True)], 0, "", 100),
        ([check("a"), check(solved=True)], 0, "", 100),
        ([check("a"), check("a"), check(solved=True)], 0, "", 95),
        ([check(solved=True)], 2, "", 80),
        ([*[check("a")] * 30, check(solved=True)], 3, "", 40),
        ([check(solved=True)], 0, "solution", 0),
    ],
)
def test_points(checks: list[Check], hints: int, given_up: str, points: int) -> None:
    solved = progress(checks=checks, shown=list(range(hints)), given_up=given_up, solved="2026-11-30T08:10:00+00:00")
    assert solved.points == points


def test_nothing_is_worth_nothing() -> None:
    assert progress(checks=[check("a")]).points == 0


def test_minutes_end_with_the_solution() -> None:
    solved = progress(solved="2026-11-30T08:12:30+00:00", ended="2026-11-30T09:00:00+00:00")
    assert solved.minutes == 12.5


def test_book_keeps_what_runs_and_what_has_ended(tmp_path: Path) -> None:
    book = Book(root=tmp_path, stack="dc1es")
    assert book.current() is None
    running = progress(checks=[check("a")], messages={"one": ["1@x"]})
    book.save(running)
    assert book.current() == running
    book.end(running, "stopped")
    assert running.given_up == "stopped"
    assert running.ended
    assert book.current() is None
    assert book.ended() == [running]
    assert rows(tmp_path) == [running]


def test_csv_is_what_excel_and_moodle_read() -> None:
    solved = progress(checks=[check(solved=True)], solved="2026-11-30T08:10:00+00:00")
    lines = as_csv_text([solved]).splitlines()
    assert lines[0] == "\ufeffID number,Exercise,Grade,Stack,Minutes,Checks,Hints,Solved,Given up"
    assert lines[1] == "王小明,quota,100,dc1es,10.0,1,0,2026-11-30T08:10:00+00:00,"


@pytest.mark.parametrize("student", ["=cmd|x", "+1", "-1", "@sum"])
def test_csv_calculates_nothing(student: str) -> None:
    assert f"\n'{student}," in as_csv_text([progress(student=student)])
