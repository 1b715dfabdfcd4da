"""Follows delegations through zone texts from the root, as a resolver does (RFC 1034, section 5.3.3)."""

from collections.abc import Mapping
from dataclasses import dataclass

import dns.name
import dns.rdataclass
import dns.rdatatype
import dns.zone
from dns.name import Name


@dataclass(frozen=True, slots=True, kw_only=True)
class Referral:
    """A delegation to servers that are not the Internet's: their names and the addresses given along."""

    servers: frozenset[str]
    glue: frozenset[str]


class World:
    """All zones of one name server."""

    def __init__(self, zones: Mapping[str, str]) -> None:
        self.zones = {
            dns.name.from_text(name): dns.zone.from_text(text, dns.name.from_text(name), relativize=False)
            for name, text in zones.items()
        }

    def ask(self, name: str, rdtype: str) -> list[str] | Referral:
        """The data of `name`, sorted (empty: there is none), or where the question must go on."""
        wanted, zone = dns.name.from_text(name), self.zones[dns.name.root]
        while (cut := self._cut(zone, wanted)) is not None:
            if cut not in self.zones:
                return self._referral(zone, cut)
            zone = self.zones[cut]
        rdataset = zone.get_rdataset(wanted, rdtype)
        return sorted(rdata.to_text() for rdata in rdataset) if rdataset else []

    @staticmethod
    def _cut(zone: dns.zone.Zone, wanted: Name) -> Name | None:
        """The delegation above `wanted` that is nearest to the zone's origin."""
        assert isinstance(zone.origin, Name)
        above = [wanted.split(depth)[1] for depth in range(len(zone.origin) + 1, len(wanted) + 1)]
        return next((name for name in above if zone.get_rdataset(name, dns.rdatatype.NS)), None)

    @staticmethod
    def _referral(zone: dns.zone.Zone, cut: Name) -> Referral:
        servers = zone.get_rdataset(cut, dns.rdatatype.NS)
        assert servers is not None
        found = [zone.get_rdataset(server.target, rdtype) for server in servers for rdtype in ("A", "AAAA")]
        glue = frozenset(rdata.to_text() for rdataset in found if rdataset for rdata in rdataset)
        return Referral(servers=frozenset(server.target.to_text() for server in servers), glue=glue)
