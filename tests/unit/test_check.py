"""What is wrong with a configuration as a whole: the tutorial's school with one fault, and with many."""

import copy
import json
import pathlib
import re
from collections.abc import Mapping
from typing import Any

import pytest

from components.load import parse, read_stack
from components.problem import ConfigurationError
from tests.support.edits import REMOVED, edited
from tests.support.problems import ids
from tests.support.stacks import stack_data

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SCHOOL: dict[str, Any] = {
    "name": "dc3es",
    "domain": "dc3es.tnc.edu.tw",
    "network": {
        "ipv4": "163.26.190.0/24",
        "ipv6": "2001:db8:190::/64",
        "router": "163.26.190.254",
        "router6": "2001:db8:190::254",
    },
    "zone": {"soa": {"mname": "ns", "rname": "admin", "serial": 1}, "records": ["ns A 163.26.190.1"]},
    "machines": [
        {"name": "dns3", "hostname": "ns", "roles": ["dns"], "ipv4": "163.26.190.1", "ipv6": "2001:db8:190::1"}
    ],
}


def configuration(changes: Mapping[str, Any]) -> dict[str, Any]:
    return edited(stack_data(ROOT, "dc1es"), changes)


def problems_of(changes: Mapping[str, Any]) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        parse(configuration(changes), "dc1es")
    return ids(caught.value.problems)


def second(**changes: object) -> dict[str, Any]:
    return copy.deepcopy(SCHOOL) | changes


