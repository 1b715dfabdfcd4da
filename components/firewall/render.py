"""/etc/rc.local of a machine."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from components.config.firewall import Network, Rule
from components.firewall.chain import of_family
from components.network.topology import Host
from components.templates import render_template

# As the tutorial types them.
PROGRAMS = {4: "$IPTABLES", 6: "/sbin/ip6tables"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A rule as it stands in /etc/rc.local, with the comment lines over it."""

    remarks: tuple[str, ...]
    command: str


def firewall_files(host: Host, rules: Sequence[Rule]) -> dict[str, str]:
    """`/etc/rc.local`, as the tutorial keeps its rules."""
    text = render_template(
        "firewall/rc.local.j2",
        fqdn=host.fqdn,
        interfaces=interface_addresses(host, rules),
        lines={version: [line(rule) for rule in of_family(rules, version)] for version in (4, 6)},
    )
    return {"/etc/rc.local": text}


def line(rule: Rule) -> Line:
    """The rule with its comments, Chinese before English."""
    remarks = tuple(text for text in (*rule.comment.split("\n"), *rule.note.split("\n")) if text)
    return Line(remarks=remarks, command=rule_command(rule))


def rule_command(rule: Rule) -> str:
    """The line of /etc/rc.local: `$IPTABLES -A INPUT -p TCP -s 163.26.0.0/16 --dport 25 -j ACCEPT`."""
    words = [PROGRAMS[rule.version], "-A", rule.chain]
    words += _interface("-i", rule.in_interface) + _interface("-o", rule.out_interface)
    if rule.protocol is not None:
        # The tutorial has -p TCP with iptables and -p tcp with ip6tables.
        words += ["-p", rule.protocol.upper() if rule.version == 4 else rule.protocol]
    words += _network("-s", rule.source, inverted=rule.not_source) + _network("-d", rule.destination)
    words += ["--icmpv6-type", rule.icmp_type] if rule.icmp_type else []
    words += ["--syn"] if rule.syn else []
    words += ["--dport", str(rule.port)] if rule.port is not None else []
    return " ".join([*words, "-j", rule.action])


def _network(option: str, network: Network | None, *, inverted: bool = False) -> list[str]:
    if network is None:
        return []
    # A single host needs no /32.
    text = str(network.network_address) if network.prefixlen == network.max_prefixlen else str(network)
    return ["!", option, text] if inverted else [option, text]


def _interface(option: str, name: str | None) -> list[str]:
    if name is None:
        return []
    inverted, name = name.startswith("!"), name.removeprefix("!")
    text = name if name == "lo" else f"${variable(name)}"
    return ["!", option, text] if inverted else [option, text]


def variable(segment: str) -> str:
    """The shell variable that holds the name of the interface in `segment`."""
    return f"IF_{segment.upper().replace('-', '_')}"


def interface_addresses(host: Host, rules: Sequence[Rule]) -> Mapping[str, str]:
    """Shell variable to the host's own address there, for each segment whose interface the rules name."""
    named = {name.removeprefix("!") for rule in rules for name in (rule.in_interface, rule.out_interface) if name}
    legs = {interface.segment: interface.addresses[0].ip for interface in host.interfaces}
    return {variable(segment): str(address) for segment, address in legs.items() if segment in named}
