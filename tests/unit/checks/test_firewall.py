"""Dead rules, contradictions and open doors in a school's packet filter, as the check tells them."""

import pathlib
from typing import Any

import pytest

from components.checks.everything import check
from components.config.problem import ConfigurationError, Problem, Severity
from components.load import parse
from tests.support.problems import ids
from tests.support.stacks import stack_data

ROOT = pathlib.Path(__file__).resolve().parents[3]
LAST = 7  # the DROP rule


def accept(source: str, **more: object) -> dict[str, object]:
    return {"action": "ACCEPT", "port": 25, "source": source, **more}


def configuration(at: int | None = None, rule: dict[str, object] | None = None, **firewall: object) -> dict[str, Any]:
    """The tutorial's school, with `rule` put into `firewall.mail` before the one at `at`, and other keys changed."""
    data: dict[str, Any] = stack_data(ROOT, "dc1es")
    section = data["schools"][0]["firewall"]
    section |= firewall
    if rule is not None:
        section["mail"].insert(len(section["mail"]) if at is None else at, rule)
    return data


def errors(data: dict[str, Any]) -> list[tuple[str, str]]:
    with pytest.raises(ConfigurationError) as caught:
        parse(data, "dc1es")
    return [(problem.id, problem.where.rpartition(".")[2]) for problem in caught.value.problems]


def warnings(data: dict[str, Any]) -> list[Problem]:
    """What a good configuration is warned of."""
    found: list[Problem] = []
    parse(data, "dc1es", warn=found.append)
    return found


def test_tutorials_rules_are_good() -> None:
    assert check(parse(configuration(), "dc1es")) == []


@pytest.mark.parametrize(
    ("at", "rule", "expected"),
    [
        pytest.param(2, accept("163.26.7.0/24"), "mail[2]", id="inside a wider one"),
        pytest.param(5, accept("140.111.8.0/24"), "mail[5]", id="the same once more"),
        pytest.param(7, accept("163.26.0.0/17"), "mail[7]", id="half of it"),
    ],
)
def test_rule_that_changes_nothing_is_a_warning(at: int, rule: dict[str, object], expected: str) -> None:
    (warning,) = warnings(configuration(at, rule))
    assert (warning.id, warning.severity) == ("rule-shadowed", Severity.WARNING)
    assert warning.where.endswith(f".firewall.{expected}")


@pytest.mark.parametrize(
    ("at", "rule", "expected"),
    [
        pytest.param(None, accept("198.51.100.0/24"), "mail[8]", id="allowed behind the DROP"),
        pytest.param(None, accept("163.27.0.0/16"), "mail[8]", id="another range behind the DROP"),
        pytest.param(3, {"action": "DROP", "port": 25, "source": "163.26.0.0/16"}, "mail[3]", id="same range dropped"),
    ],
)
def test_rule_that_contradicts_an_earlier_one(at: int | None, rule: dict[str, object], expected: str) -> None:
    assert errors(configuration(at, rule)) == [("rule-contradicted", expected)]


def test_rule_before_all_contradicts_all() -> None:
    found = errors(configuration(0, {"action": "DROP", "port": 25}))
    assert set(found) == {("rule-contradicted", f"mail[{index}]") for index in range(1, LAST + 1)}


