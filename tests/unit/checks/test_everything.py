"""What is wrong with a configuration as a whole: the tutorial's school with one fault, and with many."""

import copy
import json
import pathlib
from collections.abc import Mapping
from typing import Any

import pytest

from components.config.catalogue import ENGLISH, catalogue
from components.config.dns import TARGET_OF
from components.config.problem import ConfigurationError, Problem
from components.load import parse, read_stack
from tests.support.edits import REMOVED, edited
from tests.support.problems import ids
from tests.support.stacks import stack_data

ROOT = pathlib.Path(__file__).resolve().parents[3]
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


GOOD: dict[str, Any] = stack_data(ROOT, "dc1es")
NETWORK = SCHOOL["network"]
DNS, MAIL, MAIL2, FILTER = (f"schools.0.machines.{index}" for index in range(4))


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({}, id="the tutorial's school"),
        pytest.param({"schools.+": SCHOOL}, id="two schools"),
        pytest.param({"where": None}, id="where is left out"),
        pytest.param({"network": {"carrier": "198.18.0.0/23"}}, id="carrier"),
        pytest.param({"network": {"carrier": "none"}}, id="no carrier"),
        pytest.param({"network": {"carrier": None}}, id="carrier left empty"),
        pytest.param({"network": {}}, id="no carrier named"),
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
        pytest.param({"network": {"carrier": "163.26.182.0/23"}}, ["carrier-is-real"], id="carrier of the school"),
        pytest.param({"network": {"carrier": "203.0.112.0/23"}}, ["carrier-is-real"], id="carrier of the Internet"),
        pytest.param({"network": {"carrier": "198.51.100.0/23"}}, ["carrier-is-real"], id="carrier of a sender"),
        pytest.param(
            {"network": {}, "internet.segment.ipv4": "198.18.128.0/17", "internet.segment.router": "198.18.128.254"},
            ["carrier-is-real"],
            id="Internet in the default carriers",
        ),
        pytest.param({"network": {"carrier": "127.0.0.0/8"}}, ["carrier-unusable"], id="carrier of the loopback"),
        pytest.param({"network": {"carrier": "224.0.0.0/8"}}, ["carrier-unusable"], id="carrier of multicast"),
        pytest.param({"network": {"carrier": "0.0.0.0/0"}}, ["carrier-unusable"], id="carrier of everything"),
        pytest.param({"network": {"carrier": "None"}}, ["no-address"], id="none in capitals"),
        pytest.param({"network": {"carrier": False}}, ["wrong-type"], id="carrier: no"),
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
        # Python takes any text behind a %, and an address with one for another than without.
        pytest.param(
            {f"{DNS}.ipv6": "2001:db8:182::1%eth0"}, "no-address", "maillab:schools[0].machines[0].ipv6", id="interface"
        ),
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


@pytest.mark.parametrize(
    ("key", "remedy"),
    [
        pytest.param("link", "did you mean links?", id="typing error"),
        pytest.param("colour", "known here: build, internet, links, network, prefix, schools, vm, where", id="unknown"),
        pytest.param("stack", "leave it out", id="what the program itself gives"),
    ],
)
def test_setting_that_nobody_knows(key: str, remedy: str) -> None:
    texts = {name: json.dumps(value) for name, value in GOOD.items() if isinstance(value, dict | list)}
    with pytest.raises(ConfigurationError) as caught:
        read_stack(texts | {key: '{"mail": {"loss": "2%"}}'}, "dc1es")
    (problem,) = caught.value.problems
    assert (problem.id, problem.where) == ("unknown-key", f"maillab:{key}")
    assert remedy in problem.remedy
    assert read_stack(texts | {"docker:host": "x", "pulumi:tags": "{}"}, "dc1es").config.links == {}


def test_server_without_a_postmaster_is_made_and_warned_of() -> None:
    warned: list[Problem] = []
    good = parse(configuration({f"{MAIL2}.mail.aliases": ["root: admin"]}), "dc1es", warn=warned.append)
    assert [machine.name for machine in good.schools[0].machines][2] == "mail2"
    assert [(problem.id, problem.where) for problem in warned] == [
        ("no-postmaster", "maillab:schools.dc1es.machines.mail2.mail.aliases")
    ]


