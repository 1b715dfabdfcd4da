"""/etc/rc.local of a machine."""

from components.network.topology import Host
from components.templates import render_template


def firewall_files(host: Host) -> dict[str, str]:
    """`/etc/rc.local`, as the tutorial keeps its rules."""
    return {"/etc/rc.local": render_template("firewall/rc.local.j2", fqdn=host.fqdn)}
