"""What is reported of the computer under a lab: only what the machines' own pings, and what can be read there, show."""

import json
from collections.abc import Callable, Iterable
from ipaddress import ip_network
from pathlib import Path

import pytest

from maillab.cli import diagnosis
from maillab.cli.diagnosis import Finding, HostFilter, diagnose, of_carriers, of_families, read_host
from maillab.cli.machines import MachineRow
from maillab.cli.networks import EngineNetwork
from maillab.cli.reach import Probe, Reach, ask, probes
from maillab.cli.stack import Stack
from tests.unit.conftest import Program
from tests.unit.maillab.cli.conftest import configure

UNKNOWN = {4: HostFilter(), 6: HostFilter()}


def row(name: str, ipv4: str, ipv6: str, state: str = "running") -> MachineRow:
    return MachineRow(name=name, container=f"lab-{name}", ipv4=ipv4, ipv6=ipv6, state=state, role="")


DNS, MAIL = row("dns", "163.26.182.1", "2001:db8:182::1"), row("mail", "163.26.182.2", "2001:db8:182::2")
ROUTER = row("router", "203.0.113.254\n163.26.182.254", "2001:db8:113::254\n2001:db8:182::254")
INTERNET = row("internet", "203.0.113.53", "2001:db8:113::53")
OUTSIDE = row("outside", "198.51.100.10\n198.51.100.66", "2001:db8:198::10\n2001:db8:198::66")
MACHINES = [DNS, MAIL, ROUTER, INTERNET, OUTSIDE]


def network(name: str, subnet: str, *machines: str, lab: str = "lab") -> EngineNetwork:
    containers = tuple(f"{lab}-{machine}" for machine in machines)
    return EngineNetwork(
        id=f"{name}0123456789ab", name=f"{lab}-{name}", lab=lab, subnets=(ip_network(subnet),), containers=containers
    )


def networks(school: str = "198.18.33.0/24", internet: str = "198.18.32.0/24") -> list[EngineNetwork]:
    return [
        network("dc1es", school, "dns", "mail", "router"),
        network("internet", internet, "internet", "outside", "router"),
    ]


OWN = networks()
REAL = networks("163.26.182.0/24", "203.0.113.0/24")


def reach(answers: Callable[[Probe], bool], machines: Iterable[MachineRow] = MACHINES) -> Reach:
    asked = probes(machines, OWN)
    return Reach(asked=frozenset(asked), answered=frozenset(filter(answers, asked)))


ALL = reach(lambda _: True)


def ids(findings: Iterable[Finding]) -> list[str]:
    return [finding.id for finding in findings]


def test_each_wire_is_tried_by_the_router_and_by_a_machine_on_it() -> None:
    wires = {(p.source, p.target) for p in probes(MACHINES, OWN) if not p.routed}
    assert wires == {
        ("lab-router", "dns"), ("lab-router", "mail"), ("lab-dns", "mail"),
        ("lab-router", "internet"), ("lab-router", "outside"), ("lab-internet", "outside"),
    }  # fmt: skip


def test_each_network_is_asked_for_over_the_router_by_both_families() -> None:
    asked = {(p.source, p.address) for p in probes(MACHINES, OWN) if p.routed}
    assert {source for source, _ in asked} == {"lab-dns", "lab-internet"}
    assert ("lab-internet", "163.26.182.2") in asked
    assert ("lab-internet", "2001:db8:182::2") in asked
    assert ("lab-dns", "198.51.100.10") in asked


def test_machine_that_does_not_run_is_not_asked_for() -> None:
    stopped = row("mail", "163.26.182.2", "2001:db8:182::2", "exited")
    assert not [p for p in probes([DNS, stopped, ROUTER, INTERNET, OUTSIDE], OWN) if p.target == "mail"]


def test_healthy_lab_has_no_finding(stack: Stack) -> None:
    assert of_families(ALL, UNKNOWN) == []
    assert of_carriers(stack, MACHINES, OWN, [], ALL) == []


