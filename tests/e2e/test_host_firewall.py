"""What the host under a lab does to its packets: a carrier keeps them, and `status` says what else is wrong there.

On an engine of the tests' own, whose host is a network namespace: nobody else's rules, sysctls and packets are in it.
"""

import ipaddress
import os
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest

from driver.lab import Lab, free_carrier, make_lab, remove_lab
from driver.mail import find
from tests.e2e.test_side_by_side import subnets
from tests.e2e.test_verify import proof_of
from tests.support.delivered import deliver
from tests.support.host_firewall import deaf_to_ipv6, engine_of_today, policy, rule, sysctl
from tests.support.own_engine import OwnEngine
from tests.support.program import lifetimes

# Several labs on an engine of their own are brought up in the first tests.
pytestmark = pytest.mark.timeout(900)

WENDY = "wendy@example.com"
ADMIN = "admin@dc1es.tnc.edu.tw"
CHAIN = ["outside", "spamfilter", "mail"]


@pytest.fixture(scope="module")
def carried(own_engine: OwnEngine, lone_lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A lab with a carrier, beside one without."""
    assert lone_lab.machines
    lab = make_lab(tmp_path_factory.mktemp("carried"), "dc1es", host=own_engine.host)
    try:
        lab.up()
        yield lab
    finally:
        remove_lab(lab)


def status(lab: Lab, engine: OwnEngine | None = None) -> str:
    """What `maillab status` says of it, run on the host of `engine`, or from where that can't be seen."""
    command = [*(engine.into if engine else ()), sys.executable, "-m", "maillab", "--stack", lab.stack, "status"]
    environment = os.environ | {
        "DOCKER_HOST": str(lab.host),
        "PYTHONPATH": str(lab.folder),
        "COLUMNS": "200",
        "MAILLAB_LANG": "en",
    }
    done = subprocess.run(command, cwd=lab.folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    return done.stdout


def test_with_a_carrier_everything_is_as_predicted_on_an_engine_of_today(own_engine: OwnEngine, carried: Lab) -> None:
    with engine_of_today(own_engine, carried):
        proof = proof_of(carried, mail=False)
        assert deliver(carried, "outside", WENDY, ADMIN).path == CHAIN
    assert [result for result in proof.cells if not result.agrees] == []
    assert len(proof.cells) > 2000


def test_without_a_carrier_nothing_is_routed_on_it_and_status_says_so(own_engine: OwnEngine, lone_lab: Lab) -> None:
    """The rules of the test above are in force: they spare only what has a carrier."""
    router = "ping -n -c 1 -W 2 203.0.113.254"
    far = "ping -n -c 1 -W 2 163.26.182.2"
    with engine_of_today(own_engine, lone_lab):
        lone_lab["outside"].succeed(router)
        lone_lab["outside"].fail(far)
        assert "this lab has no carrier: the computer that it runs on drops what is routed in it on IPv4" in status(
            lone_lab
        )
    lone_lab["outside"].succeed(far)
    assert "this lab has no carrier: Docker 28 and later drop what is routed" in status(lone_lab)


def test_lab_without_a_carrier_harms_the_one_beside_it_and_status_names_it(
    own_engine: OwnEngine, carried: Lab, lone_lab: Lab
) -> None:
    sentence = f"the lab {lone_lab.stack} on this engine has this lab's addresses for Docker's own"
    assert f"{sentence} (163.26.182.0/24, 203.0.113.0/24): Docker 28 and later" in status(carried)
    far = "ping -n -c 1 -W 2 163.26.182.2"
    carried["outside"].succeed(far)
    with engine_of_today(own_engine, carried, lone_lab):
        carried["outside"].fail(far)
        words = status(carried)
    lost = re.search(rf"{re.escape(sentence)}.*no answer from (.*)", words)
    assert lost is not None
    assert "163.26.182.2," in lost[1]


def test_dead_ipv6_is_named_with_its_cause_where_that_can_be_read(own_engine: OwnEngine, carried: Lab) -> None:
    assert "IPv6 is dead" not in status(carried, own_engine)
    with deaf_to_ipv6(own_engine):
        words = status(carried, own_engine)
    assert "drops it: ip6tables' FORWARD policy is DROP, and net.bridge.bridge-nf-call-ip6tables is 1" in words
    assert "IPv4 is dead" not in words


def test_dead_ipv6_is_named_from_elsewhere_too(own_engine: OwnEngine, carried: Lab) -> None:
    """As of an engine on another computer: the machines find it out."""
    with deaf_to_ipv6(own_engine):
        words = status(carried)
    assert "IPv6 is dead between the lab's machines" in words
    assert "most likely ip6tables' FORWARD policy is DROP there" in words


def test_dead_ipv4_is_named(own_engine: OwnEngine, carried: Lab) -> None:
    dropped = ("filter", "FORWARD", "-m", "physdev", "--physdev-is-bridged", "-j", "DROP")
    with sysctl(own_engine, "net.bridge.bridge-nf-call-iptables", "1"), rule(own_engine, "iptables", *dropped):
        words = status(carried, own_engine)
    assert "IPv4 is dead between the lab's machines" in words
    assert "bridge-nf-call-iptables is 1, and a rule drops it" in words


@pytest.mark.parametrize("cure", ["sysctl", "rule", "policy"])
def test_each_cure_that_is_named_brings_ipv6_back(own_engine: OwnEngine, carried: Lab, cure: str) -> None:
    far = "ping -n -c 1 -W 2 2001:db8:182::2"
    bridged = ("filter", "FORWARD", "-m", "physdev", "--physdev-is-bridged", "-j", "ACCEPT")
    cures = {
        "sysctl": lambda: sysctl(own_engine, "net.bridge.bridge-nf-call-ip6tables", "0"),
        "rule": lambda: rule(own_engine, "ip6tables", *bridged),
        "policy": lambda: policy(own_engine, "ip6tables", "ACCEPT"),
    }
    with deaf_to_ipv6(own_engine):
        carried["outside"].fail(far)
        with cures[cure]():
            carried["outside"].succeed(far)
            assert "IPv6 is dead" not in status(carried)


def test_lab_without_a_carrier_gets_one_and_keeps_its_mail(lone_lab: Lab) -> None:
    """And gives it back. Both replace the networks, and the containers with them."""
    kept = deliver(lone_lab, "outside", WENDY, ADMIN).mail.message_id
    before, carrier = lifetimes(lone_lab), ipaddress.IPv4Network(free_carrier(lone_lab.client))
    lone_lab.edit("carrier: none", f"carrier: {carrier}")
    try:
        lone_lab.up()
        assert all(ipaddress.IPv4Network(subnet).subnet_of(carrier) for subnet in subnets(lone_lab).values())
        assert not set(before.items()) & set(lifetimes(lone_lab).items())
        assert len(find(lone_lab["mail"], "admin", kept)) == 1
        assert deliver(lone_lab, "outside", WENDY, ADMIN).path == CHAIN
    finally:
        lone_lab.edit(f"carrier: {carrier}", "carrier: none")
        lone_lab.up()
    assert subnets(lone_lab) == {"dc1es": "163.26.182.0/24", "internet": "203.0.113.0/24"}
    assert len(find(lone_lab["mail"], "admin", kept)) == 1
