"""The guide to writing an exercise names every key that a file can have."""

import dataclasses
import re

import pytest

from maillab.exercises import exercise
from maillab.exercises.exercise import KINDS
from tests.support.documents import LANGUAGES, ROOT, read, without_blocks

SECTIONS = [one for one in vars(exercise).values() if isinstance(one, type) and dataclasses.is_dataclass(one)]


def keys() -> set[str]:
    """Every key of every section of an exercise's file."""
    return {field.name for section in SECTIONS for field in dataclasses.fields(section)}


@pytest.mark.parametrize("language", LANGUAGES)
def test_guide_names_every_key(language: str) -> None:
    page = without_blocks(read(ROOT / "docs" / language / "how-to" / "write-an-exercise.md"))
    named = {words.partition(":")[0] for words in re.findall(r"`([^`\n]+)`", page)}
    assert keys() - named == set()


def test_there_are_keys() -> None:
    """The control."""
    assert {"title", "unmasked", "families", "missed", "number", *KINDS} <= keys()
    assert len(SECTIONS) > 8
