"""What is wrong with the lab's addresses and machine names taken together."""

from collections import defaultdict
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address

from components.config import LabConfig
from components.problem import Problem

Address = IPv4Address | IPv6Address


def _claims(config: LabConfig) -> Iterator[tuple[str, Address, str]]:
    """(machine, address, place) for every address that the configuration gives away."""
    internet, where = config.internet, "maillab:internet"
    yield from (
        ("router", address, f"{where}.segment") for address in (internet.segment.router, internet.segment.router6)
    )
    yield from (
        ("internet", address, f"{where}.name_server") for address in (internet.name_server, internet.name_server6)
    )
    yield from ((internet.mail.name, address, f"{where}.mail") for address in (internet.mail.ipv4, internet.mail.ipv6))
    for index, sender in enumerate(internet.senders):
        yield from (("outside", address, f"{where}.senders[{index}]") for address in (sender.ipv4, sender.ipv6))
    for school in config.schools:
        place = f"maillab:schools.{school.name}"
        yield from (
            ("router", address, f"{place}.network") for address in (school.network.router, school.network.router6)
        )
        for machine in school.machines:
            yield from (
                (machine.name, address, f"{place}.machines.{machine.name}") for address in (machine.ipv4, machine.ipv6)
            )


def check_addresses(config: LabConfig) -> list[Problem]:
    """Addresses and machine names that are used twice, and outside addresses inside a school."""
    problems = []
    claimed: dict[Address, str] = {}
    for _, address, place in _claims(config):
        if address in claimed:
            what, remedy = f"{address} is already {claimed[address]}", "give each machine its own address"
            problems.append(Problem(id="address-twice", where=place, what=what, remedy=remedy))
        claimed[ip_address(str(address))] = place
    names: dict[str, list[str]] = defaultdict(list)
    names[config.internet.mail.name].append("maillab:internet.mail")
    for school in config.schools:
        for host in school.machines:
            names[host.name].append(f"maillab:schools.{school.name}.machines")
        for machine, address, place in _claims(config):
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
            for machine, address, where in _claims(config):
                if address in zone and address not in network and not where.startswith(f"{place}."):
                    what = f"{machine}'s address {address} lies in {zone}, the reverse zone of {school.name}"
                    remedy = f"take an address elsewhere, or give {school.name} a prefix of a multiple of {step} bits"
                    problems.append(Problem(id="reverse-zone-shared", where=where, what=what, remedy=remedy))
    return problems
