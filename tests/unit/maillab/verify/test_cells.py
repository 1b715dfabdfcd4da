"""Who reaches whom, predicted for the tutorial's school: its page and the county's policy say what must come out."""

from ipaddress import ip_network

import pytest

from components.config.firewall import Chain
from maillab.verify.cells import Verdict
from tests.unit.labs import Data, Model, machine, model, school, without_port

ACCEPT, DROP, REFUSE = Verdict.ACCEPT, Verdict.DROP, Verdict.REFUSE
# The ranges of the tutorial's page, each with a host of the lab in it, by both families.
RANGES = {
    "163.26.0.0/16": ("163.26.1.10", "2001:db8:163:1::10"),
    "203.68.102.0/24": ("203.68.102.10", "2001:db8:203::10"),
    "140.111.2.0/24": ("140.111.2.10", "2001:db8:140:2::10"),
    "140.111.8.0/24": ("140.111.8.10", "2001:db8:140:8::10"),
    "140.111.34.0/24": ("140.111.34.10", "2001:db8:140:34::10"),
    "140.116.2.0/24": ("140.116.2.10", "2001:db8:116:2::10"),
}
ALLOWED = [*(address for pair in RANGES.values() for address in pair), "203.68.102.25", "2001:db8:203::25"]
FOREIGN = ["198.51.100.10", "198.51.100.66", "2001:db8:198::10", "2001:db8:198::66"]
INSIDE = ["dns", "mail", "mail2", "spamfilter", "workstation"]
OTHERS = ["router", "internet", "tn", "outside"]
by_family = pytest.mark.parametrize("version", [4, 6])
to_each_server = pytest.mark.parametrize("target", ["mail", "mail2"])


def but(name: str) -> list[str]:
    """Every machine of the lab but one."""
    return [other for other in (*INSIDE, *OTHERS) if other != name]


@to_each_server
@pytest.mark.parametrize("source", ALLOWED)
def test_allowed_range_reaches_port_25(tutorial: Model, source: str, target: str) -> None:
    assert tutorial.ask(source, target, 25).verdict is ACCEPT


@to_each_server
@pytest.mark.parametrize("source", FOREIGN)
def test_foreigner_gets_no_answer_from_port_25(tutorial: Model, source: str, target: str) -> None:
    assert tutorial.ask(source, target, 25).verdict is DROP


def test_foreigner_is_dropped_by_the_tutorials_last_rule(tutorial: Model) -> None:
    reason = tutorial.ask("198.51.100.10", "mail", 25).reason
    assert reason == "mail: $IPTABLES -A INPUT -p TCP ! -s 163.26.182.0/24 --dport 25 -j DROP"


@pytest.mark.parametrize("network", RANGES)
def test_each_range_is_let_in_by_its_own_rule(tutorial: Model, network: str) -> None:
    rule = tutorial.ask(RANGES[network][0], "mail", 25).rule
    assert rule is not None
    assert rule.source == ip_network(network)


@by_family
@pytest.mark.parametrize("source", ["dns", "mail2", "spamfilter", "workstation"])
def test_school_reaches_port_25(tutorial: Model, source: str, version: int) -> None:
    assert tutorial.ask(source, "mail", 25, version).verdict is ACCEPT


@by_family
@pytest.mark.parametrize("source", but("spamfilter"))
def test_filter_takes_mail_from_everywhere(tutorial: Model, source: str, version: int) -> None:
    assert tutorial.ask(source, "spamfilter", 25, version).verdict is ACCEPT


@by_family
@pytest.mark.parametrize("source", [name for name in INSIDE if name != "spamfilter"])
def test_filters_pages_are_open_to_the_school_and_nobody_serves_them(
    tutorial: Model, source: str, version: int
) -> None:
    assert tutorial.ask(source, "spamfilter", 50000, version).verdict is REFUSE


@by_family
@pytest.mark.parametrize("source", OTHERS)
def test_filters_pages_are_closed_to_others(tutorial: Model, source: str, version: int) -> None:
    assert tutorial.ask(source, "spamfilter", 50000, version).verdict is DROP


@by_family
@to_each_server
@pytest.mark.parametrize("source", ["spamfilter", "workstation"])
def test_filter_and_workstation_reach_ssh(tutorial: Model, source: str, target: str, version: int) -> None:
    assert tutorial.ask(source, target, 22, version).verdict is ACCEPT


@by_family
@pytest.mark.parametrize("source", ["dns", "mail2", *OTHERS])
def test_nobody_else_reaches_ssh(tutorial: Model, source: str, version: int) -> None:
    assert tutorial.ask(source, "mail", 22, version).verdict is DROP


@by_family
@pytest.mark.parametrize("target", ["dns", "workstation", "router", "internet", "tn", "outside"])
def test_filter_goes_nowhere_else_by_ssh(tutorial: Model, target: str, version: int) -> None:
    """The packet does not leave the appliance: its own OUTPUT rule drops it."""
    found = tutorial.ask("spamfilter", target, 22, version)
    assert found.rule is not None
    assert (found.verdict, found.machine, found.rule.chain) == (DROP, "spamfilter", Chain.OUTPUT)


@by_family
@pytest.mark.parametrize("source", but("dns"))
def test_name_server_is_asked_from_everywhere(tutorial: Model, source: str, version: int) -> None:
    assert tutorial.ask(source, "dns", 53, version).verdict is ACCEPT


@by_family
@pytest.mark.parametrize("source", OTHERS)
def test_name_servers_other_ports_are_the_schools(tutorial: Model, source: str, version: int) -> None:
    assert tutorial.ask(source, "dns", 110, version).verdict is DROP


