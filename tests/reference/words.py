"""The words of the reference pages that the code does not have: `texts.toml`, each text in every language."""

import functools
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from maillab.cli.help import chinese

FILE = Path(__file__).with_name("texts.toml")


@functools.cache
def texts() -> Mapping[str, Any]:
    """All of them: section to key to [English, Chinese]."""
    return tomllib.loads(FILE.read_text(encoding="utf-8"))


def word(language: str, key: str, **values: object) -> str:
    """One of the pages' own words and sentences."""
    return str(texts()["page"][key][_column(language)]).format(**values)


def meaning(language: str, section: str, key: str) -> str:
    """What a key of the configuration means; empty when nobody has written it yet."""
    found = texts()["keys"].get(section, {}).get(key)
    return str(found[_column(language)]) if found else ""


def translated(language: str, english: str) -> str:
    """A text of the command line in the page's language; English where there is no other yet."""
    written = {**texts()["commands"], **chinese()["texts"]}
    return str(written.get(english, english)) if _column(language) else english


def cell(text: str) -> str:
    """A text as a cell of a table: on one line, with nothing that would end the cell or begin a tag."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def table(*rows: tuple[str, ...]) -> list[str]:
    """The rows as a table, the first one its head."""
    head, *others = rows
    return [_row(head), _row(("---",) * len(head)), *map(_row, others)]


def _row(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |".replace("|  |", "| |")


def _column(language: str) -> int:
    return 0 if language == "en" else 1
