"""Rendered files as environment values: long ones in pieces, cut where the lines say so."""

import os
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.environment import (
    NAME_LIMIT,
    STRING_LIMIT,
    cut,
    environment_size,
    files_environment,
    string_size,
    too_long_line,
)

PATH = "/etc/aliases"
LINES = [f"teacher{number}: user{number}, t{number}@example.com\n" for number in range(10_000)]


def joined(environment: dict[str, str], path: str) -> str:
    """The file as the machine puts it together."""
    return "".join(environment[f"{path}#{name}"] for name in environment[f"{path}#"].split())


def fitting(path: str, over: int = 0) -> str:
    """One line, as long as a value may be, and `over` bytes longer."""
    return "x" * (STRING_LIMIT - len(path) - 3 + over) + "\n"


@pytest.mark.parametrize("text", ["", "one line", "one\ntwo\n", "學校\n", fitting(PATH)], ids=lambda text: text[:8])
def test_file_that_fits_is_one_value_under_its_path(text: str) -> None:
    assert files_environment({PATH: text}) == {PATH: text}


def test_a_process_can_be_handed_every_value() -> None:
    """The largest string, and the largest piece."""
    whole = files_environment({PATH: fitting(PATH)})
    pieces = files_environment({PATH: "y\n" * 50 + fitting(PATH, -NAME_LIMIT)})
    for environment in (whole, pieces):
        done = subprocess.run(["env", "-0"], env=environment, capture_output=True, check=True)
        assert len(done.stdout) == sum(string_size(name, value) for name, value in environment.items())
    assert len(pieces) > 1
    with pytest.raises(OSError, match="Argument list too long"):
        subprocess.run(["env"], env={PATH: fitting(PATH, 1)}, check=False)


def test_long_file_comes_in_pieces_that_fit() -> None:
    text = "".join(LINES)
    environment = files_environment({PATH: text})
    assert PATH not in environment
    assert all(string_size(name, value) <= STRING_LIMIT for name, value in environment.items())
    assert joined(environment, PATH) == text


@pytest.mark.parametrize("at", range(0, 10_000, 397))
def test_a_new_line_changes_one_value(at: int) -> None:
    """So that a preview shows this line, and not the rest of the file."""
    before = files_environment({PATH: "".join(LINES)})
    after = files_environment({PATH: "".join([*LINES[:at], "a-new-teacher: user1\n", *LINES[at:]])})
    changed = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    (key,) = changed
    assert "a-new-teacher: user1\n" in after[key]


@given(st.lists(st.sampled_from(["a\n", "學\n", "\n", f"{'z' * 900}\n", "two words\n"]), max_size=300), st.booleans())
def test_pieces_are_the_text(lines: list[str], unfinished: bool) -> None:
    text = "".join(lines) + ("no line end" if unfinished else "")
    pieces = cut(text, 1000)
    assert "".join(pieces) == text
    assert all(len(piece.encode()) <= 1000 for piece in pieces)
    assert all(piece.endswith("\n") for piece in pieces[:-1])


@pytest.mark.parametrize("line", ["x\n", "\n", "the same line\n"])
def test_lines_that_are_all_the_same(line: str) -> None:
    text = line * (300_000 // len(line))
    environment = files_environment({PATH: text})
    assert joined(environment, PATH) == text
    assert len(environment) < 50


def test_names_of_pieces_tell_nothing_of_a_secret() -> None:
    secret = files_environment({"/s": "".join(LINES)}, secret=True)
    other = files_environment({"/s": "".join(line.upper() for line in LINES)}, secret=True)
    assert joined(secret, "/s") == "".join(LINES)
    assert {key.removeprefix("/s#") for key in secret | other} <= {"", *map(str, range(1, 200))}


def test_line_that_no_value_can_hold() -> None:
    long = fitting(PATH, 1)
    assert too_long_line(PATH, f"short\n{long}last\n") == (2, long)
    assert too_long_line(PATH, f"short\n{'x' * 100_000}\n{'y' * 100_000}") is None
    assert too_long_line(PATH, fitting(PATH)) is None


def test_size_is_what_the_kernel_counts() -> None:
    """An environment is refused as a whole at a quarter of the stack's limit: 8 KiB more than that is refused."""
    environment = {f"V{number}": "x" * 100_000 for number in range(30)}
    assert environment_size(environment) > 2 << 20
    with pytest.raises(OSError, match="Argument list too long"):
        subprocess.run(["env"], env=environment, check=False)
    good = files_environment({f"/f{number}": "".join(LINES)[:120_000] for number in range(12)})
    assert subprocess.run(["env"], env=os.environ | good, capture_output=True, check=True).stdout
