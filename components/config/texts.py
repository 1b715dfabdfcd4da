"""Which characters a text of the configuration may have.

The texts are rendered into files whose lines mean something: a text that brings a line end of its own would begin a
line that no check has seen. What can't be seen on the screen is refused with it: a control character, half of a
character, a mark that turns the direction of what follows.
"""

import difflib
import unicodedata
from collections.abc import Mapping

from components.config.catalogue import Phrase, phrase
from components.config.problem import Problem, problem
from components.config.reader import SURELY_MEANT, place_of

Path = tuple[str, ...]

# Texts of several lines: each is written behind a `#` of its own.
SEVERAL_LINES = "\n\t"
# Texts of words, which may stand in columns.
COLUMNS = "\t"
# Every other text has none of them. `*` is any key; items of lists have no word of their own here.
ALLOWED: Mapping[Path, str] = {
    ("schools", "firewall", "mail", "comment"): SEVERAL_LINES,
    ("schools", "firewall", "mail", "note"): SEVERAL_LINES,
    ("schools", "firewall", "router", "comment"): SEVERAL_LINES,
    ("schools", "firewall", "router", "note"): SEVERAL_LINES,
    ("schools", "zone", "records"): COLUMNS,
    ("schools", "machines", "mail", "aliases"): COLUMNS,
    ("schools", "machines", "mail", "main_cf", "*"): COLUMNS,
}
# In place of an unfit text, so that what stands around it can be read.
INSTEAD = "unfit"
LINE_ENDS = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"
# Marks that change the direction of the text after them (UAX #9): what is read is not what is written.
DIRECTIONS = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
# Invisible, and part of the spelling of some languages and of emoji: zero-width joiner and non-joiner.
JOINERS = "\u200c\u200d"
# Control characters, half characters (surrogates), invisible ones, separators of lines and of paragraphs.
REFUSED = frozenset({"Cc", "Cs", "Cf", "Zl", "Zp"})


def unfit_character(text: str, allowed: str = "") -> str | None:
    """The first character of `text` that no text of the configuration may have, or None. `allowed`: those it may."""
    # Nearly every text is printable as a whole, and asking that is quick.
    if text.isprintable():
        return None
    fine = allowed + JOINERS
    return next((one for one in text if one not in fine and unicodedata.category(one) in REFUSED), None)


def without_unfit_texts(data: Mapping[str, object], where: str) -> tuple[dict[str, object], list[Problem]]:
    """A copy of plain `data` (the keys below `where`) with INSTEAD for each unfit text, and a problem for each.

    A key is kept without its unfit characters, so that what stands below it is still read.
    """
    problems: list[Problem] = []
    return _mapping(data, where, (), problems), problems


def _mapping(data: Mapping[str, object], where: str, path: Path, problems: list[Problem]) -> dict[str, object]:
    result: dict[str, object] = {}
    for key, value in data.items():
        fit = key
        if isinstance(key, str) and (bad := unfit_character(key)):
            fit = "".join(one for one in key if unfit_character(one) is None)
            problems.append(_problem("a-key", key, bad, place_of(where, (repr(key),))))
            if not fit or fit in data:
                continue
        result[fit] = _value(value, place_of(where, (str(fit),)), (*path, str(fit)), problems)
    return result


def _value(data: object, where: str, path: Path, problems: list[Problem]) -> object:
    if isinstance(data, Mapping):
        return _mapping(data, where, path, problems)
    if isinstance(data, list | tuple):
        return [_value(item, place_of(where, (index,)), path, problems) for index, item in enumerate(data)]
    # A key with a typing error is an error by itself, and what it means may have several lines.
    if isinstance(data, str) and (bad := unfit_character(data)) and (bad := unfit_character(data, _allowed(path))):
        problems.append(_problem("a-text", data, bad, where))
        return INSTEAD
    return data


def _allowed(path: Path) -> str:
    """What else a text may have there: at a place of ALLOWED, or at one whose keys are nearly called so."""
    return next((fine for place, fine in ALLOWED.items() if _meant(path, place)), "")


def _meant(path: Path, place: Path) -> bool:
    return len(path) == len(place) and all(
        wanted in ("*", word) or difflib.SequenceMatcher(None, word, wanted).ratio() >= SURELY_MEANT
        for word, wanted in zip(path, place, strict=True)
    )


def _problem(kind: str, text: str, bad: str, where: str) -> Problem:
    """It never shows the text: it may be a password, and what is wrong with it can't be seen."""
    sentence = "line-end" if bad in LINE_ENDS else "tab" if bad == "\t" else "other"
    values = {"kind": phrase(kind), "name": _name(bad), "code": f"{ord(bad):04X}", "at": text.index(bad) + 1}
    return problem(f"bad-character.{sentence}", where, **values)


def _name(bad: str) -> Phrase:
    if bad in LINE_ENDS:
        return phrase("line-end")
    if bad in DIRECTIONS:
        return phrase("mark-of-direction")
    names = {"\t": "tab", "\0": "nul", "Cs": "half-of-a-character", "Cf": "invisible-character"}
    return phrase(names.get(bad) or names.get(unicodedata.category(bad), "control-character"))
