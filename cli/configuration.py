"""What a stack's files say now, whichever engine made the lab."""

from __future__ import annotations

from cli.problem import MaillabError
from cli.stack import Stack
from components.config import LabConfig
from components.load import KEYS, read_stack
from components.problem import ConfigurationError
from offline.project import load_project
from offline.values import OfflineError


def configuration(stack: Stack) -> LabConfig:
    """The lab that the stack's files describe.

    Raises:
        MaillabError: they can't be read, or have problems.
    """
    try:
        project = load_project(stack.root, stack.name)
        return read_stack({key: project.config.get(f"{project.name}:{key}") for key in KEYS}, stack.name)
    except (OfflineError, ConfigurationError) as error:
        raise MaillabError(str(error)) from error
