"""The page of the county's tutorial, line by line: `docs/tutorial.yaml`, in the words of `maillab tutorial`."""

from collections import Counter
from collections.abc import Iterator

from maillab.cli.text import text
from maillab.cli.tutorial import numbers, tests_by_file, texts, title, where
from maillab.tutorial.library import tutorial
from maillab.tutorial.row import Row, Section, Verdict
from tests.reference.words import cell, table, word
from tests.support.documents import ROOT
from tests.support.language import speaking

UP = "../../.."  # from the page to the project's folder


def page(language: str) -> list[str]:
    """Its lines."""
    with speaking(language):
        return list(_lines(language))


def _lines(language: str) -> Iterator[str]:
    sections = tutorial(ROOT).sections
    counts = Counter(row.verdict for section in sections.values() for row in section.rows for _ in row.printed)
    yield from (f"# {word(language, 'tutorial-map')}", "", word(language, "made"), "")
    yield from (word(language, "about-tutorial-map"), "")
    for verdict in Verdict:
        about = word(language, f"about-{verdict}")
        name = text(f"verdict-{verdict}")
        yield f"- {word(language, 'count', verdict=name, count=counts[verdict], about=about)}"
    head = tuple(word(language, key) for key in ("line", "printed", "verdict", "place", "instead", "tests"))
    for section in sections.values():
        yield from ("", f"## {_heading(section)}", "")
        rows = [_row(language, row) for row in section.rows]
        yield from table(head, *rows) if rows else [word(language, "no-lines")]


def _heading(section: Section) -> str:
    return section.heading if title(section) == section.heading else f"{section.heading} ({section.title})"


def _row(language: str, row: Row) -> tuple[str, ...]:
    today = [_code(line) for line in (row.today or "").splitlines()]
    note = [cell(str(row.note))] if row.note else []
    tests = [
        word(language, "tests-in", file=f"[{path.rpartition('/')[2]}]({UP}/{path})", names=_codes(names))
        for path, names in tests_by_file(row)
    ]
    printed = "<br>".join(map(_code, texts(row)))
    cells = (numbers(row), printed, text(f"verdict-{row.verdict}"), where(row, "`"), "<br>".join([*today, *note]))
    return (*cells, "<br>".join(tests))


def _codes(names: list[str]) -> str:
    return text("tutorial-comma").join(map(_code, names))


def _code(line: str) -> str:
    """A line as code in a cell."""
    return f"`{line}`".replace("|", "\\|")
