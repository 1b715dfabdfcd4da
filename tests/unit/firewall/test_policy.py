"""Which rules each machine has, asked by the packets that they are about."""

from dataclasses import replace
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

import pytest

from components.config.firewall import Action, Chain, FirewallConfig, Ipv6Policy, Protocol, Rule, RuleConfig
from components.config.lab import LabConfig
from components.firewall.chain import Packet, decide, of_chain
from components.firewall.policy import MARTIANS, configured_rules, machine_rules
from components.network.topology import topology_of
from tests.unit.labs import Data, add_second_school, machine, model, school

ACCEPT, DROP = Action.ACCEPT, Action.DROP
SENDER, SENDER6 = "198.51.100.10", "2001:db8:198::10"
MAIL, MAIL6, FILTER = "163.26.182.2", "2001:db8:182::2", "163.26.182.249"
INSIDE, INSIDE6 = "163.26.182.100", "2001:db8:182::100"


@pytest.fixture(scope="module")
def lab() -> LabConfig:
    """The tutorial's school."""
    return model().lab


def fate(lab: LabConfig, machine: str, chain: Chain, source: str, destination: str, **about: object) -> Action:
    """What a machine's chain does with a packet; TCP, from the wire, and beginning a connection if not said."""
    given = {"in_interface": "dc1es" if chain is Chain.INPUT else ""} | about
    packet = Packet(
        version=ip_address(source).version,
        source=int(ip_address(source)),
        destination=int(ip_address(destination)),
        **given,  # type: ignore[arg-type]
    )
    rule = decide(of_chain(machine_rules(lab)[machine], packet.version, chain), packet)
    return ACCEPT if rule is None else rule.action


def into(lab: LabConfig, machine: str, source: str, **about: object) -> Action:
    """A packet for a machine of the tutorial's school."""
    (found,) = [m for m in lab.schools[0].machines if m.name == machine]
    destination = found.ipv4 if ip_address(source).version == 4 else found.ipv6
    return fate(lab, machine, Chain.INPUT, source, str(destination), **about)


def through(lab: LabConfig, source: str, destination: str, side: str, **about: object) -> Action:
    """A packet that the router gets from the network `side`."""
    return fate(lab, "router", Chain.FORWARD, source, destination, in_interface=side, **about)


def test_every_machine_has_rules(lab: LabConfig) -> None:
    assert set(machine_rules(lab)) == set(topology_of(lab).hosts)


on_each_machine = pytest.mark.parametrize(
    "name", ["router", "internet", "tn", "outside", "dns", "mail", "spamfilter", "workstation"]
)


@on_each_machine
def test_nothing_goes_to_the_bridge_under_the_lab(lab: LabConfig, name: str) -> None:
    """Its only address in the lab is a link-local one."""
    assert fate(lab, name, Chain.OUTPUT, SENDER6, "fe80::1", out_interface="dc1es", port=22) is DROP


@on_each_machine
def test_nothing_comes_from_the_bridge_under_the_lab(lab: LabConfig, name: str) -> None:
    assert fate(lab, name, Chain.INPUT, "fe80::1", MAIL6, port=22) is DROP


@on_each_machine
@pytest.mark.parametrize("kind", ["neighbour-solicitation", "neighbour-advertisement"])
def test_bridge_under_the_lab_is_a_neighbour(lab: LabConfig, name: str, kind: str) -> None:
    icmp = {"protocol": Protocol.ICMPV6, "icmp_type": kind}
    there = fate(lab, name, Chain.OUTPUT, SENDER6, "ff02::1", out_interface="dc1es", **icmp)
    assert (there, fate(lab, name, Chain.INPUT, "fe80::1", "ff02::1", **icmp)) == (ACCEPT, ACCEPT)


def test_link_local_addresses_are_good_within_the_machine(lab: LabConfig) -> None:
    assert fate(lab, "mail", Chain.INPUT, "fe80::1", "fe80::1", in_interface="lo", port=110) is ACCEPT


@pytest.mark.parametrize("name", ["mail", "mail2"])
def test_ftp_is_closed_by_ipv6_as_the_page_has_it(lab: LabConfig, name: str) -> None:
    assert [into(lab, name, source, port=21) for source in (SENDER, INSIDE6, SENDER6)] == [ACCEPT, DROP, DROP]


def test_machine_asks_itself_from_nobodys_address(lab: LabConfig) -> None:
    """After an update role `postfix` looks as the world would (RFC 7600's 192.0.0.8)."""
    assert into(lab, "mail", "192.0.0.8", port=25, in_interface="lo") is ACCEPT


