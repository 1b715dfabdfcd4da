"""What a service brings to a machine; a machine is the sum of its parts."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from components.firewall.model import Rule
from components.network.topology import Host


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One service on a machine.

    `image` it needs; `roles` in starting order; `files` and `secret_files`: path in the container to
    text; `volumes`: short name to path; `listens`: (TCP port, IP version) that others can connect to,
    `listens_inside`: that only the machine itself can, by its loopback;
    `capabilities` (capabilities(7), without CAP_) and `sysctls`: what it needs beyond none;
    `no_new_privileges`: whether it does without setuid and setgid programs.
    """

    image: str
    about: str
    roles: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    secret_files: Mapping[str, str] = field(default_factory=dict)
    volumes: Mapping[str, str] = field(default_factory=dict)
    listens: frozenset[tuple[int, int]] = frozenset()
    listens_inside: frozenset[tuple[int, int]] = frozenset()
    capabilities: frozenset[str] = frozenset()
    sysctls: Mapping[str, str] = field(default_factory=dict)
    no_new_privileges: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Blueprint:
    """A whole machine: its place in the network, the sum of its parts, and the rules of its packet filter."""

    host: Host
    part: Part
    rules: tuple[Rule, ...]


def both_families(*ports: int) -> frozenset[tuple[int, int]]:
    """(port, IP version) pairs: `ports` on IPv4 and on IPv6."""
    return frozenset((port, version) for port in ports for version in (4, 6))


# Every image with those that stand on it: of two parts' images a machine needs the later one.
IMAGE_ORDER = ("machine", "dns", "mail", "workstation", "spamfilter")


def together(parts: list[Part]) -> Part:
    """One part that does what all of `parts` do; roles keep their order, each once."""
    files: dict[str, str] = {}
    secret_files: dict[str, str] = {}
    volumes: dict[str, str] = {}
    sysctls: dict[str, str] = {}
    for part in parts:
        files |= part.files
        secret_files |= part.secret_files
        volumes |= part.volumes
        sysctls |= part.sysctls
    return Part(
        image=max((part.image for part in parts), key=IMAGE_ORDER.index),
        about=", ".join(part.about for part in parts if part.about),
        roles=tuple(dict.fromkeys(role for part in parts for role in part.roles)),
        files=files,
        secret_files=secret_files,
        volumes=volumes,
        listens=frozenset().union(*(part.listens for part in parts)),
        listens_inside=frozenset().union(*(part.listens_inside for part in parts)),
        capabilities=frozenset().union(*(part.capabilities for part in parts)),
        sysctls=sysctls,
        no_new_privileges=all(part.no_new_privileges for part in parts),
    )
