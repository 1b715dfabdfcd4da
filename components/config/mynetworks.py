"""`mynetworks` of main.cf (postconf(5)): whom a mail server trusts, and a warning of one that trusts strangers."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network

from components.config.network import Address
from components.config.problem import Problem, warning

Network = IPv4Network | IPv6Network
PATTERN = re.compile(r"(?P<nots>!*)(?P<open>\[?)(?P<address>[0-9A-Fa-f.:]+)(?P<close>\]?)(?P<length>/\d+)?")


def words(value: str) -> list[str]:
    """The items of a list in main.cf: commas and white space are between them."""
    return [word for word in re.split(r"[,\s]+", value) if word]


@dataclass(frozen=True, slots=True)
class Networks:
    """Each network, and whether it is one of the trusted; the first that has an address decides."""

    patterns: tuple[tuple[Network, bool], ...]

    def __contains__(self, address: Address) -> bool:
        """Is this client trusted?"""
        return next((trusted for network, trusted in self.patterns if address in network), False)


def read_networks(value: str) -> Networks | None:
    """None when it has files, tables, names or parameters in it, or what Postfix refuses."""
    found = []
    for word in words(value):
        match = PATTERN.fullmatch(word)
        if match is None or bool(match["open"]) != bool(match["close"]) or bool(match["open"]) != (":" in word):
            return None
        try:
            network = ip_network(match["address"] + (match["length"] or ""))
        except ValueError:
            return None
        found.append((network, len(match["nots"]) % 2 == 0))
    return Networks(tuple(found))


def check_mynetworks(parameters: Mapping[str, str], own: Iterable[Network], where: str) -> list[Problem]:
    """A warning when `mynetworks` has somebody outside the school, whose networks are `own`."""
    networks = read_networks(parameters.get("mynetworks", ""))
    safe = [*own, ip_network("127.0.0.0/8"), ip_network("::1/128")]
    strange = [
        str(network)
        for network, trusted in (networks.patterns if networks else ())
        if trusted and not any(_lies_in(network, other) for other in safe)
    ]
    if not strange:
        return []
    return [warning("open-relay", f"{where}.main_cf.mynetworks", networks=", ".join(strange))]


def _lies_in(network: Network, other: Network) -> bool:
    return network.version == other.version and network[0] in other and network[-1] in other
