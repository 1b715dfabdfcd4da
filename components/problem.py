"""What is wrong with a configuration, and how all of it is said at once."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass


class Severity(enum.StrEnum):
    """An error stops everything; a warning is said, and the lab is made all the same."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One fault of a configuration: a stable kebab-case id, the place, what is wrong, and what to do.

    `rests_on`: when it says that something is missing, the places where that was looked for (`*` is any
    item). While one of them can't be read, nobody knows whether it is missing: `follow_ups.py`.
    """

    id: str
    where: str
    what: str
    remedy: str
    severity: Severity = Severity.ERROR
    rests_on: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.where}: {self.what} [{self.id}]\n    {self.remedy}"


class ConfigurationError(Exception):
    """A configuration with problems. Nothing was created; the text lists every one of them."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        many = f"{len(self.problems)} problems" if len(self.problems) != 1 else "a problem"
        lines = "\n".join(f"  {problem}" for problem in self.problems)
        super().__init__(f"the configuration has {many}; nothing was changed.\n{lines}")
