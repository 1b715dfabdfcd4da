"""The Docker networks of a lab and the router between them."""

from collections.abc import Mapping

import pulumi
import pulumi_docker as docker

from components.machine import Machine
from components.network.model import Segment


class Router(Machine):
    """`maillab:network:Router`: forwards IPv4 and IPv6 between the schools and the Internet."""

    kind = "network:Router"


def docker_networks(
    segments: Mapping[str, Segment],
    prefix: str,
    labels: Mapping[str, str],
    opts: pulumi.ResourceOptions,
) -> dict[str, docker.Network]:
    """One bridge for each segment, on which the host has no IPv4 address and which nobody masquerades.

    The gateway entry is an address that no machine has: machines set their own default routes.
    Docker's IPv6 stays off, so that the host gets no global address either.
    """
    options = {
        "com.docker.network.bridge.inhibit_ipv4": "true",
        "com.docker.network.bridge.enable_ip_masquerade": "false",
    }
    once = pulumi.ResourceOptions(delete_before_replace=True)
    return {
        name: docker.Network(
            f"{name}-net",
            name=f"{prefix}{name}",
            driver="bridge",
            options=options,
            ipam_configs=[
                docker.NetworkIpamConfigArgs(subnet=str(segment.carrier), gateway=str(segment.docker_gateway))
            ],
            labels=[docker.NetworkLabelArgs(label=key, value=value) for key, value in labels.items()],
            opts=pulumi.ResourceOptions.merge(opts, once),
        )
        for name, segment in segments.items()
    }
