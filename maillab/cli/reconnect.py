"""What an engine's `up` does not see: a machine that was paused, or taken from its network, by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from maillab.cli.docker import RUNNING, containers, docker
from maillab.cli.machines import MachineRow, rows
from maillab.cli.networks import networks
from maillab.cli.stack import Engine, Stack
from maillab.cli.text import text

CONTAINER = "docker:index/container:Container"


def reconnect(stack: Stack) -> Iterator[str]:
    """Lets paused machines go on, and connects those that lost a network to it again; a line for each.

    A machine that gets a network back is restarted: it finds its interfaces when it boots.
    """
    outputs = stack.outputs()
    if not outputs.get("machines"):
        return
    machines = rows(outputs, containers(stack.label))
    for row in machines:
        if row.state == "paused":
            docker("unpause", row.container)
            yield text("unpaused", machine=row.name)
    there = {network.name: network for network in networks()}
    for row in machines:
        lost = [there[n].id for n in row.networks if n in there and row.container not in there[n].containers]
        if row.state in (RUNNING, "paused") and lost:
            _connect(row, lost, _addresses(stack, row))
            yield text("reconnected", machine=row.name)


def _connect(row: MachineRow, lost: list[str], addresses: Mapping[str, str]) -> None:
    for network in lost:
        address = ["--ip", addresses[network]] if network in addresses else []
        docker("network", "connect", *address, network, row.container)
    docker("restart", row.container)


def _addresses(stack: Stack, row: MachineRow) -> dict[str, str]:
    """The address that Docker gave the machine in each network (by its id), as the state has it."""
    for resource in (one for engine in Engine for one in stack.resources(engine)):
        inputs = resource.get("inputs")
        if resource.get("type") == CONTAINER and isinstance(inputs, Mapping) and inputs.get("name") == row.container:
            found = inputs.get("networksAdvanced") or []
            return {str(one["name"]): str(one["ipv4Address"]) for one in found if one.get("ipv4Address")}
    return {}
