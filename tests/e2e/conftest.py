"""One lab for all end-to-end tests, brought up by the offline engine and removed at the end."""

import pathlib
from collections.abc import Iterator

import pytest

from tests.support.lab import Lab, make_lab, remove_lab


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """The tutorial's school, layout split."""
    yield from _running(tmp_path_factory.mktemp("split"), "dc1es")


@pytest.fixture(scope="session")
def onehost(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """The tutorial's school, layout onehost."""
    yield from _running(tmp_path_factory.mktemp("onehost"), "onehost")


def _running(folder: pathlib.Path, source: str) -> Iterator[Lab]:
    lab = make_lab(folder, source)
    try:
        lab.up()
        yield lab
    finally:
        remove_lab(lab)