@pytest.mark.parametrize(
    "rule",
    [
        pytest.param({"action": "ACCEPT", "port": 22}, id="open to all"),
        pytest.param({"action": "DROP", "port": 22}, id="closed to all"),
        pytest.param(accept("163.26.182.0/24", port=22), id="open to the school"),
    ],
)
def test_rule_that_decides_about_ssh_is_told_to_leave_it(rule: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse(configuration(0, rule), "dc1es")
    (problem,) = caught.value.problems
    assert (problem.id, problem.where) == ("rule-contradicted", "maillab:schools.dc1es.firewall.mail[0]")
    assert "leave port 22 of the mail servers to the lab's own rules" in problem.remedy


def test_rule_that_is_dead_in_one_family_is_not_to_be_removed() -> None:
    data = configuration(2, accept("203.71.0.0/16", source6="2001:db8:163:5::/64"))
    (warning,) = warnings(data)
    assert warning.what.startswith("on IPv6 this rule can never match")
    assert warning.remedy == "leave source6 out; on IPv4 the rule is needed"


def test_dropping_what_is_dropped_already_is_no_contradiction() -> None:
    data = configuration(None, {"action": "REJECT", "port": 25, "source": "198.51.100.0/24"})
    (warning,) = warnings(data)
    assert (warning.id, warning.where) == ("rule-shadowed", "maillab:schools.dc1es.firewall.mail[8]")


def test_range_as_wide_as_the_world_leaves_the_door_open() -> None:
    data = configuration(0, {"action": "ACCEPT", "port": 25, "source6": "2000::/3"})
    assert ("ipv6-open", "mail") in errors(data)


@pytest.mark.parametrize("mail", [True, False], ids=["with rules for mail", "without"])
def test_rule_of_the_routers_behind_the_labs_own(mail: bool) -> None:
    """Packets with private sources are dropped before."""
    data = configuration(router=[{"action": "ACCEPT", "source": "10.1.0.0/16"}])
    if not mail:
        del data["schools"][0]["firewall"]["mail"]
    assert errors(data) == [("rule-contradicted", "router[0]")]


def test_range_is_of_use_on_a_port_that_the_router_lets_through() -> None:
    data = configuration(
        0, accept("140.111.2.0/24", port=110), router=[{"action": "DROP", "port": 26, "source": "140.111.2.0/24"}]
    )
    assert check(parse(data, "dc1es")) == []


@pytest.mark.parametrize(
    ("at", "rule"),
    [
        pytest.param(0, {"action": "DROP", "port": 25, "source": "163.26.7.0/24"}, id="an exception before the rule"),
        pytest.param(0, {"action": "DROP", "port": 110, "not_source": "163.26.182.0/24"}, id="another port"),
        pytest.param(None, {"action": "DROP", "protocol": "udp", "port": 25}, id="another protocol"),
        pytest.param(None, accept("163.26.182.0/24", port=143), id="another port behind the DROP"),
    ],
)
def test_narrower_and_other_rules_are_good(at: int | None, rule: dict[str, object]) -> None:
    assert check(parse(configuration(at, rule), "dc1es")) == []


def test_port_25_open_on_ipv6_is_a_warning_where_it_is_wanted() -> None:
    (warning,) = warnings(configuration(ipv6="tutorial"))
    assert (warning.id, warning.where) == ("ipv6-open", "maillab:schools.dc1es.firewall.ipv6")
    assert "never sees the spamfilter" in warning.what


def test_port_25_left_open_on_ipv6_by_mistake_is_an_error() -> None:
    data = configuration()
    del data["schools"][0]["firewall"]["mail"][LAST]["not_source6"]
    assert errors(data) == [("ipv6-open", "mail")]


def test_range_that_the_router_drops_is_of_no_use() -> None:
    """Nobody on the Internet has such an address (RFC 6890)."""
    assert errors(configuration(0, accept("192.168.7.0/24"))) == [("allowed-range-unreachable", "mail[0]")]


def test_range_that_a_rule_of_the_routers_drops_is_of_no_use() -> None:
    data = configuration(router=[{"action": "DROP", "source": "140.111.0.0/16"}])
    assert errors(data) == [("allowed-range-unreachable", f"mail[{index}]") for index in (3, 4, 5)]


def test_range_of_which_some_come_through_is_of_use() -> None:
    data = configuration(router=[{"action": "DROP", "source": "140.111.2.0/25"}])
    assert check(parse(data, "dc1es")) == []


@pytest.mark.parametrize(
    "rule",
    [
        pytest.param({"action": "DROP", "port": 0}, id="port 0"),
        pytest.param({"action": "DROP", "port": 65536}, id="port too large"),
        pytest.param({"action": "DROP", "port": 25, "protocol": "icmpv6", "source6": "2001:db8::/32"}, id="no ports"),
        pytest.param({"action": "DROP", "protocol": "icmpv6"}, id="IPv6's ICMP on IPv4"),
        pytest.param(accept("163.27.0.0/16", not_source="163.28.0.0/16"), id="source and not_source"),
    ],
)
def test_rule_that_cannot_be_written(rule: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse(configuration(0, rule), "dc1es")
    assert ids(caught.value.problems) == ["bad-rule"]


def test_school_without_rules_is_open_and_good() -> None:
    data = configuration()
    del data["schools"][0]["firewall"]
    assert check(parse(data, "dc1es")) == []
