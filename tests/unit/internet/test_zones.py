"""The Internet's zones: whatever the configuration names is found from the root."""

import copy
import pathlib
from collections.abc import Mapping

import dns.reversename
import pytest
from hypothesis import given, settings

from components.config.lab import LabConfig
from components.internet.zones import internet_zones
from components.load import parse
from tests.support.configurations import schools
from tests.support.stacks import stack_data
from tests.unit.internet.resolver import Referral, World

ROOT = pathlib.Path(__file__).resolve().parents[3]
SECOND = {
    "name": "far",
    "domain": "far.school.example.org",
    "network": {
        "ipv4": "10.9.0.0/16",
        "ipv6": "2001:db8:9::/48",
        "router": "10.9.0.254",
        "router6": "2001:db8:9::254",
    },
    "zone": {"soa": {"mname": "ns.in", "rname": "admin", "serial": 1}, "records": ["ns.in A 10.9.0.1"]},
    "machines": [{"name": "far1", "roles": ["dns"], "ipv4": "10.9.0.1", "ipv6": "2001:db8:9::1"}],
}


def lab_with(*more: Mapping[str, object], senders: list[dict[str, str]] | None = None) -> LabConfig:
    data = copy.deepcopy(stack_data(ROOT, "dc1es"))
    assert isinstance(data["schools"], list)
    assert isinstance(data["internet"], dict)
    data["schools"] += more
    if senders is not None:
        data["internet"]["senders"] = senders
    return parse(data, "dc1es")


def world_of(lab: LabConfig) -> World:
    return World(internet_zones(lab))


@pytest.fixture(scope="module")
def lab() -> LabConfig:
    return lab_with(SECOND)


@pytest.fixture(scope="module")
def world(lab: LabConfig) -> World:
    return world_of(lab)


def test_every_sender_is_found_by_name_address_and_domain(lab: LabConfig, world: World) -> None:
    for sender in lab.internet.senders:
        assert world.ask(sender.domain, "MX") == [f"10 {sender.host}."]
        for name in (sender.host, sender.domain):
            assert world.ask(name, "A") == [str(sender.ipv4)]
            assert world.ask(name, "AAAA") == [str(sender.ipv6)]
        for address in (sender.ipv4, sender.ipv6):
            pointer = dns.reversename.from_address(str(address)).to_text()
            assert world.ask(pointer, "PTR") == [f"{sender.host}."]


def test_the_other_mail_server_is_found(lab: LabConfig, world: World) -> None:
    assert world.ask("tn.edu.tw", "MX") == ["10 mail.tn.edu.tw."]
    assert world.ask("mail.tn.edu.tw", "A") == [str(lab.internet.mail.ipv4)]
    assert world.ask("mail.tn.edu.tw", "AAAA") == [str(lab.internet.mail.ipv6)]


@pytest.mark.parametrize(
    ("address", "name"),
    [
        pytest.param("203.0.113.53", "ns.root-servers.tw.", id="name server"),
        pytest.param("2001:db8:113::53", "ns.root-servers.tw.", id="name server by IPv6"),
        pytest.param("203.0.113.254", "router.tnc.edu.tw.", id="router"),
        pytest.param("203.68.102.25", "mail.tn.edu.tw.", id="tn"),
    ],
)
def test_every_machine_of_the_internet_has_a_pointer(world: World, address: str, name: str) -> None:
    assert world.ask(dns.reversename.from_address(address).to_text(), "PTR") == [name]


@pytest.mark.parametrize(
    ("name", "server", "glue"),
    [
        pytest.param("mail.dc1es.tnc.edu.tw", "dns.dc1es.tnc.edu.tw.", {"163.26.182.1", "2001:db8:182::1"}, id="name"),
        pytest.param(
            "far.school.example.org", "ns.in.far.school.example.org.", {"10.9.0.1", "2001:db8:9::1"}, id="far"
        ),
        # A name server of another tree needs no glue, and may have none.
        pytest.param("2.182.26.163.in-addr.arpa", "dns.dc1es.tnc.edu.tw.", set(), id="IPv4 address"),
        pytest.param("3.2.9.10.in-addr.arpa", "ns.in.far.school.example.org.", set(), id="IPv4 address of the far one"),
        pytest.param(
            dns.reversename.from_address("2001:db8:182::2").to_text(), "dns.dc1es.tnc.edu.tw.", set(), id="IPv6 address"
        ),
    ],
)
def test_each_school_is_asked_itself(world: World, name: str, server: str, glue: set[str]) -> None:
    assert world.ask(name, "A") == Referral(servers=frozenset({server}), glue=frozenset(glue))