def test_setting_of_a_misspelt_project() -> None:
    texts = {name: json.dumps(value) for name, value in GOOD.items() if isinstance(value, dict | list)}
    with pytest.raises(ConfigurationError, match="did you mean maillab:where"):
        read_stack(texts | {"mailab:where": "vm"}, "dc1es")


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"schools": GOOD["schools"][0]}, id="a school as a mapping"),
        pytest.param({f"{DNS}.ipv4": GOOD["schools"]}, id="a school for an address"),
        pytest.param({f"{DNS}.ipv4": "1" * 3000}, id="a long text for an address"),
        pytest.param({"schools.0.network.ipv4": f"163.26.182.0/{'9' * 3000}"}, id="a long netmask"),
        pytest.param({"schools.0.network.ipv6": "x " * 3000}, id="a long text for a network"),
        pytest.param({f"{DNS}.roles.0": "dns " * 3000}, id="a long role"),
        pytest.param({f"{DNS}.{'y' * 3000}": 1}, id="a long key"),
        pytest.param({f"{DNS}.{'y ' * 3000}": 1}, id="a long key of many words"),
        pytest.param({f"{DNS}.name": "dns " * 3000}, id="a long name"),
        pytest.param({"schools.0.domain": "a." * 3000}, id="a long domain"),
        pytest.param({"schools.0.name": "a." * 3000}, id="a long name of a school"),
        pytest.param({"prefix": "! " * 3000}, id="a long prefix"),
        pytest.param({"where": "moon " * 3000}, id="a long where"),
        pytest.param({"links": {"l " * 3000: {"delay": "1s"}}}, id="a long name in links"),
        pytest.param({"links": {"mail": {"delay": "1s " * 3000}}}, id="a long delay"),
        pytest.param({"internet.senders.0.host": "a b" * 3000}, id="a long sender"),
        pytest.param({"internet.mail.domain": "a b" * 3000}, id="tn's domain"),
        pytest.param({f"{MAIL}.mail.relayhost": "[x y]" * 3000}, id="a long relayhost"),
        pytest.param({f"{MAIL}.mail.relayhost": f"[163.26.182.249]:{'9' * 3000}"}, id="a long port"),
        pytest.param({f"{MAIL}.mail.aliases.0": "x: admin lin " * 3000}, id="a long alias"),
        pytest.param({f"{MAIL}.mail.aliases.0": f"root: {'x' * 3000}"}, id="a long target"),
        pytest.param({f"{MAIL}.mail.mydestination.3": "a b" * 3000}, id="a long destination"),
        pytest.param({f"{MAIL}.mail.main_cf": {"x y" * 3000: "z"}}, id="a long parameter"),
        pytest.param({f"{MAIL}.mail.users.0.name": "Ad min" * 3000}, id="a long user"),
        pytest.param({f"{FILTER}.spamfilter.domains.0.server": "a b " * 3000}, id="a long server"),
        pytest.param({f"{FILTER}.spamfilter.domains.0.domain": "a b " * 3000}, id="a long domain of the table"),
        pytest.param({f"{FILTER}.spamfilter.domains.0.domain": "a." * 3000 + "b"}, id="a long domain, well formed"),
        pytest.param({"schools.0.zone.soa.mname": "a b." * 3000}, id="a long mname"),
        pytest.param({"schools.0.zone.soa.rname": "a@b c " * 3000}, id="a long rname"),
        pytest.param({"schools.0.zone.records.+": "x y z " * 3000}, id="a long record"),
        pytest.param({"schools.0.zone.records.+": f"a MX 0 {'b c' * 3000}"}, id="a long target of a record"),
        pytest.param({"schools.0.zone.ttl": 10**3000}, id="a long number"),
        pytest.param({"vm": {"memory": 10**3000}}, id="a long size"),
    ],
)
def test_values_are_shortened_in_messages(changes: Mapping[str, Any]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse(edited(GOOD, changes), "dc1es")
    lines = str(caught.value).splitlines()
    # Where all machines or keys are listed as remedy, their number is the configuration's.
    assert max(map(len, lines)) < 500, max(lines, key=len)


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


def test_meaning_is_looked_at_when_the_form_is_right() -> None:
    meaning: dict[str, Any] = {"schools.0.zone.ttl": 0, f"{DNS}.roles": []}
    assert problems_of(meaning) == ["no-role", "role-count", "soa-out-of-range"]
    assert problems_of(meaning | {f"{MAIL}.ipv4": "x"}) == ["no-address"]
    assert problems_of(meaning | {"schools.0.domain": "tw"}) == ["bad-domain"]


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


def test_text_that_is_no_json_hides_no_fault_of_form_in_another_key() -> None:
    schools = json.dumps(configuration({"schools.0.zone.ttl": "day"})["schools"])
    with pytest.raises(ConfigurationError) as caught:
        read_stack({"schools": schools, "internet": "{", "prefix": "lab-"}, "dc1es")
    assert ids(caught.value.problems) == ["no-structure", "wrong-type"]


def test_pulumis_own_form_gives_the_same_configuration() -> None:
    data = configuration({})
    texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in data.items()}
    assert read_stack(texts, "dc1es").config == parse(data, "dc1es")


def test_lab_without_a_carrier_is_warned_of_what_it_costs() -> None:
    warnings: list[Problem] = []
    parse(configuration({"network": {"carrier": "none"}}), "dc1es", warn=warnings.append)
    assert [(warning.id, warning.where) for warning in warnings] == [("no-carrier", "maillab:network.carrier")]
    assert "198.18.64.0/20" in warnings[0].remedy


def test_lab_with_a_carrier_gets_no_warning() -> None:
    warnings: list[Problem] = []
    parse(configuration({}), "dc1es", warn=warnings.append)
    assert warnings == []


@pytest.mark.parametrize("written", ["None", "nnoe", "163.26.182", False, 24])
def test_unreadable_carrier_names_the_keyword(written: object) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse(configuration({"network": {"carrier": written}}), "dc1es")
    assert [problem.where for problem in caught.value.problems] == ["maillab:network.carrier"]
    assert caught.value.problems[0].remedy.endswith(", or none")


def test_every_problem_has_a_test() -> None:
    # That the catalogue has exactly what the code uses is test_catalogue.py's.
    named_by_record = {f"{type_.lower()}-without-address" for type_ in TARGET_OF}
    known = (catalogue(ENGLISH).keys() - {"phrase", "target-without-address"}) | named_by_record
    tests = "".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "tests" / "unit").rglob("test_*.py")))
    assert len(known) > 80
    assert [problem for problem in sorted(known) if f'"{problem}"' not in tests] == []


def test_server_that_relays_to_itself_is_not_asked_whether_it_meant_itself() -> None:
    data = edited(stack_data(ROOT, "standalone"), {"schools.0.machines.1.mail.relayhost": "mail.yaes.example"})
    with pytest.raises(ConfigurationError) as caught:
        parse(data, "standalone")
    (found,) = caught.value.problems
    assert (found.id, found.remedy) == ("relayhost-unknown", "leave it out")
