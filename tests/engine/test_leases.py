"""Names, addresses and subnets change hands in one update: what had them goes before the next one gets them."""

from __future__ import annotations

import pytest

from tests.engine.stacks import ROOT, Stack

HEAD = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from components.resources.leases import lease

head = lab.config.require("subnet").removesuffix("0/24")
mine = pulumi.ResourceOptions()
once = {{"delete_before_replace": True}}
"""
BOXES = """
net = lab.network("lan")
leases = [lease(f"address-{{number}}", name, f"{{head}}{{number}}", mine) for name, number in {boxes}]
for (name, _), lent in zip({boxes}, leases):
    needs = {{**once, "depends_on": leases}}
    lab.container(name, needs, networks_advanced=[{{"name": net.id, "ipv4_address": lent.stdout}}])
"""
NETWORKS = """
leases = [lease(f"subnet-{{at}}", f"{{name}} {{net}}", head + net, mine) for at, (name, net) in enumerate({nets})]
for (name, _), lent in zip({nets}, leases):
    own = lent.stdout.apply(lambda _, name=name: lab.prefix + name)
    net = lab.network(name, {{**once, "depends_on": leases}}, name=own, ipam_configs=[{{"subnet": lent.stdout}}])
    lab.container(f"in-{{name}}", once, networks_advanced=[{{"name": net.id}}])
"""
START = [("one", 11), ("two", 12), ("three", 13)]
MOVES = {
    "renamed": [("uno", 11), ("two", 12), ("three", 13)],
    "swapped": [("one", 12), ("two", 11), ("three", 13)],
    "round": [("one", 12), ("two", 13), ("three", 11)],
    "each name moves on": [("zero", 11), ("one", 12), ("two", 13)],
    "to a free one, and a new one in its place": [("one", 14), ("new", 11), ("two", 12), ("three", 13)],
    "one goes, another gets its address": [("one", 11), ("three", 12)],
}


def addresses(stack: Stack) -> dict[str, int]:
    """The last number of each container's address."""
    found = {name: stack.container(name).attrs["NetworkSettings"]["Networks"] for name in stack.names("containers")}
    return {name: int(nets[f"{stack.prefix}lan"]["IPAddress"].rpartition(".")[2]) for name, nets in found.items()}


@pytest.mark.parametrize("after", MOVES.values(), ids=MOVES)
def test_addresses_change_hands(stack: Stack, after: list[tuple[str, int]]) -> None:
    stack.program(HEAD + BOXES.format(boxes=START))
    assert stack.up().ok
    stack.program(HEAD + BOXES.format(boxes=after))
    assert stack.preview().ok
    done = stack.up()
    assert done.ok, done.text
    assert addresses(stack) == dict(after)
    assert stack.preview("--refresh").ops == {}


def test_what_keeps_its_address_is_not_touched(stack: Stack) -> None:
    stack.program(HEAD + BOXES.format(boxes=START))
    assert stack.up().ok
    before = stack.container("three").id
    stack.program(HEAD + BOXES.format(boxes=MOVES["swapped"]))
    assert stack.up().ok
    assert stack.container("three").id == before


def test_without_leases_the_address_is_in_use(stack: Stack) -> None:
    """The positive control: the same update of a renamed machine is refused."""
    box = 'lab.container("{}", networks_advanced=[{{"name": net.id, "ipv4_address": head + "11"}}])'
    stack.program(HEAD + 'net = lab.network("lan")\n' + box.format("one"))
    assert stack.up().ok
    stack.program(HEAD + 'net = lab.network("lan")\n' + box.format("uno"))
    assert "Address already in use" in stack.up().errors


SUBNETS = [("a", "0/26"), ("b", "64/26"), ("c", "128/26")]
RESHAPED = {
    "renamed": [("a", "0/26"), ("x", "64/26"), ("c", "128/26")],
    "swapped": [("b", "0/26"), ("a", "64/26"), ("c", "128/26")],
    "one more before": [("new", "0/26"), ("a", "64/26"), ("b", "128/26"), ("c", "192/26")],
    "one grows": [("a", "0/25"), ("b", "128/26"), ("c", "192/26")],
    "one goes": [("b", "0/26"), ("c", "64/26")],
}


@pytest.mark.parametrize("after", RESHAPED.values(), ids=RESHAPED)
def test_subnets_change_hands(stack: Stack, after: list[tuple[str, str]]) -> None:
    stack.program(HEAD + NETWORKS.format(nets=SUBNETS))
    assert stack.up().ok
    stack.program(HEAD + NETWORKS.format(nets=after))
    done = stack.up()
    assert done.ok, done.text
    assert stack.names("networks") == {name for name, _ in after}
    for name, net in after:
        (pool,) = stack.docker.networks.get(stack.prefix + name).attrs["IPAM"]["Config"]
        assert pool["Subnet"].endswith(f".{net}")
    assert stack.preview("--refresh").ops == {}
