"""A fault of form hides no other fault, and brings none with it."""

import pathlib
import re
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from components.load import parse
from components.problem import ConfigurationError, Problem
from tests.support.configurations import schools
from tests.support.edits import REMOVED, edited, places
from tests.support.faults import DNS, FAULTS, FILTER, MAIL, MAIL2, Fault
from tests.support.problems import ids
from tests.support.stacks import stack_data

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
GOOD = stack_data(ROOT, "dc1es")
# The firewall's rules take longest to check, and no fault of the list rests on them.
UNGUARDED = edited(GOOD, {"schools.0.firewall": REMOVED})

ZONE, SOA = "schools.0.zone", "schools.0.zone.soa"
ROUTES, SCORES = f"{FILTER}.spamfilter.domains", f"{FILTER}.spamfilter"
RULES = "schools.0.firewall.mail"
RELAYHOST, GATE = f"{MAIL}.mail.relayhost", f"{FILTER}.hostname"


def problems_of(data: Mapping[str, object]) -> tuple[Problem, ...]:
    try:
        parse(data, "dc1es")
    except ConfigurationError as error:
        return error.problems
    return ()


def of_wrong_form(value: object) -> object:
    """Something that can't stand where `value` stands."""
    return "x" if isinstance(value, int) else 5


def _keys(data: Mapping[str, object]) -> list[str]:
    """The paths of everything that has a key, and no number."""
    return [path for path, _ in places(data) if not path.rpartition(".")[2].isdigit()]


def with_key(data: Mapping[str, Any], path: str, key: str) -> dict[str, Any]:
    """`data` with the last word of `path` written as `key`."""
    value = dict(places(data))[path]
    return edited(data, {path: REMOVED, f"{path.rpartition('.')[0]}.{key}".lstrip("."): value})


@pytest.mark.parametrize("stack", ["dc1es", "onehost"])
def test_value_of_the_wrong_form_is_one_problem_wherever_it_is(stack: str) -> None:
    data = stack_data(ROOT, stack)
    found = {path: ids(problems_of(edited(data, {path: of_wrong_form(value)}))) for path, value in places(data)}
    assert {path: problems for path, problems in found.items() if problems != ["wrong-type"]} == {}
    assert len(found) > 150


@pytest.mark.parametrize("stack", ["dc1es", "onehost"])
def test_key_with_a_typing_error_is_one_problem_wherever_it_is(stack: str) -> None:
    data = stack_data(ROOT, stack)
    # `where` and `prefix` are there even when the stack's file does not have them.
    keys = [path for path in _keys(data) if path not in ("where", "prefix")]
    found = {path: ids(problems_of(with_key(data, path, f"{path.rpartition('.')[2]}x"))) for path in keys}
    assert {path: problems for path, problems in found.items() if problems != ["unknown-key"]} == {}
    assert len(found) > 100


@pytest.mark.parametrize("stack", ["dc1es", "onehost"])
def test_missing_key_is_one_problem_wherever_it_is_needed(stack: str) -> None:
    data = stack_data(ROOT, stack)
    found = {path: ids(problems_of(edited(data, {path: REMOVED}))) for path in _keys(data)}
    missing = {path: problems for path, problems in found.items() if "missing-key" in problems}
    assert {path: problems for path, problems in missing.items() if problems != ["missing-key"]} == {}
    assert len(missing) > 80


@settings(max_examples=30, deadline=None)
@given(school=schools())
def test_random_school_is_good(school: dict[str, object]) -> None:
    assert problems_of({**GOOD, "schools": [school]}) == ()


@settings(max_examples=60, deadline=None)
@given(school=schools(), draw=st.data())
def test_value_of_the_wrong_form_is_one_problem_in_every_school(school: dict[str, object], draw: st.DataObject) -> None:
    path, value = draw.draw(st.sampled_from(list(places({"schools": [school]}))))
    data = edited({**GOOD, "schools": [school]}, {path: of_wrong_form(value)})
    assert ids(problems_of(data)) == ["wrong-type"]


def touch(place: str, other: str) -> bool:
    """Whether one is the other or lies in it; `*` in `other` is any item."""
    return all(b in ("*", a) for a, b in zip(place.split("."), other.split("."), strict=False))


def of_each_kind(data: object) -> list[tuple[str, object]]:
    """The places in `data`, one of each kind: all machines, and of other lists the first item."""
    return [(path, value) for path, value in places(data) if not re.search(r"(?<!machines)\.[1-9]\d*(\.|$)", path)]


