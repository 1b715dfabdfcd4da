"""How long a Command may take: one that hangs would keep the engine, and its lock on the stack, for ever.

Far more than any of them needs on a computer that is busy, or whose processor is emulated.
"""

import pulumi


def _at_most(time: str) -> pulumi.CustomTimeouts:
    return pulumi.CustomTimeouts(create=time, update=time, delete=time)


AT_ONCE = _at_most("10m")
"""What only answers."""
ON_A_MACHINE = _at_most("30m")
"""What asks programs on a machine: each has a limit of its own, `docker exec` has none."""
ON_A_COMPUTER = _at_most("3h")
"""What makes a disk of packages, or brings images to another computer."""