def test_nobodys_address_is_let_in_from_the_machine_only(lab: LabConfig) -> None:
    assert into(lab, "mail", "192.0.0.8", port=25) is DROP


def with_firewall(lab: LabConfig, firewall: FirewallConfig) -> LabConfig:
    (first, *others) = lab.schools
    return replace(lab, schools=(replace(first, firewall=firewall), *others))


@pytest.mark.parametrize("source", [SENDER, SENDER6])
def test_school_without_rules_is_open_on_port_25(lab: LabConfig, source: str) -> None:
    """不可加 port 25 過濾: schools of other counties."""
    assert into(with_firewall(lab, FirewallConfig()), "mail", source, port=25) is ACCEPT


@pytest.mark.parametrize("source", [SENDER, SENDER6])
def test_school_without_rules_keeps_ssh_to_itself(lab: LabConfig, source: str) -> None:
    assert into(with_firewall(lab, FirewallConfig()), "mail", source, port=22) is DROP


def test_one_host_for_both_has_the_mail_servers_rules() -> None:
    """Port 110 of a name server would be the school's only."""
    assert into(model(stack="onehost").lab, "dns", SENDER, port=110) is ACCEPT


@pytest.mark.parametrize("protocol", [Protocol.TCP, Protocol.UDP])
def test_names_are_for_everybody(lab: LabConfig, protocol: Protocol) -> None:
    assert into(lab, "dns", SENDER, port=53, protocol=protocol) is ACCEPT


@pytest.mark.parametrize("name", ["dns", "spamfilter"])
@pytest.mark.parametrize("source", [SENDER, SENDER6])
def test_closed_machine_gets_answers_to_what_it_asked(lab: LabConfig, name: str, source: str) -> None:
    """Only what begins a connection is dropped."""
    assert [into(lab, name, source, port=40000, syn=syn) for syn in (True, False)] == [DROP, ACCEPT]


@pytest.mark.parametrize(("destination", "expected"), [(MAIL, ACCEPT), ("163.26.182.8", ACCEPT), (INSIDE, DROP)])
def test_filter_fetches_accounts_from_the_mail_servers(lab: LabConfig, destination: str, expected: Action) -> None:
    assert fate(lab, "spamfilter", Chain.OUTPUT, FILTER, destination, port=22, out_interface="dc1es") is expected


@pytest.mark.parametrize("name", ["workstation", "tn", "outside", "internet"])
@pytest.mark.parametrize("port", [22, 25, 9])
def test_other_machines_are_open(lab: LabConfig, name: str, port: int) -> None:
    assert fate(lab, name, Chain.INPUT, SENDER, INSIDE, port=port) is ACCEPT


@pytest.mark.parametrize("network", MARTIANS)
def test_source_that_nobody_has_does_not_come_in(lab: LabConfig, network: str) -> None:
    first = ip_network(network)[0]
    assert through(lab, str(first), MAIL if first.version == 4 else MAIL6, "internet") is DROP


@pytest.mark.parametrize(
    ("source", "expected"),
    [("10.9.0.1", ACCEPT), ("10.255.0.1", ACCEPT), ("172.16.0.1", DROP), ("192.168.0.1", DROP)],
)
def test_range_that_the_lab_itself_uses_is_nobodys_no_more(source: str, expected: Action) -> None:
    given = model(lambda data: data["internet"]["senders"][0].update(ipv4="10.9.0.1"))
    assert through(given.lab, source, MAIL, "internet") is expected


def test_schools_own_private_addresses_are_nobodys_no_more() -> None:
    def move(data: Data) -> None:
        data["schools"][0] = {
            "name": "far",
            "domain": "far.school.example.org",
            "network": {"ipv4": "10.9.0.0/16", "ipv6": "fc00:9::/48", "router": "10.9.0.254", "router6": "fc00:9::254"},
            "zone": {"soa": {"mname": "ns", "rname": "admin", "serial": 1}, "records": ["ns A 10.9.0.1"]},
            "machines": [{"name": "far1", "roles": ["dns"], "ipv4": "10.9.0.1", "ipv6": "fc00:9::1"}],
        }

    rules = machine_rules(model(move).lab)["router"]
    nobodys = {str(rule.source) for rule in rules if rule.in_interface == "internet" and rule.chain is Chain.FORWARD}
    assert nobodys == {*MARTIANS, "10.9.0.0/16", "fc00:9::/48"} - {"10.0.0.0/8", "fc00::/7"}


