"""The Internet around the schools: name servers, another mail server and senders in many ranges."""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from components.mail.model import User
from components.network.model import SegmentConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class OutsideMailServer:
    """The mail server of another domain (the tutorial: tnuser@tn.edu.tw)."""

    name: str
    domain: str
    ipv4: IPv4Address
    ipv6: IPv6Address
    users: tuple[User, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """One identity of the machine `outside`: a host with a domain of its own that sends from its address."""

    host: str
    ipv4: IPv4Address
    ipv6: IPv6Address

    @property
    def domain(self) -> str:
        """The part behind the host's first label: its mail domain."""
        return self.host.partition(".")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class InternetConfig:
    """`maillab:internet`: the segment, the name server's addresses, `tn`, and the senders."""

    segment: SegmentConfig
    name_server: IPv4Address
    name_server6: IPv6Address
    mail: OutsideMailServer
    senders: tuple[Sender, ...]
