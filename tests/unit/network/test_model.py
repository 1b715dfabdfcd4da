"""Prefixes, carriers and the addresses that Docker gives."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

import pytest

from components.network.model import Attachment, SegmentConfig, carve, check_segment, deal_addresses
from tests.support.problems import ids


def segment(
    ipv4: str = "163.26.182.0/24", router: str = "163.26.182.254", router6: str = "2001:db8:182::254"
) -> SegmentConfig:
    return SegmentConfig(
        ipv4=IPv4Network(ipv4),
        ipv6=IPv6Network("2001:db8:182::/64"),
        router=IPv4Address(router),
        router6=IPv6Address(router6),
    )


def test_good_segment_has_no_problem() -> None:
    assert check_segment(segment(), "network") == []


@pytest.mark.parametrize(
    ("bad", "expected"),
    [
        pytest.param(segment(router="163.26.183.254"), ["address-outside-network"], id="router elsewhere"),
        pytest.param(segment(router6="2001:db8:183::254"), ["address-outside-network"], id="router6 elsewhere"),
        pytest.param(segment("163.26.182.248/29"), ["network-too-small"], id="eight addresses"),
        pytest.param(
            segment("163.26.183.0/30", router6="::1"),
            ["address-outside-network", "address-outside-network", "network-too-small"],
            id="everything",
        ),
    ],
)
def test_bad_segment(bad: SegmentConfig, expected: list[str]) -> None:
    assert ids(check_segment(bad, "network")) == expected


def test_without_a_carrier_each_network_has_its_own_subnet() -> None:
    assert carve(None, [("school", segment())]) == {"school": IPv4Network("163.26.182.0/24")}


def test_carrier_is_cut_into_parts_of_the_same_size() -> None:
    segments = [("small", segment("163.26.182.240/28")), ("school", segment()), ("other", segment())]
    assert carve(IPv4Network("198.18.0.0/22"), segments) == {
        "small": IPv4Network("198.18.0.0/28"),
        "school": IPv4Network("198.18.1.0/24"),
        "other": IPv4Network("198.18.2.0/24"),
    }


def test_carrier_without_room_is_refused() -> None:
    with pytest.raises(ValueError, match="no room for segment second"):
        carve(IPv4Network("198.18.0.0/24"), [("first", segment()), ("second", segment())])


def test_machines_keep_their_host_part_and_visitors_get_what_is_free() -> None:
    machines = [
        Attachment(machine="first", ipv4=IPv4Address("163.26.182.1")),
        Attachment(machine="visitor", ipv4=IPv4Address("198.51.100.1")),
        Attachment(machine="mail", ipv4=IPv4Address("163.26.182.2")),
    ]
    dealt, gateway = deal_addresses(segment(), IPv4Network("198.18.7.0/24"), machines)
    assert {name: str(address) for name, address in dealt.items()} == {
        "first": "198.18.7.1",
        "mail": "198.18.7.2",
        "visitor": "198.18.7.3",
    }
    assert gateway not in dealt.values()
