"""The exercises in `exercises/`: read, checked, and made one student's variant."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined, TemplateError

from components.config.problem import ConfigurationError, Problem, problem, shown
from components.config.reader import read
from maillab.exercises.exercise import BODIES, KINDS, MAIL_KINDS, Effect, Exercise, Home, Step
from maillab.offline.values import OfflineError
from maillab.offline.yaml_file import read_yaml

FOLDER = "exercises"
CALL = "bin/maillab"
ADDED = re.compile(rb"(?im)^(from|to|message-id):")  # headers that a message gets when it is sent
HEADERS = re.compile(rb"(?:[!-9;-~]+:.*\n(?:[ \t].*\n)*)+\Z")  # RFC 5322, section 2.2
ALONE = re.compile(r"\{\{ *(\w+)(?:\.(\w+))? *\}\}")  # a placeholder that is all of a text
TEMPLATES = Environment(undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True)
Values = Mapping[str, int | str | Mapping[str, int | str]]


class ExerciseError(Exception):
    """An exercise that there is not, or that can't be read; the words say which, and what is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """An exercise for one student: `values` are the choices of its variables."""

    name: str
    student: str
    exercise: Exercise
    values: Values


def message_file(folder: Path, name: str) -> Path:
    """Where the headers and the text of the message `name` are, in the folder of the exercises."""
    return folder / "messages" / f"{name}.eml"


def names(root: Path) -> list[str]:
    """The exercises that there are."""
    return sorted(path.stem for path in (root / FOLDER).glob("*.yaml"))


def variant(root: Path, name: str, student: str = "", call: str = CALL) -> Variant:
    """The exercise `name` as `student` gets it: always the same for the same id.

    `call`: how the command line is called, for `{{ maillab }}`.

    Raises:
        ExerciseError: there is none, or its file has problems (all of them are listed).
    """
    path = root / FOLDER / f"{name}.yaml"
    try:
        data = read_yaml(path)
    except OfflineError as error:
        raise ExerciseError(str(error)) from error
    where = f"{FOLDER}/{name}.yaml:"
    values = {"maillab": call} | _choices(data.get("variables"), f"{student}/{name}")
    problems: list[Problem] = []
    filled = {key: value if key == "variables" else _fill(value, values, f"{where}{key}", problems)
              for key, value in data.items()}  # fmt: skip
    exercise, wrong = read(Exercise, filled, where)
    problems += wrong
    if exercise is not None and not problems:
        problems += check(exercise, where, root / FOLDER)
    if problems or exercise is None:
        raise ExerciseError(str(ConfigurationError(problems)))
    return Variant(name=name, student=student, exercise=exercise, values=values)


def _choices(variables: Any, seed: str) -> dict[str, Any]:  # noqa: ANN401 (whatever a file says)
    """A choice of each variable; the same for the same seed, on every computer. What is no list has no choice."""
    if not isinstance(variables, Mapping):
        return {}
    return {
        str(name): choices[int.from_bytes(hashlib.sha256(f"{seed}/{name}".encode()).digest()) % len(choices)]
        for name, choices in variables.items()
        if isinstance(choices, list) and choices
    }


def _fill(value: Any, values: Values, where: str, problems: list[Problem]) -> Any:  # noqa: ANN401
    """`value` with its placeholders replaced; what can't be is a problem. A number alone stays a number."""
    if isinstance(value, Mapping):
        return {key: _fill(item, values, f"{where}.{shown(key)}", problems) for key, item in value.items()}
    if isinstance(value, list):
        return [_fill(item, values, f"{where}[{number}]", problems) for number, item in enumerate(value)]
    if not isinstance(value, str) or "{{" not in value:
        return value
    if (alone := ALONE.fullmatch(value)) and isinstance(number := _chosen(values, *alone.groups()), int):
        return number
    try:
        return TEMPLATES.from_string(value).render(values)
    except TemplateError as error:
        problems.append(problem("bad-placeholder", where, words=error, known=", ".join(values) or "-"))
        return value


def all_goals(exercise: Exercise) -> Mapping[str, Effect]:
    """Those of the drill too."""
    return {**exercise.goals, **(exercise.drill.goals if exercise.drill else {})}


def _chosen(values: Values, name: str, part: str | None) -> Any:  # noqa: ANN401
    found = values.get(name)
    return found.get(part) if part is not None and isinstance(found, Mapping) else found


