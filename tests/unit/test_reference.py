"""The reference pages say what the code says, and somebody has written what each key means."""

import re
from pathlib import Path

import pytest

from components.config.catalogue import CHINESE, ENGLISH
from maillab.cli.help import chinese
from maillab.exercises.library import names, variant
from tests.reference.commands import options, words
from tests.reference.configuration import sections
from tests.reference.problems import OF_THE_COMMAND_LINE, OF_THE_CONFIGURATION, problems
from tests.reference.renew import exercises_of, reference
from tests.reference.words import texts
from tests.support.documents import LANGUAGES, ROOT, blocks, command, documents, read, without_blocks

MADE = dict(reference())
RENEW = "the page is not what the code says: .venv/bin/python -m tests.reference.renew"


@pytest.mark.parametrize("path", MADE, ids=lambda path: str(path.relative_to(ROOT)))
def test_page_says_what_the_code_says(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == MADE[path], RENEW


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_page_is_left_of_an_exercise_that_is_gone(language: str) -> None:
    assert set(exercises_of(language).iterdir()) <= MADE.keys(), RENEW


@pytest.mark.parametrize("language", LANGUAGES)
def test_page_of_an_exercise_has_no_answer(language: str) -> None:
    """And the answers have it: the control."""
    folder = exercises_of(language)
    answers = MADE[folder / "answers.md"]
    for name in names(ROOT):
        page = MADE[folder / f"{name}.md"]
        found = variant(ROOT, name).exercise
        solution = (found.solution.en if language == "en" else found.solution.zh).splitlines()[0]
        assert solution.partition("`")[0].strip()[:20] in answers.replace("\\", "")
        assert solution[:20] not in page.replace("\\", "")
        assert not [hint for hint in found.hints if (hint.en if language == "en" else hint.zh).strip() in page]
        ways = [f"- `{way}`" for way in (*found.repairs, *found.cheats)]
        assert all(way in answers and way not in page for way in ways)


def test_every_key_has_its_meaning_in_every_language() -> None:
    written = {section: {key for key in keys if key != "_"} for section, keys in texts()["keys"].items()}
    assert written == {section: set(keys) for section, keys in sections().items()}
    assert all(len(pair) == 2 and all(pair) for keys in texts()["keys"].values() for pair in keys.values())


def test_what_the_command_line_says_is_there_in_chinese() -> None:
    written = {*texts()["commands"], *chinese()["texts"]} - {"Show this message and exit."}
    assert written == words(), "write it into maillab/cli/help.zh_TW.toml; of make into tests/reference/texts.toml"


def typed(path: Path) -> list[list[str]]:
    """Each `maillab` and each `make` that a document has its reader type, in a block or in the text, in words."""
    text = read(path)
    lines = [command(line) for block in blocks(text) if block.kind == "sh" for line in block.lines]
    lines += re.findall(r"`([^`\n]+)`", without_blocks(text))
    said = [line.split() for line in lines]
    return [line for line in said if line[1:] and line[0] in ("maillab", "bin/maillab", "make")]


@pytest.mark.parametrize("path", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_and_options_that_documents_name_are_there(path: Path) -> None:
    there = options()
    for said in typed(path):
        line = re.sub(r"^bin/|--stack \S+ | [|;&].*", "", " ".join(said))
        name = max((name for name in there if f"{line} ".startswith(f"{name} ")), key=len, default="")
        given = line.removeprefix(name).split()
        assert name, f"{path.name}: {line}"
        assert name != "maillab" or given[0].startswith("-"), f"{path.name}: {line}"
        own = [] if name == "maillab shell" else given  # what runs in the machine has options of its own
        unknown = {word.partition("=")[0] for word in own if word.startswith("-")} - there[name] - {"--help"}
        assert not unknown, f"{path.name}: {line}: {unknown}"


def test_documents_have_commands() -> None:
    """The control."""
    assert len([said for path in documents() for said in typed(path)]) > 100


def test_pages_have_what_there_is() -> None:
    """The control: not a page of nothing."""
    english = {path.stem: text for path, text in MADE.items() if path.parent.parent.name == "en"}
    assert "| `main_cf` |" in english["configuration"]
    assert "| `chen` | `lab-chen-2006` |" in english["users"]
    assert "\n## maillab verify\n" in english["commands"]
    for where in (OF_THE_CONFIGURATION, OF_THE_COMMAND_LINE):
        ids = [id_ for id_, _ in problems(ENGLISH, where)]
        assert ids == [id_ for id_, _ in problems(CHINESE, where)]
        assert len(ids) > 30
        assert all(f"\n| `{id_}` |" in english["problems"] for id_ in ids)


def test_command_of_a_remedy_can_be_copied() -> None:
    """A brace that is doubled for str.format in the catalogue is one on the page."""
    for path in (path for path in MADE if path.stem == "problems"):
        assert "docker network inspect --format '{{json .Labels}}'" in MADE[path]
        assert "{carrier: 198.18.64.0/22}" in MADE[path]
        assert "{{{" not in MADE[path]
        assert "{{carrier" not in MADE[path]


def test_remedies_stand_one_below_the_other() -> None:
    for path in (path for path in MADE if path.stem == "problems"):
        (row,) = (line for line in MADE[path].splitlines() if line.startswith("| `no-engine` |"))
        assert row.count("<br>") == 1