@by_family
@pytest.mark.parametrize("target", ["mail", "mail2", "workstation", "router", "tn", "outside"])
def test_closed_port_is_refused(tutorial: Model, target: str, version: int) -> None:
    assert tutorial.ask("internet", target, 9, version).verdict is REFUSE


def test_refusal_of_a_closed_port_says_why(tutorial: Model) -> None:
    assert tutorial.ask("outside", "mail", 9).reason == "mail: no rule is about it, and no program listens"


def test_mailboxes_are_read_from_everywhere(tutorial: Model) -> None:
    """The page closes port 25 only: teachers fetch their mail from home."""
    assert tutorial.ask("outside", "mail", 110).verdict is ACCEPT


@by_family
@pytest.mark.parametrize("port", [25, 110, 22])
def test_mail_server_reaches_itself(tutorial: Model, port: int, version: int) -> None:
    assert tutorial.ask_itself("mail", port, version).verdict is ACCEPT


@by_family
@pytest.mark.parametrize("port", [25, 22, 53, 9])
def test_router_offers_nothing(tutorial: Model, port: int, version: int) -> None:
    assert tutorial.ask("mail", "router", port, version).verdict is REFUSE


@pytest.mark.parametrize("source", ["163.26.182.50", "2001:db8:182::50"])
def test_school_address_from_outside_is_dropped_by_the_router(tutorial: Model, source: str) -> None:
    """BCP 38: who says it comes from the school and stands outside would otherwise be let in to port 25."""
    found = tutorial.ask(source, "mail", 25, machine="outside")
    assert found.rule is not None
    assert (found.verdict, found.machine, found.rule.chain) == (DROP, "router", Chain.FORWARD)


@pytest.mark.parametrize("source", ["140.111.2.99", "2001:db8:140:2::99"])
def test_foreign_address_from_the_school_is_dropped_by_the_router(tutorial: Model, source: str) -> None:
    found = tutorial.ask(source, "tn", 25, machine="workstation")
    assert (found.verdict, found.machine) == (DROP, "router")


@pytest.fixture(scope="module")
def open_ipv6() -> Model:
    """The tutorial's school with ip6tables exactly as the page prints it."""
    return model(lambda data: school(data)["firewall"].update(ipv6="tutorial"))


@to_each_server
@pytest.mark.parametrize("source", FOREIGN)
def test_ipv6_as_printed_is_a_way_past_the_filter(open_ipv6: Model, source: str, target: str) -> None:
    assert open_ipv6.ask(source, target, 25).verdict is (ACCEPT if ":" in source else DROP)


def test_ipv6_as_printed_opens_nothing_else(tutorial: Model, open_ipv6: Model) -> None:
    before, after = (given.verdicts() for given in (tutorial, open_ipv6))
    changed = {cell for cell in before if before[cell] is not after[cell]}
    assert {(cell.target, cell.port, cell.address.version) for cell in changed} == {("mail", 25, 6), ("mail2", 25, 6)}


@pytest.mark.parametrize("source", ALLOWED)
def test_one_host_for_both_lets_the_ranges_in(onehost: Model, source: str) -> None:
    assert onehost.ask(source, "dns", 25).verdict is ACCEPT


@pytest.mark.parametrize("source", FOREIGN)
def test_one_host_for_both_keeps_foreigners_out(onehost: Model, source: str) -> None:
    assert onehost.ask(source, "dns", 25).verdict is DROP


@pytest.mark.parametrize("source", FOREIGN)
def test_one_host_for_both_answers_for_names(onehost: Model, source: str) -> None:
    assert onehost.ask(source, "dns", 53).verdict is ACCEPT


def test_other_school_is_of_the_county(two_schools: Model) -> None:
    """163.26.0.0/16 holds both."""
    assert two_schools.ask("mail3", "mail", 25).verdict is ACCEPT


def test_other_schools_workstation_is_a_stranger_to_ssh(two_schools: Model) -> None:
    assert two_schools.ask("workstation3", "mail", 22).verdict is DROP


def test_other_school_can_not_speak_for_this_one(two_schools: Model) -> None:
    found = two_schools.ask("163.26.182.50", "mail", 25, machine="workstation3")
    assert (found.verdict, found.machine) == (DROP, "router")


def test_port_without_a_program_is_refused_where_it_would_be_let_in(tutorial: Model) -> None:
    assert without_port(tutorial, "spamfilter", 25).ask("outside", "spamfilter", 25).verdict is REFUSE


def test_server_of_one_family_refuses_the_other() -> None:
    def speak_ipv4_only(data: Data) -> None:
        machine(data, "mail")["mail"]["main_cf"] = {"inet_protocols": "ipv4"}

    found = model(speak_ipv4_only)
    assert [found.ask("dns", "mail", 25, version).verdict for version in (4, 6)] == [ACCEPT, REFUSE]


@pytest.fixture(scope="module")
def inward() -> Model:
    """The tutorial's school, whose mail server is for its own machine only."""
    return model(lambda data: machine(data, "mail")["mail"].update(main_cf={"inet_interfaces": "loopback-only"}))


@by_family
def test_server_of_the_loopback_only_refuses_others(inward: Model, version: int) -> None:
    assert inward.ask("dns", "mail", 25, version).verdict is REFUSE


@by_family
def test_server_of_the_loopback_only_takes_connections_there(inward: Model, version: int) -> None:
    assert inward.ask_itself("mail", 25, version).verdict is ACCEPT


def test_rejecting_rule_is_a_refusal() -> None:
    def reject(data: Data) -> None:
        school(data)["firewall"]["mail"][-1]["action"] = "REJECT"

    assert model(reject).ask("outside", "mail", 25).verdict is REFUSE
