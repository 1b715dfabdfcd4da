"""Where the tests' labs run: MAILLAB_WHERE is local (unset), vm, or ssh://user@host.

With `vm`, the first lab of a session makes a virtual machine, and all others go into the same one over SSH, as into
any other computer: so both ways are used.
"""

import os
import pathlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from components.config.place import LOCAL, VM
from maillab.where.home import Home
from maillab.where.tunnel import Tunnel

WANTED = os.environ.get("MAILLAB_WHERE") or LOCAL
# Images are built here once and brought there: where the processor is emulated, building them takes 13 minutes.
BUILT_HERE = {"build": "here"}
SIZES = {"cpus": 2, "memory": 6144, "disk": 32}


def home_of(folder: pathlib.Path, stack: str) -> Home:
    """What the lab in the project `folder` keeps of its virtual machine, or of its way to another computer."""
    return Home(folder / ".vm" / stack)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What a lab's configuration says of its place, and what its engine runs with.

    `host`: this computer's engine, unset for the one that the docker command would use.
    """

    where: str = LOCAL
    host: str | None = None
    settings: Mapping[str, object] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)

    def docker_host(self, folder: pathlib.Path, stack: str) -> str | None:
        """The engine's address, once the lab is up; `folder` is the lab's project."""
        if self.where == LOCAL:
            return self.host
        return Tunnel(home_of(folder, stack)).docker_host


def of_own_vm(**sizes: int | str) -> Place:
    """A virtual machine that the lab makes."""
    return Place(where=VM, settings={"where": VM, "vm": {**SIZES, **sizes}, **BUILT_HERE})


def over_ssh(where: str, config: pathlib.Path | None = None) -> Place:
    """Another computer; `config` is the ssh configuration file for it (MAILLAB_SSH_CONFIG)."""
    environment = {"MAILLAB_SSH_CONFIG": str(config)} if config else {}
    return Place(where=where, settings={"where": where, **BUILT_HERE}, environment=environment)


def inside_of(folder: pathlib.Path, stack: str) -> Place:
    """The virtual machine that the lab in `folder` made, as if it were any other computer."""
    return over_ssh("ssh://vm", home_of(folder, stack).ssh_config)


_usual = Place() if WANTED in (LOCAL, VM) else over_ssh(WANTED)


def usual() -> Place:
    """Where a lab goes that says nothing else."""
    return _usual


def from_now_on(place: Place) -> None:
    """Labs that say nothing else go to `place`."""
    global _usual  # noqa: PLW0603 (one session of tests, one place)
    _usual = place
