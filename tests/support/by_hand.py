"""Files of a machine that somebody edits by hand, for a while."""

from collections.abc import Iterator
from contextlib import contextmanager

from driver.machine import Machine

CONFIGURED = '"/etc/maillab/configured/$(basename "$(readlink /etc/maillab/current)")'
ASIDE = "/etc/maillab/edited-by-hand"


@contextmanager
def edited_by_hand(machine: Machine, command: str, *paths: str, after: str = "true") -> Iterator[None]:
    """What `command` does to `paths`; at the end they are again as the last update wrote them, and `after` is run."""
    machine.succeed(command)
    try:
        yield
    finally:
        for path in paths:
            machine.succeed(
                f'if [ -e {CONFIGURED}{path}" ]; then '
                f'cp -a --remove-destination {CONFIGURED}{path}" /etc/maillab/current{path}; '
                f"else rm -f /etc/maillab/current{path}; fi"
            )
        machine.succeed(f"rm -rf {ASIDE}; {after}")


def set_aside(machine: Machine, path: str) -> str:
    """The edit of `path` that an update kept when it replaced it."""
    (kept,) = machine.succeed(f"find {ASIDE} -path '*{path}'").splitlines()
    return machine.read(kept)
