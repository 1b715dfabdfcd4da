"""Carriers: the subnets and addresses that Docker gives, below the real ones."""

from ipaddress import IPv4Address, IPv4Network, IPv6Network
from itertools import combinations

import pytest

from components.config.network import CarrierConfig, NoCarrier
from components.network.carriers import (
    DEFAULT_CARRIERS,
    FILE_CARRIERS,
    PROJECT_CARRIERS,
    Attachment,
    Wire,
    allocate_subnets,
    assign_addresses,
    check_carrier,
    free_carrier,
)
from components.network.topology import topology_of
from tests.golden.rendering import lab_of
from tests.support.stacks import stack_data
from tests.unit.labs import ROOT, add_second_school, model
from tests.unit.network.test_segments import segment

# Not a stack file that somebody has of his own.
OF_THE_PROJECT = sorted(path.name for path in (ROOT / "tests" / "golden").iterdir() if (path / "router").is_dir())
ROUTER = Attachment(machine="router", ipv4=IPv4Address("163.26.182.254"))


def wire(name: str, ipv4: str = "163.26.182.0/24", *addresses: str) -> Wire:
    machines = [Attachment(machine=f"m{number}", ipv4=IPv4Address(text)) for number, text in enumerate(addresses)]
    return Wire(name=name, config=segment(ipv4), attachments=(ROUTER, *machines))


def carrier(text: str) -> CarrierConfig:
    return CarrierConfig(carrier=IPv4Network(text))


def test_with_none_each_network_has_its_own_subnet() -> None:
    none = CarrierConfig(carrier=NoCarrier.NONE)
    assert allocate_subnets(none, "lab-", [wire("school")]) == {"school": IPv4Network("163.26.182.0/24")}


def test_carrier_is_cut_into_parts_of_the_same_size() -> None:
    wires = [wire("small", "163.26.182.240/28"), wire("school"), wire("other")]
    assert allocate_subnets(carrier("198.18.0.0/22"), "lab-", wires) == {
        "small": IPv4Network("198.18.0.0/28"),
        "school": IPv4Network("198.18.1.0/24"),
        "other": IPv4Network("198.18.2.0/24"),
    }


def test_large_segment_takes_no_more_than_its_machines_need() -> None:
    crowd = wire("crowd", "10.0.0.0/8", *(f"10.1.{n // 200}.{n % 200}" for n in range(300)))
    subnets = allocate_subnets(carrier("198.18.0.0/21"), "lab-", [wire("large", "10.0.0.0/8"), crowd])
    assert subnets == {"large": IPv4Network("198.18.0.0/24"), "crowd": IPv4Network("198.18.2.0/23")}


def test_carrier_without_room_is_refused() -> None:
    with pytest.raises(ValueError, match="no room for segment second"):
        allocate_subnets(carrier("198.18.0.0/24"), "lab-", [wire("first"), wire("second")])


def test_carrier_smaller_than_a_segment_is_refused() -> None:
    with pytest.raises(ValueError, match="no room for segment first"):
        allocate_subnets(carrier("198.18.0.0/25"), "lab-", [wire("first")])


@pytest.mark.parametrize("prefix", ["dc1es-", "lab-", "", "b204-", "七-"])
def test_without_a_setting_subnets_follow_from_the_prefix(prefix: str) -> None:
    wires = [wire("first"), wire("second"), wire("third")]
    subnets = allocate_subnets(CarrierConfig(), prefix, wires)
    assert subnets == allocate_subnets(CarrierConfig(), prefix, wires)
    assert all(subnet.subnet_of(DEFAULT_CARRIERS) for subnet in subnets.values())
    assert not any(one.overlaps(other) for one, other in combinations(subnets.values(), 2))
    # One more school moves no network that is there.
    assert allocate_subnets(CarrierConfig(), prefix, wires[:2]).items() < subnets.items()


def test_without_a_setting_labs_stand_apart() -> None:
    """Not always: there are 64 places."""
    firsts = {allocate_subnets(CarrierConfig(), f"lab{n}-", [wire("one")])["one"] for n in range(100)}
    assert len(firsts) > 40  # 51 are to be expected of a good hash


