"""What the virus scanner knows: the lab's own signatures, or all of ClamAV's."""

import pytest

from components.config.problem import ConfigurationError
from tests.unit.labs import Data, Model, machine, model

SCHOOLS = [pytest.param("standalone", "mail", id="amavis"), pytest.param("dc1es", "spamfilter", id="appliance")]


def with_database(stack: str, section: str, name: str | None) -> Model:
    def edit(data: Data) -> None:
        if name:
            machine(data, section)[section]["virus_database"] = name

    return model(edit, stack=stack)


@pytest.mark.parametrize(("stack", "section"), SCHOOLS)
def test_small_one_needs_no_internet(stack: str, section: str) -> None:
    small = with_database(stack, section, None).plans
    assert small == with_database(stack, section, "small").plans
    assert "clamav" in small[section].part.recipes
    assert "signatures" not in small[section].part.recipes


@pytest.mark.parametrize(("stack", "section"), SCHOOLS)
def test_full_one_is_fetched_for_the_image_that_clamd_is_in(stack: str, section: str) -> None:
    recipes = with_database(stack, section, "full").plans[section].part.recipes
    assert recipes[recipes.index("clamav") + 1] == "signatures"


def test_server_that_asks_nobody_has_no_use_for_it() -> None:
    assert with_database("dc1es", "mail", "small").lab
    with pytest.raises(ConfigurationError, match="virus-database-without-filter"):
        with_database("dc1es", "mail", "full")
