"""Packets with a forged source never cross the router (BCP 38)."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from driver.lab import Lab
from driver.machine import Machine

FORGED = [
    pytest.param("outside", "mail", "163.26.182.77", id="school's address from outside"),
    pytest.param("outside", "mail", "2001:db8:182::77", id="school's IPv6 address from outside"),
    pytest.param("outside", "mail", "192.168.7.7", id="private address from outside"),
    pytest.param("outside", "mail", "fd00::7", id="unique local address from outside"),
    pytest.param("workstation", "tn", "198.51.100.77", id="foreign address from the school"),
    pytest.param("workstation", "tn", "2001:db8:198::77", id="foreign IPv6 address from the school"),
    pytest.param("workstation", "tn", "163.26.1.77", id="another school's address from the school"),
]


@contextmanager
def counted(machine: Machine, source: str) -> Iterator[None]:
    """A rule on `machine` that only counts the packets from `source`; taken away again."""
    program = "ip6tables" if ":" in source else "iptables"
    machine.succeed(f"{program} -I INPUT -s {source} -p udp --dport 4444")
    try:
        yield
    finally:
        machine.succeed("service rc.local start")


def packets(machine: Machine, source: str) -> int:
    program = "ip6tables" if ":" in source else "iptables"
    return int(machine.succeed(f"{program} -nvxL INPUT 1").split()[0])


def send_forged(machine: Machine, source: str, target: str) -> None:
    """One datagram with a source address that is not the machine's to use."""
    family = "AF_INET6" if ":" in source else "AF_INET"
    length = 128 if ":" in source else 32
    machine.succeed(f"ip address add {source}/{length} dev lo")
    try:
        machine.python(
            f"import socket, sys; s = socket.socket(socket.{family}, socket.SOCK_DGRAM); s.bind((sys.argv[1], 0)); "
            "s.sendto(b'forged', (sys.argv[2], 4444))",
            source,
            target,
        )
    finally:
        machine.succeed(f"ip address del {source}/{length} dev lo")


@pytest.mark.parametrize(("machine", "target", "source"), FORGED)
def test_forged_source_never_crosses_the_router(lab: Lab, machine: str, target: str, source: str) -> None:
    """Without the router's rules the same packet arrives."""
    address = lab[target].ipv6 if ":" in source else lab[target].ipv4
    with counted(lab[target], source):
        send_forged(lab[machine], source, address)
        # What came after it has arrived: it would have, too.
        lab[machine].succeed(f"ping -n -c 1 -W 5 {address}")
        assert packets(lab[target], source) == 0
        lab["router"].succeed("iptables -F FORWARD; ip6tables -F FORWARD")
        try:
            send_forged(lab[machine], source, address)
            lab[target].wait_until_succeeds(
                f"test $({'ip6tables' if ':' in source else 'iptables'} -nvxL INPUT 1 | awk '{{print $1}}') = 1"
            )
        finally:
            lab["router"].succeed("service rc.local start")
