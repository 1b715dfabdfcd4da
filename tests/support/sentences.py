"""Catalogues of sentences, and the code that uses them: read from both sides, so that a test can compare them."""

import ast
import fnmatch
import string
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.config.catalogue import CHINESE, ENGLISH, catalogue

ROOT = Path(__file__).resolve().parents[2]
CHINESE_CHARACTERS = range(0x4E00, 0xA000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentences:
    """A catalogue and its code.

    `messages`: the folder of the catalogue. `code`: what uses it, files and folders below the project's. `makers`:
    what makes an error, or a part of its sentence, of a key (its first argument), and what stands before the key in
    `entries`. `always`: placeholders that every sentence may have; `options`: arguments that are no values.
    """

    messages: Path
    code: Sequence[str]
    makers: Mapping[str, str]
    always: frozenset[str] = frozenset()
    options: frozenset[str] = frozenset()

    def entries(self, wanted: str) -> dict[str, dict[str, str]]:
        """Every key of a language's catalogue with its texts; phrases below `phrase.`, other texts below `text.`."""
        found: dict[str, dict[str, str]] = {}
        for name, section in catalogue(wanted, self.messages).items():
            if "what" in section:
                found[name] = section
            else:
                for key, texts in section.items():
                    found[f"{name}.{key}"] = {"": texts} if isinstance(texts, str) else texts
        return found

    def used_keys(self) -> set[str]:
        """Every key that a call names, or that stands in the code as a text (one that a call gets by a variable)."""
        known = self.entries(ENGLISH)
        named = {key for keys, _ in self.calls() for pattern in keys for key in fnmatch.filter(known, pattern)}
        written = {text for module in self.sources() for text in texts_below(module)}
        prefixes = {prefix for prefix in self.makers.values() if prefix}
        bare = {key: next((key.removeprefix(one) for one in prefixes if key.startswith(one)), key) for key in known}
        return named | {key for key in known if key in written or bare[key] in written}

    def unknown_keys(self) -> list[str]:
        """What a call names and the catalogue has not."""
        known = self.entries(ENGLISH)
        wanted = {pattern for keys, _ in self.calls() for pattern in keys}
        return [pattern for pattern in sorted(wanted) if not fnmatch.filter(known, pattern)]

    def unused_keys(self) -> list[str]:
        """What the catalogue has and no code names."""
        return sorted(set(self.entries(ENGLISH)) - self.used_keys())

    def unlike_placeholders(self) -> list[str]:
        """The keys whose sentences show other values in one language than in the other."""
        english, chinese = self.entries(ENGLISH), self.entries(CHINESE)
        of_stack = self.always
        return [
            key
            for key in english
            if placeholders(english[key]) - of_stack != placeholders(chinese[key]) - of_stack
        ]  # fmt: skip

    def given(self) -> list[tuple[str, set[str]]]:
        """Each key with the names of the values that a call gives it."""
        known = self.entries(ENGLISH)
        return [
            (key, names) for keys, names in self.calls() for pattern in keys for key in fnmatch.filter(known, pattern)
        ]

    def wrongly_given(self) -> list[tuple[str, set[str]]]:
        """Those of `given` whose sentence shows other values."""
        known = self.entries(ENGLISH)
        free = self.always | self.options
        return [(key, names) for key, names in self.given() if placeholders(known[key]) - free != names - free]

    def untranslated(self) -> list[str]:
        """Chinese entries without Chinese, but for those that consist of values or of names of settings alone."""
        found = []
        for key, texts in self.entries(CHINESE).items():
            text = "".join(texts.values())
            # What is left when placeholders and signs are taken out is words.
            bare = "".join(part for part, *_ in string.Formatter().parse(text))
            has_words = any(character.isalpha() for character in bare)
            if has_words and not any(ord(character) in CHINESE_CHARACTERS for character in bare):
                found.append(key)
        return found

    def sources(self) -> Iterator[ast.Module]:
        """The code, parsed."""
        for place in map(ROOT.joinpath, self.code):
            for path in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
                yield ast.parse(path.read_text(encoding="utf-8"))

    def calls(self) -> Iterator[tuple[list[str], set[str]]]:
        """The keys of each call of a maker, and the names of its values."""
        for module in self.sources():
            for node in ast.walk(module):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in self.makers:
                    names = {name for keyword in node.keywords for name in names_of(keyword, module)}
                    before = self.makers[node.func.id]
                    yield [before + key for key in patterns(assigned(node.args[0], module))], names


def placeholders(texts: Mapping[str, str]) -> set[str]:
    """The names in braces."""
    return {name for text in texts.values() for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def texts_below(node: ast.AST) -> set[str]:
    """All texts in the code below a node."""
    return {one.value for one in ast.walk(node) if isinstance(one, ast.Constant) and isinstance(one.value, str)}


def patterns(key: ast.expr) -> list[str]:
    """The keys that an expression can be: a text, one of two, or a pattern with * for what is filled in."""
    match key:
        case ast.Constant(value=str(text)):
            return [text]
        case ast.IfExp(body=body, orelse=orelse):
            return patterns(body) + patterns(orelse)
        case ast.JoinedStr(values=parts):
            return ["".join(str(part.value) if isinstance(part, ast.Constant) else "*" for part in parts)]
        case _:
            return []


def assigned(node: ast.expr, module: ast.Module) -> ast.expr:
    """What was assigned last to the variable `node` before its line; every other expression is its own."""
    if not isinstance(node, ast.Name):
        return node
    values: dict[int, Any] = {
        one.lineno: one.value
        for one in ast.walk(module)
        if isinstance(one, ast.Assign) and one.lineno < node.lineno and ast.unparse(one.targets[0]) == node.id
    }
    return values[max(values)] if values else node


def names_of(keyword: ast.keyword, module: ast.Module) -> set[str]:
    """The name of a value, or those in a mapping (`**values`)."""
    if keyword.arg is not None:
        return {keyword.arg}
    mapping = assigned(keyword.value, module)
    return {ast.literal_eval(key) for key in mapping.keys if key} if isinstance(mapping, ast.Dict) else set()
