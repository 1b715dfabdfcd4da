"""The sentences of all problems, once each and in several languages: `messages/<language>.toml`.

A problem carries a key and values; its text is made here, when somebody reads it. Only then is a file read: a good
configuration costs nothing. The command line has files of its own (maillab/cli/text.py).
"""

import functools
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ENGLISH, CHINESE = "en", "zh_TW"
LANGUAGES = (ENGLISH, CHINESE)
MESSAGES = Path(__file__).parent / "messages"
# The first one that is set decides (locale(7)); before them goes the project's own.
LOCALE = ("LC_ALL", "LC_MESSAGES", "LANG")


@dataclass(frozen=True, slots=True)
class Phrase:
    """A part of a sentence with words of its own: its key below `phrase` in the catalogue, and its values."""

    key: str
    values: Mapping[str, "Value"]

    def __str__(self) -> str:
        return filled(_section("phrase", MESSAGES)[self.key], self.values)


Value = str | int | Phrase


def phrase(key: str, /, **values: object) -> Phrase:
    """The phrase `key` with these values."""
    return Phrase(key, plain_values(values))


def plain_values(values: Mapping[str, object]) -> dict[str, Value]:
    """`values` with text for everything (addresses, words of an enumeration) that is no number and no phrase."""
    return {name: value if isinstance(value, int | Phrase) else str(value) for name, value in values.items()}


class PhraseError(ValueError):
    """A text that can't be read; `reason` is for a problem's sentence."""

    def __init__(self, reason: Phrase) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return str(self.reason)


def language(environment: Mapping[str, str] | None = None) -> str:
    """The reader's: MAILLAB_LANG (`en`, `zh-TW`), else that of the locale; English for all others.

    The only place that asks the environment: what finds problems does not depend on who reads them.
    """
    environment = os.environ if environment is None else environment
    name = environment.get("MAILLAB_LANG") or next((environment[key] for key in LOCALE if environment.get(key)), "")
    name = name.partition(".")[0].replace("-", "_").lower()
    return CHINESE if name.startswith(("zh_tw", "zh_hant")) else ENGLISH


def sentence(key: str, part: str, values: Mapping[str, Value], folder: Path = MESSAGES) -> str:
    """The `part` (`what`, `remedy`) of the problem `key` (`id` or `id.variant`) in the reader's language.

    Empty when `folder`'s catalogue has no such part.
    """
    id_, _, variant = key.partition(".")
    section = _section(id_, folder)
    return filled((section[variant] if variant else section).get(part, ""), values).rstrip()


def line(key: str, values: Mapping[str, Value], folder: Path) -> str:
    """The text `key` below `text` in `folder`'s catalogue, in the reader's language."""
    return filled(_section("text", folder)[key], values)


def filled(template: str, values: Mapping[str, Value]) -> str:
    """`template` with its placeholders replaced (str.format)."""
    texts = {name: str(value) if isinstance(value, Phrase) else value for name, value in values.items()}
    return template.format_map(texts)


def _section(name: str, folder: Path) -> Mapping[str, Any]:
    section: Mapping[str, Any] = catalogue(language(), folder)[name]
    return section


@functools.cache
def catalogue(wanted: str, folder: Path = MESSAGES) -> Mapping[str, Any]:
    """All that stands in `folder`'s file of one of LANGUAGES."""
    import tomllib  # noqa: PLC0415

    return tomllib.loads((folder / f"{wanted}.toml").read_text(encoding="utf-8"))