@pytest.mark.parametrize("fault", [pytest.param(fault, id=f"{fault.id}: {fault.changes}") for fault in FAULTS])
def test_fault_of_form_elsewhere_hides_no_fault(fault: Fault) -> None:
    bad = edited(UNGUARDED, fault.changes)
    elsewhere = [
        (path, value)
        for path, value in of_each_kind(UNGUARDED)
        if not any(touch(path, other) for other in fault.rests_on)
    ]
    # Every fourth place, another fourth for the next fault: all of them together have every place.
    some = elsewhere[FAULTS.index(fault) % 4 :: 4]
    found = {path: ids(problems_of(edited(bad, {path: of_wrong_form(value)}))) for path, value in some}
    expected = sorted([fault.id, "wrong-type"])
    assert {path: problems for path, problems in found.items() if problems != expected} == {}
    assert len(found) > 15


@settings(max_examples=200, deadline=None)
@given(fault=st.sampled_from(FAULTS), place=st.sampled_from(list(places(UNGUARDED))))
def test_fault_of_form_brings_no_other_fault_with_it(fault: Fault, place: tuple[str, object]) -> None:
    path, value = place
    assume(not any(path.startswith(change) for change in fault.changes))
    data = edited(edited(UNGUARDED, fault.changes), {path: of_wrong_form(value)})
    assert set(ids(problems_of(data))) <= {fault.id, "wrong-type"}


# A good configuration each, where something is found at one place only: the one that can't be read.
@pytest.mark.parametrize(
    ("good", "unreadable"),
    [
        pytest.param({RELAYHOST: "[163.26.182.249]"}, f"{FILTER}.ipv4", id="relayhost's IPv4 address"),
        pytest.param({RELAYHOST: "[IPv6:2001:db8:182::249]"}, f"{FILTER}.ipv6", id="relayhost's IPv6 address"),
        pytest.param({RELAYHOST: "spamfilter.dc1es.tnc.edu.tw"}, f"{FILTER}.name", id="relayhost's name"),
        pytest.param({RELAYHOST: "gate.dc1es.tnc.edu.tw", GATE: "gate"}, GATE, id="relayhost's host name"),
        pytest.param({RELAYHOST: "spamfilter.dc1es.tnc.edu.tw"}, "schools.0.domain", id="relayhost's domain"),
        pytest.param({f"{ZONE}.soa.mname": "dns.dc1es.tnc.edu.tw."}, "schools.0.domain", id="name server's domain"),
        pytest.param(
            {f"{ZONE}.records.+": "mail3 A 163.26.182.2", f"{ZONE}.records.2": "@ MX 5 mail3"},
            f"{ZONE}.records.19",
            id="MX target's address",
        ),
        pytest.param({f"{SOA}.expire": 87000, f"{SOA}.refresh": 3600}, f"{SOA}.refresh", id="SOA's refresh"),
        pytest.param({f"{SCORES}.mark_score": 20, f"{SCORES}.hold_score": 30}, f"{SCORES}.hold_score", id="score"),
        pytest.param({f"{MAIL}.mail.aliases.+": "lin: lin, tnuser@tn.edu.tw"}, f"{MAIL}.mail.users.7.name", id="user"),
        pytest.param(
            {f"{MAIL}.hostname": "post", f"{ROUTES}.+": {"domain": "post.dc1es.tnc.edu.tw", "server": "mail"}},
            f"{MAIL}.hostname",
            id="host name among the domains",
        ),
        pytest.param(
            {"internet.senders.0.ipv4": "10.9.9.9", f"{RULES}.1.source": "10.9.0.0/16"},
            "internet.senders.0.ipv4",
            id="sender whom a rule is for",
        ),
        pytest.param({"links": {"mail2": {"loss": "2%"}}}, f"{MAIL2}.name", id="machine of a link"),
        pytest.param({"links": {"tn": {"loss": "2%"}}}, "internet.mail.name", id="Internet's machine of a link"),
        pytest.param(
            {"schools.0.firewall.ipv6": "tutorial", f"{RULES}.7.not_source6": REMOVED},
            "schools.0.firewall.ipv6",
            id="what IPv6 is meant to be",
        ),
    ],
)
def test_what_cannot_be_read_is_not_missing(good: dict[str, object], unreadable: str) -> None:
    data = edited(GOOD, good)
    assert problems_of(data) == ()
    assert ids(problems_of(edited(data, {unreadable: ["?"]}))) == ["wrong-type"]
    assert ids(problems_of(edited(data, {unreadable: REMOVED}))) != []


