"""Prefixes and the router's addresses in them."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

import pytest

from components.config.network import SegmentConfig, check_segment
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