NETWORK = SCHOOL["network"]
DNS, MAIL, MAIL2, FILTER = (f"schools.0.machines.{index}" for index in range(4))


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({}, id="the tutorial's school"),
        pytest.param({"schools.+": SCHOOL}, id="two schools"),
        pytest.param({"where": None}, id="where is left out"),
        pytest.param({"network": {"carrier": "198.18.0.0/23"}}, id="carrier"),
        pytest.param({f"{MAIL}.mail.relayhost": "spamfilter.dc1es.tnc.edu.tw"}, id="relayhost by name"),
        pytest.param({f"{MAIL}.mail.relayhost": "[IPv6:2001:db8:182::249]:25"}, id="relayhost by IPv6 and port"),
        pytest.param({f"{MAIL}.mail.relayhost": "spamfilter.dc1es.tnc.edu.tw:25"}, id="relayhost by name and port"),
        pytest.param({f"{MAIL}.mail.relayhost": "[spamfilter.dc1es.tnc.edu.tw]:25"}, id="relayhost without its MX"),
        pytest.param({f"{MAIL}.mail.relayhost": "[163.26.182.249]:smtp"}, id="relayhost's port by name"),
        pytest.param({f"{MAIL}.mail.relayhost": REMOVED}, id="no relayhost"),
    ],
)
def test_good_configuration(changes: Mapping[str, Any]) -> None:
    assert parse(configuration(changes), "dc1es").stack == "dc1es"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({"where": "moon"}, ["unknown-where"], id="where"),
        pytest.param({"prefix": "Lab "}, ["bad-prefix"], id="prefix"),
        pytest.param({"schools": []}, ["no-school"], id="no school"),
        pytest.param({"network": {"carrier": "198.18.0.0/24"}}, ["carrier-too-small"], id="carrier"),
        pytest.param(
            {"schools.+": second(network=NETWORK | {"ipv6": "2001:db8:182::/48", "router6": "2001:db8:182:1::1"})},
            ["address-outside-network", "networks-overlap"],
            id="networks overlap",
        ),
        pytest.param({"schools.0.domain": "tw"}, ["bad-domain"], id="one label"),
        pytest.param({"schools.0.domain": "DC1ES.tnc.edu.tw"}, ["bad-domain"], id="capital letters"),
        pytest.param({"schools.0.domain": "dc1es..edu.tw"}, ["bad-domain"], id="empty label"),
        pytest.param({"schools.0.name": "internet"}, ["bad-machine-name"], id="the Internet's name"),
        pytest.param({"schools.0.name": "大成"}, ["bad-machine-name"], id="school's name in Chinese"),
        pytest.param({"schools.+": second(name="dc1es")}, ["school-twice"], id="school twice"),
        pytest.param(
            {"schools.+": second(domain="a.dc1es.tnc.edu.tw")}, ["domain-in-domain"], id="domain in another's"
        ),
        pytest.param({"schools.+": second(domain="dc1es.tnc.edu.tw")}, ["domain-in-domain"], id="domain twice"),
        pytest.param({"schools.0.network.router": "163.26.183.1"}, ["address-outside-network"], id="router"),
        pytest.param({f"{DNS}.ipv4": "163.26.183.1"}, ["address-outside-network"], id="machine's IPv4"),
        pytest.param({f"{DNS}.ipv6": "2001:db8:183::1"}, ["address-outside-network"], id="machine's IPv6"),
        pytest.param({f"{DNS}.ipv4": "163.26.182.255"}, ["address-outside-network"], id="the broadcast address"),
        pytest.param({f"{DNS}.ipv4": "163.26.182.0"}, ["address-outside-network"], id="the network's own address"),
        pytest.param({f"{FILTER}.roles": ["spamfilter", "workstation"]}, ["filter-not-alone"], id="filter and more"),
        pytest.param({f"{MAIL}.ipv4": "163.26.182.1"}, ["address-twice"], id="IPv4 twice"),
        pytest.param({f"{MAIL}.ipv6": "2001:DB8:182:0::1"}, ["address-twice"], id="IPv6 twice, written otherwise"),
        pytest.param({f"{MAIL}.ipv4": "163.26.182.254"}, ["address-twice"], id="the router's"),
        pytest.param({"internet.mail.ipv4": "198.51.100.10"}, ["address-twice"], id="a sender's"),
        pytest.param({"internet.senders.0.ipv4": "163.26.182.77"}, ["outside-inside"], id="sender inside"),
        pytest.param({f"{DNS}.name": "router"}, ["bad-machine-name"], id="the lab's own name"),
        pytest.param({f"{DNS}.name": "dns_1"}, ["bad-machine-name"], id="no host name"),
        pytest.param({f"{DNS}.hostname": "dns.x"}, ["bad-machine-name"], id="host name with a dot"),
        pytest.param({"schools.0.machines.4.name": "dns"}, ["machine-name-twice"], id="machine twice"),
        pytest.param({"schools.0.machines.4.name": "tn"}, ["machine-name-twice"], id="called tn"),
        pytest.param({"schools.0.machines.4.hostname": "mail"}, ["hostname-twice"], id="host name twice"),
        pytest.param({"internet.mail.name": "outside"}, ["bad-machine-name"], id="tn called outside"),
        pytest.param({f"{DNS}.roles": []}, ["no-role", "role-count"], id="no role"),
        pytest.param({"schools.0.machines.4.roles": ["dns"]}, ["role-count"], id="two name servers"),
        pytest.param({f"{MAIL}.mail": None}, ["role-and-section"] + ["route-to-no-server"] * 2, id="no mail section"),
        pytest.param(
            {f"{DNS}.mail": {"mydestination": ["$myhostname"]}}, ["role-and-section"], id="section without the role"
        ),
        pytest.param({f"{MAIL}.mail.relayhost": "[163.26.182.9]"}, ["relayhost-unknown"], id="no machine"),
        pytest.param({f"{MAIL}.mail.relayhost": "[163.26.182.2]"}, ["relayhost-unknown"], id="itself"),
        pytest.param({f"{MAIL}.mail.relayhost": "mail.dc1es.tnc.edu.tw:25"}, ["relayhost-unknown"], id="itself, port"),
        pytest.param({f"{MAIL}.mail.relayhost": "[163.26.182.249]25"}, ["relayhost-unknown"], id="no colon"),
        pytest.param({f"{MAIL}.mail.relayhost": "[163.26.182.249]:"}, ["relayhost-unknown"], id="no port"),
        pytest.param({f"{MAIL}.mail.relayhost": "[163.26.182.249]:0"}, ["relayhost-port"], id="port 0"),
        pytest.param({f"{MAIL}.mail.relayhost": "[163.26.182.249]:65536"}, ["relayhost-port"], id="port too large"),
        pytest.param(
            {f"{MAIL}.mail.relayhost": "spamfliter.dc1es.tnc.edu.tw"}, ["relayhost-unknown"], id="typing error"
        ),
        pytest.param(
            {
                f"{MAIL}.mail.aliases.+": "x: x@mail2.dc1es.tnc.edu.tw",
                f"{MAIL2}.mail.aliases.+": "x: x@dc1es.tnc.edu.tw",
            },
            ["alias-loop"],
            id="aliases go round over two servers",
        ),
        pytest.param(
            {f"{MAIL2}.mail.aliases.+": "chen: chne@mail.dc1es.tnc.edu.tw"},
            ["alias-to-nobody"],
            id="nobody of the other server",
        ),
        pytest.param({"internet.senders": []}, ["no-sender"], id="no sender"),
        pytest.param({"internet.senders.0.host": "example.com"}, ["bad-mail-name"], id="sender without a domain"),
        pytest.param({"internet.senders.0.host": "mail.Example.com"}, ["bad-mail-name"], id="capital sender"),
        pytest.param({"internet.mail.domain": "tw"}, ["bad-mail-name"], id="tn's domain"),
        pytest.param({"internet.senders.0.host": "bulk.example.net"}, ["mail-name-twice"], id="sender twice"),
        pytest.param({"internet.senders.0.host": "x.dc1es.tnc.edu.tw"}, ["mail-name-taken"], id="sender in a school"),
        pytest.param({"internet.senders.0.host": "x.tn.edu.tw"}, ["mail-name-taken"], id="sender in tn's domain"),
        pytest.param({"internet.mail.users.0.name": "Tn"}, ["bad-user-name"], id="tn's user"),
        pytest.param(
            {
                "schools.+": second(
                    network=NETWORK | {"ipv4": "163.26.190.0/23"},
                )
            },
            # 163.26.0.0/16 is the reverse zone: dc1es's and a sender's addresses are in it.
            ["reverse-zone-shared"] * 7,
            id="reverse zone",
        ),
    ],
)
def test_one_fault(changes: Mapping[str, Any], expected: list[str]) -> None:
    assert problems_of(changes) == expected


