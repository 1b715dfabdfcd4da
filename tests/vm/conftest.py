"""One small lab in a virtual machine, for all tests of this folder: `make test-vm` has the whole school in one.

Without the filter: its scanners take longer to start than all else on a processor that is emulated.
"""

import pathlib
from collections.abc import Generator, Iterator
from typing import Any

import pytest

from driver import place
from driver.lab import Lab, make_lab, remove_lab
from driver.machine import Patience
from maillab.where.console import log_of
from maillab.where.home import Home
from tests.support.stacks import change_school

CONSOLE_LINES = 40  # of what its kernel said
CORE = ("dns", "mail")
LIMIT = 2400  # seconds for one test, and the labs that it is the first to need: a processor may be emulated


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The first test has the machine made, too."""
    here = pathlib.Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.timeout(LIMIT))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What fails says what the kernel in the machine said, too."""
    report = yield
    given = getattr(item, "funcargs", {})
    lab = given.get("lab")
    home = given.get("small") or (lab.home if isinstance(lab, Lab) else None)
    if report.failed and home and log_of(home).exists():
        lines = log_of(home).read_text("utf-8", "replace").splitlines()[-CONSOLE_LINES:]
        report.sections.append(("the virtual machine's console", "\n".join(lines)))
    return report


def keep_core_machines(stack_file: pathlib.Path) -> None:
    """Takes the other machines out of the school, with what the zone and the mail server say of them."""
    change_school(stack_file, _core)


def _core(school: dict[str, Any]) -> dict[str, Any]:
    school["machines"] = [machine for machine in school["machines"] if machine["name"] in CORE]
    gone = {"mail2", "workstation", "spamfilter"}
    records = school["zone"]["records"]
    school["zone"]["records"] = [record for record in records if not gone & set(record.split())]
    del school["machines"][-1]["mail"]["relayhost"]
    return school


def quiet(_line: str) -> None:
    """Nobody looks."""


@pytest.fixture(scope="package")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Name server, mail server, and the Internet around them."""
    lab = make_lab(tmp_path_factory.mktemp("vm"), "dc1es", place=place.of_own_vm(memory=2048, disk=16))
    keep_core_machines(lab.stack_file)
    before = Patience.factor
    try:
        lab.up()
        yield lab
    finally:
        Patience.factor = before
        remove_lab(lab)


@pytest.fixture(scope="package")
def home(lab: Lab) -> Home:
    """The virtual machine's folder."""
    return lab.home
