"""/etc/rc.local: the page's lines in the page's order, and nothing that means something else."""

import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given, settings

from components.config.firewall import Action, Chain, Rule
from components.config.lab import LabConfig
from components.firewall.render import interface_addresses, line, variable
from components.network.topology import Host
from components.plan import plan_of
from tests.unit.firewall.parse import commands, rule_of
from tests.unit.labs import Model, add_second_school, model, school
from tests.unit.strategies import labs

# As the page has them, with what today's iptables asks for: `! -s`, and -- where the page has a dash.
PAGE = """\
$IPTABLES -A INPUT -p TCP -s 127.0.0.0/8 --dport 25 -j ACCEPT
$IPTABLES -A INPUT -p TCP -s 163.26.0.0/16 --dport 25 -j ACCEPT
$IPTABLES -A INPUT -p TCP -s 203.68.102.0/24 --dport 25 -j ACCEPT
$IPTABLES -A INPUT -p TCP -s 140.111.2.0/24 --dport 25 -j ACCEPT
$IPTABLES -A INPUT -p TCP -s 140.111.8.0/24 --dport 25 -j ACCEPT
$IPTABLES -A INPUT -p TCP -s 140.111.34.0/24 --dport 25 -j ACCEPT
$IPTABLES -A INPUT -p TCP -s 140.116.2.0/24 --dport 25 -j ACCEPT
$IPTABLES -A INPUT -p TCP ! -s 163.26.182.0/24 --dport 25 -j DROP
"""
SSH6 = [
    "/sbin/ip6tables -A INPUT -p tcp -s ::1 --dport 22 -j ACCEPT",
    "/sbin/ip6tables -A INPUT -p tcp -s 2001:db8:182::249 --dport 22 -j ACCEPT",
    "/sbin/ip6tables -A INPUT -p tcp -s 2001:db8:182::100 --dport 22 -j ACCEPT",
    "/sbin/ip6tables -A INPUT -p tcp --dport 22 -j DROP",
]


def rc_local(given_model: Model, machine: str) -> str:
    return given_model.plans[machine].part.files["/etc/rc.local"]


@pytest.fixture(scope="module")
def tutorial() -> Model:
    """The tutorial's school."""
    return model()


@pytest.mark.parametrize("name", ["mail", "mail2"])
def test_pages_lines_stand_together_in_its_order(tutorial: Model, name: str) -> None:
    assert PAGE in "\n".join(commands(rc_local(tutorial, name)))


def test_rules_of_both_families_begin_with_a_flush(tutorial: Model) -> None:
    text = rc_local(tutorial, "mail")
    for program in ("$IPTABLES", "/sbin/ip6tables"):
        first = next(found for found in text.splitlines() if found.startswith(program))
        assert first == f"{program} -F"


def family6(given_model: Model, machine: str) -> list[str]:
    return [found for found in commands(rc_local(given_model, machine)) if "ip6tables" in found]


def test_ipv6_as_printed_is_the_base_and_port_21_and_ssh() -> None:
    """The base is what every machine has, also `outside`, which has no other rule."""
    printed = model(lambda data: school(data)["firewall"].update(ipv6="tutorial"))
    port_21 = "/sbin/ip6tables -A INPUT -p tcp --dport 21 -j DROP"
    assert family6(printed, "mail") == [*family6(printed, "outside"), port_21, *SSH6]


def test_ipv6_closed_has_as_many_rules_for_port_25_as_ipv4(tutorial: Model) -> None:
    found = [found for found in commands(rc_local(tutorial, "mail")) if "--dport 25" in found and "-i lo" not in found]
    assert len([found_line for found_line in found if "ip6tables" in found_line]) == len(PAGE.splitlines())


RULE = Rule(version=4, chain=Chain.INPUT, action=Action.DROP)


@pytest.mark.parametrize(
    ("comment", "note", "remarks"),
    [
        pytest.param("", "", (), id="none"),
        pytest.param("教網中心辦公室", "The centre.", ("教網中心辦公室", "The centre."), id="Chinese before English"),
        pytest.param("一\n\n二", "one\ntwo", ("一", "二", "one", "two"), id="a line each, none empty"),
    ],
)
def test_remarks_of_a_rule(comment: str, note: str, remarks: tuple[str, ...]) -> None:
    assert line(replace(RULE, comment=comment, note=note)).remarks == remarks


def test_remark_stands_over_its_rule(tutorial: Model) -> None:
    lines = rc_local(tutorial, "mail").splitlines()
    place = lines.index("# 教網中心辦公室")
    assert lines[place + 1 : place + 3] == ["# The county's network centre.", PAGE.splitlines()[2]]


def test_interface_is_found_by_the_machines_address_there(tutorial: Model) -> None:
    router = tutorial.plans["router"]
    assert interface_addresses(router.host, router.rules) == {
        "IF_INTERNET": "203.0.113.254",
        "IF_DC1ES": "163.26.182.254",
    }


def test_router_of_two_schools_has_a_variable_for_each() -> None:
    text = rc_local(model(add_second_school), "router")
    assigned = [found.partition("=")[0] for found in text.splitlines() if found.startswith("IF_")]
    assert assigned == ["IF_INTERNET", "IF_DC1ES", "IF_DC3ES"]


@pytest.mark.parametrize("name", ["mail", "dns", "outside"])
def test_machine_whose_rules_name_no_interface_has_no_variable(tutorial: Model, name: str) -> None:
    assert "IF_" not in rc_local(tutorial, name)


def test_variable_is_one_for_the_shell() -> None:
    assert variable("dc1es-old") == "IF_DC1ES_OLD"


def segments_of(host: Host) -> Mapping[str, str]:
    return {variable(interface.segment): interface.segment for interface in host.interfaces}


@settings(max_examples=25, deadline=None)
@given(labs())
def test_every_line_means_its_rule(lab: LabConfig) -> None:
    """Of every machine and in its order; whatever the remarks say, they stay remarks."""
    for plan in plan_of(lab).machines.values():
        read = [rule_of(found, segments_of(plan.host)) for found in commands(plan.part.files["/etc/rc.local"])]
        ordered = sorted(plan.rules, key=lambda rule: rule.version)
        assert read == [replace(rule, comment="", note="") for rule in ordered]


@settings(max_examples=25, deadline=None)
@given(labs())
def test_every_other_line_is_a_remark_or_known(lab: LabConfig) -> None:
    known = ("#", "$IPTABLES -", "/sbin/ip6tables -", "IPTABLES=/sbin/iptables", "IF_", ': "${IF_')
    for plan in plan_of(lab).machines.values():
        lines = plan.part.files["/etc/rc.local"].split("\n")
        assert [found for found in lines if found and not found.startswith(known)] == []


@pytest.mark.parametrize("name", ["router", "mail", "dns", "spamfilter", "outside"])
def test_shell_reads_it(tutorial: Model, name: str) -> None:
    shell = shutil.which("sh")
    assert shell
    done = subprocess.run([shell, "-n"], input=rc_local(tutorial, name), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
