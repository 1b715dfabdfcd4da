"""The map of the county's tutorial, `docs/tutorial.yaml`, read as strictly as a stack's file."""

from pathlib import Path

from components.config.problem import ConfigurationError
from components.config.reader import read
from maillab.offline.values import OfflineError
from maillab.offline.yaml_file import read_yaml
from maillab.tutorial.row import Page

FILE = "docs/tutorial.yaml"


class TutorialError(Exception):
    """The map can't be read; the words say what is wrong with it."""


def tutorial(root: Path) -> Page:
    """The map in the project's folder `root`.

    Raises:
        TutorialError: there is none, or it has problems (all of them are listed).
    """
    try:
        page, problems = read(Page, read_yaml(root / FILE), f"{FILE}:")
    except OfflineError as error:
        raise TutorialError(str(error)) from error
    if page is None:
        raise TutorialError(str(ConfigurationError(problems)))
    return page
