"""The page of the commands: `make` by its help, `maillab` by what its command line says of itself."""

import re
from collections.abc import Iterator
from typing import Any

import typer.main

from maillab.cli.app import app
from tests.reference.words import cell, table, translated, word
from tests.support.documents import ROOT

# A command and a parameter as click has them; typer brings a click of its own, or not.
Click = Any
TARGET = re.compile(r"(?m)^([a-z0-9-]+):.*?## (.*)$")


def page(language: str) -> list[str]:
    """Its lines."""
    lines = [f"# {word(language, 'commands')}", "", word(language, "made"), "", "## make", ""]
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    rows: list[tuple[str, ...]] = [
        (f"`make {name}`", cell(translated(language, said)))
        for name, said in TARGET.findall(makefile)
        if name != "help"
    ]
    lines += [*table((word(language, "command"), word(language, "meaning")), *rows), "", word(language, "stack")]
    for path, command in _commands("maillab", typer.main.get_command(app)):
        lines += ["", f"## {path}", "", translated(language, " ".join((command.help or "").split()))]
        rows = [_parameter(language, parameter) for parameter in command.params if parameter.name != "help"]
        if rows:
            head = tuple(word(language, key) for key in ("option", "default", "meaning"))
            lines += ["", *table(head, *rows)]
    return lines


def words() -> set[str]:
    """What the command line and `make` say in their helps."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    said = {text for name, text in TARGET.findall(makefile) if name != "help"}
    for _, command in _commands("maillab", typer.main.get_command(app)):
        said.add(" ".join((command.help or "").split()))
        said |= {getattr(one, "help", None) or "" for one in command.params if one.name != "help"}
    return said - {""}


def options() -> dict[str, set[str]]:
    """Each command of `maillab`, as it is typed, with its options; and each target of `make`."""
    found = {path: _options(command) for path, command in _commands("maillab", typer.main.get_command(app))}
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    return found | {f"make {name}": set() for name, _ in TARGET.findall(makefile)}


def _options(command: Click) -> set[str]:
    return {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}


def _commands(path: str, command: Click) -> Iterator[tuple[str, Click]]:
    """The command and those below it, each with what is typed."""
    yield path, command
    for name, inner in getattr(command, "commands", {}).items():
        yield from _commands(f"{path} {name}", inner)


def _parameter(language: str, parameter: Click) -> tuple[str, ...]:
    names = [*parameter.opts, *parameter.secondary_opts]
    said = getattr(parameter, "help", None) or ""
    if parameter.param_type_name != "option":
        wanted = word(language, "required") if parameter.required else ""
        return f"`{parameter.metavar or parameter.name.upper()}`", wanted, cell(translated(language, said))
    variable = f" (`{parameter.envvar}`)" if parameter.envvar else ""
    given = parameter.default
    default = f"`{given}`" if given not in (None, False, True) and not callable(given) else ""
    return ", ".join(f"`{name}`" for name in names), default, cell(translated(language, said)) + variable
