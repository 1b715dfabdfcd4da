"""Names of what is on an engine, as people read them: a word for the kind, and no more names than fit on a line."""

from __future__ import annotations

from collections.abc import Sequence

from maillab.cli.text import text
from maillab.where.known import KINDS, Thing

MOST = 4  # names of a kind; of more the first ones are shown, and how many there are


def named(kind: str, names: Sequence[str]) -> str:
    """The names behind the word for their kind (container, network, volume)."""
    if len(names) == 1:
        return text(f"thing-{kind}", name=names[0])
    return text(f"things-{kind}", names=some_of(names))


def some_of(names: Sequence[str]) -> str:
    """The names, or the first ones of many and how many more there are."""
    if len(names) <= MOST:
        return ", ".join(names)
    return text("and-more", names=", ".join(names[: MOST - 1]), count=len(names) - MOST + 1)


def all_named(things: Sequence[Thing]) -> str:
    """All of them, by kinds."""
    by_kind = {kind: sorted(one.name for one in things if one.kind == kind) for kind in KINDS}
    return ", ".join(named(kind, names) for kind, names in by_kind.items() if names)
