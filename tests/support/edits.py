"""Configurations that differ from a good one in some places."""

import copy
from collections.abc import Iterator, Mapping
from typing import Any

REMOVED = object()
ADDED = "+"


def edited(data: Mapping[str, object], changes: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of `data` with `changes`: a path with dots (`schools.0.name`; a final `+` adds to a list) to its value."""
    result: Any = copy.deepcopy(data)
    for path, value in changes.items():
        *parents, last = path.split(".")
        place = result
        for key in parents:
            place = place[int(key) if isinstance(place, list) else key]
        if last == ADDED:
            place.append(copy.deepcopy(value))
        elif value is REMOVED:
            del place[int(last) if isinstance(place, list) else last]
        else:
            place[int(last) if isinstance(place, list) else last] = value
    assert isinstance(result, dict)
    return result


def places(data: object, path: str = "") -> Iterator[tuple[str, object]]:
    """The path and the value of everything in `data`, outer before inner."""
    items: Iterator[tuple[object, object]] = iter(())
    if isinstance(data, dict):
        items = iter(data.items())
    elif isinstance(data, list):
        items = enumerate(data)
    for key, value in items:
        place = f"{path}.{key}" if path else str(key)
        yield place, value
        yield from places(value, place)
