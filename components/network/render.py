"""Each machine's addresses, routes, wires, resolver and hosts file as text."""

from components.config.links import LinkConfig
from components.network.topology import PROBE, Host


def network_files(host: Host, link: LinkConfig | None = None) -> dict[str, str]:
    """`/etc/maillab/{network,resolv.conf,hosts}`: what role `network` of the image sets up."""
    lines = ["# carrier: the address Docker gave; what follows is what the machine has in its place."]
    for interface in host.interfaces:
        lines.append(f"carrier {interface.carrier}")
        if link is not None:
            lines.append(" ".join(["netem", *(f"{name} {text}" for name, text in link.settings.items())]))
        lines += [f"address {address}" for address in interface.addresses]
        lines += [f"route {route}" for route in interface.routes]
    resolv = [f"search {host.search}", *(f"nameserver {resolver}" for resolver in host.resolvers)]
    short = host.fqdn.partition(".")[0]
    hosts = ["127.0.0.1 localhost", "::1 localhost ip6-localhost ip6-loopback"]
    hosts += [f"{host.first(version)} {host.fqdn} {short}" for version in (4, 6)]
    # A mail server that asks itself from here must not wait for a name server that is not up yet.
    hosts.append(f"{PROBE} probe.invalid")
    return {
        "/etc/maillab/network": _text(lines),
        "/etc/maillab/resolv.conf": _text(resolv),
        "/etc/maillab/hosts": _text(hosts),
    }


def _text(lines: list[str]) -> str:
    return "\n".join(lines) + "\n"