def test_every_domain_above_a_school_is_a_zone() -> None:
    zones = internet_zones(lab_with(SECOND))
    assert {"org", "example.org", "school.example.org", "tw", "edu.tw", "tnc.edu.tw"} <= zones.keys()
    assert not {"far.school.example.org", "dc1es.tnc.edu.tw"} & zones.keys()


def test_no_zone_but_those_that_a_name_needs() -> None:
    names = internet_zones(lab_with(senders=[{"host": "a.b.example", "ipv4": "198.51.100.1", "ipv6": "2001:db8::1"}]))
    above = {".", "arpa", "edu.tw", "in-addr.arpa", "ip6.arpa", "root-servers.tw", "tn.edu.tw", "tnc.edu.tw", "tw"}
    assert set(names) == above | {"b.example", "example"}


def test_two_senders_of_one_domain_are_two_exchangers() -> None:
    senders = [
        {"host": "mail.example.com", "ipv4": "198.51.100.1", "ipv6": "2001:db8::1"},
        {"host": "post.example.com", "ipv4": "198.51.100.2", "ipv6": "2001:db8::2"},
    ]
    world = world_of(lab_with(senders=senders))
    assert world.ask("example.com", "MX") == ["10 mail.example.com.", "20 post.example.com."]
    assert world.ask("example.com", "A") == ["198.51.100.1"]


def test_sender_in_the_domain_above_the_schools() -> None:
    world = world_of(lab_with(senders=[{"host": "mail.tnc.edu.tw", "ipv4": "203.68.102.9", "ipv6": "2001:db8::9"}]))
    assert world.ask("tnc.edu.tw", "MX") == ["10 mail.tnc.edu.tw."]
    assert isinstance(world.ask("dc1es.tnc.edu.tw", "MX"), Referral)


def test_school_that_is_the_whole_county_keeps_its_names() -> None:
    # The Internet's router is called router.tnc.edu.tw: then that name is the school's to give.
    far = copy.deepcopy(SECOND) | {"domain": "tnc.edu.tw"}
    data = stack_data(ROOT, "dc1es") | {"schools": [far]}
    assert isinstance(data["internet"], dict)
    data["internet"]["senders"] = [data["internet"]["senders"][0]]
    world = world_of(parse(data, "far"))
    assert world.ask("router.tnc.edu.tw", "A") == Referral(
        servers=frozenset({"ns.in.tnc.edu.tw."}), glue=frozenset({"10.9.0.1", "2001:db8:9::1"})
    )


def test_the_order_of_the_configuration_changes_nothing() -> None:
    one, two = lab_with(SECOND), lab_with(SECOND)
    object.__setattr__(two, "schools", tuple(reversed(two.schools)))
    object.__setattr__(two.internet, "senders", tuple(reversed(two.internet.senders)))
    assert internet_zones(one) == internet_zones(two)


@settings(max_examples=30, deadline=None)
@given(school=schools())
def test_every_school_is_found(school: Mapping[str, object]) -> None:
    lab = parse(stack_data(ROOT, "dc1es") | {"schools": [school]}, "any")
    world = world_of(lab)
    machine = lab.schools[0].machines[0]
    server = f"dns.{lab.schools[0].domain}."
    assert world.ask(lab.schools[0].domain, "MX") == Referral(
        servers=frozenset({server}), glue=frozenset({str(machine.ipv4), str(machine.ipv6)})
    )
    for address in (machine.ipv4, machine.ipv6):
        referral = world.ask(address.reverse_pointer, "PTR")
        assert isinstance(referral, Referral)
        assert referral.servers == {server}
