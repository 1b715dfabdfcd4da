"""What a stack's file gives as `secure:` stays secret: the rendered files that hold it are secret files.

Pulumi opens such a value before the program sees it, and says of a whole key only that there is one in it. Where it is
stands in the file.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import yaml

from components.part import Blueprint, Part
from components.plan import Plan

MARK = "secure"


def secure_texts(file: Path, opened: Mapping[str, object]) -> frozenset[str]:
    """The texts that the stack's file gives as `secure:`, of the `opened` values by the file's own keys.

    A file that can't be read has none: the engine that read it before has said so.
    """
    try:
        text = file.read_text("utf-8")
        if MARK not in text:  # nearly all have none, and large ones are long to read
            return frozenset()
        closed = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (OSError, ValueError, yaml.YAMLError):
        return frozenset()
    config = closed.get("config") if isinstance(closed, dict) else None
    pairs = config.items() if isinstance(config, dict) else ()
    return frozenset(one for key, value in pairs for one in _opened(value, opened.get(str(key))) if one)


def _opened(closed: object, value: object) -> Iterator[str]:
    """The texts in `value` whose places are `secure:` in `closed`."""
    if isinstance(closed, dict) and set(closed) == {MARK}:
        yield from _leaves(value)
    elif isinstance(closed, dict) and isinstance(value, dict):
        for key, item in closed.items():
            yield from _opened(item, value.get(str(key)))
    elif isinstance(closed, list) and isinstance(value, list):
        for one, other in zip(closed, value, strict=False):
            yield from _opened(one, other)


def _leaves(value: object) -> Iterator[str]:
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _leaves(item)
    elif value is not None:
        yield str(value)


def hide(plan: Plan, texts: Collection[str]) -> Plan:
    """The plan in which every file that holds one of the texts is a secret file."""
    if not texts:
        return plan
    wanted = [text.casefold() for text in texts]  # names are rendered in small letters
    return replace(plan, machines={name: _hidden(machine, wanted) for name, machine in plan.machines.items()})


def _hidden(machine: Blueprint, wanted: Collection[str]) -> Blueprint:
    part = machine.part
    secret = {path: text for path, text in part.files.items() if any(one in text.casefold() for one in wanted)}
    public = {path: text for path, text in part.files.items() if path not in secret}
    hidden: Part = replace(part, files=public, secret_files={**part.secret_files, **secret})
    return replace(machine, part=hidden)
