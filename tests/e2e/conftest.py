"""One lab for all end-to-end tests, brought up by the offline engine and removed at the end."""

import pathlib
import tempfile
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from components.config.place import LOCAL, VM
from driver import place
from driver.lab import EMULATED, Lab, make_lab, remove_lab
from maillab.cli.lab_of_exercise import session_of
from maillab.cli.stack import Stack
from maillab.exercises.session import Session
from tests.support.delivered import Delivered
from tests.support.own_engine import OwnEngine, start_own_engine
from tests.support.program import put_back
from tests.support.sendmail import use_sendmail
from tests.support.stacks import change_school

LIMIT = 300  # seconds, as in pyproject.toml


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test that may take longer has a longer limit too."""
    if place.WANTED != LOCAL:
        for item in items:
            item.add_marker(pytest.mark.timeout(LIMIT * EMULATED))


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """The tutorial's school, layout split."""
    yield from _running(tmp_path_factory.mktemp("split"), "dc1es", place.of_own_vm() if place.WANTED == VM else None)


@pytest.fixture(scope="session", autouse=True)
def _computer(request: pytest.FixtureRequest) -> None:
    """With MAILLAB_WHERE=vm all labs but the first go into the first one's virtual machine."""
    if place.WANTED == VM:
        first = request.getfixturevalue("lab")
        place.from_now_on(place.inside_of(first.folder, first.stack))


@pytest.fixture(scope="session")
def onehost(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """The tutorial's school, layout onehost."""
    yield from _running(tmp_path_factory.mktemp("onehost"), "onehost")


@pytest.fixture(scope="session")
def standalone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """The school without an appliance, whose mail server filters by itself."""
    yield from _running(tmp_path_factory.mktemp("standalone"), "standalone")


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """That school beside the tutorial's, on one Internet."""
    yield from _running(tmp_path_factory.mktemp("two"), "two")


@pytest.fixture(scope="module")
def sendmail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """The tutorial's school, with Sendmail on its mail server, and the filter's name as the smart host."""
    yield from _running(tmp_path_factory.mktemp("sendmail"), "dc1es", change=use_sendmail)


def _running(
    folder: pathlib.Path,
    source: str,
    where: place.Place | None = None,
    change: Callable[[dict[str, Any]], dict[str, Any]] | None = None,
) -> Iterator[Lab]:
    lab = make_lab(folder, source, place=where)
    if change:
        change_school(lab.stack_file, change)
    try:
        lab.up()
        yield lab
    finally:
        remove_lab(lab)


@pytest.fixture(scope="session")
def edited_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A second lab like the first, for the tests that edit and break things: they take `workshop`."""
    yield from _running(tmp_path_factory.mktemp("workshop"), "dc1es")


@pytest.fixture
def workshop(edited_lab: Lab) -> Iterator[Lab]:
    """A lab to edit and to break: its configuration is put back, and its machines run, when the test has ended."""
    with put_back(edited_lab):
        yield edited_lab


@pytest.fixture(scope="module")
def workbench(edited_lab: Lab) -> Iterator[Lab]:
    """The same for a module whose edits do not touch each other: put back once, at the end."""
    with put_back(edited_lab):
        yield edited_lab


@pytest.fixture(scope="module")
def sound_workbench(workbench: Lab) -> Lab:
    """As configured, and without mail: others have edited things there, and left mailboxes of removed users."""
    return sound(workbench)


def sound(lab: Lab) -> Lab:
    """The lab as configured, and without mail."""
    session_of(Stack(name=lab.stack, root=lab.folder)).lab.reset(list(lab.machines))
    lab.find_machines()
    return lab


def exercises_in(lab: Lab) -> Iterator[Session]:
    """The exercises of the lab; one that a test leaves running is reset."""
    found = session_of(Stack(name=lab.stack, root=lab.folder))
    yield found
    if found.book.current() is not None:
        found.reset()
    lab.find_machines()


@pytest.fixture(scope="module")
def sound_standalone(standalone: Lab) -> Iterator[Lab]:
    """The school without an appliance, as configured and without mail; put back at the end."""
    with put_back(standalone):
        yield sound(standalone)


@pytest.fixture
def standalone_exercises(sound_standalone: Lab) -> Iterator[Session]:
    """The exercises of that lab."""
    yield from exercises_in(sound_standalone)


@pytest.fixture
def exercises(sound_workbench: Lab) -> Iterator[Session]:
    """The exercises of a lab; one that a test leaves running is reset."""
    yield from exercises_in(sound_workbench)


@pytest.fixture(scope="session")
def own_engine(lab: Lab) -> Iterator[OwnEngine]:
    """A Docker engine of the tests' own, with the images of `lab`."""
    with tempfile.TemporaryDirectory(prefix="maillab-", dir="/var/tmp") as folder:
        engine = start_own_engine(pathlib.Path(folder))
        try:
            engine.load_images(lab)
            yield engine
        finally:
            engine.stop()


@pytest.fixture(scope="session")
def lone_lab(own_engine: OwnEngine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A lab without a carrier, alone on an engine of its own."""
    lab = make_lab(tmp_path_factory.mktemp("lone"), "dc1es", host=own_engine.host, carrier=False)
    try:
        lab.up()
        yield lab
    finally:
        remove_lab(lab)


@pytest.fixture(params=["inbound", "outbound"])
def either(request: pytest.FixtureRequest) -> Delivered:
    """The message of one direction, then of the other, of the module's own `inbound` and `outbound`."""
    delivered = request.getfixturevalue(request.param)
    assert isinstance(delivered, Delivered)
    return delivered
