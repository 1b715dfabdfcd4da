"""Which questions are asked: every source, every other machine, every port that matters."""

import pytest

from maillab.verify.cells import LOOPBACK, PORTS, Cell, cells, predict, predict_all, sources, untried
from tests.unit.labs import Data, Model, model, school


@pytest.fixture(scope="module")
def asked(tutorial: Model) -> list[Cell]:
    """The tutorial's questions."""
    return cells(tutorial.lab, tutorial.plans)


def test_no_question_is_asked_twice(asked: list[Cell]) -> None:
    assert len(set(asked)) == len(asked)


def test_every_pair_of_machines_is_asked(tutorial: Model, asked: list[Cell]) -> None:
    pairs = {(cell.source.machine, cell.target) for cell in asked}
    assert pairs == {(here, there) for here in tutorial.plans for there in tutorial.plans}


def test_only_loopback_asks_its_own_machine(asked: list[Cell]) -> None:
    own = {str(cell.source.address) for cell in asked if cell.source.machine == cell.target}
    assert own == {"127.0.0.1", "::1"}


def test_every_port_of_every_target_is_asked(asked: list[Cell]) -> None:
    ways = {(cell.source, cell.target) for cell in asked}
    assert len(asked) == len(ways) * len(PORTS)


def test_every_sender_asks_from_both_its_addresses(tutorial: Model, asked: list[Cell]) -> None:
    given = {address for sender in tutorial.lab.internet.senders for address in (sender.ipv4, sender.ipv6)}
    assert {cell.source.address for cell in asked if cell.source.machine == "outside"} - {*LOOPBACK.values()} == given


def test_senders_are_called_by_their_hosts(asked: list[Cell]) -> None:
    (name,) = {cell.source.name for cell in asked if str(cell.source.address) == "140.116.2.10"}
    assert name == "mail.ncku.edu.tw"


def test_router_asks_once_in_each_family(tutorial: Model) -> None:
    """It has an address in each network; one speaks for it."""
    versions = [source.address.version for source in sources(tutorial.plans) if source.machine == "router"]
    assert versions == [4, 6]


def test_target_is_asked_in_the_sources_family(asked: list[Cell]) -> None:
    assert {cell.source.address.version == cell.address.version for cell in asked} == {True}


def test_every_question_has_an_answer(tutorial: Model, asked: list[Cell]) -> None:
    assert predict_all(tutorial.policy, asked) == {cell: predict(tutorial.policy, cell) for cell in asked}


def test_every_range_of_the_tutorial_has_somebody_to_ask_from(tutorial: Model) -> None:
    assert untried(tutorial.lab, tutorial.plans) == []


def test_ranges_without_anybody_are_named_once() -> None:
    def allow_more(data: Data) -> None:
        rules = school(data)["firewall"]["mail"]
        rules.insert(0, {"action": "ACCEPT", "port": 25, "source": "192.0.2.0/24", "source6": "2001:db8:192::/48"})
        rules.insert(0, {"action": "ACCEPT", "port": 110, "source": "192.0.2.0/24"})

    given = model(allow_more)
    assert untried(given.lab, given.plans) == ["192.0.2.0/24", "2001:db8:192::/48"]
