"""Lines of a stack file that have a grammar of their own: each is parsed once, when its section is made."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from components.config.catalogue import Phrase, PhraseError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that does not follow its grammar, and why. A checked configuration has none."""

    reason: Phrase


def parse_lines(lines: Iterable[str], parse: Callable[[str], T]) -> tuple[T | BadLine, ...]:
    """What `parse` makes of each line; a BadLine where it raises PhraseError."""
    return tuple(_parsed(line, parse) for line in lines)


def _parsed(line: str, parse: Callable[[str], T]) -> T | BadLine:
    try:
        return parse(line)
    except PhraseError as error:
        return BadLine(error.reason)


def good_lines(parsed: Iterable[T | BadLine]) -> tuple[T, ...]:
    """Those that could be parsed, in their order; the section's check reports the others."""
    return tuple(one for one in parsed if not isinstance(one, BadLine))
