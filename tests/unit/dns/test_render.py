"""The name server's files."""

from dataclasses import replace
from ipaddress import IPv4Network, IPv6Network, ip_network

import pytest

from components.config.dns import Soa
from components.dns.render import Row, reverse_origin, school_zones, zone_text
from components.load import parse
from tests.support.stacks import stack_data
from tests.unit.labs import ROOT


@pytest.mark.parametrize(
    ("network", "origin"),
    [
        pytest.param("163.26.182.0/24", "182.26.163.in-addr.arpa.", id="24 bits"),
        pytest.param("10.0.0.0/8", "10.in-addr.arpa.", id="8 bits"),
        pytest.param("163.26.182.0/26", "182.26.163.in-addr.arpa.", id="between octets: the octet above"),
        pytest.param("2001:db8:182::/64", "0.0.0.0.2.8.1.0.8.b.d.0.1.0.0.2.ip6.arpa.", id="64 bits"),
        pytest.param("2001:db8::/32", "8.b.d.0.1.0.0.2.ip6.arpa.", id="32 bits"),
    ],
)
def test_reverse_origin(network: str, origin: str) -> None:
    parsed = ip_network(network)
    assert isinstance(parsed, IPv4Network | IPv6Network)
    assert reverse_origin(parsed) == origin


def test_ttl_of_a_record_is_written_and_text_is_one_string() -> None:
    (school,) = parse(stack_data(ROOT, "dc1es"), "dc1es").schools
    more = ("www 3600 A 163.26.182.3", "_dmarc TXT v=DMARC1; p=none")
    zone = replace(school.zone, records=(*school.zone.records, *more))
    lines = school_zones(replace(school, zone=zone))[school.domain].splitlines()
    assert "dns   IN   A   163.26.182.1" in lines
    assert "www   3600   IN   A   163.26.182.3" in lines
    assert '_dmarc   IN   TXT   "v=DMARC1; p=none"' in lines


def test_serial_stands_alone_on_the_line_after_the_soa() -> None:
    # Role bind finds it there.
    soa = Soa(mname="ns.example.", rname="h.example.", serial=7)
    lines = zone_text("example.", soa, 60, [Row("@", "TXT", "x")]).splitlines()
    (opening,) = [index for index, line in enumerate(lines) if " SOA " in line]
    assert lines[opening].endswith("(")
    assert lines[opening + 1].split()[0] == "7"
