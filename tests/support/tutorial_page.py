"""The county's page as the tests know it: of each line what it looks like, and a digest of it.

Its text is the county's, and is not kept here. `python -m tests.support.tutorial_page FILE` makes `PAGE` of it again.
"""

import hashlib
import re
import sys
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

PAGE = Path(__file__).parents[1] / "unit" / "maillab" / "tutorial" / "page.txt"
CHINESE = r"[\u2e80-\uffef]"
PROMPT = "root@dns:~#"
BULLET = re.compile(r"^(\s*(\*|◎\.|\d+\.(?=\s)))+")
ADDRESS = re.compile(r"https?://\S+")
# Behind a command or a line: words for the reader, from a sign before them on.
REMARK = re.compile(rf"\s*(\s#|\s;|\(|→|{CHINESE}).*?{CHINESE}.*|\s*{CHINESE}.*")
REMARK_SIGN = re.compile(r"\s[#;(]")


class Kind(StrEnum):
    """What a line looks like, to a program that can't read."""

    EMPTY = "empty"
    PROMPT = "prompt"  # somebody types something
    PLAIN = "plain"  # no Chinese, but for a remark: configuration, or what a program prints
    COMMENT = "comment"
    WORDS = "words"


def essence(line: str) -> str:
    """A line of the page without what only leads to it: bullets, the prompt, remarks, blanks in a row."""
    if PROMPT in line:
        line = REMARK.sub("", line.partition(PROMPT)[2])
    else:
        line = BULLET.sub("", line).strip()
        if kind_of(line) is Kind.PLAIN:
            line = REMARK.sub("", line)
        elif found := ADDRESS.search(line):
            line = found.group()
    return " ".join(line.split())


def kind_of(line: str) -> Kind:
    """What the line looks like."""
    if not line.strip():
        return Kind.EMPTY
    if PROMPT in line:
        return Kind.PROMPT
    if line.lstrip().startswith(("#", ";")):
        return Kind.COMMENT
    return Kind.WORDS if re.search(CHINESE, REMARK_SIGN.split(line)[0]) else Kind.PLAIN


def digest(text: str) -> str:
    """What tells a text from others."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def page() -> Iterator[tuple[Kind, str]]:
    """The kind and the digest of each line, the first one first."""
    for line in PAGE.read_text("ascii").splitlines():
        kind, found = line.split()
        yield Kind(kind), found


def main() -> None:
    """Write `PAGE`."""
    lines = Path(sys.argv[1]).read_text("utf-8").splitlines()
    PAGE.write_text("".join(f"{kind_of(line)} {digest(essence(line))}\n" for line in lines), "ascii")


if __name__ == "__main__":
    main()