@pytest.mark.parametrize(
    ("changes", "expected", "where"),
    [
        pytest.param({"schools.0.machnes": []}, "unknown-key", "maillab:schools[0].machnes", id="unknown key"),
        pytest.param({"schools.0.domain": REMOVED}, "missing-key", "maillab:schools[0].domain", id="missing key"),
        pytest.param({"schools.0.domain": 5}, "wrong-type", "maillab:schools[0].domain", id="number for a text"),
        pytest.param(
            {"schools.0.zone.ttl": "day"}, "wrong-type", "maillab:schools[0].zone.ttl", id="text for a number"
        ),
        pytest.param({"schools.0.zone.ttl": float("inf")}, "wrong-type", "maillab:schools[0].zone.ttl", id="endless"),
        pytest.param({"schools.0.zone.ttl": 1.5}, "wrong-type", "maillab:schools[0].zone.ttl", id="half a second"),
        pytest.param({"schools.0.zone.ttl": True}, "wrong-type", "maillab:schools[0].zone.ttl", id="true for a number"),
        pytest.param(
            {"schools.0.zone.flush_outside": 1}, "wrong-type", "maillab:schools[0].zone.flush_outside", id="1 for true"
        ),
        pytest.param({"schools": "dc1es"}, "wrong-type", "maillab:schools", id="text for a list"),
        pytest.param({"schools.0": "dc1es"}, "wrong-type", "maillab:schools[0]", id="text for a mapping"),
        pytest.param(
            {f"{MAIL}.mail.main_cf": ["a"]},
            "wrong-type",
            "maillab:schools[0].machines[1].mail.main_cf",
            id="list for a mapping",
        ),
        pytest.param({f"{DNS}.ipv4": "163.26.182"}, "no-address", "maillab:schools[0].machines[0].ipv4", id="address"),
        pytest.param(
            {"schools.0.network.ipv4": "163.26.182.1/24"},
            "no-address",
            "maillab:schools[0].network.ipv4",
            id="host bits",
        ),
        pytest.param(
            {f"{DNS}.roles.0": "dsn"}, "unknown-value", "maillab:schools[0].machines[0].roles[0]", id="unknown role"
        ),
    ],
)
def test_data_of_the_wrong_form(changes: Mapping[str, Any], expected: str, where: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse(configuration(changes), "dc1es")
    assert [(problem.id, problem.where) for problem in caught.value.problems] == [(expected, where)]


def test_near_word_is_offered() -> None:
    with pytest.raises(ConfigurationError, match="did you mean machines"):
        parse(configuration({"schools.0.machnes": []}), "dc1es")


def test_all_faults_are_reported_at_once() -> None:
    expected = {
        "schools.0.zone.records.+": ("@ MX 5 sapmfilter", "mx-without-address"),
        "schools.0.zone.soa.serial": (0, "soa-out-of-range"),
        f"{DNS}.ipv4": ("163.26.183.1", "address-outside-network"),
        f"{MAIL}.ipv6": ("2001:db8:182::249", "address-twice"),
        f"{MAIL}.mail.relayhost": ("[163.26.182.9]", "relayhost-unknown"),
        f"{MAIL}.mail.aliases.+": ("chen: nobody-here", "alias-to-nobody"),
        f"{MAIL}.mail.users.0.name": ("Admin", "bad-user-name"),
        f"{MAIL2}.mail.aliases.2": ("root: mailer-daemon", "alias-loop"),
        f"{FILTER}.spamfilter.domains.2.server": ("mail", "route-not-taken"),
        "internet.senders.1.host": ("mail.example.com", "mail-name-twice"),
        "prefix": ("Lab", "bad-prefix"),
    }
    changes = {path: value for path, (value, _) in expected.items()}
    # Admin for admin: three aliases lead to nobody, too.
    assert set(problems_of(changes)) == {problem for _, problem in expected.values()}


def test_all_data_of_the_wrong_form_is_reported_at_once() -> None:
    changes = {"schools.0.zone.ttl": "day", f"{DNS}.ipv4": "x", "internet.senders.0.hots": "y", "where": 7}
    assert problems_of(changes) == ["no-address", "unknown-key", "wrong-type", "wrong-type"]


def test_bad_domain_hides_no_fault_of_its_school() -> None:
    changes = {
        "schools.0.domain": "tw",
        "schools.0.zone.ttl": 0,
        f"{DNS}.roles": [],
        f"{MAIL}.mail.relayhost": "[163.26.182.9]",
        f"{MAIL2}.mail.aliases.2": "root: mailer-daemon",
    }
    expected = ["alias-loop", "bad-domain", "no-role", "relayhost-unknown", "role-count", "soa-out-of-range"]
    assert problems_of(changes) == expected


def test_fault_of_one_school_hides_none_of_another() -> None:
    other = second(domain="DC3ES.tnc.edu.tw")
    found = problems_of({"schools": [other, *configuration({})["schools"]], "schools.1.zone.ttl": 0})
    assert found == ["bad-domain", "soa-out-of-range"]


def test_message_counts_the_problems_and_says_that_nothing_was_changed() -> None:
    with pytest.raises(ConfigurationError, match=r"2 problems; nothing was changed(?s:.)*bad-prefix"):
        parse(configuration({"prefix": "Lab", "where": "moon"}), "dc1es")


def test_text_that_is_no_json_names_its_key() -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_stack({"schools": "[", "internet": "{"}, "dc1es")
    assert [(problem.id, problem.where) for problem in caught.value.problems] == [
        ("no-structure", "maillab:schools"),
        ("no-structure", "maillab:internet"),
    ]


def test_text_that_is_no_json_hides_no_fault_of_another_key() -> None:
    schools = json.dumps(configuration({"schools.0.zone.ttl": 0})["schools"])
    with pytest.raises(ConfigurationError) as caught:
        read_stack({"schools": schools, "internet": "{", "prefix": "Lab"}, "dc1es")
    assert ids(caught.value.problems) == ["bad-prefix", "no-structure", "soa-out-of-range"]


def test_pulumis_own_form_gives_the_same_configuration() -> None:
    data = configuration({})
    texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in data.items()}
    assert read_stack(texts, "dc1es") == parse(data, "dc1es")


def test_every_problem_has_a_test() -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "components").rglob("*.py")))
    known = set(re.findall(r'(?:\bid=|_misfit\()"([a-z-]+)"', sources))
    tests = "".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "tests" / "unit").rglob("test_*.py")))
    assert len(known) > 40
    assert [problem for problem in sorted(known) if f'"{problem}"' not in tests] == []
