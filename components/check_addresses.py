"""What is wrong with the lab's addresses and machine names taken together."""

from collections import defaultdict
from ipaddress import ip_address

from components.config import LabConfig, claims
from components.network.model import Address
from components.problem import Problem


def check_addresses(config: LabConfig) -> list[Problem]:
    """Addresses and machine names that are used twice, and outside addresses inside a school."""
    problems = []
    claimed: dict[Address, str] = {}
    for _, address, place in claims(config):
        if address in claimed:
            what, remedy = f"{address} is already {claimed[address]}", "give each machine its own address"
            problems.append(Problem(id="address-twice", where=place, what=what, remedy=remedy))
        claimed[ip_address(str(address))] = place
    names: dict[str, list[str]] = defaultdict(list)
    names[config.internet.mail.name].append("maillab:internet.mail")
    for school in config.schools:
        for host in school.machines:
            names[host.name].append(f"maillab:schools.{school.name}.machines")
        for machine, address, place in claims(config):
            inside = address in school.network.ipv4 or address in school.network.ipv6
            if inside and place.startswith("maillab:internet"):
                what = f"{machine}'s address {address} lies in the network of {school.name}"
                remedy = "take an address of the Internet segment or of another range"
                problems.append(Problem(id="outside-inside", where=place, what=what, remedy=remedy))
    for name, places in names.items():
        if len(places) > 1:
            what, remedy = (
                f"{len(places)} machines are called {name}",
                "name them apart (`hostname` may be equal)",
            )
            problems.append(Problem(id="machine-name-twice", where=", ".join(places), what=what, remedy=remedy))
    return problems


def check_reverse_zones(config: LabConfig) -> list[Problem]:
    """A reverse zone covers whole octets or nibbles: its school answers for all of it (RFC 1035 3.5, RFC 3596 2.5)."""
    problems = []
    for school in config.schools:
        place = f"maillab:schools.{school.name}"
        for network, step in ((school.network.ipv4, 8), (school.network.ipv6, 4)):
            zone = network.supernet(new_prefix=network.prefixlen // step * step)
            for machine, address, where in claims(config):
                if address in zone and address not in network and not where.startswith(f"{place}."):
                    what = f"{machine}'s address {address} lies in {zone}, the reverse zone of {school.name}"
                    remedy = f"take an address elsewhere, or give {school.name} a prefix of a multiple of {step} bits"
                    problems.append(Problem(id="reverse-zone-shared", where=where, what=what, remedy=remedy))
    return problems