@pytest.mark.parametrize("version", [4, 6])
def test_family_that_is_dead_on_all_wires_is_named(version: int) -> None:
    (found,) = of_families(reach(lambda probe: probe.version != version), UNKNOWN)
    assert found.id == f"ipv{version}-dropped"
    assert "most likely" in found.what
    command = "ip6tables" if version == 6 else "iptables"
    cures = " ".join(found.remedy)
    assert f"sysctl -w net.bridge.bridge-nf-call-{command}=0" in cures
    assert f" {command} -P FORWARD ACCEPT" in cures
    assert f" {command} -I FORWARD -m physdev --physdev-is-bridged -j ACCEPT" in cures


@pytest.mark.parametrize(
    "answers",
    [
        pytest.param(lambda p: p.version == 4 or p.target == "dns", id="one machine answers"),
        pytest.param(lambda p: p.version == 4 or p.source == "lab-dns", id="the router has no IPv6"),
        pytest.param(lambda _: False, id="nothing answers at all"),
        pytest.param(lambda p: p.version == 4 or not p.routed, id="the router forwards no IPv6"),
    ],
)
def test_broken_machine_is_not_the_computers_fault(answers: Callable[[Probe], bool]) -> None:
    assert of_families(reach(answers), UNKNOWN) == []


def test_few_machines_prove_nothing() -> None:
    few = reach(lambda probe: probe.version == 4, [DNS, MAIL, ROUTER])
    assert few.asked
    assert of_families(few, UNKNOWN) == []


@pytest.mark.parametrize(
    ("host", "words"),
    [
        pytest.param(HostFilter(filters=False), None, id="bridges are not filtered"),
        pytest.param(HostFilter(filters=True), "most likely ip6tables' FORWARD policy", id="no right to read rules"),
        pytest.param(HostFilter(filters=True, drops=True), ": ip6tables' FORWARD policy is DROP, and", id="policy"),
        pytest.param(HostFilter(filters=True, drops=False), "and a rule drops it", id="another rule"),
    ],
)
def test_what_can_be_read_of_the_computer_counts(host: HostFilter, words: str | None) -> None:
    found = of_families(reach(lambda probe: probe.version == 4), {4: HostFilter(), 6: host})
    assert [words in finding.what for finding in found if words] == ([True] if words else [])
    assert bool(found) == bool(words)


def test_both_families_dead_are_named_when_the_rules_are_read() -> None:
    dropping = HostFilter(filters=True, drops=True)
    assert ids(of_families(reach(lambda _: False), {4: dropping, 6: dropping})) == ["ipv4-dropped", "ipv6-dropped"]


def test_lab_without_a_carrier_is_reported(stack: Stack) -> None:
    (found,) = of_carriers(stack, MACHINES, REAL, [], ALL)
    assert found.id == "no-carrier"
    assert found.remedy == ("bin/maillab --stack lab up gives it one (mail stays, the machines are made again)",)


def test_lab_that_wants_no_carrier_is_shown_which_line_to_remove(stack: Stack) -> None:
    configure(stack, "local")
    path = stack.root / "Pulumi.lab.yaml"
    path.write_text(json.dumps({"config": {"maillab:network": {"carrier": "none"}}}), "utf-8")
    (found,) = of_carriers(stack, MACHINES, REAL, [], ALL)
    assert "take `carrier: none` out of Pulumi.lab.yaml" in found.remedy[0]


def test_routes_that_the_engine_drops_are_named(stack: Stack) -> None:
    (found,) = of_carriers(stack, MACHINES, REAL, [], reach(lambda p: p.version == 6 or not p.routed))
    assert found.id == "routes-dropped"


def test_router_that_forwards_nothing_is_not_blamed_on_the_engine(stack: Stack) -> None:
    """A student switched it off: IPv6 is as dead, and with a carrier the engine can't be it."""
    unrouted = reach(lambda p: not p.routed)
    assert of_carriers(stack, MACHINES, OWN, [], unrouted) == []


def test_lab_without_a_carrier_names_whom_it_harms(stack: Stack) -> None:
    beside = [network("dc1es", "198.18.48.0/24", lab="other"), network("bridge", "172.17.0.0/16", lab="")]
    (found,) = of_carriers(stack, MACHINES, REAL, beside, ALL)
    assert "what the labs beside it send to the same addresses (other)" in found.what


