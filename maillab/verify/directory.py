"""What DNS says of mail in a lab, and which machine has which address: from the configuration alone."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address

from components.config.dns import ADDRESS_TYPES
from components.config.lab import LabConfig
from components.config.network import Address
from components.part import Blueprint, owners


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """`exchangers`: mail domain to (preference, host); `addresses` of hosts; `aliases`: CNAME to what it stands for.

    `owners`: address to machine. Names are lower case, without a final dot.
    """

    exchangers: Mapping[str, Sequence[tuple[int, str]]]
    addresses: Mapping[str, Sequence[Address]]
    aliases: Mapping[str, str]
    owners: Mapping[Address, str]

    def servers(self, domain: str) -> list[tuple[int, Address]]:
        """(preference, address) of a domain's mail servers, best first; none: nobody takes mail for it.

        IPv4 first, as the lab's servers are configured. A domain without MX records is its own mail server (RFC 5321,
        section 5.1).
        """
        name = self._canonical(domain)
        hosts = sorted(self.exchangers.get(name, [])) or [(0, name)]
        return [(preference, address) for preference, host in hosts for address in self.hosts(host)]

    def hosts(self, name: str) -> list[Address]:
        """The addresses of a host, IPv4 first."""
        return sorted(self.addresses.get(self._canonical(name), []), key=lambda found: found.version)

    def _canonical(self, name: str) -> str:
        seen = set()
        while name in self.aliases and name not in seen:
            seen.add(name)
            name = self.aliases[name]
        return name


def directory(lab: LabConfig, plans: Mapping[str, Blueprint]) -> Directory:
    """The directory of a good configuration."""
    exchangers: dict[str, list[tuple[int, str]]] = defaultdict(list)
    addresses: dict[str, list[Address]] = defaultdict(list)
    aliases: dict[str, str] = {}
    for school in lab.schools:
        for record in school.good_records:
            name = record.name.rstrip(".")
            if record.type in ADDRESS_TYPES:
                addresses[name].append(ip_address(record.data))
            elif record.type == "MX":
                preference, host = record.data.lower().split()
                exchangers[name].append((int(preference), host.rstrip(".")))
            elif record.type == "CNAME":
                aliases[name] = record.data.lower().rstrip(".")
    tn = plans[lab.internet.mail.name].host.fqdn
    hosts: list[tuple[str, str, Address, Address]] = [
        (lab.internet.mail.domain, tn, lab.internet.mail.ipv4, lab.internet.mail.ipv6),
        *((sender.domain, sender.host, sender.ipv4, sender.ipv6) for sender in lab.internet.senders),
    ]
    for domain, host, ipv4, ipv6 in hosts:
        # The first server of a domain is its best one (components/internet/zones.py).
        exchangers[domain].append((10 * (1 + len(exchangers[domain])), host))
        addresses[host] += [ipv4, ipv6]
    return Directory(exchangers=dict(exchangers), addresses=dict(addresses), aliases=aliases, owners=owners(plans))
