"""The networks of the lab's Docker engine: which subnets they have, and who is on them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

from maillab.cli.belongings import Belongings
from maillab.cli.docker import docker
from maillab.cli.problem import MaillabError
from maillab.where.known import Thing
from maillab.where.ownership import OWNER_LABEL, STACK_LABEL

TRIES = 3  # others may remove networks meanwhile


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineNetwork:
    """A Docker network. `lab` and `owner` are the labels of its lab and that one's folder; `containers` are names."""

    id: str
    name: str
    lab: str
    subnets: tuple[IPv4Network | IPv6Network, ...]
    containers: tuple[str, ...]
    owner: str = ""

    @property
    def thing(self) -> Thing:
        """What says whose it is."""
        return Thing(kind="network", id=self.id, name=self.name, owner=self.owner, label=self.lab, subnets=self.subnets)

    @property
    def title(self) -> str:
        """Its name, and whose it is when that is a lab."""
        return f"{self.name} (of the lab {self.lab})" if self.lab else self.name

    @property
    def bridge(self) -> str:
        """Its interface on the host."""
        return f"br-{self.id[:12]}"

    def holds(self, addresses: Iterable[IPv4Address | IPv6Address]) -> bool:
        """Are some of `addresses` among those that Docker numbers it with?"""
        return any(address in subnet for address in addresses for subnet in self.subnets)


def networks() -> list[EngineNetwork]:
    """Every network of the engine. Raises MaillabError."""
    for _ in range(TRIES - 1):
        try:
            return _networks()
        except MaillabError as error:
            if "no such network" not in str(error).lower() and "not found" not in str(error).lower():
                raise
    return _networks()


def _networks() -> list[EngineNetwork]:
    ids = docker("network", "ls", "--quiet", "--no-trunc").split()
    return [_network(item) for item in json.loads(docker("network", "inspect", *ids))] if ids else []


def _network(item: Mapping[str, object]) -> EngineNetwork:
    ipam, labels, containers = item.get("IPAM"), item.get("Labels"), item.get("Containers")
    pools = ipam.get("Config") if isinstance(ipam, Mapping) else None
    labels = labels if isinstance(labels, Mapping) else {}
    containers = containers if isinstance(containers, Mapping) else {}
    return EngineNetwork(
        id=str(item["Id"]),
        name=str(item["Name"]),
        lab=str(labels.get(STACK_LABEL, "")),
        owner=str(labels.get(OWNER_LABEL, "")),
        subnets=tuple(ip_network(pool["Subnet"], strict=False) for pool in pools or [] if pool.get("Subnet")),
        containers=tuple(sorted(str(container["Name"]) for container in containers.values())),
    )


def taken(own: Belongings, among: Iterable[EngineNetwork]) -> list[tuple[IPv4Network, EngineNetwork]]:
    """The IPv4 subnets that are not the lab's, each with its network, sorted."""
    others = [network for network in among if not own.has(network.thing)]
    pairs = [(one, network) for network in others for one in network.subnets if isinstance(one, IPv4Network)]
    return sorted(pairs, key=lambda pair: (pair[0], pair[1].name))
