"""What somebody made by hand in a machine, copied out before its container goes."""

from collections.abc import Mapping

import pulumi
import pulumi_command as command
import pulumi_docker as docker

from components.resources.limits import ON_A_MACHINE

# In a checkout that has no such script (an older one) there is nothing to do.
KEEP = "[ ! -e files/machine/keep-by-hand ] || bash files/machine/keep-by-hand"


def keep_by_hand(
    name: str, container: docker.Container, environment: Mapping[str, pulumi.Input[str]], parent: pulumi.Resource
) -> command.local.Command:
    """A Command that does nothing but when it is deleted, which is before its container is.

    A container is deleted before its new one is made, and what its id replaces (`triggers`) before that.
    """
    return command.local.Command(
        f"{name}-by-hand",
        create=":",
        delete=KEEP,
        interpreter=["/bin/bash", "-c"],
        triggers=[container.id],
        environment={"CONTAINER": container.id, "MACHINE": name, **environment},
        add_previous_output_in_env=False,
        opts=pulumi.ResourceOptions(parent=parent, custom_timeouts=ON_A_MACHINE),
    )
