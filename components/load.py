"""From what the stack's file says to a checked configuration, or to everything that is wrong with it."""

import difflib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from components.checks.everything import check
from components.checks.files import check_files
from components.config.catalogue import phrase
from components.config.lab import LabConfig
from components.config.problem import ConfigurationError, Problem, Severity, problem, shown
from components.config.reader import SURELY_MEANT, read
from components.config.texts import without_unfit_texts
from components.plan import Plan, plan_of
from components.secure import hide, secure_texts

# The keys of the stack's configuration, without their namespace.
KEYS = ("where", "vm", "build", "prefix", "network", "internet", "schools", "links")
STRUCTURED = ("schools", "internet", "network", "links", "vm")


def parse(
    data: Mapping[str, object],
    stack: str,
    found: Sequence[Problem] = (),
    warn: Callable[[Problem], object] = lambda _: None,
) -> LabConfig:
    """The configuration in `data` (its keys: KEYS).

    `found`: problems of keys that are therefore not in `data`. `warn` gets what a good configuration should be warned
    of.

    Raises:
        ConfigurationError: with every problem of form, or with every problem of meaning if the form is right.
    """
    data, unfit = without_unfit_texts(data, "maillab:")
    if "stack" in data:
        unfit.append(problem("unknown-key.stack", "maillab:stack", known=", ".join(sorted(KEYS))))
    filled = {"where": "local", "prefix": f"{stack}-"} | {k: v for k, v in data.items() if v not in (None, "")}
    config, problems = read(LabConfig, filled | {"stack": stack}, "maillab:")
    before = [*found, *unfit]
    reported = {one.where for one in before}
    if config is None or before:
        raise ConfigurationError([*before, *(one for one in problems if one.where not in reported)])
    checked = check(config)
    if errors := [one for one in checked if one.severity is Severity.ERROR]:
        raise ConfigurationError(errors)
    for warning in checked:
        warn(warning)
    return config


def read_stack(
    texts: Mapping[str, str | None],
    stack: str,
    warn: Callable[[Problem], object] = lambda _: None,
    file: Path | None = None,
) -> Plan:
    """The plan of a configuration in Pulumi's form, where each value is text, objects as JSON; `warn` as for `parse`.

    Keys are the project's, without its namespace; those of other namespaces have theirs. Files with what the stack's
    `file` gives as `secure:` are secret in the plan.

    Raises:
        ConfigurationError: as `parse` does; or rendered files are too large to be brought to a machine.
    """
    problems: list[Problem] = []
    data: dict[str, object] = {}
    for key, text in texts.items():
        if ":" in key:
            problems += _misspelt_namespace(key)
            continue
        try:
            data[key] = json.loads(text) if key in STRUCTURED and text else text
        except json.JSONDecodeError as error:
            problems.append(problem("no-structure", f"maillab:{key}", reason=phrase("no-json-because", text=error)))
    made = plan_of(parse(data, stack, problems, warn))
    if file:
        made = hide(made, secure_texts(file, {**data, **{f"maillab:{key}": value for key, value in data.items()}}))
    if problems := check_files(made.config, made.machines):
        raise ConfigurationError(problems)
    return made


def _misspelt_namespace(key: str) -> list[Problem]:
    """Other namespaces are for providers, and none of theirs is called nearly as the project."""
    namespace, _, name = key.partition(":")
    if namespace == "maillab" or not difflib.get_close_matches(namespace, ["maillab"], cutoff=SURELY_MEANT):
        return []
    return [problem("unknown-key.namespace", shown(key), key=shown(name))]


def project_keys(names: Iterable[str]) -> list[str]:
    """The keys for `read_stack` of those with these full names, and all that it knows."""
    return sorted({*KEYS, *(name.removeprefix("maillab:") for name in names)})
