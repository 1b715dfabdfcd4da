"""What is wrong with a configuration, and how all of it is reported at once."""

import enum
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from components.config.catalogue import Value, phrase, plain_values, sentence

# A message quotes no more of a value: a section that stands where a word should be would fill the screen.
LONGEST = 60
# Of a place the beginning and the end are shown: a name in it may be wrong, and as long as anything.
LONGEST_PLACE = 240
# Longer than any name between two dots (RFC 1035, section 2.3.4): no right value is cut.
LONG_WORD = re.compile(rf"([^\s.]{{{LONGEST}}})[^\s.]{{4,}}")


class Severity(enum.StrEnum):
    """An error stops everything; a warning is printed, and the lab is made all the same."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One fault of a configuration: a stable kebab-case id, the place, and values for the sentence `key`.

    The catalogue has under `key` what is wrong and what to do (`components/config/messages/`).
    """

    id: str
    where: str
    key: str
    values: Mapping[str, Value]
    severity: Severity = Severity.ERROR

    @property
    def what(self) -> str:
        """What is wrong, in the reader's language."""
        return sentence(self.key, "what", self.values)

    @property
    def remedy(self) -> str:
        """What to do, in the reader's language."""
        return sentence(self.key, "remedy", self.values)

    def __str__(self) -> str:
        where = LONG_WORD.sub(r"\1…", self.where)
        if len(where) > LONGEST_PLACE:
            where = f"{where[: LONGEST_PLACE // 2]}…{where[-LONGEST_PLACE // 3 :]}"
        return LONG_WORD.sub(r"\1…", f"{where}: {self.what} [{self.id}]\n    {self.remedy}")


def problem(key: str, where: str, /, **values: object) -> Problem:
    """The problem at `where` whose sentence is `key`: its id, or `id.variant` where an id has several sentences."""
    return Problem(id=key.partition(".")[0], where=where, key=key, values=plain_values(values))


def warning(key: str, where: str, /, **values: object) -> Problem:
    """As `problem`; the lab is made all the same."""
    return replace(problem(key, where, **values), severity=Severity.WARNING)


def shown(text: object) -> str:
    """`text` as a message has it: at most `LONGEST` characters, and an ellipsis where something was left out."""
    text = str(text)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def quoted(value: object) -> str:
    """`value` as a message quotes it: in quotes when it is a text, and shortened."""
    return shown(repr(value))


class ConfigurationError(Exception):
    """A configuration with problems. Nothing was created; the text lists every one of them."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        lines = "\n".join(f"  {problem}" for problem in self.problems)
        count = len(self.problems)
        head = phrase("one-problem") if count == 1 else phrase("several-problems", count=count)
        super().__init__(f"{head}\n{lines}")
