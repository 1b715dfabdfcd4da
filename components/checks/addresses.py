"""What is wrong with the lab's addresses and machine names taken together."""

from collections import defaultdict
from ipaddress import ip_address

from components.config.lab import LabConfig, assigned_addresses
from components.config.network import Address
from components.config.problem import Problem, problem


def check_addresses(config: LabConfig) -> list[Problem]:
    """Addresses and machine names that are used twice, and outside addresses inside a school."""
    problems = []
    taken: dict[Address, str] = {}
    for _, address, place in assigned_addresses(config):
        if address in taken:
            problems.append(problem("address-twice", place, address=address, other=taken[address]))
        taken[ip_address(str(address))] = place
    names: dict[str, list[str]] = defaultdict(list)
    names[config.internet.mail.name].append("maillab:internet.mail")
    for school in config.schools:
        for host in school.machines:
            names[host.name].append(f"maillab:schools.{school.name}.machines")
        for machine, address, place in assigned_addresses(config):
            inside = address in school.network.ipv4 or address in school.network.ipv6
            if inside and place.startswith("maillab:internet"):
                values = {"machine": machine, "address": address, "school": school.name}
                problems.append(problem("outside-inside", place, **values))
    for name, places in names.items():
        if len(places) > 1:
            problems.append(problem("machine-name-twice", ", ".join(places), count=len(places), name=name))
    return problems


def check_reverse_zones(config: LabConfig) -> list[Problem]:
    """A reverse zone covers whole octets or nibbles: its school answers for all of it (RFC 1035 3.5, RFC 3596 2.5)."""
    problems = []
    for school in config.schools:
        place = f"maillab:schools.{school.name}"
        for network, step in ((school.network.ipv4, 8), (school.network.ipv6, 4)):
            zone = network.supernet(new_prefix=network.prefixlen // step * step)
            for machine, address, where in assigned_addresses(config):
                if address in zone and address not in network and not where.startswith(f"{place}."):
                    values = {"machine": machine, "address": address, "zone": zone, "school": school.name, "step": step}
                    problems.append(problem("reverse-zone-shared", where, **values))
    return problems
