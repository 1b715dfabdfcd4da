"""From the configuration to the wires: every machine's legs, addresses and routes."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface

from components.config.lab import INTERNET, OUTSIDE, ROUTER, LabConfig, Role, SchoolConfig
from components.config.network import Address, SegmentConfig
from components.network.carriers import Attachment, Wire, allocate_subnets, assign_addresses
from components.network.segments import Interface, Segment

# Where role `postfix` asks its own server from, as the world would: nobody's address (RFC 7600). The role has it too.
PROBE = "192.0.0.8"


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
    wires = wires_of(config)
    subnets = allocate_subnets(config.network, config.prefix, wires)
    assigned, segments = {}, {}
    for wire in wires:
        assigned[wire.name], gateway = assign_addresses(wire, subnets[wire.name])
        segments[wire.name] = Segment(
            name=wire.name, config=wire.config, carrier=subnets[wire.name], docker_gateway=gateway
        )
    hosts = [_router(config, assigned), *_internet_hosts(config, assigned[INTERNET])]
    hosts += [host for school in config.schools for host in _school_hosts(school, assigned[school.name])]
    return Topology(segments=segments, hosts={host.name: host for host in hosts})


def wires_of(config: LabConfig) -> list[Wire]:
    """Every segment with its machines: the Internet, then the schools."""
    internet = config.internet
    outer = (
        Attachment(machine=ROUTER, ipv4=internet.segment.router),
        Attachment(machine=INTERNET, ipv4=internet.name_server),
        Attachment(machine=internet.mail.name, ipv4=internet.mail.ipv4),
        *(Attachment(machine=OUTSIDE, ipv4=sender.ipv4) for sender in internet.senders[:1]),
    )
    wires = [Wire(name=INTERNET, config=internet.segment, attachments=outer)]
    for school in config.schools:
        machines = [Attachment(machine=machine.name, ipv4=machine.ipv4) for machine in school.machines]
        router = Attachment(machine=ROUTER, ipv4=school.network.router)
        wires.append(Wire(name=school.name, config=school.network, attachments=(router, *machines)))
    return wires


def fqdns(config: LabConfig) -> dict[str, str]:
    """Every machine's name to its full name in DNS, without the final dot."""
    internet = config.internet
    return {
        ROUTER: "router.tnc.edu.tw",
        INTERNET: "ns.root-servers.tw",
        internet.mail.name: f"mail.{internet.mail.domain}",
        OUTSIDE: internet.senders[0].host,
        **{machine.name: machine.fqdn(school.domain) for school in config.schools for machine in school.machines},
    }


def _both(ipv4: IPv4Address, ipv6: IPv6Address, segment: SegmentConfig) -> tuple[IPv4Interface | IPv6Interface, ...]:
    """Both addresses with the segment's prefix lengths; an address from elsewhere stands alone (/32, /128)."""
    length4 = segment.ipv4.prefixlen if ipv4 in segment.ipv4 else 32
    length6 = segment.ipv6.prefixlen if ipv6 in segment.ipv6 else 128
    return IPv4Interface(f"{ipv4}/{length4}"), IPv6Interface(f"{ipv6}/{length6}")


def _router(config: LabConfig, assigned: Mapping[str, Mapping[str, IPv4Address]]) -> Host:
    segment = config.internet.segment
    uplink = Interface(
        segment=INTERNET,
        carrier=assigned[INTERNET][ROUTER],
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
            carrier=assigned[school.name][ROUTER],
            addresses=_both(school.network.router, school.network.router6, school.network),
        )
        for school in config.schools
    )
    resolvers = (config.internet.name_server,)
    return Host(name=ROUTER, fqdn=fqdns(config)[ROUTER], interfaces=(uplink, *legs), resolvers=resolvers, search=".")


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


def _internet_hosts(config: LabConfig, assigned: Mapping[str, IPv4Address]) -> list[Host]:
    """Machines of the Internet segment: each other they find on the wire, everybody else by the router."""
    internet = config.internet
    senders = [_both(sender.ipv4, sender.ipv6, internet.segment) for sender in internet.senders]
    machines = [
        (INTERNET, _both(internet.name_server, internet.name_server6, internet.segment)),
        (internet.mail.name, _both(internet.mail.ipv4, internet.mail.ipv6, internet.segment)),
        (OUTSIDE, tuple(address for pair in senders for address in pair)),
    ]
    full_names = fqdns(config)
    return [
        Host(
            name=name,
            fqdn=full_names[name],
            interfaces=(
                Interface(
                    segment=INTERNET,
                    carrier=assigned[name],
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
        for name, addresses in machines
    ]


def _school_hosts(school: SchoolConfig, assigned: Mapping[str, IPv4Address]) -> list[Host]:
    (name_server,) = school.with_role(Role.DNS)
    return [
        Host(
            name=machine.name,
            fqdn=machine.fqdn(school.domain),
            interfaces=(
                Interface(
                    segment=school.name,
                    carrier=assigned[machine.name],
                    addresses=_both(machine.ipv4, machine.ipv6, school.network),
                    routes=_by_router(school.network),
                ),
            ),
            resolvers=(name_server.ipv4,),
            search=school.domain,
        )
        for machine in school.machines
    ]
