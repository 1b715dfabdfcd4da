"""What a host's firewall does to a lab: the rules that newer Docker engines write, and filtered bridges."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from driver.lab import Lab
from tests.support.own_engine import OwnEngine


@contextmanager
def sysctl(engine: OwnEngine, name: str, value: str) -> Iterator[None]:
    """A setting of the host, until the test has ended."""
    before = engine.on_host("sysctl", "--values", name).strip()
    engine.on_host("sysctl", "--write", f"{name}={value}")
    try:
        yield
    finally:
        engine.on_host("sysctl", "--write", f"{name}={before}")


@contextmanager
def rule(engine: OwnEngine, command: str, *words: str) -> Iterator[None]:
    """A rule of iptables or ip6tables, until the test has ended: TABLE, CHAIN and the rest."""
    table, chain, *rest = words
    engine.on_host(command, "-t", table, "-I", chain, *rest)
    try:
        yield
    finally:
        engine.on_host(command, "-t", table, "-D", chain, *rest)


@contextmanager
def policy(engine: OwnEngine, command: str, wanted: str) -> Iterator[None]:
    """The FORWARD chain's policy, until the test has ended."""
    before = engine.on_host(command, "-S", "FORWARD").split()[2]
    engine.on_host(command, "-P", "FORWARD", wanted)
    try:
        yield
    finally:
        engine.on_host(command, "-P", "FORWARD", before)


def direct_access_rules(lab: Lab) -> list[tuple[str, ...]]:
    """What engines since 28.2 write for the lab's containers: nothing reaches one's Docker address by another bridge.

    libnetwork, drivers/bridge/internal/iptabler/endpoint.go, filterDirectAccess.
    """
    rules: list[tuple[str, ...]] = []
    for machine in lab.machines.values():
        for leg in machine.container.attrs["NetworkSettings"]["Networks"].values():
            bridge = f"br-{leg['NetworkID'][:12]}"
            rules.append(("raw", "PREROUTING", "-d", leg["IPAddress"], "!", "-i", bridge, "-j", "DROP"))
    return rules


@contextmanager
def engine_of_today(engine: OwnEngine, *labs: Lab) -> Iterator[None]:
    """The host as an engine since 28.2 has it for these labs, with its bridges filtered."""
    with ExitStack() as stack:
        stack.enter_context(sysctl(engine, "net.bridge.bridge-nf-call-iptables", "1"))
        for lab in labs:
            for words in direct_access_rules(lab):
                stack.enter_context(rule(engine, "iptables", *words))
        yield


@contextmanager
def deaf_to_ipv6(engine: OwnEngine) -> Iterator[None]:
    """The host as Docker 27 or ufw may leave it: bridged IPv6 passes the FORWARD chain, whose policy is DROP."""
    with sysctl(engine, "net.bridge.bridge-nf-call-ip6tables", "1"), policy(engine, "ip6tables", "DROP"):
        yield
