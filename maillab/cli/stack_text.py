"""Changing single settings in the text of a stack file: all the rest, comments too, stays as it was written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import yaml

from maillab.offline.stack_file import full_name

CONFIG = "config"


@dataclass(frozen=True, slots=True)
class Span:
    """Where a value stands in the text, `end` excluded; `flow`: it is written in braces; `scalar`: it is one word."""

    start: int
    end: int
    flow: bool
    scalar: bool


def with_settings(text: str, project: str, settings: Mapping[str, str]) -> str:
    """The text of a stack file in which these settings of `project` have these values, in YAML.

    A key `a.b` is the key b in the mapping a, which is written as `{b: …}` if it is not there. Aliases are not
    followed: what reads the result finds out.
    """
    for key, value in settings.items():
        text = _with_setting(text, project, key, value)
    return text


def _with_setting(text: str, project: str, key: str, value: str) -> str:
    spans = {_named(project, path): span for path, span in _spans(text)}
    top, _, inner = key.partition(".")
    whole = f"{{{inner}: {value}}}" if inner else value
    if inner and (found := spans.get((CONFIG, full_name(project, top), inner))) and found.scalar:
        return _replaced(text, found, value)
    if found := spans.get((CONFIG, full_name(project, top))):
        return _replaced(text, found, whole)
    return _inserted(text, spans[(CONFIG,)], f"{full_name(project, top)}: {whole}")


def _named(project: str, path: tuple[str, ...]) -> tuple[str, ...]:
    """The path with the namespace of the setting, which may be left out in the file."""
    return (path[0], full_name(project, path[1]), *path[2:]) if len(path) > 1 else path


def _replaced(text: str, span: Span, value: str) -> str:
    before = text[: span.start]
    gap = "" if before.endswith((" ", "\n")) else " "  # of an empty value: `key:`
    return f"{before}{gap}{value}{text[span.end :]}"


def _inserted(text: str, config: Span, line: str) -> str:
    """The line as the first below `config:`."""
    if config.flow:
        return f"{text[: config.start + 1]}{line}, {text[config.start + 1 :]}"
    begin = text.rindex("\n", 0, config.start) + 1  # the first key's line
    indent = text[begin : config.start]
    head = text.rindex(f"{CONFIG}", 0, config.start)
    end = text.index("\n", head) + 1
    return f"{text[:end]}{indent}{line}\n{text[end:]}"


def _spans(text: str) -> Iterator[tuple[tuple[str, ...], Span]]:
    """The values of all keys below mappings alone, each with its path."""
    opened: list[_Open] = []
    last = 0  # where the last thing that is written ends; a block's own end comes after the comments below it
    for event in yaml.parse(text, yaml.SafeLoader):
        above = opened[-1] if opened else None
        if isinstance(event, yaml.CollectionStartEvent):
            last = max(last, _at(event.end_mark))
            path = above.path_of_value() if above else ()
            flow, is_mapping = bool(event.flow_style), isinstance(event, yaml.MappingStartEvent)
            opened.append(_Open(path, _at(event.start_mark), flow, is_mapping, is_root=above is None))
        elif isinstance(event, yaml.CollectionEndEvent):
            done = opened.pop()
            last = max(last, _at(event.end_mark)) if done.flow else last
            if done.path:
                yield done.path, Span(done.start, last, flow=done.flow, scalar=False)
        elif isinstance(event, (yaml.ScalarEvent, yaml.AliasEvent)) and above:
            last = max(last, _at(event.end_mark))
            if above.is_mapping and above.key is None:
                above.key = str(getattr(event, "value", ""))
            elif path := above.path_of_value():
                yield path, Span(_at(event.start_mark), _at(event.end_mark), flow=False, scalar=True)


@dataclass(slots=True)
class _Open:
    """A list or mapping that is being read; `path`: its keys, none for the file itself and what is in a list."""

    path: tuple[str, ...]
    start: int
    flow: bool
    is_mapping: bool
    is_root: bool = False
    key: str | None = None

    def path_of_value(self) -> tuple[str, ...]:
        """The path of the value that comes now; the key is used up."""
        key, self.key = self.key, None
        return (*self.path, key) if key is not None and (self.path or self.is_root) else ()


def _at(mark: object) -> int:
    """The place of a mark in the text."""
    return int(getattr(mark, "index", 0))
