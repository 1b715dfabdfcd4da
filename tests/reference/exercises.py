"""A page for each exercise, the list of them, and the answers for teachers, from the files in `exercises/`."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from maillab.cli.exercise_text import by_level
from maillab.exercises.exercise import STACK, Exercise, Hint, Step, Text
from maillab.exercises.library import CALL, Variant, all_goals, names, variant
from tests.reference.words import cell, table, word
from tests.support.documents import ROOT

INDEX, ANSWERS = "README", "answers"
CODE = re.compile(r"(`[^`]*`)")
OTHER = {"en": ("繁體中文", "zh-TW"), "zh-TW": ("English", "en")}


def pages(language: str) -> Iterator[tuple[str, list[str]]]:
    """The name and the lines of each page."""
    found = [_variant(name) for name in names(ROOT)]
    found.sort(key=by_level)
    yield INDEX, _index(language, found)
    for one in found:
        yield one.name, _page(language, one)
    yield ANSWERS, _answers(language, found)


def _variant(name: str) -> Variant:
    """With the command line's call for the lab that the exercise is made for."""
    found = variant(ROOT, name)
    return variant(ROOT, name, call=_call(found.exercise))


def _call(exercise: Exercise) -> str:
    return CALL if exercise.stack == STACK else f"{CALL} --stack {exercise.stack}"


def _index(language: str, found: Iterable[Variant]) -> list[str]:
    other, folder = OTHER[language]
    head = tuple(word(language, key) for key in ("exercise", "for-stack", "level", "minutes", "about"))
    rows: list[tuple[str, ...]] = [
        (
            f"[{one.name}]({one.name}.md)",
            f"`{one.exercise.stack}`",
            _stars(one.exercise),
            str(one.exercise.minutes),
            cell(_said(language, one.exercise.title)),
        )
        for one in found
    ]
    lines = [f"# {word(language, 'exercises')}", "", f"[{other}](../../{folder}/exercises/README.md)", ""]
    return [*lines, word(language, "about-exercises"), "", *table(head, *rows)]


def _page(language: str, one: Variant) -> list[str]:
    """What the student is told at the start, and no more."""
    found = one.exercise
    head = tuple(word(language, key) for key in ("exercise", "level", "minutes", "tutorial-section"))
    row = (f"`{one.name}`", _stars(found), str(found.minutes), cell(found.section))
    lines = [f"# {_said(language, found.title)}", "", *table(head, row), ""]
    if found.variables:
        lines += [word(language, "about-variant"), ""]
    for key, text in (("story", found.story), ("task", found.task)):
        lines += [f"## {word(language, key)}", "", *_paragraphs(_said(language, text))]
    call = _call(found)
    up = [] if found.stack == STACK else [f"{call} up"]
    start = [*up, f"{call} exercise start {one.name}", f"{call} exercise check"]
    return [*lines, f"## {word(language, 'start')}", "", "```sh", *start, "```", "", word(language, "about-start")]


def _answers(language: str, found: Iterable[Variant]) -> list[str]:
    lines = [f"# {word(language, 'answers')}", "", word(language, "about-answers"), ""]
    for one in found:
        lines += _answer(language, one)
    return lines


def _answer(language: str, one: Variant) -> Iterator[str]:
    found = one.exercise
    yield from (f"## {_said(language, found.title)}", "")
    yield from (word(language, "takes", name=one.name, stars=_stars(found), minutes=found.minutes), "")
    if found.variables:
        yield word(language, "variants", names="; ".join(_choices(found)))
        yield ""
    yield from (f"### {word(language, 'goals')}", "")
    for name, effect in all_goals(found).items():
        yield f"- {word(language, 'goal', name=f'`{name}`', says=_plain(_said(language, effect.says)))}"
    yield from ("", f"### {word(language, 'hints')}", "")
    yield from (f"1. {_hint(language, hint)}" for hint in found.hints)
    yield from ("", f"### {word(language, 'solution')}", "", *_paragraphs(_said(language, found.solution)))
    yield from (f"### {word(language, 'debrief')}", "", *_paragraphs(_said(language, found.debrief)))
    yield from (f"### {word(language, 'repairs')}", "")
    for name, steps in found.repairs.items():
        yield from (f"- `{name}`", "", *_block(steps), "")
    yield from (f"### {word(language, 'cheats')}", "")
    for name, cheat in found.cheats.items():
        seen = ", ".join(f"`{by}`" for by in cheat.unmasked)
        yield from (f"- {word(language, 'unmasked', name=f'`{name}`', by=seen)}", "", *_block(cheat.steps), "")


def _said(language: str, text: Text | Hint) -> str:
    return text.en if language == "en" else text.zh


def _stars(found: Exercise) -> str:
    return "★" * found.level


def _choices(found: Exercise) -> Iterator[str]:
    for name, choices in found.variables.items():
        yield f"`{name}`: {', '.join(_short(choices))}"


def _short(choices: Sequence[int | str | Mapping[str, int | str]]) -> list[str]:
    """What tells the choices from each other: the first part that is another one in each, where they have parts."""
    parts = [list(map(str, one.values())) if isinstance(one, Mapping) else [str(one)] for one in choices]
    columns = [list(column) for column in zip(*parts, strict=False)]
    return next((column for column in columns if len(set(column)) == len(column)), columns[0])


def _hint(language: str, hint: Hint) -> str:
    words = _plain(" ".join(_said(language, hint).split()))
    return words + word(language, "only-missed", goal=hint.missed) if hint.missed else words


def _plain(words: str) -> str:
    """Words of an exercise as Markdown shows them: what is no code is no mark-up either."""
    parts = CODE.split(words)
    return "".join(part if part.startswith("`") else re.sub(r"([*<])", r"\\\1", part) for part in parts)


def _paragraphs(words: str) -> Iterator[str]:
    """Lines of text up to an empty one, and commands (two blanks before) in blocks; an empty line behind each."""
    text: list[str] = []
    code: list[str] = []
    for line in [*words.strip("\n").splitlines(), ""]:
        if line.startswith("  "):
            yield from _ended(text)
            code.append(line[2:].rstrip())
            continue
        if code:
            yield from ("```", *code, "```", "")
            code.clear()
        if line.strip():
            text.append(_plain(line.strip()))
        else:
            yield from _ended(text)


def _ended(text: list[str]) -> Iterator[str]:
    if text:
        yield from (*text, "")
        text.clear()


def _block(steps: Iterable[Step]) -> Iterator[str]:
    """Steps as somebody would type them."""
    yield "```"
    for step in steps:
        if step.run is not None:
            first, *more = step.run.strip().splitlines()
            yield from (f"{step.machine}# {first}", *(f"  {line}" for line in more))
        elif step.restart:
            yield f"docker restart …{step.machine}"
        else:
            where = f"{step.machine}: {step.edit}" if step.edit else "Pulumi.dc1es.yaml"
            yield where
            old, new = (step.replace, step.by) if step.edit else (step.stack, step.by)
            yield from (f"- {line}" for line in (old or "").strip("\n").splitlines())
            yield from (f"+ {line}" for line in (new or "").strip("\n").splitlines())
    if any(step.stack is not None for step in steps):
        yield "bin/maillab up"
    yield "```"
