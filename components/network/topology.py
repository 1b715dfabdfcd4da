"""From the configuration to the wires: every machine's legs, addresses and routes."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface

from components.config import LabConfig, Role, SchoolConfig
from components.network.model import Address, Attachment, Interface, Segment, SegmentConfig, carve, deal_addresses

# Where role `postfix` asks its own server from, as the world would: nobody's address (RFC 7600).
PROBE = "192.0.0.8"
INTERNET = "internet"
ROUTER = "router"
OUTSIDE = "outside"


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """A machine's place in the network. `resolvers` and `search` go to its resolv.conf(5)."""

    name: str
    fqdn: str
    interfaces: tuple[Interface, ...]
    resolvers: tuple[Address, ...]
    search: str

    @property
    def addresses(self) -> tuple[IPv4Interface | IPv6Interface, ...]:
        """All its addresses, in the interfaces' order."""
        return tuple(address for interface in self.interfaces for address in interface.addresses)

    def first(self, version: int) -> str:
        """Its first address of IP `version` (4 or 6), as text without the prefix length."""
        return self.all_of(version)[0]

    def all_of(self, version: int) -> list[str]:
        """All its addresses of IP `version`, as text without the prefix length."""
        return [str(address.ip) for address in self.addresses if address.version == version]


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """Segments and hosts by name."""

    segments: Mapping[str, Segment]
    hosts: Mapping[str, Host]


def topology_of(config: LabConfig) -> Topology:
    """The network that a good configuration describes."""
    internet = config.internet
    attachments = {
        INTERNET: [
            Attachment(machine=ROUTER, ipv4=internet.segment.router),
            Attachment(machine=INTERNET, ipv4=internet.name_server),
            Attachment(machine=internet.mail.name, ipv4=internet.mail.ipv4),
            Attachment(machine=OUTSIDE, ipv4=internet.senders[0].ipv4),
        ]
    }
    configs: dict[str, SegmentConfig] = {INTERNET: internet.segment}
    for school in config.schools:
        configs[school.name] = school.network
        machines = [Attachment(machine=machine.name, ipv4=machine.ipv4) for machine in school.machines]
        attachments[school.name] = [Attachment(machine=ROUTER, ipv4=school.network.router), *machines]
    subnets = carve(config.network.carrier, configs.items())
    dealt, segments = {}, {}
    for name, segment in configs.items():
        dealt[name], gateway = deal_addresses(segment, subnets[name], attachments[name])
        segments[name] = Segment(name=name, config=segment, carrier=subnets[name], docker_gateway=gateway)
    hosts = [_router(config, dealt), *_internet_hosts(config, dealt[INTERNET])]
    hosts += [host for school in config.schools for host in _school_hosts(school, dealt[school.name])]
    return Topology(segments=segments, hosts={host.name: host for host in hosts})


def _both(ipv4: IPv4Address, ipv6: IPv6Address, segment: SegmentConfig) -> tuple[IPv4Interface | IPv6Interface, ...]:
    """Both addresses with the segment's prefix lengths; an address from elsewhere stands alone (/32, /128)."""
    length4 = segment.ipv4.prefixlen if ipv4 in segment.ipv4 else 32
    length6 = segment.ipv6.prefixlen if ipv6 in segment.ipv6 else 128
    return IPv4Interface(f"{ipv4}/{length4}"), IPv6Interface(f"{ipv6}/{length6}")


def _router(config: LabConfig, dealt: Mapping[str, Mapping[str, IPv4Address]]) -> Host:
    segment = config.internet.segment
    uplink = Interface(
        segment=INTERNET,
        carrier=dealt[INTERNET][ROUTER],
        addresses=_both(segment.router, segment.router6, segment),
        # Everybody's default route ends here: what nobody in the lab has, the router says, is unreachable.
        routes=(
            *_on_the_wire(config, (segment.router, segment.router6)),
            "unreachable default",
            "unreachable ::/0",
        ),
    )
    legs = tuple(
        Interface(
            segment=school.name,
            carrier=dealt[school.name][ROUTER],
            addresses=_both(school.network.router, school.network.router6, school.network),
        )
        for school in config.schools
    )
    resolvers = (config.internet.name_server,)
    return Host(name=ROUTER, fqdn="router.tnc.edu.tw", interfaces=(uplink, *legs), resolvers=resolvers, search=".")


def _on_the_wire(config: LabConfig, own: Collection[Address]) -> list[str]:
    """Routes on the Internet segment to the addresses from elsewhere that others there have.

    Not `default dev`: a Linux host answers ARP for all its addresses on every interface (arp_ignore in the kernel's
    ip-sysctl), so that the computer under the lab would be found by any of them, and answer through its own uplink.
    """
    internet = config.internet
    addresses: list[Address] = [internet.mail.ipv4, *(sender.ipv4 for sender in internet.senders)]
    addresses += [internet.mail.ipv6, *(sender.ipv6 for sender in internet.senders)]
    near = (internet.segment.ipv4, internet.segment.ipv6)
    far = [address for address in addresses if address not in own and not any(address in net for net in near)]
    # The kernel itself adds a prefix only where an address of the machine lies in it.
    foreign = [net for net in near if not any(address in net for address in own)]
    targets = [*map(str, foreign), *(f"{address}/{address.max_prefixlen}" for address in far)]
    return [f"{target} dev %dev" for target in targets]


def _by_router(segment: SegmentConfig) -> tuple[str, str]:
    return f"default via {segment.router}", f"default via {segment.router6}"


def _internet_hosts(config: LabConfig, dealt: Mapping[str, IPv4Address]) -> list[Host]:
    """Machines of the Internet segment: each other they find on the wire, everybody else by the router."""
    internet = config.internet
    senders = [_both(sender.ipv4, sender.ipv6, internet.segment) for sender in internet.senders]
    machines = [
        (INTERNET, "ns.root-servers.tw", _both(internet.name_server, internet.name_server6, internet.segment)),
        (
            internet.mail.name,
            f"mail.{internet.mail.domain}",
            _both(internet.mail.ipv4, internet.mail.ipv6, internet.segment),
        ),
        (OUTSIDE, internet.senders[0].host, tuple(address for pair in senders for address in pair)),
    ]
    return [
        Host(
            name=name,
            fqdn=fqdn,
            interfaces=(
                Interface(
                    segment=INTERNET,
                    carrier=dealt[name],
                    addresses=addresses,
                    # Only after the wire's: a machine whose addresses are from elsewhere finds the router there.
                    routes=(
                        *_on_the_wire(config, [address.ip for address in addresses]),
                        *_by_router(internet.segment),
                    ),
                ),
            ),
            resolvers=(internet.name_server,),
            search=".",
        )
        for name, fqdn, addresses in machines
    ]


def _school_hosts(school: SchoolConfig, dealt: Mapping[str, IPv4Address]) -> list[Host]:
    (name_server,) = school.with_role(Role.DNS)
    return [
        Host(
            name=machine.name,
            fqdn=machine.fqdn(school.domain),
            interfaces=(
                Interface(
                    segment=school.name,
                    carrier=dealt[machine.name],
                    addresses=_both(machine.ipv4, machine.ipv6, school.network),
                    routes=_by_router(school.network),
                ),
            ),
            resolvers=(name_server.ipv4,),
            search=school.domain,
        )
        for machine in school.machines
    ]
