"""What a picture shows of a lab: machines, who can connect to them, and the ways of mail."""

import pytest
from hypothesis import HealthCheck, given, settings

from components.config.lab import ROUTER, LabConfig
from components.plan import plan_of
from maillab.graph.network import Arrow, Link, Picture, picture_of
from tests.unit.labs import Data, machine, school
from tests.unit.maillab.graph.labs import drawn_of, two_schools, without_relayhost
from tests.unit.strategies import labs


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILLAB_LANG", "en")


def arrows(picture: Picture, kind: Arrow) -> list[tuple[str, str]]:
    return [(link.source, link.target) for link in picture.links if link.kind is kind]


def guard(picture: Picture, name: str) -> str:
    return picture.stations[name].guard


def test_arrows_of_the_tutorial() -> None:
    picture = drawn_of()
    assert arrows(picture, Arrow.RELAYHOST) == [("mail", "spamfilter"), ("mail2", "spamfilter")]
    assert arrows(picture, Arrow.TABLE) == [("spamfilter", "mail"), ("spamfilter", "mail2")]
    mx = {link.target: link.preferences for link in picture.links if link.kind is Arrow.MX}
    assert mx == {"spamfilter": (0,), "mail": (10,), "mail2": (20,)}
    assert {link.source for link in picture.links if link.kind is Arrow.MX} == {ROUTER}


def test_domains_with_the_same_servers_stand_together() -> None:
    first, second = drawn_of().exchanges
    assert first.domains == ("dc1es.tnc.edu.tw", "dns.dc1es.tnc.edu.tw")
    assert first.servers == ((0, "spamfilter", "mail"), (10, "mail", ""))
    assert second.domains == ("mail2.dc1es.tnc.edu.tw",)
    assert second.servers == ((10, "spamfilter", "mail2"), (20, "mail2", ""))


def test_one_host_has_both_roles() -> None:
    picture = drawn_of(stack="onehost")
    assert picture.stations["dns"].role == "name server, mail server"
    assert picture.exchanges[0].servers == ((0, "spamfilter", "dns"), (10, "dns", ""))


def test_who_can_connect_to_port_25() -> None:
    picture = drawn_of()
    assert guard(picture, "spamfilter") == "port 25: open to all"
    assert guard(picture, "mail") == "port 25: some senders"
    assert guard(picture, "dns") == ""
    assert [picture.stations[name].is_open for name in ("spamfilter", "mail", "dns")] == [True, False, True]


def test_hole_of_ipv6_is_seen() -> None:
    picture = drawn_of(lambda data: school(data)["firewall"].update(ipv6="tutorial"))
    assert guard(picture, "mail") == "port 25: some senders (IPv4), open to all (IPv6)"
    assert not picture.stations["mail"].is_open


def test_closed_to_everybody() -> None:
    rule = {"action": "DROP", "port": 25, "not_source": "163.26.182.0/24", "not_source6": "2001:db8:182::/64"}
    picture = drawn_of(lambda data: school(data)["firewall"].update(mail=[rule]))
    assert guard(picture, "mail") == "port 25: closed from outside"


@pytest.mark.parametrize(
    "relayhost",
    ["[163.26.182.8]", "163.26.182.8:25", "[IPv6:2001:db8:182::8]", "[mail2.dc1es.tnc.edu.tw]:25"],
)
def test_machine_that_a_relayhost_is(relayhost: str) -> None:
    def edit(data: Data) -> None:
        machine(data, "mail")["mail"]["relayhost"] = relayhost

    assert ("mail", "mail2") in arrows(drawn_of(edit), Arrow.RELAYHOST)


def test_relayhost_by_a_name_with_mx_records_is_the_first_of_them() -> None:
    def edit(data: Data) -> None:
        machine(data, "mail")["mail"]["relayhost"] = "mail2.dc1es.tnc.edu.tw"

    assert ("mail", "spamfilter") in arrows(drawn_of(edit), Arrow.RELAYHOST)


def test_who_sends_to_the_internet_itself() -> None:
    assert drawn_of().outward == ("spamfilter",)
    assert drawn_of(without_relayhost).outward == ("mail2", "spamfilter")


def test_mail_server_that_is_no_machine_stands_there_by_its_name() -> None:
    def edit(data: Data) -> None:
        school(data)["zone"]["records"].append("@ MX 50 mx.example.org.")

    picture = drawn_of(edit)
    assert picture.exchanges[0].servers[-1] == (50, "mx.example.org", "")
    assert "mx.example.org" not in {link.target for link in picture.links}


def test_every_school_has_its_own_network() -> None:
    picture = two_schools()
    assert [network.name for network in picture.schools] == ["dc1es", "dc3es"]
    assert [address[1] for address in picture.router.addresses] == ["203.0.113.254", "163.26.182.254", "163.26.190.254"]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(labs())
def test_every_arrow_is_between_machines_of_the_picture(lab: LabConfig) -> None:
    picture = picture_of(plan_of(lab))
    ends = {name for link in picture.links for name in (link.source, link.target)}
    assert ends <= set(picture.stations)
    assert set(picture.stations) == set(plan_of(lab).machines)
    assert len(picture.links) == len({(one.kind, one.source, one.target) for one in picture.links})
    assert not [one for one in picture.links if one.source == one.target]


def test_links_are_of_every_kind() -> None:
    """The control."""
    assert {link.kind for link in drawn_of().links} == set(Arrow)
    assert isinstance(drawn_of().links[0], Link)
