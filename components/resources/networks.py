"""The Docker networks of a lab."""

from collections.abc import Mapping

import pulumi
import pulumi_command as command
import pulumi_docker as docker

from components.network.segments import Segment
from components.network.topology import Topology
from components.resources.leases import lease


def docker_networks(
    segments: Mapping[str, Segment],
    prefix: str,
    labels: Mapping[str, str],
    opts: pulumi.ResourceOptions,
    *,
    lending: pulumi.ResourceOptions,
) -> dict[str, docker.Network]:
    """One bridge for each segment, on which the host has no IPv4 address and which nobody masquerades.

    The gateway entry is an address that no machine has: machines set their own default routes.
    Docker's IPv6 stays off, so that the host gets no global address either. The subnets are lent, by their place in
    the configuration (`lending` are the leases' options): a school may get another name, size or place.
    """
    options = {
        "com.docker.network.bridge.inhibit_ipv4": "true",
        "com.docker.network.bridge.enable_ip_masquerade": "false",
    }
    leases = {
        name: lease(f"subnet-{number}", f"{name} {segment.carrier}", str(segment.carrier), lending)
        for number, (name, segment) in enumerate(segments.items())
    }
    # On all leases: whatever had a subnet that overlaps with the new one is gone by then.
    once = pulumi.ResourceOptions(delete_before_replace=True, depends_on=list(leases.values()))
    return {
        name: docker.Network(
            f"{name}-net",
            # The lease's too: Pulumi deletes what depends on a replaced lease only if the provider would replace it for
            # that value, and to the provider a subnet that is not known yet is no reason.
            name=_known_with(leases[name].stdout, f"{prefix}{name}"),
            driver="bridge",
            options=options,
            ipam_configs=[
                docker.NetworkIpamConfigArgs(subnet=leases[name].stdout, gateway=str(segment.docker_gateway))
            ],
            labels=[docker.NetworkLabelArgs(label=key, value=value) for key, value in labels.items()],
            opts=pulumi.ResourceOptions.merge(opts, once),
        )
        for name, segment in segments.items()
    }


def _known_with(lent: pulumi.Output[str], text: str) -> pulumi.Output[str]:
    """`text`, as soon as `lent` is known."""
    return lent.apply(lambda _: text)


def lent_addresses(topology: Topology, lending: pulumi.ResourceOptions) -> dict[tuple[str, str], command.local.Command]:
    """The leases on the addresses that Docker gives, by (machine, segment); named by their place in the subnet."""
    found = {}
    for host in topology.hosts.values():
        for leg in host.interfaces:
            place = int(leg.carrier) - int(topology.segments[leg.segment].carrier.network_address)
            name = f"{leg.segment}-address-{place}"
            found[host.name, leg.segment] = lease(name, host.name, str(leg.carrier), lending)
    return found
