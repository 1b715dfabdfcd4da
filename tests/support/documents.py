"""The documents as the tests read them: fenced blocks, links, headings, and the steps that a reader types.

A block of commands is fenced as `sh`; a block `text` behind it shows lines of what they print. A comment above a block
says what a reader sees from the text around it: `<!-- test: fails -->` (the last command fails), `<!-- test: until -->`
(mail is under way: look again until the lines are there), `<!-- test: edit FILE -->` (a `diff` to make in an editor).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LANGUAGES = ("en", "zh-TW")
READMES = {"en": "README.md", "zh-TW": "README.zh-TW.md"}
FENCE = re.compile(r"(?ms)^(?:<!-- test: (?P<mark>[^\n]*?) -->\n)?```(?P<kind>\w*)\n(?P<text>.*?)^```$")
HEADING = re.compile(r"(?m)^#{1,6} +(.+?)\s*$")
LINK = re.compile(r"\[[^\]\n]*\]\(([^)\s]+)\)")
MARKS = ("", "fails", "until", "edit")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A fenced block: its kind (`sh`, `text`, `diff` …), the mark above it, and the line of its fence."""

    kind: str
    mark: str
    text: str
    line: int

    @property
    def lines(self) -> list[str]:
        """What stands in it."""
        return self.text.splitlines()


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What a reader does at `place`: types `commands` and sees `expected`, or changes the file `edit` by `commands`."""

    place: str
    mark: str
    commands: list[str]
    expected: list[str]

    def edited(self, text: str) -> str:
        """`text` with the change of a `diff`; the lines that it takes out or goes by must be there once."""
        before = "".join(f"{line[1:]}\n" for line in self.commands if line[0] in " -")
        after = "".join(f"{line[1:]}\n" for line in self.commands if line[0] in " +")
        assert text.count(before) == 1, f"{self.place}: these lines are not once in {self.edit}:\n{before}"
        return text.replace(before, after)

    @property
    def edit(self) -> str | None:
        """The file of a step that is an edit."""
        verb, _, name = self.mark.partition(" ")
        return name if verb == "edit" else None


def pages(language: str) -> list[Path]:
    """The pages of one language, without its README."""
    return sorted((ROOT / "docs" / language).rglob("*.md"))


def documents() -> list[Path]:
    """All documents that are written for people."""
    return sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def read(path: Path) -> str:
    """A document's text."""
    return path.read_text(encoding="utf-8")


def blocks(text: str) -> list[Block]:
    """The fenced blocks of a document, in their order."""
    return [
        Block(
            kind=found["kind"],
            mark=found["mark"] or "",
            text=found["text"],
            line=text.count("\n", 0, found.start("kind")) + 1,
        )
        for found in FENCE.finditer(text)
    ]


def without_blocks(text: str) -> str:
    """The text around the fenced blocks."""
    return FENCE.sub("", text)


def steps(path: Path) -> Iterator[Step]:
    """What a reader of the document does, in order."""
    name, found = path.relative_to(ROOT), blocks(read(path))
    for block, after in zip(found, [*found[1:], None], strict=True):
        if block.kind in ("sh", "diff"):
            expected = after.lines if after and after.kind == "text" else []
            yield Step(place=f"{name}:{block.line}", mark=block.mark, commands=block.lines, expected=expected)


def command(line: str) -> str:
    """A command without the remark behind it, which is in the reader's language."""
    return re.sub(r"\s+# .*", "", line)


def anchors(text: str) -> set[str]:
    """What a link into a document may name: its headings as GitHub writes them."""
    return {slug(heading) for heading in HEADING.findall(without_blocks(text))}


def slug(heading: str) -> str:
    """A heading as a link names it: small letters, hyphens for blanks, no punctuation."""
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").lower()
    return re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")


def links(text: str) -> list[str]:
    """The links of a document to others of the project."""
    return [link for link in LINK.findall(without_blocks(text)) if not re.match(r"[a-z]+://|mailto:", link)]
