"""`maillab tutorial`: the county's tutorial, line by line, and where each line is in the lab. Nothing is asked."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any

import typer

from components.config.catalogue import CHINESE, language
from maillab.cli.text import text
from maillab.cli.wrapped import Line, padded, print_lines, widths
from maillab.tutorial.row import Row, Section, Verdict

STYLES = {Verdict.AS_PRINTED: "green", Verdict.CHANGED: "yellow", Verdict.NOT_YET: "dim", Verdict.GONE: "red"}
BELOW = 2  # columns that what belongs to a row is further to the right
USUAL_STACK = "dc1es"


def sections_of(context: typer.Context) -> list[str]:  # noqa: ARG001 (typer gives it)
    """The sections that there are, for completion."""
    from maillab.cli.stack import ROOT  # noqa: PLC0415

    return list(_sections(ROOT))


def tutorial(
    context: typer.Context,
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="SECTION", help="Its lines; without a name, which sections there are.", autocompletion=sections_of
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for programs.")] = False,
) -> None:
    """Show where each line of the county's tutorial is in the lab, whether it works as printed, and what replaces it.

    It needs no lab and no Docker engine.
    """
    from rich.console import Console  # noqa: PLC0415

    sections = _sections(context.find_root().obj.stack.root)
    if name is not None:
        sections = {name: _found(sections, name)}
    if as_json:
        rows = [row_json(one, section, row) for one, section in sections.items() for row in section.rows]
        typer.echo(json.dumps(rows, indent=1, ensure_ascii=False))
        return
    lines = overview(sections) if name is None else section_lines(sections[name])
    console = Console(highlight=False, emoji=False)
    console.width = min(console.width, 80)
    print_lines(lines, console)


def _sections(root: Path) -> Mapping[str, Section]:
    from maillab.cli.problem import MaillabError  # noqa: PLC0415
    from maillab.tutorial.library import TutorialError  # noqa: PLC0415
    from maillab.tutorial.library import tutorial as read_tutorial  # noqa: PLC0415

    try:
        return read_tutorial(root).sections
    except TutorialError as error:
        raise MaillabError(str(error)) from error


def _found(sections: Mapping[str, Section], name: str) -> Section:
    from maillab.cli.problem import failed, suggesting  # noqa: PLC0415

    if name not in sections:
        raise suggesting(failed("no-tutorial-section", name=name, names=", ".join(sections)), name, sections)
    return sections[name]


def title(section: Section) -> str:
    """The section's name in the reader's language; the page has it in Chinese only."""
    return section.heading if language() == CHINESE else section.title


def overview(sections: Mapping[str, Section]) -> Iterator[Line]:
    """How many lines of each section are how; then the sections' headings."""
    rows = [[text("tutorial-section"), *(text(f"verdict-{one}") for one in Verdict), text("tutorial-title")]]
    for name, section in sections.items():
        counts = Counter(row.verdict for row in section.rows for _ in row.printed)
        rows.append([name, *(str(counts[one] or "-") for one in Verdict), title(section)])
    columns = widths([row[:-1] for row in rows])
    for number, row in enumerate(rows):
        yield Line("  ".join([*padded(row[:-1], columns), row[-1]]), style="" if number else "bold")
    yield Line()
    yield Line(text("tutorial-next"))


def section_lines(section: Section) -> Iterator[Line]:
    """The section's rows."""
    heading = section.heading if language() == CHINESE else f"{section.heading} ({section.title})"
    yield Line(heading, style="bold")
    if not section.rows:
        yield Line(text("tutorial-nothing-typed"))
    for row in section.rows:
        yield Line()
        yield from row_lines(row)


def row_lines(row: Row) -> Iterator[Line]:
    """A row: which lines, how they are and where; what is printed, what takes its place, why, and which tests."""
    key = "tutorial-lines" if len(row.printed) > 1 else "tutorial-line"
    head = [text(key, numbers=numbers(row)), text(f"verdict-{row.verdict}"), where(row)]
    yield Line("  ".join(filter(None, head)), style=STYLES[row.verdict])
    for words in texts(row):
        yield Line(words, BELOW)
    if row.today:
        yield Line(text("tutorial-today"))
        for words in row.today.splitlines():
            yield Line(words, BELOW)
    if row.note:
        yield Line(text("tutorial-note", note=row.note))
    for path, names in tests_by_file(row):
        yield Line(path, BELOW)
        for name in names:
            yield Line(name, 2 * BELOW)


def texts(row: Row) -> list[str]:
    """What is printed there; once, what stands there several times."""
    return list(dict.fromkeys(row.printed.values()))


def numbers(row: Row) -> str:
    """The row's lines on the page, those in a row as first and last: 63-69, 79."""
    found = []
    for _, group in groupby(enumerate(sorted(row.printed)), lambda pair: pair[1] - pair[0]):
        members = [number for _, number in group]
        found.append(str(members[0]) if len(members) == 1 else f"{members[0]}-{members[-1]}")
    return text("tutorial-comma").join(found)


def where(row: Row, code: str = "") -> str:
    """Where the row's lines stand, or are typed; nothing of what is not there yet. `code`: around names, for a page."""
    if row.verdict is Verdict.NOT_YET:
        return ""
    file, key, of = (f"{code}{value}{code}" for value in (row.file, row.key, row.stack))
    machines = text("tutorial-comma").join(f"{code}{name}{code}" for name in row.machines)
    place = ""
    if machines:
        place = (
            text("tutorial-in-file", machines=machines, file=file)
            if row.file
            else text("tutorial-on", machines=machines)
        )
    if row.key:
        key = text("tutorial-key", key=key)
        place = text("tutorial-also", place=place, key=key) if place else key
    return place if row.stack == USUAL_STACK else text("tutorial-of-stack", place=place, of=of)


def tests_by_file(row: Row) -> Iterator[tuple[str, list[str]]]:
    """The files with the row's tests, and the tests in each."""
    pairs: Iterable[tuple[str, str]] = ((path, name) for path, _, name in (one.partition("::") for one in row.tests))
    for path, group in groupby(sorted(pairs), lambda pair: pair[0]):
        yield path, [name for _, name in group]


def row_json(name: str, section: Section, row: Row) -> dict[str, Any]:
    """A row for programs. Where it stands is empty while it is not there."""
    there = row.verdict is not Verdict.NOT_YET
    return {
        "section": name,
        "heading": section.heading,
        "title": section.title,
        "printed": [{"line": number, "text": words} for number, words in row.printed.items()],
        "state": str(row.verdict),
        "stack": row.stack if there else None,
        "machines": list(row.machines) if there else [],
        "file": row.file if there else None,
        "key": row.key if there else None,
        "today": row.today.splitlines() if row.today else [],
        "note": str(row.note) if row.note else None,
        "tests": list(row.tests),
    }
