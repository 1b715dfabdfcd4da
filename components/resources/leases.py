"""What only one can have at a time (a subnet, a Docker address) is lent, to one holder after the other.

A machine that is renamed, or two whose addresses are swapped: the engine knows resources by their names, would make the
new one first, and Docker would refuse it the address that the old one still has. A lease is a resource of its own, and
what has the address depends on it: when it passes to another holder it is replaced, deleted first, and with it goes
whatever had the address. Whatever has one depends on all leases, because Pulumi deletes and makes at the same time.
"""

import pulumi
import pulumi_command as command

from components.resources.limits import AT_ONCE


def lease(name: str, holder: str, value: str, opts: pulumi.ResourceOptions) -> command.local.Command:
    """A lease on `value` for `holder`; take the value from its `stdout`, so that it is known who depends on it."""
    first = pulumi.ResourceOptions(delete_before_replace=True, custom_timeouts=AT_ONCE)
    return command.local.Command(
        name,
        create="""printf %s "$VALUE\"""",
        interpreter=["/bin/bash", "-c"],
        environment={"VALUE": value},
        triggers=[holder],
        add_previous_output_in_env=False,
        opts=pulumi.ResourceOptions.merge(opts, first),
    )
