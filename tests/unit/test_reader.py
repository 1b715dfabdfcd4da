"""What the reader makes of data that does not fit: all that fits, and stand-ins for the rest."""

import itertools
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

import pytest

from components.reader import REPORTED, Reader
from components.stand_in import stand_in


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True, kw_only=True)
class House:
    street: str
    rooms: int
    ipv4: IPv4Address | None = None
    ipv6: IPv6Address | None = None
    colours: tuple[Colour, ...] = ()
    names: tuple[str, ...] = ()
    colour: Colour = Colour.BLUE


def read(**data: object) -> tuple[House, list[str], list[str]]:
    """The house, the ids of the problems, and the places of the gaps."""
    reader = Reader()
    house = reader.read(House, {"street": "a", "rooms": 3} | data, "house")
    return house, [problem.id for problem in reader.problems], [gap.where for gap in reader.gaps]


def test_what_fits_is_read_beside_what_does_not() -> None:
    house, problems, gaps = read(rooms="many", ipv4="192.0.2.1", names=["x"])
    assert (house.street, house.ipv4, house.names) == ("a", IPv4Address("192.0.2.1"), ("x",))
    assert (problems, gaps) == (["wrong-type"], ["house.rooms"])


def test_key_with_a_typing_error_is_read_as_the_key_it_means() -> None:
    house, problems, gaps = read(nmaes=["x"])
    assert (house.names, problems, gaps) == (("x",), ["unknown-key"], [])


@pytest.mark.parametrize(
    "data",
    [
        pytest.param({"flowers": ["x"]}, id="like none"),
        pytest.param({"streets": 5}, id="like one that is there"),
        pytest.param({"ipv5": "x"}, id="like two"),
    ],
)
def test_other_unknown_key_is_not_read(data: dict[str, object]) -> None:
    _, problems, gaps = read(**data)
    assert (problems, gaps) == (["unknown-key"], [])


def test_items_keep_their_numbers() -> None:
    house, _, gaps = read(names=["x", 5, "z"])
    assert (house.names[0], house.names[2], gaps) == ("x", "z", ["house.names[1]"])


def test_unreadable_choice_is_left_out_of_its_list() -> None:
    house, problems, gaps = read(colours=["blue", "bleu", "red"])
    assert house.colours == (Colour.BLUE, Colour.RED)
    assert (problems, gaps) == (["unknown-value"], ["house.colours[1]"])


def test_what_is_reported_already_is_a_gap_without_a_problem() -> None:
    house, problems, gaps = read(street=REPORTED)
    assert (house.rooms, problems, gaps) == (3, [], ["house.street"])


@pytest.mark.parametrize("wanted", [str, IPv4Address, IPv6Address, IPv4Network, IPv6Network])
def test_stand_ins_are_never_alike(wanted: type) -> None:
    numbers = itertools.count(1)
    assert len({stand_in(wanted, numbers)[0] for _ in range(1000)}) == 1000


@pytest.mark.parametrize("wanted", [IPv4Network, IPv6Network])
def test_stand_ins_of_networks_do_not_overlap(wanted: type[IPv4Network]) -> None:
    numbers = itertools.count(1)
    networks = sorted(wanted(stand_in(wanted, numbers)[0]) for _ in range(600))
    assert not any(first.overlaps(second) for first, second in itertools.pairwise(networks))
