"""The host of a Docker engine, seen from a container in the host's own network."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.support.lab import Lab
from tests.support.machine import DriverError, Machine


@contextmanager
def host_of(lab: Lab) -> Iterator[Machine]:
    """The network of the host that a lab runs on. What the test does there must change nothing."""
    image = lab["workstation"].container.image
    if image is None or image.id is None:
        raise DriverError("the workstation has no image")
    container = lab.client.containers.run(
        image.id,
        ["sleep", "infinity"],
        name=f"maillab-host-{secrets.token_hex(3)}",
        network_mode="host",
        cap_add=["NET_ADMIN", "NET_RAW"],
        init=True,
        detach=True,
    )
    try:
        yield Machine("host", container, "", "")
    finally:
        container.remove(force=True)


def bridges_of(lab: Lab) -> list[str]:
    """The interfaces on the host that are the lab's networks."""
    networks = lab.client.networks.list(filters={"label": f"maillab.stack={lab.stack}"})
    return [f"br-{str(network.id)[:12]}" for network in networks]


@dataclass(slots=True)
class Watch:
    """What passed an interface while the test looked: a line for each packet."""

    packets: list[str] = field(default_factory=list)


@contextmanager
def watching(host: Machine, interface: str, what: str) -> Iterator[Watch]:
    """Records the packets on `interface` that the expression `what` (pcap-filter(7)) matches."""
    name, watch = f"/tmp/{secrets.token_hex(4)}", Watch()
    # -p: the interface stays as it is; -U: each packet is written at once.
    host.succeed(
        f"tcpdump -p -nn -l -i {interface} '{what}' >{name}.packets 2>{name}.words </dev/null & echo $! >{name}.pid"
    )
    host.wait_until_succeeds(f"grep -q '^listening on' {name}.words")
    try:
        yield watch
    finally:
        host.succeed(f"kill -INT $(cat {name}.pid)")
        host.wait_until_succeeds(f"grep 'packets dropped by kernel' {name}.words")
        if "\n0 packets dropped by kernel" not in host.read(f"{name}.words"):
            raise DriverError(f"packets were missed on {interface}: {host.read(f'{name}.words')}")
        watch.packets = host.read(f"{name}.packets").splitlines()
