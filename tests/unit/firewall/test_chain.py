"""A chain decides as iptables(8) says: the first rule that fits."""

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.config.firewall import Action, Chain, Network, Protocol, Rule
from components.firewall.chain import Packet, contains, decide, representatives


def rule(action: Action, **fields: object) -> Rule:
    return Rule(version=4, chain=Chain.INPUT, action=action, **fields)  # type: ignore[arg-type]


def packet(source: str = "198.51.100.10", **fields: object) -> Packet:
    given_fields = {"port": 25, "destination": int(ip_address("163.26.182.2"))} | fields
    return Packet(version=4, source=int(ip_address(source)), **given_fields)  # type: ignore[arg-type]


COUNTY = ip_network("163.26.0.0/16")
SCHOOL = ip_network("163.26.182.0/24")


def test_first_rule_that_fits_decides() -> None:
    rules = [rule(Action.ACCEPT, source=COUNTY), rule(Action.DROP)]
    assert decide(rules, packet("163.26.1.10")) is rules[0]
    assert decide(rules, packet()) is rules[1]


def test_no_rule_leaves_it_to_the_policy() -> None:
    assert decide([rule(Action.DROP, port=21)], packet()) is None


@pytest.mark.parametrize(
    ("fields", "sent", "fits"),
    [
        ({"source": SCHOOL, "not_source": True}, {}, True),
        ({"source": SCHOOL, "not_source": True}, {"source": "163.26.182.9"}, False),
        ({"destination": SCHOOL}, {}, True),
        ({"destination": SCHOOL}, {"destination": 1}, False),
        ({"protocol": Protocol.UDP}, {}, False),
        ({"syn": True}, {}, True),
        ({"syn": True}, {"syn": False}, False),
        ({"syn": True}, {"protocol": Protocol.UDP}, False),
        ({"in_interface": "lo"}, {"in_interface": "dc1es"}, False),
        ({"in_interface": "!lo"}, {"in_interface": "dc1es"}, True),
        ({"in_interface": "!lo"}, {"in_interface": "lo"}, False),
        ({"out_interface": "dc1es"}, {"out_interface": "dc1es"}, True),
        ({"icmp_type": "neighbour-solicitation"}, {}, False),
    ],
)
def test_what_a_rule_is_about(fields: dict[str, object], sent: dict[str, object], fits: bool) -> None:
    assert (decide([rule(Action.DROP, **fields)], packet(**sent)) is not None) is fits  # type: ignore[arg-type]


NETWORKS = st.builds(
    lambda number, length: ip_network((number >> (32 - length) << (32 - length), length)),
    st.integers(0, 2**32 - 1),
    st.integers(1, 32),
)


@given(NETWORKS, st.integers(0, 2**32 - 1))
def test_contains_is_what_ipaddress_says(network: Network, number: int) -> None:
    assert contains(network, number) == (ip_address(number) in network)


@given(st.lists(NETWORKS, max_size=6), st.integers(0, 2**32 - 1))
def test_every_address_has_a_representative(networks: list[Network], number: int) -> None:
    """One that lies in exactly the same of the networks."""

    def inside(address: int) -> list[bool]:
        return [contains(network, address) for network in networks]

    assert inside(number) in [inside(address) for address in representatives(networks, 4)]
