"""Rendered files as the environment of the Command that brings them to a machine.

Each file is a value of its own under its path, so that `preview --diff` shows the changed lines of the changed file. A
file that is too long for one value is cut at line ends into several, each named by its first line, and PATH# lists the
names in their order. Where it is cut depends on the lines there and on nothing before them: a line more moves no later
cut, and the difference stays as short as the edit. maillab-apply joins the values again.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping
from itertools import pairwise

# One string of an environment, with its name, "=" and the NUL (execve(2), MAX_ARG_STRLEN).
STRING_LIMIT = 131_072
# All of them, with a pointer for each: execve(2) allows 2 MiB, and the rest of the environment has its part of it.
MACHINE_LIMIT = 1_500_000
POINTER = 8
PIECE = 16_384  # bytes of a piece on average
NAME_LIMIT = 24  # bytes of "#", a piece's name and "="


def files_environment(files: Mapping[str, str], *, secret: bool = False) -> dict[str, str]:
    """Environment of `files` (path to text). The names say nothing of what is in `secret` files."""
    environment: dict[str, str] = {}
    for path, text in files.items():
        if string_size(path, text) <= STRING_LIMIT:
            environment[path] = text
        else:
            pieces = _named(cut(text, _room(path)), secret=secret)
            environment[f"{path}#"] = "".join(f"{name}\n" for name in pieces)
            environment |= {f"{path}#{name}": piece for name, piece in pieces.items()}
    return environment


def string_size(name: str, value: str) -> int:
    """Bytes of one string of an environment: `name=value` and its NUL."""
    return len(name.encode()) + len(value.encode()) + 2


def environment_size(environment: Mapping[str, str]) -> int:
    """Bytes that execve(2) counts for it."""
    return sum(string_size(name, value) + POINTER for name, value in environment.items())


def too_long_line(path: str, text: str) -> tuple[int, str] | None:
    """Number (from 1) and text of the first line of a file that no value can hold, if there is one."""
    if string_size(path, text) <= STRING_LIMIT:
        return None
    long = (at for at in enumerate(_lines(text), 1) if len(at[1].encode()) > _room(path))
    return next(long, None)


def cut(text: str, room: int) -> list[str]:
    """`text` in pieces of whole lines, each of at most `room` bytes where its lines allow it."""
    lines = _lines(text)
    sizes = [len(line.encode()) for line in lines]
    ranks = [_rank(line) for line in lines]
    # A long line is a cut more often than a short one, so that pieces are alike whatever the lines are.
    cuts = {n for n in range(1, len(lines)) if ranks[n] * PIECE < sizes[n] and lines[n] != lines[n - 1]}
    places = [0, *sorted(cuts), len(lines)]
    waiting = list(pairwise(places))
    while waiting:
        first, end = waiting.pop()
        if sum(sizes[first:end]) > room and end - first > 1:
            # No line in it is a cut by itself: the one that comes nearest to it is, of equal ones the middle one.
            at = min(range(first + 1, end), key=lambda n: (ranks[n], abs(2 * n - first - end)))
            places.append(at)
            waiting += [(first, at), (at, end)]
    return ["".join(lines[first:end]) for first, end in pairwise(sorted(places))]


def _room(path: str) -> int:
    """Bytes of text in one value of a file that is cut."""
    return STRING_LIMIT - len(path.encode()) - NAME_LIMIT


def _lines(text: str) -> list[str]:
    """The lines with their ends; only a line feed ends one."""
    *whole, rest = text.split("\n")
    return [f"{line}\n" for line in whole] + ([rest] if rest else [])


def _digest(line: str) -> bytes:
    return hashlib.blake2b(line.encode(), digest_size=4).digest()


def _rank(line: str) -> float:
    """Where the line stands from 0 to 1 among all lines."""
    return int.from_bytes(_digest(line)) / 2**32


def _named(pieces: list[str], *, secret: bool) -> dict[str, str]:
    """Name to piece, in order: named by their first lines, or by number where a name would give a line away."""
    named: dict[str, str] = {}
    seen: Counter[str] = Counter()
    for number, piece in enumerate(pieces, 1):
        # The first piece begins with whatever comes first.
        first = _digest(piece.partition("\n")[0]).hex() if number > 1 else "first"
        seen[first] += 1
        again = f"-{seen[first]}" if seen[first] > 1 else ""
        named[str(number) if secret else f"{first}{again}"] = piece
    return named
