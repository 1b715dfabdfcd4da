"""mynetworks: whom it trusts, and the warning of one that trusts strangers."""

from ipaddress import ip_address

import pytest

from components.checks.everything import check
from components.config.mynetworks import read_networks
from components.config.problem import Severity
from tests.unit.labs import machine, model


@pytest.mark.parametrize(
    ("value", "address", "trusted"),
    [
        ("0.0.0.0/0", "198.51.100.66", True),
        ("0.0.0.0/0", "2001:db8:198::66", False),
        ("0.0.0.0/0 [::]/0", "2001:db8:198::66", True),
        ("!198.51.100.66, 198.51.100.0/24", "198.51.100.66", False),
        ("198.51.100.0/24, !198.51.100.66", "198.51.100.66", True),
        ("!!198.51.100.66", "198.51.100.66", True),
        ("198.51.100.66", "198.51.100.67", False),
        ("", "127.0.0.1", False),
    ],
)
def test_first_network_with_the_address_decides(value: str, address: str, trusted: bool) -> None:
    networks = read_networks(value)
    assert networks is not None
    assert (ip_address(address) in networks) is trusted


def open_relays(value: str) -> list[str]:
    """What the warning says of such a configuration."""
    given = model(lambda data: machine(data, "mail")["mail"].update(main_cf={"mynetworks": value}))
    return [p.what for p in check(given.lab) if (p.id, p.severity) == ("open-relay", Severity.WARNING)]


@pytest.mark.parametrize(
    ("value", "named"),
    [
        ("0.0.0.0/0", "0.0.0.0/0"),
        ("127.0.0.0/8, [::]/0", "::/0"),
        ("163.26.182.0/24, 163.26.0.0/16", "163.26.0.0/16"),
        ("198.51.100.66", "198.51.100.66/32"),
    ],
)
def test_trust_in_strangers_is_a_warning(value: str, named: str) -> None:
    (what,) = open_relays(value)
    assert f"mynetworks has {named}:" in what


@pytest.mark.parametrize(
    "value",
    ["127.0.0.0/8, [::1]/128, 163.26.182.0/24", "163.26.182.100 [2001:db8:182::]/64", "!0.0.0.0/0", "hash:/etc/x"],
)
def test_trust_in_the_school_is_none(value: str) -> None:
    assert open_relays(value) == []


def test_tutorials_school_has_no_warning() -> None:
    assert [problem for problem in check(model().lab) if problem.id == "open-relay"] == []
