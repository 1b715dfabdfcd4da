"""Certificates of a lab's servers, and trust in its authority: what Commands carry between the machines.

No key is among it: keys are made where they are used, and stay there.
"""

import pulumi
import pulumi_command as command

from components.resources.limits import ON_A_MACHINE
from components.resources.machine import Machine, Site

ROLE = "/usr/lib/maillab/roles"
# The server's request to the authority, and the certificate back.
SIGN = (
    f"""set -o pipefail; docker exec "$CONTAINER" {ROLE}/tls request | """
    f"""docker exec -i "$AUTHORITY" {ROLE}/authority sign $NAMES | docker exec -i "$CONTAINER" {ROLE}/tls install"""
)
TRUST = (
    f"""set -o pipefail; docker exec "$AUTHORITY" {ROLE}/authority certificate | """
    f"""docker exec -i "$CONTAINER" {ROLE}/tls trust"""
)


def bring_certificates(
    machines: dict[str, tuple[Machine, tuple[str, ...]]], authority: Machine, site: Site, parent: pulumi.Resource
) -> None:
    """To each of `machines` the authority's certificate, and one of its own for its names, where it has some."""
    for name, (machine, names) in machines.items():
        command.local.Command(
            f"{name}-certificate",
            create=SIGN if names else TRUST,
            interpreter=["/bin/bash", "-c"],
            environment={
                # A new container of either makes it run again.
                "CONTAINER": machine.container.id,
                "AUTHORITY": authority.container.id,
                "DOCKER_HOST": site.docker_host,
                **({"NAMES": " ".join(names)} if names else {}),
            },
            add_previous_output_in_env=False,
            opts=pulumi.ResourceOptions(
                parent=parent,
                depends_on=[machine.config, authority.config],
                deleted_with=machine.container,
                custom_timeouts=ON_A_MACHINE,
            ),
        )