def test_neighbour_without_a_carrier_is_named(stack: Stack) -> None:
    other = network("dc1es", "163.26.182.0/24", lab="other")
    (found,) = of_carriers(stack, MACHINES, OWN, [other], ALL)
    assert (found.id, "lab other" in found.what) == ("neighbour", True)


def test_neighbour_that_costs_connections_is_named_with_them(stack: Stack) -> None:
    other = network("dc1es", "163.26.182.0/24", lab="other")
    (found,) = of_carriers(stack, MACHINES, OWN, [other], reach(lambda p: p.address != "163.26.182.2"))
    assert found.id == "neighbour-drops"
    assert found.what.endswith("no answer from 163.26.182.2")


def test_network_that_is_no_labs_is_named_too(stack: Stack) -> None:
    (found,) = of_carriers(stack, MACHINES, OWN, [network("vpn", "163.26.0.0/16", lab="")], ALL)
    assert found.remedy[0] == "see whose it is: docker network inspect -vpn"
    assert " rm " not in " ".join(found.remedy)


@pytest.mark.parametrize("subnet", ["163.26.183.0/24", "172.17.0.0/16", "2001:db8::/32"])
def test_other_networks_do_not_matter(stack: Stack, subnet: str) -> None:
    assert of_carriers(stack, MACHINES, OWN, [network("dc1es", subnet, lab="other")], ALL) == []


def test_machine_is_asked_once_for_all(program: Program, tmp_path: Path) -> None:
    program("docker", f"""echo x >>{tmp_path}/asked; shift 6; for a; do case $a in *:*) ;; *) echo "$a";; esac; done""")
    wanted = probes(MACHINES, OWN)
    found = ask(wanted)
    assert (tmp_path / "asked").read_text("utf-8").count("x") == 3
    assert found.asked == frozenset(wanted)
    assert found.answered == frozenset(probe for probe in wanted if probe.version == 4)


def test_machine_that_cant_be_asked_is_left_out(program: Program) -> None:
    program("docker", 'case "$2" in lab-dns) exit 1;; esac')
    assert {probe.source for probe in ask(probes(MACHINES, OWN)).asked} == {"lab-router", "lab-internet"}


def test_engine_that_does_not_answer_has_no_findings(stack: Stack, program: Program) -> None:
    program("docker", "exit 1")
    assert diagnose(stack, MACHINES) == []


@pytest.fixture
def computer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The settings of a computer that has the lab's bridges."""
    monkeypatch.setattr(diagnosis, "BRIDGE_FILTER", tmp_path)
    monkeypatch.setattr("socket.if_nameindex", lambda: list(enumerate(["lo", *(network.bridge for network in OWN)])))
    (tmp_path / "bridge-nf-call-ip6tables").write_text("1\n", "ascii")
    return tmp_path


@pytest.mark.parametrize(
    ("script", "drops"),
    [
        pytest.param("echo '-P FORWARD DROP'", True, id="policy DROP"),
        pytest.param("echo '-P FORWARD ACCEPT'; echo '-A FORWARD -j DROP'", False, id="policy ACCEPT"),
        pytest.param("echo 'you must be root' >&2; exit 4", None, id="not root"),
    ],
)
@pytest.mark.usefixtures("computer")
def test_policy_is_read_where_that_is_allowed(program: Program, script: str, drops: bool | None) -> None:
    program("ip6tables", script)
    assert read_host(6, OWN) == HostFilter(filters=True, drops=drops)


@pytest.mark.usefixtures("computer")
def test_computer_without_ip6tables_says_that_it_filters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert read_host(6, OWN) == HostFilter(filters=True)


def test_computer_that_filters_no_bridge_is_asked_no_more(computer: Path) -> None:
    (computer / "bridge-nf-call-ip6tables").write_text("0\n", "ascii")
    assert read_host(6, OWN) == HostFilter(filters=False)
    (computer / "bridge-nf-call-ip6tables").unlink()
    assert read_host(6, OWN) == HostFilter(filters=False)


@pytest.mark.usefixtures("computer")
def test_computer_without_the_labs_bridges_is_another_one() -> None:
    """An engine in a virtual machine, over SSH, or rootless: its socket is here, its network is not."""
    elsewhere = [*OWN, network("third", "198.18.34.0/24")]
    assert read_host(6, elsewhere) == HostFilter()
