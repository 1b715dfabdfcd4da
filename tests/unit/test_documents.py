"""The documents: short where they must be, the same in both languages, and every link leads somewhere."""

import re
import shutil
import unicodedata
from pathlib import Path

import pytest

from components.config.problem import Problem
from components.load import parse
from tests.support.documents import (
    LANGUAGES,
    LINK,
    MARKS,
    READMES,
    ROOT,
    Step,
    anchors,
    blocks,
    command,
    documents,
    links,
    pages,
    read,
    slug,
    steps,
    without_blocks,
)
from tests.support.stacks import stack_data

ENGLISH, CHINESE = LANGUAGES
NAMES = sorted(str(path.relative_to(ROOT / "docs" / ENGLISH)) for path in pages(ENGLISH))
EDITS = [step for step in steps(ROOT / "docs" / ENGLISH / "how-to" / "change-a-school.md") if step.edit]
PLACES = re.compile(r"`((?:bench|bin|components|docs|driver|files|maillab|setup|tests)/[\w./-]*)`")


def width(line: str) -> int:
    """The columns of a line, where a terminal for Chinese takes two for what others show in one."""
    return sum(2 if unicodedata.east_asian_width(character) in "WFA" else 1 for character in line)


def pairs() -> list[tuple[Path, Path]]:
    """Each document with the same one in Chinese."""
    readmes = ROOT / READMES[ENGLISH], ROOT / READMES[CHINESE]
    return [readmes, *((ROOT / "docs" / ENGLISH / name, ROOT / "docs" / CHINESE / name) for name in NAMES)]


def test_readme_has_at_most_600_words() -> None:
    assert 200 < len(read(ROOT / READMES[ENGLISH]).split()) <= 600


def test_readme_in_chinese_is_as_short() -> None:
    """Three Chinese characters for two English words."""
    text = read(ROOT / READMES[CHINESE])
    chinese = re.findall(r"[\u4e00-\u9fff]", text)
    others = re.sub(r"[\u4e00-\u9fff]", " ", text).split()
    assert 200 < len(chinese) * 2 / 3 + len(others) <= 800


@pytest.mark.parametrize("name", READMES.values())
def test_picture_of_the_readme_fits_80_columns(name: str) -> None:
    picture = blocks(read(ROOT / name))[0]
    assert "router" in picture.text
    assert max(map(width, picture.lines)) <= 80


def test_both_languages_have_the_same_pages() -> None:
    assert sorted(str(path.relative_to(ROOT / "docs" / CHINESE)) for path in pages(CHINESE)) == NAMES


@pytest.mark.parametrize("pair", pairs(), ids=lambda pair: pair[0].name)
def test_both_languages_have_the_same_commands(pair: tuple[Path, Path]) -> None:
    ours, theirs = (
        [(block.kind, block.mark, [command(line) for line in block.lines]) for block in blocks(read(path))]
        for path in pair
    )
    assert [block for block in theirs if block[0] in ("sh", "diff")] == [
        block for block in ours if block[0] in ("sh", "diff")
    ]


@pytest.mark.parametrize("pair", pairs(), ids=lambda pair: pair[0].name)
def test_both_languages_show_the_same_lines_of_output(pair: tuple[Path, Path]) -> None:
    ours, theirs = ([block.lines for block in blocks(read(path)) if block.kind == "text"] for path in pair)
    assert theirs == ours


@pytest.mark.parametrize("pair", pairs(), ids=lambda pair: pair[0].name)
def test_both_languages_have_the_same_parts(pair: tuple[Path, Path]) -> None:
    """Headings of the same levels, and as many rows of tables, points of lists and decisions."""
    ours, theirs = (re.findall(r"(?m)^(#+ |- |\d+\. |\||\*\*)", without_blocks(read(path))) for path in pair)
    assert theirs == ours


@pytest.mark.parametrize("pair", pairs(), ids=lambda pair: pair[0].name)
def test_chinese_page_is_in_chinese(pair: tuple[Path, Path]) -> None:
    assert len(re.findall(r"[\u4e00-\u9fff]", read(pair[1]))) > len(re.findall(r"[\u4e00-\u9fff]", read(pair[0])))


@pytest.mark.parametrize("path", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path) -> None:
    for link in links(read(path)):
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        assert target.exists(), f"{path.name}: {link}"
        assert target.is_relative_to(ROOT)
        assert not anchor or anchor in anchors(read(target)), f"{path.name}: {link}"


def test_there_are_links() -> None:
    """The control: the readme leads to the pages, and the index to every one of its language, by the exercises' own."""
    assert len(links(read(ROOT / "README.md"))) > 5
    for language in LANGUAGES:
        index = ROOT / "docs" / language / "README.md"
        exercises = index.parent / "exercises" / "README.md"
        linked = targets(index)
        assert exercises in linked
        assert {page for page in pages(language) if page != index} <= linked | targets(exercises)


def targets(page: Path) -> set[Path]:
    """The files that a page leads to."""
    return {(page.parent / link.partition("#")[0]).resolve() for link in links(read(page))}


@pytest.mark.parametrize("language", LANGUAGES)
def test_page_links_to_pages_of_its_own_language(language: str) -> None:
    other = next(name for name in LANGUAGES if name != language)
    for path in pages(language):
        switch = read(path).splitlines()[2] if path.name == "README.md" else ""  # to the other language
        strangers = [link for link in links(read(path).replace(switch, "")) if f"{other}/" in link]
        assert strangers == [], path


@pytest.mark.parametrize("path", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_files_that_are_named_are_there(path: Path) -> None:
    for name in PLACES.findall(LINK.sub("", without_blocks(read(path)))):
        assert (ROOT / name).exists(), f"{path.name} names {name}"


@pytest.mark.parametrize("path", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_marks_above_blocks_are_known(path: Path) -> None:
    text = read(path)
    assert {block.mark.partition(" ")[0] for block in blocks(text)} <= set(MARKS)
    assert text.count("<!-- test:") == sum(bool(block.mark) for block in blocks(text))
    assert text.count("\n```") == 2 * len(blocks(text)), "a block is not closed"


@pytest.mark.parametrize("step", EDITS, ids=lambda step: step.place.rpartition("/")[2])
def test_edit_of_a_page_makes_a_good_configuration(step: Step, tmp_path: Path) -> None:
    assert step.edit
    shutil.copy2(ROOT / "Pulumi.yaml", tmp_path)
    before, warnings = read(ROOT / step.edit), list[Problem]()
    (tmp_path / step.edit).write_text(step.edited(before), encoding="utf-8")
    old, new = (parse(stack_data(root, "dc1es"), "dc1es", warn=warnings.append) for root in (ROOT, tmp_path))
    assert new != old
    assert warnings == []


@pytest.mark.parametrize(
    ("heading", "expected"),
    [
        ("1. Bring it up", "1-bring-it-up"),
        ("`maillab up`", "maillab-up"),
        ("第一封信", "第一封信"),
        ("a_b, c", "a_b-c"),
    ],
)
def test_headings_are_written_as_github_does(heading: str, expected: str) -> None:
    assert slug(heading) == expected
