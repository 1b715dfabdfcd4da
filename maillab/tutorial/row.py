"""What `docs/tutorial.yaml` can say: each configuration line and command of the county's page, and how it is today."""

import enum
from collections.abc import Mapping

from components.config.section import section
from maillab.exercises.exercise import Text


class State(enum.StrEnum):
    """Whether a line does here what the page says of it: as it is printed, or as `today` says instead."""

    WORKS = "works"
    NOT_YET = "not-yet"
    GONE = "gone"


class Verdict(enum.StrEnum):
    """What a reader wants to know of a line before typing it."""

    AS_PRINTED = "as-printed"
    CHANGED = "changed"
    NOT_YET = "not-yet"
    GONE = "gone"


@section
class Row:
    """Lines of the page with the same answer. `printed`: a line's number on the page, and its text without remarks.

    Where they stand: in the `file` of the `machines`, or, without a file, typed there; `key` is what says so in the
    stack's file; `stack` is the one of the project's in which they stand just so. `today`: what takes their place, line
    by line. `note`: why, or what to know beside it. `tests`: pytest's names of those that show it.
    """

    printed: Mapping[int, str]
    state: State
    machines: tuple[str, ...] = ()
    file: str | None = None
    key: str | None = None
    stack: str = "dc1es"
    today: str | None = None
    note: Text | None = None
    tests: tuple[str, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """What becomes of who types it as it is printed."""
        if self.state is State.WORKS:
            return Verdict.CHANGED if self.today else Verdict.AS_PRINTED
        return Verdict(self.state)


@section
class Section:
    """A section of the page: its heading there, an English title, its first and last line.

    `output`: those of its lines that a program prints.
    """

    heading: str
    title: str
    first: int
    last: int
    output: tuple[int, int] | None = None
    rows: tuple[Row, ...] = ()


@section
class Page:
    """The whole page."""

    sections: Mapping[str, Section]
