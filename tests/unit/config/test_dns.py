"""What is wrong with a zone."""

import pytest

from components.config.dns import Soa, ZoneConfig, check_zone
from components.config.lines import parse_lines
from components.config.problem import Problem
from components.config.record import parse_record
from tests.support.problems import ids

ORIGIN = "dc1es.tnc.edu.tw"
NAME_SERVER = "dns A 163.26.182.1"


def zone(*records: str, ttl: int = 86400, mname: str = "dns", serial: int = 2006030801, **times: int) -> ZoneConfig:
    soa = Soa(mname=mname, rname="admin.dns", serial=serial, **times)
    return ZoneConfig(soa=soa, ttl=ttl, records=(NAME_SERVER, *records))


def problems_of(config: ZoneConfig) -> list[Problem]:
    parsed = parse_lines(config.records, lambda line: parse_record(line, ORIGIN))
    return check_zone(config, parsed, ORIGIN, "zone")


def test_good_zone_has_no_problem() -> None:
    good = zone(
        "@ MX 0 mail",
        "mail A 163.26.182.2",
        "www CNAME mail",
        '@ TXT "v=spf1 -all"',
        "@ NS DNS",
        "*.a A 163.26.182.2",
        "_x TXT y",
    )
    assert problems_of(good) == []


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
        pytest.param(zone("@ MX 0 163.26.182.1"), ["address-as-target"], id="MX to an address"),
        pytest.param(zone("@ MX 0 163.26.182.1."), ["address-as-target"], id="MX to an address with a dot"),
        pytest.param(zone("@ MX 0 [163.26.182.1]"), ["address-as-target"], id="MX to an address in brackets"),
        pytest.param(zone("@ MX 0 2001:db8:182::1"), ["address-as-target"], id="MX to an IPv6 address"),
        pytest.param(zone("@ NS 163.26.182.1"), ["address-as-target"], id="NS with an address"),
        pytest.param(zone("_imap._tcp SRV 0 0 143 163.26.182.1"), ["address-as-target"], id="SRV with an address"),
        pytest.param(zone("www CNAME 163.26.182.1"), ["address-as-target"], id="CNAME with an address"),
        pytest.param(zone(mname="163.26.182.1"), ["bad-soa-name", "ns-without-address"], id="mname is an address"),
        pytest.param(zone("dns 60 A 163.26.182.9"), ["ttl-differs"], id="two TTLs of one name and type"),
        pytest.param(zone("@ 60 NS dns2.example.com."), ["ttl-differs"], id="another TTL than the zone's own NS"),
        pytest.param(zone("a A 163.26.182.2", "a 60 A 163.26.182.2"), ["record-twice", "ttl-differs"], id="TTL only"),
        pytest.param(zone("my_host A 163.26.182.2"), ["bad-owner"], id="a host with an underscore"),
        pytest.param(zone("a;b AAAA 2001:db8::1"), ["bad-owner"], id="a host with a semicolon"),
        pytest.param(zone("_x MX 0 dns"), ["bad-owner"], id="a mail domain with an underscore"),
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
    assert ids(problems_of(bad)) == expected


def test_target_of_another_zone_is_not_ours_to_check() -> None:
    assert problems_of(zone("@ MX 0 mail.example.com.")) == []


def test_same_ttl_for_one_name_and_type_is_good() -> None:
    good = zone("www 60 A 163.26.182.2", "www 1m A 163.26.182.3", "www 90 AAAA 2001:db8::1", "dns 86400 A 163.26.182.9")
    assert problems_of(good) == []


@pytest.mark.parametrize(
    ("record", "remedy"),
    [
        pytest.param("@ MX 0 163.26.182.1", "name the host that has it: dns", id="of a host"),
        pytest.param("@ MX 0 163.26.182.9", "name a host, and give it the address", id="of nobody"),
    ],
)
def test_mx_to_an_address_is_told_to_name_the_host(record: str, remedy: str) -> None:
    (problem,) = problems_of(zone(record))
    assert remedy in problem.remedy
    assert "is an address" in problem.what


def test_long_record_is_shortened_in_its_place() -> None:
    (problem,) = problems_of(zone(f"@ TX {'x ' * 500}"))
    assert len(problem.where) < 100


def test_place_names_the_record_and_remedy_the_missing_line() -> None:
    (problem,) = problems_of(zone("@ MX 0 sapmfilter"))
    assert problem.where == "zone.records[1] (@ MX 0 sapmfilter)"
    assert "sapmfilter A" in problem.remedy


def test_all_faults_of_a_zone_are_reported_at_once() -> None:
    bad = zone("mail A", "@ MX 0 nobody", "w CNAME dns", "w TXT x", ttl=0)
    assert ids(problems_of(bad)) == [
        "bad-record",
        "cname-and-other-data",
        "mx-without-address",
        "soa-out-of-range",
    ]


@pytest.mark.parametrize("rname", ["admin@dns", "admin..x"])
def test_rname_is_a_domain_name(rname: str) -> None:
    soa = Soa(mname="dns", rname=rname, serial=1)
    assert ids(problems_of(ZoneConfig(soa=soa, records=(NAME_SERVER,)))) == ["bad-soa-name"]