@pytest.fixture(scope="module")
def two() -> LabConfig:
    """The tutorial's school, and dc3es (163.26.190.0/24) beside it."""
    return model(add_second_school).lab


@pytest.mark.parametrize(
    ("source", "destination", "side", "expected"),
    [
        pytest.param("163.26.182.2", "163.26.190.2", "dc1es", ACCEPT, id="from one to the other"),
        pytest.param("163.26.190.2", "163.26.182.2", "dc3es", ACCEPT, id="and back"),
        pytest.param("163.26.190.2", "163.26.182.2", "dc1es", DROP, id="as the other"),
        pytest.param("163.26.182.2", "163.26.190.2", "dc3es", DROP, id="as the one"),
        pytest.param("163.26.182.2", "163.26.190.2", "internet", DROP, id="from outside as the one"),
        pytest.param("163.26.190.2", "163.26.182.2", "internet", DROP, id="from outside as the other"),
        pytest.param(SENDER, "163.26.190.2", "internet", ACCEPT, id="from outside as outside"),
        pytest.param(SENDER, "163.26.190.2", "dc1es", DROP, id="from the one as outside"),
        pytest.param("2001:db8:182::2", "2001:db8:190::2", "dc1es", ACCEPT, id="from one to the other, IPv6"),
        pytest.param("2001:db8:190::2", "2001:db8:182::2", "dc1es", DROP, id="as the other, IPv6"),
        pytest.param("2001:db8:182::2", "2001:db8:190::2", "internet", DROP, id="from outside as the one, IPv6"),
    ],
)
def test_two_schools_behind_one_router(
    two: LabConfig, source: str, destination: str, side: str, expected: Action
) -> None:
    assert through(two, source, destination, side) is expected


@pytest.mark.parametrize(("destination", "expected"), [("163.26.182.2", DROP), ("163.26.190.2", ACCEPT)])
def test_schools_rule_at_the_router_is_about_its_own_network(
    two: LabConfig, destination: str, expected: Action
) -> None:
    closed = FirewallConfig(router=(RuleConfig(action=DROP, port=110),))
    assert through(with_firewall(two, closed), SENDER, destination, "internet", port=110) is expected


@pytest.mark.parametrize(
    ("config", "version", "expected"),
    [
        pytest.param(RuleConfig(action=DROP, port=25), 6, [(Protocol.TCP, None, False)], id="a port is TCP's"),
        pytest.param(RuleConfig(action=DROP), 4, [(None, None, False)], id="no port is every protocol"),
        pytest.param(
            RuleConfig(action=DROP, port=53, protocol=Protocol.UDP), 4, [(Protocol.UDP, None, False)], id="UDP"
        ),
        pytest.param(RuleConfig(action=DROP, source=IPv4Network("10.0.0.0/8")), 6, [], id="a source of IPv4 only"),
        pytest.param(
            RuleConfig(action=DROP, not_source6=IPv6Network("fc00::/7")),
            6,
            [(None, ip_network("fc00::/7"), True)],
            id="anywhere else",
        ),
    ],
)
def test_configured_rule(config: RuleConfig, version: int, expected: list[object]) -> None:
    assert [about(rule) for rule in configured_rules([config], version)] == expected


def about(rule: Rule) -> tuple[object, ...]:
    return rule.protocol, rule.source, rule.not_source


def test_rule_without_a_source_is_for_both_families() -> None:
    config = RuleConfig(action=DROP, port=25)
    assert [rule.version for version in (4, 6) for rule in configured_rules([config], version)] == [4, 6]


def test_setting_tutorial_takes_port_25_from_ipv6_only(lab: LabConfig) -> None:
    printed = with_firewall(lab, replace(lab.schools[0].firewall, ipv6=Ipv6Policy.TUTORIAL))
    before, after = machine_rules(lab)["mail"], machine_rules(printed)["mail"]
    assert {(rule.version, rule.port) for rule in before if rule not in after} == {(6, 25)}


def test_school_without_filter_and_workstation_has_ssh_from_nowhere() -> None:
    def alone(data: Data) -> None:
        machines = school(data)["machines"]
        data["schools"][0]["machines"] = [m for m in machines if m["name"] not in ("spamfilter", "workstation")]
        for name in ("mail", "mail2"):
            del machine(data, name)["mail"]["relayhost"]

    given = model(alone).lab
    assert [into(given, "mail", source, port=22) for source in (INSIDE, FILTER, "127.0.0.1")] == [DROP, DROP, ACCEPT]
