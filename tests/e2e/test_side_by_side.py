"""Labs with identical addresses on one engine: nothing crosses, and one goes without the other."""

import ipaddress
import pathlib
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from driver.lab import Lab, make_lab, remove_lab
from driver.mail import find
from tests.support.delivered import deliver
from tests.support.host import bridges_of, host_of, watching
from tests.support.own_engine import OwnEngine
from tests.support.program import lifetimes, run

WENDY = "wendy@example.com"
ADMIN = "admin@dc1es.tnc.edu.tw"
CHAIN = ["outside", "spamfilter", "mail"]


@pytest.fixture(scope="module")
def neighbour(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A lab like `lab`, beside it."""
    assert lab.machines
    other = make_lab(tmp_path_factory.mktemp("neighbour"), "dc1es")
    try:
        other.up()
        yield other
    finally:
        remove_lab(other)


def subnets(lab: Lab) -> dict[str, str]:
    """Docker's subnet of each segment."""
    networks = lab.client.networks.list(filters={"label": f"maillab.stack={lab.stack}"})
    return {str(net.name).removeprefix(f"{lab.stack}-"): net.attrs["IPAM"]["Config"][0]["Subnet"] for net in networks}


def volumes_of(lab: Lab) -> set[str]:
    """The names of the volumes with the lab's label."""
    return {str(one.name) for one in lab.client.volumes.list(filters={"label": f"maillab.stack={lab.stack}"})}


def test_addresses_are_identical_and_carriers_are_not(lab: Lab, neighbour: Lab) -> None:
    assert {name: (machine.ipv4, machine.ipv6) for name, machine in neighbour.machines.items()} == {
        name: (machine.ipv4, machine.ipv6) for name, machine in lab.machines.items()
    }
    assert set(subnets(lab).values()) & set(subnets(neighbour).values()) == set()
    block = ipaddress.IPv4Network("198.18.0.0/15")
    assert all(ipaddress.IPv4Network(subnet).subnet_of(block) for subnet in subnets(neighbour).values())


def test_mail_stays_in_its_lab(lab: Lab, neighbour: Lab) -> None:
    """At the same time in both, by the same ways."""
    with ThreadPoolExecutor(2) as pool:
        mine, theirs = pool.map(lambda one: deliver(one, "outside", WENDY, ADMIN), (lab, neighbour))
    assert mine.path == theirs.path == CHAIN
    assert find(lab["mail"], "admin", theirs.mail.message_id) == []
    assert find(neighbour["mail"], "admin", mine.mail.message_id) == []


def test_no_packet_of_one_lab_is_on_the_others_bridges(lab: Lab, neighbour: Lab) -> None:
    """From the Internet to the school: both bridges of the one lab see it, and none of the other."""
    packets = "tcp dst port 7777 and dst host 163.26.182.100"
    with host_of(lab) as host, ExitStack() as stack:
        own = [stack.enter_context(watching(host, bridge, packets, through=True)) for bridge in bridges_of(neighbour)]
        foreign = [stack.enter_context(watching(host, bridge, packets, through=True)) for bridge in bridges_of(lab)]
        assert "refused" in neighbour["outside"].fail("exec 3<>/dev/tcp/163.26.182.100/7777")
        stack.close()
    assert [len(watch.packets) for watch in own] == [1, 1]
    assert [watch.packets for watch in foreign] == [[], []]


def test_destroying_one_leaves_the_other_and_its_own_mail(lab: Lab, tmp_path: pathlib.Path) -> None:
    """What people have in their mailboxes outlives the lab: `make down` removes it after a question only."""
    before = lifetimes(lab)
    other = make_lab(tmp_path, "dc1es")
    try:
        other.up()
        kept = deliver(other, "outside", WENDY, ADMIN).mail.message_id
        other.engine("destroy", "--yes")
        assert lifetimes(other) == {}
        assert subnets(other) == {}
        assert lifetimes(lab) == before
        assert deliver(lab, "outside", WENDY, ADMIN).path == CHAIN
        other.up()
        assert len(find(other["mail"], "admin", kept)) == 1
    finally:
        remove_lab(other)
    assert lifetimes(lab) == before


def test_the_same_stack_in_a_second_folder_is_refused_and_leaves_the_first_one_alone(
    neighbour: Lab, tmp_path: pathlib.Path
) -> None:
    """Nothing of the first folder's lab comes into the second one's state, so that `destroy` there removes nothing."""
    before, volumes = lifetimes(neighbour), volumes_of(neighbour)
    second = Lab(tmp_path / neighbour.stack, neighbour.stack, neighbour.place)
    shutil.copytree(neighbour.folder, second.folder, ignore=shutil.ignore_patterns(".pulumi-state"), symlinks=True)
    refused = run(second, "up", "--yes")
    assert not refused.ok
    assert "this folder's lab did not make" in refused.words
    assert refused.made <= {"where"}
    assert run(second, "refresh").ok
    assert run(second, "destroy", "--yes").ok
    assert lifetimes(neighbour) == before
    assert volumes_of(neighbour) == volumes
    assert volumes
    # The positive control: in its own folder the same file is a lab that is up.
    assert run(neighbour, "up", "--yes").steps == {}


def test_lab_without_a_carrier_shows_the_schools_own_network(lone_lab: Lab) -> None:
    assert subnets(lone_lab) == {"dc1es": "163.26.182.0/24", "internet": "203.0.113.0/24"}
    assert deliver(lone_lab, "outside", WENDY, ADMIN).path == CHAIN


def test_second_lab_without_a_carrier_is_told_the_remedy(
    own_engine: OwnEngine, lone_lab: Lab, tmp_path: pathlib.Path
) -> None:
    before = lifetimes(lone_lab)
    second = make_lab(tmp_path, "dc1es", host=own_engine.host, carrier=False)
    try:
        failed = run(second, "up", "--yes")
        assert not failed.ok
        assert "Traceback" not in failed.words
        assert "can't have 203.0.113.0/24" in failed.words or "can't have 163.26.182.0/24" in failed.words
        assert "maillab:network: {carrier: " in failed.words
    finally:
        remove_lab(second)
    assert lifetimes(lone_lab) == before
