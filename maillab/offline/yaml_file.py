"""YAML as people write it: what no program can use is an error with its place, before anything is made of it.

Of a key that is there twice (the last one would count), of a list that holds itself, of a thousand lists in each
other, or of a few lines that say a million values, PyYAML makes a value without a word, or a crash.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import yaml

from maillab.offline.values import OfflineError, Props, Value

if TYPE_CHECKING:
    from pathlib import Path

_LOADER: Value = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # in C when it is there: ten times faster
# What JSON has too: configuration reaches the program as JSON. A merge (<<) is gone once it has been read.
TYPES = {f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "seq", "map", "merge")}
KINDS = {"timestamp": "a date", "binary": "binary data", "set": "a set"}
DEEPEST = 100
"""So many lists and mappings may lie in each other."""
LARGEST = 1_000_000
"""So many values may be in a file, those that anchors repeat counted each time."""


def read_yaml(path: Path) -> Props:
    """The file's mapping; empty when the file is. Raises OfflineError with the place of what is wrong."""
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError as error:
        raise OfflineError(f"{path}: no such file; run from the project's folder or give --cwd") from error
    except (OSError, UnicodeDecodeError) as error:
        raise OfflineError(f"{path}: can't be read: {getattr(error, 'strerror', None) or error}") from error
    try:
        _refuse_endless(path, text)
        data = _load(path, text)
    except (yaml.YAMLError, ValueError) as error:  # the second one for a number or a date that there can't be
        raise OfflineError(f"{path}: not valid YAML: {error}") from error
    if data is not None and not isinstance(data, dict):
        raise OfflineError(f"{path}: it is {_kind(data)}, and must be a mapping (`key: value` lines)")
    return data or {}


def mapping(path: Path, data: Props, key: str) -> Props:
    """The mapping under `key`, empty without one. Raises OfflineError when there is something else."""
    found = data.get(key)
    if found is not None and not isinstance(found, dict):
        raise OfflineError(f"{path}: `{key}` is {_kind(found)}, and must be a mapping")
    return found or {}


def _load(path: Path, text: str) -> Value:
    loader = _LOADER(text)
    try:
        node = loader.get_single_node()
        for fault in () if node is None else _faults(node, set()):
            raise OfflineError(f"{path}, {fault}")
        return None if node is None else loader.construct_document(node)
    finally:
        loader.dispose()


def _faults(node: yaml.Node, done: set[int]) -> Iterator[str]:
    """What is wrong in `node`, each with its line. `done`: what an anchor has brought before."""
    if id(node) in done:
        return
    done.add(id(node))
    if node.tag not in TYPES:
        kind = node.tag.rpartition(":")[2]
        what = f"{node.value} is" if isinstance(node, yaml.ScalarNode) else "this is"
        yield f"line {node.start_mark.line + 1}: {what} {KINDS.get(kind, kind)} to YAML; write it in quotes"
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _faults(item, done)
    if isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
                if key.value in seen:
                    yield f"line {key.start_mark.line + 1}: duplicate key {key.value!r}"
                seen.add(key.value)
            yield from _faults(key, done)
            yield from _faults(value, done)


def _kind(value: Any) -> str:  # noqa: ANN401 (of any kind)
    names = {"list": "a list", "str": "a text", "int": "a number", "float": "a number", "bool": "true or false"}
    names |= {"date": "a date", "datetime": "a date", "bytes": "binary data", "set": "a set", "tuple": "a list"}
    return names.get(type(value).__name__, type(value).__name__)


def _refuse_endless(path: Path, text: str) -> None:
    """Raise OfflineError when the file nests too deep, refers to itself, or says too much by its anchors."""
    sizes: dict[str, int] = {}  # values under each anchor
    opened: list[tuple[str | None, int]] = []  # the anchors of what is open here, and the values before each
    total = 0
    for event in yaml.parse(text, _LOADER):
        anchor = getattr(event, "anchor", None)
        if isinstance(event, yaml.AliasEvent):
            if any(anchor == name for name, _ in opened):
                raise OfflineError(f"{_place(path, event)}: *{anchor} refers to what it stands in; write it out")
            total += sizes.get(str(anchor), 0)
        elif isinstance(event, yaml.CollectionEndEvent):
            name, before = opened.pop()
            sizes |= {name: total - before} if name else {}
        elif isinstance(event, yaml.NodeEvent):
            total += 1
            sizes |= {anchor: 1} if anchor else {}
            if isinstance(event, yaml.CollectionStartEvent):
                opened.append((anchor, total - 1))
        if len(opened) > DEEPEST:
            raise OfflineError(f"{_place(path, event)}: more than {DEEPEST} lists and mappings lie in each other")
        if total > LARGEST:
            raise OfflineError(f"{_place(path, event)}: more than {LARGEST:,} values, anchors (&, *) counted each time")


def _place(path: Path, event: yaml.Event) -> str:
    return f"{path}, line {event.start_mark.line + 1 if event.start_mark else '?'}"