def test_block_is_used_from_its_beginning_after_its_end() -> None:
    """All of it, and not more, wherever the lab begins."""
    room = DEFAULT_CARRIERS.num_addresses // 256
    wires = [wire(f"school{number}") for number in range(room)]
    assert len(set(allocate_subnets(CarrierConfig(), "lab-", wires).values())) == room
    with pytest.raises(ValueError, match="no room for segment more"):
        allocate_subnets(CarrierConfig(), "lab-", [*wires, wire("more")])


def test_machines_keep_their_host_part_and_visitors_get_what_is_free() -> None:
    school = wire("school", "163.26.182.0/24", "163.26.182.1", "198.51.100.1", "163.26.182.2")
    assigned, gateway = assign_addresses(school, IPv4Network("198.18.7.0/24"))
    assert {name: str(address) for name, address in assigned.items()} == {
        "router": "198.18.7.254",
        "m0": "198.18.7.1",
        "m1": "198.18.7.3",
        "m2": "198.18.7.2",
    }
    assert gateway == IPv4Address("198.18.7.253")


def test_host_part_that_the_subnet_has_not_is_given_up() -> None:
    """Nor is one kept that would be the network's own or the broadcast address."""
    large = wire("large", "10.0.0.0/8", "10.0.0.2", "10.0.1.0", "10.0.0.255", "10.0.1.1")
    assigned, gateway = assign_addresses(large, IPv4Network("198.18.7.0/24"))
    given = [assigned[f"m{number}"] for number in range(4)]
    assert given[0] == IPv4Address("198.18.7.2")
    assert len({*assigned.values(), gateway}) == 6
    assert all(address in list(IPv4Network("198.18.7.0/24").hosts()) for address in (*assigned.values(), gateway))


def test_stacks_of_the_project_run_side_by_side() -> None:
    """And each has room for more schools."""
    labs = [model(add_second_school, stack).lab for stack in OF_THE_PROJECT]
    labs.append(lab_of("two"))  # has a second school already
    own = [segment.carrier for lab in labs for segment in topology_of(lab).segments.values()]
    assert len(own) == 3 * len(labs) > 3
    assert not any(one.overlaps(other) for one, other in combinations([*own, DEFAULT_CARRIERS], 2))


@pytest.mark.parametrize("taken", [[], ["198.18.64.0/22"], ["10.0.0.0/8", "198.18.64.0/19", "198.18.1.0/24"]])
def test_free_carrier_is_nobodys(taken: list[str]) -> None:
    networks = [IPv4Network(text) for text in taken]
    free = free_carrier([*networks, IPv6Network("fd00::/8")])
    assert free is not None
    assert free.subnet_of(FILE_CARRIERS)
    assert not any(free.overlaps(network) for network in [*networks, PROJECT_CARRIERS])


def test_full_engine_has_no_free_carrier() -> None:
    assert free_carrier([IPv4Network("198.18.0.0/15")]) is None


@pytest.mark.parametrize("stack", [*OF_THE_PROJECT, "two"])
def test_every_stack_file_of_the_project_names_a_carrier(stack: str) -> None:
    network = stack_data(ROOT, stack)["network"]
    assert isinstance(network, dict)
    assert IPv4Network(network["carrier"]).subnet_of(PROJECT_CARRIERS)


@pytest.mark.parametrize(("schools", "block"), [(1, "198.18.64.0/20"), (12, "198.18.64.0/19"), (100, "198.18.0.0/16")])
def test_block_that_is_proposed_is_large_enough(schools: int, block: str) -> None:
    wires = [wire(f"school{number}") for number in range(schools)]
    (problem,) = check_carrier(carrier("198.18.0.0/25"), "lab-", wires, [], "network")
    assert problem.id == "carrier-too-small"
    assert problem.remedy.endswith(block)
    assert len(allocate_subnets(carrier(block), "lab-", wires)) == schools