def check(exercise: Exercise, where: str, folder: Path) -> list[Problem]:
    """Everything about an exercise that its form does not say; `folder`: of the exercises."""
    problems = [fault for place, step in _steps(exercise, where) for fault in _check_step(step, place)]
    for place, effect in _effects(exercise, where):
        problems += _check_effect(effect, place, {*exercise.before, *exercise.during})
    for place, file in _files(exercise, where):
        problems += _check_file(folder, file, place)
    for at in ("goals", "fault", "symptom"):
        # Where the lab itself is the fault, there is a message that shows it.
        if not getattr(exercise, at) and not (at == "fault" and exercise.during):
            problems.append(problem("empty-part", f"{where}{at}"))
    for number, hint in enumerate(exercise.hints):
        if hint.missed is not None and hint.missed not in (goals := all_goals(exercise)):
            problems.append(problem("unknown-goal", f"{where}hints[{number}].missed", name=hint.missed,
                                    known=", ".join(goals)))  # fmt: skip
    in_stack = any(step.stack is not None for step in exercise.fault)
    if in_stack != (exercise.lives is Home.STACK):
        problems.append(problem("wrong-home", f"{where}lives", home=exercise.lives))
    return problems


def _steps(exercise: Exercise, where: str) -> Iterator[tuple[str, Step]]:
    parts: dict[str, tuple[Step, ...]] = {name: getattr(exercise, name) for name in ("good", "fault", "again")}
    if exercise.drill is not None:
        parts |= {"drill.steps": exercise.drill.steps, "drill.end": exercise.drill.end}
    parts |= {f"repairs.{name}": steps for name, steps in exercise.repairs.items()}
    parts |= {f"cheats.{name}.steps": cheat.steps for name, cheat in exercise.cheats.items()}
    for name, steps in parts.items():
        yield from ((f"{where}{name}[{number}]", step) for number, step in enumerate(steps))


def _effects(exercise: Exercise, where: str) -> Iterator[tuple[str, Effect]]:
    """Every effect, and its place."""
    parts = {"goals": exercise.goals, "symptom": exercise.symptom}
    if exercise.drill is not None:
        parts["drill.goals"] = exercise.drill.goals
    for part, effects in parts.items():
        yield from ((f"{where}{part}.{key}", effect) for key, effect in effects.items())


def _files(exercise: Exercise, where: str) -> Iterator[tuple[str, str]]:
    """The places at which a message of `messages/` is named, and its name."""
    for place, effect in _effects(exercise, where):
        for kind in MAIL_KINDS:
            if (mail := getattr(effect, kind)) is not None and mail.file is not None:
                yield f"{place}.{kind}.file", mail.file
    for part in ("before", "during"):
        yield from ((f"{where}{part}.{key}.file", one.file) for key, one in getattr(exercise, part).items() if one.file)


def _check_file(folder: Path, name: str, where: str) -> Iterator[Problem]:
    """A message's file has headers, but those that the exercise adds, an empty line and a text."""
    path = message_file(folder, name)
    if not path.is_file():
        known = ", ".join(sorted(one.stem for one in path.parent.glob("*.eml")))
        yield problem("unknown-message", where, name=name, known=known)
        return
    head, _, _ = path.read_bytes().partition(b"\n\n")
    if (found := ADDED.search(head)) or not HEADERS.match(head + b"\n"):
        yield problem("bad-message-file", where, path=f"{FOLDER}/{path.relative_to(folder)}",
                      line=found[1].decode() if found else "-")  # fmt: skip


def _check_step(step: Step, where: str) -> Iterator[Problem]:
    kinds = [name for name in ("run", "edit", "stack") if getattr(step, name) is not None]
    kinds += ["restart"] if step.restart else []
    if len(kinds) != 1:
        yield problem("one-kind", where, kinds="run, edit, restart, stack")
        return
    wanted = {"run": ("machine",), "edit": ("machine", "replace", "by"), "restart": ("machine",), "stack": ("by",)}[
        kinds[0]
    ]
    for key in ("machine", "replace", "by"):
        if key in wanted and getattr(step, key) is None:
            yield problem("missing-key", f"{where}.{key}")
        if key not in wanted and getattr(step, key) is not None:
            yield problem("key-too-many", f"{where}.{key}", kind=kinds[0])


def _check_effect(effect: Effect, where: str, messages: set[str]) -> Iterator[Problem]:
    kinds = [kind for kind in KINDS if getattr(effect, kind) is not None]
    if len(kinds) != 1:
        yield problem("one-kind", where, kinds=", ".join(KINDS))
        return
    if kinds[0] not in MAIL_KINDS:
        return
    mail = getattr(effect, kinds[0])
    place = f"{where}.{kinds[0]}"
    if mail.message is not None:
        if mail.message not in messages:
            yield problem("unknown-message", f"{place}.message", name=mail.message, known=", ".join(sorted(messages)))
    elif mail.sender is None or mail.to is None:
        yield problem("no-message", place)
    if mail.message is not None and mail.marked is not None:
        yield problem("key-too-many", f"{place}.marked", kind="message")
    if mail.body is not None and mail.body not in BODIES and not mail.body.removesuffix("k").isdigit():
        yield problem("bad-body", f"{place}.body", value=mail.body)
