"""The map of the county's tutorial: no line of the page is missing, and what it claims is so."""

import functools
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence

import pytest

from maillab.tutorial.library import tutorial
from maillab.tutorial.row import Row, State, Verdict
from tests.golden.rendering import rendered
from tests.reference.configuration import sections as keys_of_sections
from tests.support.documents import ROOT
from tests.support.tutorial_page import Kind, digest, page

SECTIONS = tutorial(ROOT).sections
LINES = dict(enumerate(page(), start=1))
# What has no Chinese on the page, and is neither configuration nor a command nor printed by one.
HEADINGS = {1, 21, 452, 455, 506, 550}
ELLIPSES = {39, 40, 271, 313, 405, 423, 426}
PICTURES = {448, 450}
ROWS = [row for section in SECTIONS.values() for row in section.rows]
SHOWN = [row for row in ROWS if row.tests]
WITH_FILE = [row for row in SHOWN if row.file]


def each(rows: Sequence[Row]) -> pytest.MarkDecorator:
    """A test for each of the rows."""
    return pytest.mark.parametrize("row", rows, ids=lambda row: f"line {min(row.printed)}")


def numbers() -> set[int]:
    """Every line that a row is about."""
    return {number for row in ROWS for number in row.printed}


def output() -> set[int]:
    """Every line that a program prints."""
    found = [section.output for section in SECTIONS.values() if section.output]
    return {number for first, last in found for number in range(first, last + 1)}


def test_sections_follow_each_other_to_the_last_line() -> None:
    spans = [(section.first, section.last) for section in SECTIONS.values()]
    assert [first for first, _ in spans] == [1, *(last + 1 for _, last in spans[:-1])]
    assert spans[-1][1] == len(LINES)


def test_no_configuration_line_and_no_command_is_missing() -> None:
    wanted = {number for number, (kind, _) in LINES.items() if kind in (Kind.PROMPT, Kind.PLAIN)}
    assert len(wanted) > 150
    assert wanted - numbers() - output() == HEADINGS | ELLIPSES | PICTURES


def test_no_command_is_output() -> None:
    assert {LINES[number][0] for number in output()} == {Kind.PLAIN}
    assert output().isdisjoint(numbers())


@each(ROWS)
def test_lines_are_those_of_the_page(row: Row) -> None:
    assert {number: digest(text) for number, text in row.printed.items()} == {
        number: LINES[number][1] for number in row.printed
    }


def test_each_line_has_one_row_in_its_section() -> None:
    assert [number for number, count in Counter(n for row in ROWS for n in row.printed).items() if count > 1] == []
    for section in SECTIONS.values():
        assert all(section.first <= number <= section.last for row in section.rows for number in row.printed)
        firsts = [min(row.printed) for row in section.rows]
        assert firsts == sorted(firsts)


@each(ROWS)
def test_what_works_has_a_test_and_what_is_not_there_has_none(row: Row) -> None:
    assert bool(row.tests) is (row.state is State.WORKS) or row.state is State.GONE
    assert row.machines or row.key or row.state is State.GONE


@each(ROWS)
def test_what_is_otherwise_says_why(row: Row) -> None:
    assert row.note or not (row.today or row.verdict is Verdict.GONE)


def test_all_verdicts_are_there() -> None:
    """The control. In the end no line is `not-yet`."""
    assert {row.verdict for row in ROWS} >= {Verdict.AS_PRINTED, Verdict.CHANGED, Verdict.GONE}


def collected(names: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """pytest's answer to these names of tests, which it runs not."""
    words = [sys.executable, "-m", "pytest", "-n", "0", "-p", "no:cacheprovider", "--collect-only", "-q", *names]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
    return subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_tests_that_are_named_are_there() -> None:
    done = collected(sorted({name for row in ROWS for name in row.tests}))
    assert done.returncode == 0, done.stderr


def test_test_that_is_not_there_is_named() -> None:
    """The control."""
    missing = "tests/e2e/test_onehost.py::test_that_nobody_wrote"
    done = collected(["tests/unit/test_facts.py", missing])
    assert done.returncode != 0
    assert f"not found: {ROOT / missing}" in done.stderr


def short(line: str) -> str:
    """A line with single blanks, and a zone's names without its domain."""
    words = " ".join(line.split())
    return re.sub(r"^dc1es\.tnc\.edu\.tw\. ", "@ ", words).replace(".dc1es.tnc.edu.tw. ", " ")


@functools.cache
def of_stack(stack: str) -> dict[str, str]:
    """`<machine>/<path>` to text of what is rendered for the stack."""
    return rendered(stack)


def files(row: Row) -> dict[str, str]:
    """The row's file on each of its machines, as it is rendered or as an image has it."""
    images = [path.read_text("utf-8") for path in ROOT.glob(f"files/*/image{row.file}")]
    found = {name: of_stack(row.stack).get(f"{name}{row.file}", next(iter(images), "")) for name in row.machines}
    return {name: text for name, text in found.items() if text}


@each(WITH_FILE)
def test_lines_stand_where_the_map_says(row: Row) -> None:
    lines = [short(line) for line in row.today.splitlines()] if row.today else list(map(short, row.printed.values()))
    for name, text in files(row).items():
        there = [short(line) for line in text.splitlines()]
        missing = [line for line in lines if not any(one == line or one.startswith(f"{line} ") for one in there)]
        assert missing == [], f"{name}: {row.file}"


def test_files_are_found() -> None:
    """The control: what is not rendered comes with a Debian package, which these tests do not have."""
    assert len([row for row in WITH_FILE if files(row)]) > 15


@each([row for row in SHOWN if row.key])
def test_keys_are_those_of_a_stacks_file(row: Row) -> None:
    known = {key for keys in keys_of_sections().values() for key in keys}
    assert set((row.key or "").split(", ")) <= known


@each(SHOWN)
def test_machines_are_those_of_the_stack(row: Row) -> None:
    assert set(row.machines) <= {path.split("/")[0] for path in of_stack(row.stack)}


@each([row for row in ROWS if row.note])
def test_note_is_in_both_languages(row: Row) -> None:
    assert row.note
    assert row.note.en.isascii() or "◎" in row.note.en
    assert re.search(r"[\u4e00-\u9fff]", row.note.zh)
