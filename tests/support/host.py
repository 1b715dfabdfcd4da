"""The host of a Docker engine, seen from a container in the host's own network."""

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from driver.lab import Lab
from driver.machine import DriverError, Machine, wait_until


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
def watching(host: Machine, interface: str, what: str, *, through: bool = False) -> Iterator[Watch]:
    """Records the packets on `interface` that the expression `what` (pcap-filter(7)) matches.

    `through`: on a bridge, also what only passes it from one machine to another.
    """
    name, watch = f"/tmp/{secrets.token_hex(4)}", Watch()
    # -p: the interface stays as it is. Each packet is handed over and written at once.
    command = f"tcpdump {'' if through else '-p'} -nn -l --immediate-mode -i {interface} '{what}'"
    host.succeed(f"{command} >{name}.packets 2>{name}.words </dev/null & echo $! >{name}.pid")
    host.wait_until_succeeds(f"grep -q '^listening on' {name}.words")
    try:
        yield watch
    finally:
        # What the kernel has for it and it has not read yet would be lost.
        wait_until(f"all packets of {interface} read", lambda: _captured(host, name) == _captured(host, name))
        host.succeed(f"kill -INT $(cat {name}.pid)")
        host.wait_until_succeeds(f"! kill -0 $(cat {name}.pid)")
        # The interrupt leaves an empty line.
        watch.packets = [line for line in host.read(f"{name}.packets").splitlines() if line]


def _captured(host: Machine, name: str) -> int:
    """How many packets a watch has read, as it says itself on USR1."""
    said = host.read(f"{name}.words").count("dropped by kernel")
    host.succeed(f"kill -USR1 $(cat {name}.pid)")
    wait_until("tcpdump's count", lambda: host.read(f"{name}.words").count("dropped by kernel") > said)
    counts = re.findall(r"(\d+) packets? (captured|dropped)", host.read(f"{name}.words"))
    (captured, _), (dropped, _) = counts[-2:]
    if dropped != "0":
        raise DriverError(f"{dropped} packets were missed")
    return int(captured)
