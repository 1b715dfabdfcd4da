"""The tests read the English sentences in every locale; several workers take them lab by lab; long ones wait."""

import os

import pytest
from xdist.remote import Producer  # type: ignore[import-untyped]
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

from tests.support.long import WANTED
from tests.support.signals import heed_signals

# A run in the background removes its labs, too, when it is interrupted.
heed_signals()
# Before anything else: programs that the tests start inherit it.
os.environ["MAILLAB_LANG"] = "en"

# They share nothing: any worker takes any of them.
FREE = ("tests/unit/", "tests/golden/")
# They share a Docker engine of their own, so that one worker takes them all.
OWN_ENGINE = tuple(f"tests/e2e/test_{name}.py" for name in ("host_firewall", "isolation", "program", "side_by_side"))
# They share the lab of the school without an appliance.
STANDALONE = ("tests/e2e/test_standalone", "tests/e2e/test_webmail", "tests/e2e/test_open_page")
# What takes longest goes first, so that no worker is left with one of these at the end.
LONG: tuple[str | tuple[str, ...], ...] = (
    STANDALONE,
    *OWN_ENGINE,
    "tests/engine/test_kill.py",
    "tests/e2e/test_edits_by_hand.py",
    "tests/e2e/test_broken_edits.py",
)


class LabScheduling(LoadScopeScheduling):  # type: ignore[misc]
    """The tests of a file go to one worker, because they share a lab."""

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.partition("::")[0]
        if path.startswith(FREE):
            return nodeid
        if path.startswith(STANDALONE):
            return "standalone"
        return "own engine" if path in OWN_ENGINE else path


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LabScheduling | None:
    """With `--dist=loadgroup`, whose own groups want another pytest."""
    return LabScheduling(config, log) if config.getvalue("dist") == "loadgroup" else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Every worker must have the same order."""

    def place(item: pytest.Item) -> int:
        path = str(item.path.relative_to(config.rootpath))
        return next((number for number, start in enumerate(LONG) if path.startswith(start)), len(LONG))

    items.sort(key=place)
    if not WANTED:
        left_out = [item for item in items if item.get_closest_marker("long")]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]
