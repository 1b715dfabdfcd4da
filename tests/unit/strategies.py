"""Random labs, sensible or not: rules, relays, tables and aliases of every kind that a configuration may have."""

from dataclasses import replace
from ipaddress import IPv4Network, IPv6Network

from hypothesis import strategies as st

from components.config.firewall import Action, FirewallConfig, Ipv6Policy, Protocol, RuleConfig
from components.config.lab import LabConfig, MachineConfig, SchoolConfig
from components.load import parse
from tests.support.configurations import schools
from tests.support.stacks import stack_data
from tests.unit.labs import ROOT

PORTS = [None, 9, 22, 25, 53, 110, 50000]
NETWORKS = [IPv4Network(text) for text in ("0.0.0.0/0", "127.0.0.0/8", "198.51.100.0/24", "140.111.2.10/32")]
NETWORKS6 = [IPv6Network(text) for text in ("::/0", "::1/128", "2001:db8:198::/48", "2001:db8:140:2::10/128")]
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@st.composite
def rules(draw: st.DrawFn, school: SchoolConfig) -> RuleConfig:
    """A rule that can be written down; whether it makes sense behind others is another matter."""
    source = draw(st.none() | st.sampled_from([*NETWORKS, school.network.ipv4]))
    source6 = draw(st.none() | st.sampled_from([*NETWORKS6, school.network.ipv6]))
    inverted, inverted6 = draw(st.booleans()), draw(st.booleans())
    return RuleConfig(
        action=draw(st.sampled_from(Action)),
        port=draw(st.sampled_from(PORTS)),
        protocol=draw(st.sampled_from([None, Protocol.TCP, Protocol.UDP])),
        source=None if inverted else source,
        not_source=source if inverted else None,
        source6=None if inverted6 else source6,
        not_source6=source6 if inverted6 else None,
        comment=draw(TEXT),
        note=draw(TEXT),
    )


@st.composite
def firewalls(draw: st.DrawFn, school: SchoolConfig) -> FirewallConfig:
    """A `firewall` section."""
    return FirewallConfig(
        ipv6=draw(st.sampled_from(Ipv6Policy)),
        mail=tuple(draw(st.lists(rules(school), max_size=5))),
        router=tuple(draw(st.lists(rules(school), max_size=2))),
    )


@st.composite
def _machines(draw: st.DrawFn, school: SchoolConfig, machine: MachineConfig) -> MachineConfig:
    """`machine` with any other as its relayhost, aliases that lead to the other servers, and part of the table."""
    if machine.spamfilter is not None:
        domains = tuple(route for route in machine.spamfilter.domains if draw(st.booleans()))
        return replace(machine, spamfilter=replace(machine.spamfilter, domains=domains))
    if machine.mail is None:
        return machine
    others = [other for other in school.machines if other is not machine]
    relayhost = draw(st.none() | st.sampled_from([f"[{other.ipv4}]" for other in others]))
    places = [school.domain, *(other.fqdn(school.domain) for other in others if other.mail)]
    targets = draw(st.lists(st.sampled_from([f"round@{place}" for place in places]), max_size=3, unique=True))
    line = [f"round: {', '.join(targets)}"] if targets else []
    return replace(machine, mail=replace(machine.mail, relayhost=relayhost, aliases=(*machine.mail.aliases, *line)))


@st.composite
def labs(draw: st.DrawFn) -> LabConfig:
    """A lab of one school."""
    lab = parse(stack_data(ROOT, "dc1es") | {"schools": [draw(schools())]}, "any")
    (school,) = lab.schools
    machines = tuple(draw(_machines(school, machine)) for machine in school.machines)
    return replace(lab, schools=(replace(school, machines=machines, firewall=draw(firewalls(school))),))
