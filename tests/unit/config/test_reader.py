"""What the reader says of data that does not fit: everything at once, each with its place."""

from dataclasses import field
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address

import pytest

from components.config.reader import read
from components.config.section import section


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@section
class Room:
    size: int
    heated: bool = False


class NoCellar(StrEnum):
    NONE = "none"


@section
class House:
    street: str
    rooms: tuple[Room, ...]
    ipv4: IPv4Address | None = None
    ipv6: IPv6Address | None = None
    garden: IPv4Network | None = None
    colours: tuple[Colour, ...] = ()
    cellar: Room | NoCellar | None = None
    names: dict[str, str] = field(default_factory=dict)


GOOD: dict[str, object] = {"street": "a", "rooms": [{"size": 3}]}


def faults(**data: object) -> list[tuple[str, str]]:
    """(id, place) of each problem of a good house with these changes."""
    house, problems = read(House, GOOD | data, "house")
    assert (house is None) == bool(problems)
    return [(problem.id, problem.where) for problem in problems]


def remedy(**data: object) -> str:
    _, (problem,) = read(House, GOOD | data, "house")
    return problem.remedy


def test_what_fits_is_read() -> None:
    data = {"ipv4": "192.0.2.1", "colours": ["blue"], "names": {"x": "y"}, "rooms": [{"size": 4.0, "heated": True}]}
    house, problems = read(House, GOOD | data, "house")
    assert problems == []
    assert house == House(
        street="a",
        rooms=(Room(size=4, heated=True),),
        ipv4=IPv4Address("192.0.2.1"),
        colours=(Colour.BLUE,),
        names={"x": "y"},
    )


@pytest.mark.parametrize(
    ("data", "problem", "place"),
    [
        pytest.param({"street": 5}, "wrong-type", "house.street", id="number for a text"),
        pytest.param({"street": ""}, "wrong-type", "house.street", id="empty text"),
        pytest.param({"street": None}, "wrong-type", "house.street", id="nothing for a text"),
        pytest.param({"rooms": "x"}, "wrong-type", "house.rooms", id="text for a list"),
        pytest.param({"rooms": {"size": 3}}, "wrong-type", "house.rooms", id="mapping for a list"),
        pytest.param({"rooms": ["x"]}, "wrong-type", "house.rooms[0]", id="text for a mapping"),
        pytest.param({"rooms": [{"size": "3"}]}, "wrong-type", "house.rooms[0].size", id="text for a number"),
        pytest.param({"rooms": [{"size": True}]}, "wrong-type", "house.rooms[0].size", id="true for a number"),
        pytest.param({"rooms": [{"size": 1.5}]}, "wrong-type", "house.rooms[0].size", id="half"),
        pytest.param({"rooms": [{"size": float("inf")}]}, "wrong-type", "house.rooms[0].size", id="endless"),
        pytest.param({"rooms": [{"size": 1, "heated": 1}]}, "wrong-type", "house.rooms[0].heated", id="1 for true"),
        pytest.param({"rooms": [{"size": 1, "heated": "yes"}]}, "wrong-type", "house.rooms[0].heated", id="yes"),
        pytest.param({"names": ["x"]}, "wrong-type", "house.names", id="list for a mapping"),
        pytest.param({"names": {"x": 5}}, "wrong-type", "house.names.x", id="number in a mapping of texts"),
        pytest.param({"ipv4": True}, "wrong-type", "house.ipv4", id="true for an address"),
        pytest.param({"ipv4": 1}, "wrong-type", "house.ipv4", id="number for an address"),
        pytest.param({"ipv4": "192.0.2"}, "no-address", "house.ipv4", id="three octets"),
        pytest.param({"ipv4": "2001:db8::1"}, "no-address", "house.ipv4", id="the other family"),
        pytest.param({"ipv6": "192.0.2.1"}, "no-address", "house.ipv6", id="the other family's other way"),
        pytest.param({"garden": "192.0.2.1/24"}, "no-address", "house.garden", id="host bits"),
        pytest.param({"colours": ["blue", "bleu"]}, "unknown-value", "house.colours[1]", id="unknown choice"),
        pytest.param({"cellar": "non"}, "wrong-type", "house.cellar", id="no word, for a section"),
        pytest.param({"cellar": {"size": "x"}}, "wrong-type", "house.cellar.size", id="in a section in a word's place"),
        pytest.param({"cellar": {"size": 1, "x": 1}}, "unknown-key", "house.cellar.x", id="unknown key there"),
        pytest.param({"cellar": {}}, "missing-key", "house.cellar.size", id="missing key there"),
        pytest.param({"flowers": ["x"]}, "unknown-key", "house.flowers", id="unknown key"),
        pytest.param({"rooms": [{}]}, "missing-key", "house.rooms[0].size", id="missing key"),
        pytest.param({"rooms": [{"sise": 3}]}, "unknown-key", "house.rooms[0].sise", id="required key, mistyped"),
    ],
)
def test_one_fault_of_form(data: dict[str, object], problem: str, place: str) -> None:
    assert faults(**data) == [(problem, place)]


def test_all_faults_of_form_are_reported_at_once() -> None:
    found = faults(street=5, rooms=[{"size": "x"}, {"heated": 1}], ipv4="x", flowers=1)
    assert sorted(found) == [
        ("missing-key", "house.rooms[1].size"),
        ("no-address", "house.ipv4"),
        ("unknown-key", "house.flowers"),
        ("wrong-type", "house.rooms[0].size"),
        ("wrong-type", "house.rooms[1].heated"),
        ("wrong-type", "house.street"),
    ]


def test_near_words_are_offered() -> None:
    assert remedy(colours=["bleu"]).startswith("did you mean blue? ")
    assert remedy(nmaes={}).startswith("did you mean names? ")


def test_known_words_are_listed() -> None:
    assert remedy(colours=["x"]).endswith("one of: red, blue")
    assert remedy(flowers=1).endswith("known here: cellar, colours, garden, ipv4, ipv6, names, rooms, street")


def test_place_behind_the_namespace_has_no_dot() -> None:
    _, (problem,) = read(House, GOOD | {"street": 5}, "maillab:")
    assert problem.where == "maillab:street"
