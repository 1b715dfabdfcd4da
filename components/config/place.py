"""Where the lab runs, and what the virtual machine is like that a stack may make for it."""

import enum
import ipaddress
import re

from components.config.catalogue import phrase
from components.config.problem import Problem, problem, quoted
from components.config.section import section

LOCAL, VM = "local", "vm"
# An address of IPv6 stands in brackets (RFC 3986, section 3.2.2).
SSH = re.compile(
    r"ssh://([A-Za-z0-9_][A-Za-z0-9_.-]*@)?([A-Za-z0-9][A-Za-z0-9.-]*|\[(?P<ipv6>[0-9A-Fa-f:.]+)\])"
    r"(:(?P<port>[0-9]{1,5}))?\Z"
)
LEAST_MEMORY = 1024  # MiB; the lab takes 160, the Docker engine as much, building an image the rest
LEAST_DISK = 6  # GiB; images take 1.2, the system 0.6
MOST_CPUS, MOST_MEMORY, MOST_DISK = 64, 262_144, 2048
PRIVILEGED_PORTS = 1024


class Accelerator(enum.StrEnum):
    """How the virtual machine's processor is made: `auto` is KVM where it works, else emulation (TCG)."""

    AUTO = "auto"
    KVM = "kvm"
    TCG = "tcg"


class Build(enum.StrEnum):
    """Where images are built: on the engine that the lab runs on, or by this computer's, and brought there."""

    THERE = "there"
    HERE = "here"


@section
class VmConfig:
    """`maillab:vm`: `memory` in MiB, `disk` in GiB; `ssh_port` of 127.0.0.1 leads to SSH (0: any free one)."""

    cpus: int = 2
    memory: int = 2048
    disk: int = 16
    ssh_port: int = 0
    accelerator: Accelerator = Accelerator.AUTO


def check_where(where: str, build: Build) -> list[Problem]:
    """Problems of `maillab:where` and `maillab:build`."""
    problems = []
    if where not in (LOCAL, VM) and not _is_ssh(where):
        problems.append(problem("unknown-where", "maillab:where", value=quoted(where)))
    elif where == LOCAL and build is Build.HERE:
        problems.append(problem("build-here", "maillab:build"))
    return problems


def _is_ssh(where: str) -> bool:
    found = SSH.match(where)
    if found is None or not 1 <= int(found["port"] or 22) <= 65535:
        return False
    try:
        ipaddress.IPv6Address(found["ipv6"] or "::1")
    except ValueError:
        return False
    return True


def check_vm(config: VmConfig) -> list[Problem]:
    """Sizes that can't be; what this computer has is looked at when the machine is made."""
    limits = {
        "cpus": (config.cpus, 1, MOST_CPUS, phrase("processors")),
        "memory": (config.memory, LEAST_MEMORY, MOST_MEMORY, phrase("mib-of-memory")),
        "disk": (config.disk, LEAST_DISK, MOST_DISK, phrase("gib-of-disk")),
    }
    problems = []
    for key, (value, least, most, unit) in limits.items():
        if not least <= value <= most:
            problems.append(problem("vm-size", f"maillab:vm.{key}", value=value, unit=unit, least=least, most=most))
    if config.ssh_port and not PRIVILEGED_PORTS <= config.ssh_port <= 65535:
        problems.append(problem("vm-port", "maillab:vm.ssh_port", port=config.ssh_port))
    return problems
