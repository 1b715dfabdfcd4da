"""What a lab takes on its engine: when that is somebody else's, it is refused before anything goes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from ipaddress import IPv4Network, IPv6Network

from components.network.carriers import free_carrier
from components.plan import what_it_takes
from maillab.cli.belongings import Belongings, belongings_of
from maillab.cli.configuration import stack_plan
from maillab.cli.docker import docker
from maillab.cli.folders import folder_of
from maillab.cli.networks import EngineNetwork, networks, taken
from maillab.cli.problem import KNOWN, MaillabError, failed
from maillab.cli.stack import Stack
from maillab.cli.text import text
from maillab.cli.things import all_named
from maillab.cli.where import as_maillab
from maillab.where import ownership
from maillab.where.known import STATE, Thing
from maillab.where.problem import WhereError

TAKEN = "pool-taken"


def refuse_taken(stack: Stack) -> None:
    """Compare what the configuration asks for with what the engine has.

    An update that gives a lab other carriers removes its networks first: what can't be made must be known before. And
    since the last update another folder may have taken a name that this one's state has; the program's own Command
    looks only when names or subnets have changed.
    What can't be looked at (a bad configuration, no engine yet) the engine reports.

    Raises:
        MaillabError: a name is another folder's, or another network has some of these addresses.
    """
    try:
        plan = stack_plan(stack)
        names, subnets = ownership.wanted_of(what_it_takes(plan))
        own, found = belongings_of(stack), networks()
        there = [one for kind in ("container", "volume") for one in ownership.listed(kind, docker)]
    except MaillabError:
        return
    there += [network.thing for network in found]
    try:
        _refuse_names(own, ownership.taken_by_others(own.lab, names, there, own.known))
        _refuse_forgotten(own, ownership.forgotten(own.lab, names, there, own.known))
        _refuse_overlap(own, subnets.values(), found)
        ownership.refuse_late(own.lab, subnets, there, own.known)
    except WhereError as error:
        raise as_maillab(error) from error


def _refuse_names(own: Belongings, taken: Sequence[Thing]) -> None:
    if not taken:
        return
    owners = sorted({one.owner for one in taken} - {own.lab.owner, ""})
    if owners:
        key = "names-taken.folder"
    else:
        key = "names-taken.volume" if any(one.kind == "volume" for one in taken) else "names-taken.unmarked"
    error = failed(key, stack=own.lab.stack, things=all_named(taken), id=owners[0] if owners else "")
    folders = [text("made-in", folder=folder) for folder in map(folder_of, owners) if folder]
    error.remedy = (*folders, *error.remedy)
    raise error


def _refuse_forgotten(own: Belongings, lost: Sequence[Thing]) -> None:
    if lost:
        raise failed("state-lost", stack=own.lab.stack, things=all_named(lost), folder=own.root / STATE)


def _refuse_overlap(own: Belongings, wanted: Collection[IPv4Network | IPv6Network], found: list[EngineNetwork]) -> None:
    for subnet, network in taken(own, found):
        if any(subnet.version == one.version and subnet.overlaps(one) for one in wanted):
            error = failed("carrier-taken", network=network.name, subnet=subnet)
            error.remedy = remedy(own, found)
            raise error


def remedy(own: Belongings, found: list[EngineNetwork]) -> tuple[str, ...]:
    """What to do when a subnet is taken: with a carrier that is free, and a list of what is not."""
    others = taken(own, found)
    known = next(known for known in KNOWN if known.id == TAKEN)
    free = free_carrier([subnet for subnet, _ in others])
    lines = [line.replace("198.18.64.0/22", str(free)) if free else line for line in known.remedy]
    return (*lines, *(f"    {subnet} {network.title}" for subnet, network in others))
