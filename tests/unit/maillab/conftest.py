"""The labs that many tests predict in; nobody changes them."""

import pytest

from tests.unit.labs import Model, add_second_school, model


@pytest.fixture(scope="session")
def tutorial() -> Model:
    """The tutorial's school, name server and mail server on two machines."""
    return model()


@pytest.fixture(scope="session")
def onehost() -> Model:
    """The tutorial's own layout: `dns` is name server and mail server."""
    return model(stack="onehost")


@pytest.fixture(scope="session")
def two_schools() -> Model:
    """The tutorial's school, and dc3es beside it."""
    return model(add_second_school)
