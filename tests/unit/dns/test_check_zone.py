"""What is wrong with a zone."""

import pytest

from components.dns.model import Soa, ZoneConfig, check_zone
from tests.support.problems import ids

ORIGIN = "dc1es.tnc.edu.tw"
NAME_SERVER = "dns A 163.26.182.1"


def zone(*records: str, ttl: int = 86400, mname: str = "dns", serial: int = 2006030801, **times: int) -> ZoneConfig:
    soa = Soa(mname=mname, rname="admin.dns", serial=serial, **times)
    return ZoneConfig(soa=soa, ttl=ttl, records=(NAME_SERVER, *records))


def test_good_zone_has_no_problem() -> None:
    good = zone("@ MX 0 mail", "mail A 163.26.182.2", "www CNAME mail", '@ TXT "v=spf1 -all"', "@ NS DNS")
    assert check_zone(good, ORIGIN, "zone") == []


@pytest.mark.parametrize(
    ("bad", "expected"),
    [
        pytest.param(zone("mail A"), ["bad-record"], id="no data"),
        pytest.param(zone("mail A 163.26.182"), ["bad-record"], id="half an address"),
        pytest.param(zone("mail AAA 163.26.182.2"), ["bad-record"], id="unknown type"),
        pytest.param(zone("@ MX mail"), ["bad-record"], id="MX without preference"),
        pytest.param(zone("mail.example.com. A 198.51.100.1"), ["bad-record"], id="owner of another zone"),
        pytest.param(zone("a A 163.26.182.2 x"), ["bad-record"], id="words too many"),
        pytest.param(zone("a A 163.26.182.2", "a A 163.26.182.2"), ["record-twice"], id="record twice"),
        pytest.param(zone("a CNAME dns", "a A 163.26.182.2"), ["cname-and-other-data"], id="CNAME beside an address"),
        pytest.param(zone("a CNAME dns", "a CNAME b"), ["cname-and-other-data"] * 2, id="two CNAMEs"),
        # The tutorial's own typing error
        pytest.param(zone("@ MX 0 sapmfilter"), ["mx-without-address"], id="MX without address"),
        pytest.param(zone("@ MX 0 w", "w CNAME dns"), ["mx-without-address"], id="MX to a CNAME"),
        pytest.param(zone("@ NS dns2"), ["ns-without-address"], id="NS without address"),
        pytest.param(zone("_imap._tcp SRV 0 0 143 x"), ["srv-without-address"], id="SRV without address"),
        pytest.param(zone(mname="ns"), ["ns-without-address"], id="SOA's name server without address"),
        pytest.param(zone("@ CNAME dns"), ["cname-and-other-data"], id="CNAME for the zone itself"),
        pytest.param(zone("MAIL CNAME dns", "mail A 163.26.182.2"), ["cname-and-other-data"], id="in other letters"),
        pytest.param(zone("@ SOA dns admin 1 2 3 4 5"), ["second-soa"], id="a second SOA"),
        pytest.param(zone(mname="dns..x"), ["bad-soa-name"], id="mname with an empty label"),
        pytest.param(zone(serial=2**32 - 1), ["soa-out-of-range"], id="serial without room to grow"),
        pytest.param(zone(ttl=0), ["soa-out-of-range"], id="TTL nought"),
        pytest.param(zone(ttl=2**31), ["soa-out-of-range"], id="TTL too long"),
        pytest.param(zone(serial=0), ["soa-out-of-range"], id="serial nought"),
        pytest.param(zone(serial=2**32), ["soa-out-of-range"], id="serial too large"),
        pytest.param(zone(refresh=0), ["soa-out-of-range"], id="refresh"),
        pytest.param(zone(retry=-1), ["soa-out-of-range"], id="retry"),
        pytest.param(zone(minimum=2**31), ["soa-out-of-range"], id="minimum"),
        pytest.param(zone(refresh=100, retry=50, expire=120), ["soa-expire"], id="expires too soon"),
    ],
)
def test_bad_zone(bad: ZoneConfig, expected: list[str]) -> None:
    assert ids(check_zone(bad, ORIGIN, "zone")) == expected


def test_target_of_another_zone_is_not_ours_to_check() -> None:
    assert check_zone(zone("@ MX 0 mail.example.com."), ORIGIN, "zone") == []


def test_place_names_the_record_and_remedy_the_missing_line() -> None:
    (problem,) = check_zone(zone("@ MX 0 sapmfilter"), ORIGIN, "zone")
    assert problem.where == "zone.records[1] (@ MX 0 sapmfilter)"
    assert "sapmfilter A" in problem.remedy


def test_all_faults_of_a_zone_are_reported_at_once() -> None:
    bad = zone("mail A", "@ MX 0 nobody", "w CNAME dns", "w TXT x", ttl=0)
    assert ids(check_zone(bad, ORIGIN, "zone")) == [
        "bad-record",
        "cname-and-other-data",
        "mx-without-address",
        "soa-out-of-range",
    ]


@pytest.mark.parametrize("rname", ["admin@dns", "admin..x"])
def test_rname_is_a_domain_name(rname: str) -> None:
    soa = Soa(mname="dns", rname=rname, serial=1)
    assert ids(check_zone(ZoneConfig(soa=soa, records=(NAME_SERVER,)), ORIGIN, "zone")) == ["bad-soa-name"]
