"""Whose address has a name in DNS that leads back to the address, by the zones of the lab's name servers."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from ipaddress import ip_address

import dns.name
import dns.rdatatype
import dns.reversename
import dns.zone
from dns.name import Name
from dns.zone import Zone

from components.config.dns import ADDRESS_TYPES
from components.config.network import Address
from components.part import Blueprint

# The answer to a client without such a name (reject_unknown_client_hostname, postconf(5)): for now, not for good.
NO_CLIENT_NAME = "4.7.25"
REVERSE = (dns.reversename.ipv4_reverse_domain, dns.reversename.ipv6_reverse_domain)


def named_clients(plans: Mapping[str, Blueprint]) -> frozenset[Address]:
    """The addresses with a PTR record to a host that has the address: postconf(5), reject_unknown_client_hostname."""
    zones = {zone.origin: zone for plan in plans.values() for zone in _zones(plan.part.files) if zone.origin}
    names: dict[Address, str] = {}
    addresses: dict[str, set[Address]] = defaultdict(set)
    for origin, zone in zones.items():
        for owner, _, rdata in zone.iterate_rdatas():
            # Above a delegation there are copies of what the zone below says: it is asked.
            if max((other for other in zones if owner.is_subdomain(other)), key=len) != origin:
                continue
            if rdata.rdtype == dns.rdatatype.PTR and any(map(owner.is_subdomain, REVERSE)):
                names[ip_address(dns.reversename.to_address(owner))] = rdata.to_text().lower()
            elif dns.rdatatype.to_text(rdata.rdtype) in ADDRESS_TYPES:
                addresses[owner.to_text().lower()].add(ip_address(rdata.to_text()))
    return frozenset(address for address, name in names.items() if address in addresses[name])


def _zones(files: Mapping[str, str]) -> Iterator[Zone]:
    """The zones of one machine's files, each with its absolute names."""
    for line in files.get("/etc/maillab/zones", "").splitlines():
        name, file = line.split()
        origin: Name = dns.name.from_text(name)
        yield dns.zone.from_text(files[f"/etc/bind/{file}"], origin, relativize=False)
