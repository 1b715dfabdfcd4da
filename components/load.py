"""From what the stack's file says to a checked configuration, or to everything that is wrong with it."""

import json
from collections.abc import Callable, Mapping, Sequence

from components.check import check
from components.config import LabConfig
from components.problem import ConfigurationError, Problem, Severity
from components.reader import REPORTED, Reader

# The keys of the stack's configuration, without their namespace.
KEYS = ("where", "vm", "build", "prefix", "network", "internet", "schools", "links")


def parse(
    data: Mapping[str, object],
    stack: str,
    found: Sequence[Problem] = (),
    warn: Callable[[Problem], object] = lambda _: None,
) -> LabConfig:
    """The configuration in `data` (its keys: KEYS).

    `found`: problems that were found before; REPORTED is in `data` where they were. `warn` is told what a good
    configuration should be told all the same.

    Raises:
        ConfigurationError: with every problem that was found, of form and of meaning.
    """
    reader = Reader()
    filled = {"where": "local", "prefix": f"{stack}-"} | {k: v for k, v in data.items() if v not in (None, "")}
    config = reader.read(LabConfig, filled | {"stack": stack}, "maillab:")
    checked = check(config, reader.gaps)
    errors = [problem for problem in checked if problem.severity is Severity.ERROR]
    problems = [*found, *reader.problems, *errors]
    if problems:
        raise ConfigurationError(problems)
    for warning in checked:
        warn(warning)
    return config


def read_stack(
    texts: Mapping[str, str | None], stack: str, warn: Callable[[Problem], object] = lambda _: None
) -> LabConfig:
    """The configuration from Pulumi's own form: each key's value as text, objects as JSON; `warn` as for `parse`.

    Raises:
        ConfigurationError: with every problem that was found.
    """
    problems: list[Problem] = []
    data: dict[str, object] = {}
    for key, text in texts.items():
        structured = key in ("schools", "internet", "network", "links", "vm")
        try:
            data[key] = json.loads(text) if structured and text else text
        except json.JSONDecodeError as error:
            remedy = "edit the stack's yaml file instead of `pulumi config set`, or use --path"
            problems.append(Problem(id="no-structure", where=f"maillab:{key}", what=str(error), remedy=remedy))
            data[key] = REPORTED
    return parse(data, stack, problems, warn)
