"""Writes the reference pages again: `.venv/bin/python -m tests.reference.renew` (`tests.golden.renew` does it too).

What they say comes from the code; the words around it from `texts.toml`. Read the difference before it is committed.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.reference import commands, configuration, exercises, picture, problems, tutorial_map, users
from tests.support.documents import LANGUAGES, READMES, ROOT

PAGES = {
    "commands": commands.page,
    "configuration": configuration.page,
    "problems": problems.page,
    "tutorial-map": tutorial_map.page,
    "users": users.page,
}


def reference() -> Iterator[tuple[Path, str]]:
    """Every page that is made from the code, or a part of it: where it is, and its text."""
    for language in LANGUAGES:
        yield ROOT / READMES[language], picture.readme(language)
        for name, page in PAGES.items():
            path = ROOT / "docs" / language / "reference" / f"{name}.md"
            yield path, _text(page(language))
        for name, lines in exercises.pages(language):
            yield exercises_of(language) / f"{name}.md", _text(lines)


def exercises_of(language: str) -> Path:
    """The folder of the exercises' pages, in which there is nothing else."""
    return ROOT / "docs" / language / "exercises"


def _text(lines: Iterable[str]) -> str:
    return "\n".join(lines).rstrip() + "\n"


def main() -> None:
    """Writes them all, removes those of exercises that are gone, and says which changed."""
    made = dict(reference())
    for language in LANGUAGES:
        exercises_of(language).mkdir(exist_ok=True)
        for path in set(exercises_of(language).iterdir()) - made.keys():
            path.unlink()
            print(f"- {path.relative_to(ROOT)}")
    for path, text in made.items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(f"~ {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
