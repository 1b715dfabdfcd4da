"""Secondary name servers of a school's zone: what can be wrong with them, and what follows from a good one."""

import pytest

from components.checks.secondaries import check_secondaries
from components.config.problem import ConfigurationError
from components.dns.render import dns_files
from components.internet.zones import internet_zones
from tests.support.problems import ids
from tests.unit.internet.resolver import Referral, World
from tests.unit.labs import Data, Model, add_second_school, model, school

DOMAIN = "dc1es.tnc.edu.tw"
REVERSE = "182.26.163.in-addr.arpa"
TN = "mail.tn.edu.tw."


def with_secondaries(*names: str, records: tuple[str, ...] = ()) -> Model:
    def edit(data: Data) -> None:
        zone = school(data)["zone"]
        zone["secondaries"] = list(names)
        zone["records"] += records

    return model(edit)


@pytest.mark.parametrize(
    ("names", "records", "expected"),
    [
        (("ns",), (), "secondary-unknown"),
        (("dns",), (), "secondary-unknown"),
        (("internet",), (), "secondary-unknown"),
        (("tn", "tn"), (), "secondary-twice"),
        (("tn",), ("@ NS mail.tn.edu.tw.",), "secondary-in-records"),
        (("tn",), ("@ NS Mail.TN.edu.tw.",), "secondary-in-records"),
    ],
)
def test_bad_secondary(names: tuple[str, ...], records: tuple[str, ...], expected: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        with_secondaries(*names, records=records)
    assert ids(caught.value.problems) == [expected]


def test_good_secondaries_are_no_problem() -> None:
    assert check_secondaries(with_secondaries("tn", records=("sub NS mail.tn.edu.tw.",)).lab) == []


@pytest.mark.parametrize("zone", [DOMAIN, REVERSE])
def test_zone_above_and_the_zone_itself_name_both_servers(zone: str) -> None:
    given = with_secondaries("tn")
    referral = World(internet_zones(given.lab)).ask(zone, "NS")
    assert isinstance(referral, Referral)
    assert referral.servers == {f"dns.{DOMAIN}.", TN}
    assert f"@   IN   NS   {TN}\n" in given.plans["dns"].part.files[f"/etc/bind/db.{zone}"]


def test_its_address_can_be_asked_for() -> None:
    assert World(internet_zones(with_secondaries("tn").lab)).ask(TN, "A") == ["203.68.102.25"]


def test_only_the_secondary_may_transfer_and_it_is_told_of_changes() -> None:
    named = with_secondaries("tn").plans["dns"].part.files["/etc/bind/named.conf"]
    both = "203.68.102.25; 2001:db8:203::25"
    assert named.count(f"allow-transfer {{ {both}; }};") == named.count(f"also-notify {{ {both}; }};") == 3
    assert "allow-transfer { none; };" in named


def test_secondary_serves_copies_and_nothing_else() -> None:
    part = with_secondaries("tn").plans["tn"].part
    named = part.files["/etc/bind/named.conf"]
    assert named.count("primaries { 163.26.182.1; 2001:db8:182::1; };") == 3
    assert "recursion no;" in named
    assert part.files["/etc/maillab/zones"] == ""
    assert part.files["/etc/maillab/secondaries"].splitlines()[0] == f"{DOMAIN} 163.26.182.1"
    assert {(53, 4), (53, 6), (25, 4)} <= part.listens
    assert part.roles.index("bind") < part.roles.index("postfix")
    assert part.mail is not None


def test_one_machine_can_serve_several_schools() -> None:
    def edit(data: Data) -> None:
        school(data)["zone"]["secondaries"] = ["tn"]
        add_second_school(data)

    files = model(edit).plans["tn"].part.files
    assert [line.split()[0] for line in files["/etc/maillab/secondaries"].splitlines()].count("dc3es.tnc.edu.tw") == 1
    assert files["/etc/bind/named.conf"].count("type secondary;") == 6


def test_school_without_one_tells_nobody() -> None:
    given = model()
    (first,) = given.lab.schools
    assert "notify no;" in dns_files(given.lab, first)["/etc/bind/named.conf"]
    assert "type secondary;" not in given.plans["tn"].part.files["/etc/bind/named.conf"]
