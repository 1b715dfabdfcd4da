"""The page of all sentences about what is wrong, from the catalogues that program and command line speak with."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from components.config import catalogue
from maillab.cli import text
from tests.reference.words import cell, table, word

OF_THE_CONFIGURATION, OF_THE_COMMAND_LINE = catalogue.MESSAGES, text.MESSAGES
NO_PROBLEMS = {"phrase", "text"}


def page(language: str) -> list[str]:
    """Its lines."""
    lines = [f"# {word(language, 'problems')}", "", word(language, "made")]
    for where, name in ((OF_THE_CONFIGURATION, "configuration"), (OF_THE_COMMAND_LINE, "commands")):
        said = problems(catalogue.ENGLISH if language == "en" else catalogue.CHINESE, where)
        rows = [(f"`{id_}`", *(_lines(one.get(part, "")) for part in ("what", "remedy"))) for id_, one in said]
        head = tuple(word(language, key) for key in ("id", "what", "remedy"))
        lines += ["", f"## {word(language, name)}", "", word(language, f"about-{name}"), "", *table(head, *rows)]
    return lines


def problems(language: str, where: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each problem's id, with its sentences; several of one id where it has variants."""
    for id_, said in sorted(catalogue.catalogue(language, where).items()):
        variants = [said] if "what" in said else [one for _, one in sorted(said.items())]
        for one in variants if id_ not in NO_PROBLEMS else ():
            yield id_, one


def _lines(text: str) -> str:
    """A sentence as it is printed, line by line; a brace of its own stands twice in the catalogue (str.format)."""
    printed = text.replace("{{", "{").replace("}}", "}")
    return "<br>".join(cell(line) for line in printed.splitlines() if line.strip())