@pytest.mark.parametrize(
    "unreadable", [f"{RULES}.7.note", f"{DNS}.ipv4", f"{MAIL}.ipv4", "schools.0.domain", "internet.senders.3.host"]
)
def test_fault_of_form_elsewhere_hides_no_fault_of_a_rule(unreadable: str) -> None:
    data = edited(GOOD, {f"{RULES}.+": {"action": "ACCEPT", "port": 25, "source": "163.27.0.0/16"}, unreadable: 5})
    assert ids(problems_of(data)) == ["rule-contradicted", "wrong-type"]


def test_faults_of_form_and_of_meaning_are_told_together() -> None:
    expected = {
        f"{DNS}.ipv6": (6, "wrong-type"),
        f"{DNS}.hostnme": ("dns", "unknown-key"),
        f"{MAIL}.name": (REMOVED, "missing-key"),
        f"{MAIL}.mail.users.3.password": (1234, "wrong-type"),
        f"{MAIL}.mail.aliases.+": ("chen: nobody-here", "alias-to-nobody"),
        f"{MAIL2}.ipv4": ("163.26.182", "no-address"),
        f"{MAIL2}.mail.aliases.2": ("root: mailer-daemon", "alias-loop"),
        f"{FILTER}.ipv4": ("163.26.183.249", "address-outside-network"),
        f"{FILTER}.roles.+": ("spamfliter", "unknown-value"),
        "schools.0.domain": ("DC1ES.tnc.edu.tw", "bad-domain"),
        "schools.0.network.router": ("163.26.183.254", "address-outside-network"),
        "schools.0.zone.ttl": ("day", "wrong-type"),
        "schools.0.zone.records.+": ("www A 163.26.182", "bad-record"),
        "internet.senders.0": ("mail.example.com", "wrong-type"),
        "internet.mail.users.0.name": ("Tn", "bad-user-name"),
        "prefix": ("Lab", "bad-prefix"),
    }
    data = edited(GOOD, {path: value for path, (value, _) in expected.items()})
    assert ids(problems_of(data)) == sorted(problem for _, problem in expected.values())


@pytest.mark.parametrize("kind", ["schools", "machines"])
def test_item_without_a_name_is_called_by_its_number(kind: str) -> None:
    path, where = {
        "schools": ("schools.0", "maillab:schools[0].machines.mail.mail.aliases"),
        "machines": (MAIL, "maillab:schools.dc1es.machines[1].mail.aliases"),
    }[kind]
    data = edited(GOOD, {f"{path}.name": REMOVED, f"{MAIL}.mail.aliases.+": "chen: nobody-here"})
    assert [problem.where for problem in problems_of(data) if problem.id == "alias-to-nobody"] == [where]


def test_words_name_an_item_without_a_name_by_its_number() -> None:
    data = edited(GOOD, {f"{MAIL}.name": REMOVED, f"{FILTER}.ipv4": "163.26.182.2"})
    (what,) = [problem.what for problem in problems_of(data) if problem.id == "address-twice"]
    assert what == "163.26.182.2 is already maillab:schools.dc1es.machines[1]"


def test_words_name_a_school_without_a_name_by_its_number() -> None:
    data = edited(GOOD, {"schools.0.name": REMOVED, "internet.mail.ipv4": "163.26.182.77"})
    (what,) = [problem.what for problem in problems_of(data) if problem.id == "outside-inside"]
    assert what == "tn's address 163.26.182.77 lies in the network of schools[0]"


def test_section_that_one_role_asks_for_is_missing_whatever_the_other_is() -> None:
    found = ids(problems_of(edited(GOOD, {f"{MAIL2}.mail": REMOVED, f"{MAIL2}.roles": ["second-mail", "dsn"]})))
    assert found == ["role-and-section", "route-to-no-server", "unknown-value"]


def test_no_remedy_offers_a_stand_in() -> None:
    data = edited(GOOD, {f"{FILTER}.ipv4": "x", f"{MAIL}.mail.relayhost": "spamfliter.dc1es.tnc.edu.tw"})
    (remedy,) = [problem.remedy for problem in problems_of(data) if problem.id == "relayhost-unknown"]
    assert remedy == "did you mean spamfilter ([…])?"


def test_fault_of_one_of_two_machines_with_one_name_is_no_fault_of_the_other() -> None:
    data = edited(GOOD, {f"{MAIL2}.name": "mail", f"{MAIL2}.roles": 5, f"{FILTER}.spamfilter.domains.2.server": "mail"})
    assert "no-role" not in ids(problems_of(data))
