"""Addresses that the computer under the lab has itself: it would answer for a machine of the lab that has one too."""

import re
from collections.abc import Iterable
from ipaddress import IPv4Address
from pathlib import Path

from components.config.lab import LabConfig, assigned_addresses
from components.config.network import Address
from components.config.place import LOCAL
from components.config.problem import ConfigurationError, Problem, problem

# The kernel's own table of routes: `|-- ADDRESS`, and in a line below it what it is (proc(5)).
ADDRESSES = Path("/proc/net/fib_trie")
HERE = re.compile(r"unix:|tcp://(localhost|127\.|\[::1\])")
OWN = re.compile(r"\|-- ([0-9.]+)\n\s+/32 host LOCAL")


def own_addresses(table: Path = ADDRESSES) -> frozenset[IPv4Address]:
    """The IPv4 addresses of this computer; none, where there is no such table (it is no Linux)."""
    try:
        text = table.read_text(encoding="ascii")
    except OSError:
        return frozenset()
    return frozenset(map(IPv4Address, OWN.findall(text)))


def check_this_computer(config: LabConfig, own: Iterable[Address], docker_host: str) -> list[Problem]:
    """A machine of a lab on this computer with one of its `own` addresses.

    A Linux host answers ARP for all its addresses on every interface (arp_ignore in the kernel's ip-sysctl), on the
    lab's bridges too: now the machine would be found, and now the computer. `docker_host` says whether the engine is
    on this computer.
    """
    if config.where != LOCAL or not HERE.match(docker_host):
        return []
    taken = frozenset(own)
    return [
        problem("address-of-this-computer", place, address=address, machine=machine)
        for machine, address, place in assigned_addresses(config)
        if address in taken
    ]


def refuse_own_addresses(config: LabConfig, docker_host: str) -> None:
    """Stop a run that would give a machine an address of this computer.

    Raises:
        ConfigurationError: it would.
    """
    if problems := check_this_computer(config, own_addresses(), docker_host):
        raise ConfigurationError(problems)
