"""What a stack's files say now, whichever engine made the lab."""

from __future__ import annotations

from components.config.problem import ConfigurationError
from components.load import read_stack
from components.plan import Plan
from maillab.cli.problem import MaillabError
from maillab.cli.stack import Stack
from maillab.offline.project import load_project
from maillab.offline.values import MASK, OfflineError


def stack_plan(stack: Stack) -> Plan:
    """The lab that the stack's files describe.

    Raises:
        MaillabError: they can't be read, or have problems.
    """
    try:
        project = load_project(stack.root, stack.name)
        own = {key.removeprefix(f"{project.name}:"): text for key, text in project.config.items()}
    except OfflineError as error:
        raise MaillabError(str(error)) from error
    try:
        return read_stack(own, stack.name)
    except ConfigurationError as error:
        words = str(error)
        for secret in sorted(project.secret_texts - {""}, key=len, reverse=True):
            words = words.replace(secret, MASK)
        raise MaillabError(words) from error
