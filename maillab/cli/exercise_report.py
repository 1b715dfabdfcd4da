"""`maillab exercise report`: who did which exercise, and how."""

from __future__ import annotations

import csv as comma_separated
import io
import json
import sys
from dataclasses import asdict
from pathlib import Path

import typer
from rich.console import Console
from rich.table import Table

from maillab.cli.text import printable, text
from maillab.exercises.progress import Book, Progress, stacks_with_exercises

# What Excel knows UTF-8 by.
MARK = "\ufeff"
# Moodle matches a column of the file with the user's ID number; the rest are grades and what it calls feedback.
COLUMNS = ("ID number", "Exercise", "Grade", "Stack", "Minutes", "Checks", "Hints", "Solved", "Given up")


def show_report(root: Path, *, as_json: bool, as_csv: bool) -> None:
    """On the standard output."""
    found = rows(root)
    if as_json:
        typer.echo(json.dumps([_json(one) for one in found], indent=1, ensure_ascii=False))
    elif as_csv:
        sys.stdout.buffer.write(as_csv_text(found).encode())
    elif not found:
        typer.echo(text("exercise-none-yet"))
    else:
        head = [
            text(f"report-{name}") for name in ("student", "stack", "exercise", "minutes", "checks", "hints", "points")
        ]
        table = Table(*head, box=None, pad_edge=False)
        for one in found:
            table.add_row(*map(printable, _cells(one)))
        Console(highlight=False, emoji=False).print(table, markup=False)


def rows(root: Path) -> list[Progress]:
    """All exercises of all stacks of this folder, the oldest first."""
    found: list[Progress] = []
    for stack in stacks_with_exercises(root):
        book = Book(root=root, stack=stack)
        found += book.ended()
        if (running := book.current()) is not None:
            found.append(running)
    return sorted(found, key=lambda one: one.started)


def _cells(one: Progress) -> list[str]:
    points = str(one.points) if one.solved or one.ended else text("report-running")
    return [
        one.student or "-",
        one.stack,
        one.name,
        f"{one.minutes:.0f}",
        str(len(one.checks)),
        str(len(one.shown)),
        points,
    ]


def _json(one: Progress) -> dict[str, object]:
    kept = asdict(one)
    for key in ("facts", "messages", "touched"):
        del kept[key]
    return kept | {"minutes": round(one.minutes, 1), "points": one.points}


def as_csv_text(found: list[Progress]) -> str:
    """As Moodle imports grades, with the mark by which Excel knows UTF-8."""
    file = io.StringIO(newline="")
    writer = comma_separated.writer(file)
    writer.writerow(COLUMNS)
    for one in found:
        counts = (one.points, one.stack, round(one.minutes, 1), len(one.checks), len(one.shown))
        writer.writerow([_harmless(one.student), one.name, *counts, one.solved, one.given_up])
    return MARK + file.getvalue()


def _harmless(words: str) -> str:
    """A spreadsheet would calculate what begins so."""
    return f"'{words}" if words[:1] in "=+-@\t\r" and words else words
