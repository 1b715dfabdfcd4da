"""What the wires of a machine may be like, and the line that says it to the machine."""

import pathlib
import re
from collections.abc import Mapping
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.config.links import LinkConfig, check_link
from components.config.problem import ConfigurationError, Problem
from components.load import parse, read_stack
from components.network.render import network_files
from components.network.topology import topology_of
from components.plan import plan_of
from tests.support.problems import ids
from tests.support.stacks import stack_data

ROOT = pathlib.Path(__file__).resolve().parents[3]
ROLE = ROOT / "files" / "machine" / "image" / "roles" / "network"
FILE = "/etc/maillab/network"
HOST = topology_of(parse(stack_data(ROOT, "dc1es"), "dc1es")).hosts["mail"]


def numbers(least: str, most: str) -> st.SearchStrategy[str]:
    """Decimal numbers with at most three decimals, both bounds included."""
    return st.decimals(Decimal(least), Decimal(most), places=3).map(lambda number: f"{number:f}")


DELAYS = st.one_of(numbers("0.001", "10000").map("{}ms".format), numbers("0.001", "10").map("{}s".format))
LOSSES = numbers("0.001", "99.999").map("{}%".format)
RATES = st.one_of(numbers("8", "10000000").map("{}kbit".format), numbers("0.008", "10000").map("{}mbit".format))
LINKS = st.builds(
    LinkConfig, delay=st.none() | DELAYS, loss=st.none() | LOSSES, rate=st.none() | RATES | st.just("10gbit")
).filter(lambda link: link.settings)


def configuration(links: object) -> dict[str, object]:
    return stack_data(ROOT, "dc1es") | {"links": links}


def problems_of(links: object) -> tuple[Problem, ...]:
    with pytest.raises(ConfigurationError) as caught:
        parse(configuration(links), "dc1es")
    return caught.value.problems


def network_file(links: object, machine: str) -> list[str]:
    plan = plan_of(parse(configuration(links), "dc1es")).machines[machine]
    return plan.part.files[FILE].splitlines()


@given(link=LINKS)
def test_every_link_within_the_bounds_is_good(link: LinkConfig) -> None:
    assert check_link(link, "links.mail") == []


@given(link=LINKS)
def test_the_machine_understands_every_good_link(link: LinkConfig) -> None:
    """The role's own regular expression, and the values of the configuration."""
    (pattern,) = re.findall(r"^readonly netem='(.*)'$", ROLE.read_text(encoding="utf-8"), re.MULTILINE)
    lines = network_files(HOST, link)[FILE].splitlines()
    (line,) = [line for line in lines if line.startswith("netem")]
    assert re.fullmatch(pattern, line)
    assert [word for pair in link.settings.items() for word in pair] == line.split()[1:]


@pytest.mark.parametrize("name", ["dns", "mail", "mail2", "spamfilter", "workstation", "tn", "internet", "outside"])
def test_every_machine_can_have_a_link(name: str) -> None:
    assert "netem delay 50ms" in network_file({name: {"delay": "50ms"}}, name)


def test_every_interface_of_the_router_has_it() -> None:
    lines = network_file({"router": {"rate": "1mbit", "loss": "2%", "delay": "100ms"}}, "router")
    carriers = [number for number, line in enumerate(lines) if line.startswith("carrier ")]
    assert len(carriers) == 2
    assert [lines[number + 1] for number in carriers] == ["netem delay 100ms loss 2% rate 1mbit"] * 2


def test_other_machines_files_stay_as_they_are() -> None:
    linked = plan_of(parse(configuration({"mail": {"delay": "50ms"}}), "dc1es")).machines
    plain = plan_of(parse(configuration({}), "dc1es")).machines
    assert [name for name, plan in linked.items() if plan != plain[name]] == ["mail"]


@pytest.mark.parametrize(
    ("setting", "text", "expected"),
    [
        ("delay", "0ms", "bad-link"),
        ("delay", "0.0001ms", "bad-link"),
        ("delay", "10.001s", "bad-link"),
        ("delay", "10001ms", "bad-link"),
        ("delay", "100", "bad-link"),
        ("delay", "100 ms", "bad-link"),
        ("delay", "-1ms", "bad-link"),
        ("delay", "1e3ms", "bad-link"),
        ("delay", ".5s", "bad-link"),
        ("delay", "١ms", "bad-link"),
        ("delay", "100ms\n", "bad-character"),
        ("delay", "100ms 50ms", "bad-link"),
        ("delay", "100MS", "bad-link"),
        ("loss", "0%", "bad-link"),
        ("loss", "2", "bad-link"),
        ("loss", "2% 25%", "bad-link"),
        ("loss", "100%", "link-cut"),
        ("loss", "100.0%", "link-cut"),
        ("loss", "250%", "link-cut"),
        ("rate", "7.999kbit", "bad-link"),
        ("rate", "10.001gbit", "bad-link"),
        ("rate", "1mbyte", "bad-link"),
        ("rate", "1mbps", "bad-link"),
    ],
)
def test_bad_value(setting: str, text: str, expected: str) -> None:
    (problem,) = problems_of({"mail": {setting: text}})
    assert (problem.id, problem.where) == (expected, f"maillab:links.mail.{setting}")


def test_cut_wire_has_a_remedy() -> None:
    (problem,) = problems_of({"mail": {"loss": "100%"}})
    assert "stop the machine or write a firewall rule" in problem.remedy


@pytest.mark.parametrize(
    ("links", "expected"),
    [
        pytest.param({"mail": {}}, ["empty-link"], id="empty"),
        pytest.param({"mail": {"delay": None}}, ["empty-link"], id="delay is left out"),
        pytest.param({"mail": None}, ["wrong-type"], id="no entry"),
        pytest.param({"mail": {"delay": 100}}, ["wrong-type"], id="number for a text"),
        pytest.param({"mail": {"dely": "100ms"}}, ["unknown-key"], id="key with a typing error"),
        pytest.param([], ["wrong-type"], id="list for a mapping"),
        pytest.param({"lo": {"loss": "2%"}}, ["link-unknown"], id="the loopback"),
        pytest.param({"dc1es": {"loss": "2%"}}, ["link-unknown"], id="a school"),
        pytest.param({"mial": {"loss": "0%"}, "mail": {}}, ["bad-link", "empty-link", "link-unknown"], id="all"),
        pytest.param({"tn": {"delay": "x", "loss": "y", "rate": "z"}}, ["bad-link"] * 3, id="all settings"),
    ],
)
def test_bad_links(links: Mapping[str, object], expected: list[str]) -> None:
    assert ids(problems_of(links)) == expected


def test_near_machine_is_offered() -> None:
    (problem,) = problems_of({"mial": {"delay": "100ms"}})
    assert problem.where == "maillab:links.mial"
    assert problem.remedy.startswith("did you mean mail? ")


def test_text_that_is_no_json_names_links() -> None:
    with pytest.raises(ConfigurationError, match=r"maillab:links: .*no-structure"):
        read_stack({"links": "{", "schools": "[]"}, "dc1es")
