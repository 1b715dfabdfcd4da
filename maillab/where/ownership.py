"""Whose the names and subnets of a lab are on its Docker engine: looked up before anything is made or removed there.

Docker itself gives a volume to anyone who asks for its name, and Pulumi takes it into its state without a word: two
folders with the same stack would share the mail, and the second one's `down` would remove it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path

from maillab.where import maillab
from maillab.where.known import KINDS, STATE, Known, Thing, known_of
from maillab.where.problem import WhereError
from maillab.where.program import finish

# As components/resources/ownership.py and components/config/folder.py have them: nothing here knows the lab.
OWNER_LABEL, STACK_LABEL = "maillab.owner", "maillab.stack"
LIMIT = 300  # seconds for an answer of the engine


@dataclass(frozen=True, slots=True, kw_only=True)
class Lab:
    """What asks: the stack's name, what its resources carry as `maillab.stack`, the folder's own id."""

    stack: str
    label: str
    owner: str


def look(given: Mapping[str, str], root: Path = Path()) -> str:
    """Raise WhereError when what the Command's environment names is somebody else's; there is nothing to answer."""
    lab = Lab(stack=given["NAME"], label=given["STACK"], owner=given["OWNER"])
    wanted, subnets = wanted_of(given)
    there = _with_subnets([thing for kind in KINDS for thing in listed(kind, _docker)])
    known = known_of(root, lab.stack)
    refuse_taken(lab, wanted, there, known)
    refuse_forgotten(lab, wanted, there, known)
    refuse_overlaps(lab, subnets, there, known)
    refuse_late(lab, subnets, there, known)
    return ""


def wanted_of(given: Mapping[str, str]) -> tuple[list[tuple[str, str]], dict[str, IPv4Network | IPv6Network]]:
    """(kind, name) of all that a lab takes, and its subnets by the networks' names, as the Command gets them."""
    names = [(kind, name) for kind, name in map(str.split, given["NAMES"].splitlines())]
    return names, {name: ip_network(net) for name, net in map(str.split, given["SUBNETS"].splitlines())}


def refuse_taken(lab: Lab, wanted: list[tuple[str, str]], there: list[Thing], known: Known) -> None:
    """Raise WhereError when a wanted (kind, name) is there, and this folder did not make it."""
    taken = taken_by_others(lab, wanted, there, known)
    if not taken:
        return
    owners = sorted({one.owner for one in taken if one.owner and one.owner != lab.owner})
    what = f"this folder's lab did not make what is there already: {', '.join(map(str, taken))}. Nothing was changed"
    remedies = [
        "give this lab names and a carrier of its own, in the stack's file: maillab:prefix, maillab:network;",
        "or go on with the lab in the folder that made it",
    ]
    if owners:
        remedies += [
            f"if that folder is gone for good: echo {owners[0]} >{STATE}/owner (this folder takes its place), then",
            f"    {maillab(lab.stack)} down --keep-mail, and the next up has its mail",
        ]
    elif any(one.kind == "volume" for one in taken):
        remedies.append("a volume may hold mail: look into it, and copy it elsewhere, before you remove it")
    raise WhereError("names-taken", what, *remedies)


def taken_by_others(lab: Lab, wanted: list[tuple[str, str]], there: list[Thing], known: Known) -> list[Thing]:
    """What has a wanted (kind, name) and was not made by this folder."""
    return [one for one in there if (one.kind, one.name) in wanted and not is_own(one, lab, there, known)]


def forgotten(lab: Lab, wanted: list[tuple[str, str]], there: list[Thing], known: Known) -> list[Thing]:
    """The machines and networks with this folder's mark and a wanted (kind, name) that no state knows: it was lost.

    A volume is no hindrance: the next update takes it.
    """
    marked = (
        one for one in there if one.kind != "volume" and one.owner == lab.owner and (one.kind, one.name) in wanted
    )
    return [one for one in marked if not known.has(one) and (one.kind, one.name) not in known.begun]


def refuse_forgotten(lab: Lab, wanted: list[tuple[str, str]], there: list[Thing], known: Known) -> None:
    """Raise WhereError when there is something of this lab that its state has lost: Docker would refuse its name."""
    if lost := forgotten(lab, wanted, there, known):
        raise WhereError(
            "state-lost",
            f"this folder made {', '.join(map(str, lost))}, and no state knows that any more. Nothing was changed",
            f"put the state back, if there is a copy of it ({STATE});",
            f"or remove what is left, and make it again with the mail that is there: {maillab(lab.stack)} down "
            "--keep-mail, and up",
        )


def is_own(thing: Thing, lab: Lab, there: list[Thing], known: Known) -> bool:
    """Whether this folder made it: its state says so, or its mark.

    A volume's id is its name, which another folder may have given to a volume of its own after this one's was removed:
    there the state proves nothing, and the mark decides. Before there were marks volumes had the stack's label alone:
    they are taken up, unless machines or networks of that stack, which this folder did not make, say that they are in
    use elsewhere.
    """
    key = (thing.kind, thing.id)
    made = known.has(thing)
    if made and thing.kind != "volume":
        return True
    if key in known.others and not made:
        return False
    if thing.owner:
        return thing.owner == lab.owner
    if thing.label != lab.label and not made:
        return False
    if thing.kind != "volume":
        return (thing.kind, thing.name) in known.begun
    return not _is_used_elsewhere(thing.label or lab.label, lab, there, known)


def _is_used_elsewhere(label: str, lab: Lab, there: list[Thing], known: Known) -> bool:
    """Whether there are machines or networks of the stack `label` that this folder did not make."""
    others = (one for one in there if one.label == label and one.kind != "volume")
    return any((not one.owner or one.owner != lab.owner) and (one.kind, one.id) not in known.made for one in others)


def refuse_overlaps(
    lab: Lab, wanted: Mapping[str, IPv4Network | IPv6Network], there: list[Thing], known: Known
) -> None:
    """Raise WhereError when a wanted subnet (by the network's name) is another network's."""
    for name, subnet in wanted.items():
        for other in there:
            foreign = other.kind == "network" and not is_own(other, lab, there, known)
            over = next((one for one in other.subnets if one.version == subnet.version and one.overlaps(subnet)), None)
            if foreign and over:
                whose = f" (of the lab {other.label})" if other.label else ""
                what = f"network {name} can't have {subnet}: the network {other.name}{whose} has {over}"
                raise WhereError(
                    "pool-taken", f"{what}. Nothing was changed", *_other_carrier(other, lab, there, known)
                )


def _other_carrier(taken: Thing, lab: Lab, there: list[Thing], known: Known) -> Iterator[str]:
    """What to do about a network that has the lab's addresses; none is advised away: it may be anybody's."""
    yield f"give this lab a carrier of its own in Pulumi.{lab.stack}.yaml (maillab:network: {{carrier: A.B.C.D/NN}})"
    if not (taken.label or taken.owner):
        yield f"(whose that network is: docker network inspect {taken.name})"
    yield "taken now:"
    others = (one for one in there if one.kind == "network" and not is_own(one, lab, there, known))
    pairs = {(str(subnet), one.name) for one in others for subnet in one.subnets if subnet.version == 4}
    yield from (f"    {subnet} {name}" for subnet, name in sorted(pairs))


def refuse_late(lab: Lab, wanted: Mapping[str, IPv4Network | IPv6Network], there: list[Thing], known: Known) -> None:
    """Raise WhereError when a wanted subnet is free only when the update is at its end.

    Leases have numbers. One that gets another holder goes first, with its network; one whose number is no longer there,
    because the lab has fewer networks now, goes at the end, and what needs its addresses fails before that.
    """
    late = {subnet for number, subnet in known.lent if number >= len(wanted)}
    for other in there:
        if other.kind != "network" or other.name in wanted or not is_own(other, lab, there, known):
            continue
        for subnet in late.intersection(other.subnets):
            name = next(
                (name for name, one in wanted.items() if one.version == subnet.version and one.overlaps(subnet)), ""
            )
            if name:
                raise WhereError(
                    "subnet-late",
                    f"network {name} shall have {wanted[name]}, of which this lab's network {other.name} has {subnet}: "
                    "it goes at the end of the update, and that is too late. Nothing was changed",
                    f"make two updates of it: remove first only what has {other.name}, then make the other change;",
                    f"or make the lab again, its mail stays: {maillab(lab.stack)} down --keep-mail, and up",
                )


def listed(kind: str, ask: Callable[..., str]) -> list[Thing]:
    """Everything of a kind on the engine, without subnets; `ask` answers what `docker WORDS` says."""
    name = ".Names" if kind == "container" else ".Name"
    fields = (name if kind == "volume" else ".ID", name, f'.Label "{OWNER_LABEL}"', f'.Label "{STACK_LABEL}"')
    form = "\t".join(f"{{{{{field}}}}}" for field in fields)
    rows = (line.split("\t") for line in ask(*KINDS[kind], "--format", form).splitlines())
    return [Thing(kind=kind, id=row[0], name=row[1], owner=row[2], label=row[3]) for row in rows]


def _with_subnets(things: list[Thing]) -> list[Thing]:
    form = "{{.Id}}{{range .IPAM.Config}} {{.Subnet}}{{end}}"
    networks = [thing.id for thing in things if thing.kind == "network"]
    lines = [line.split() for line in _docker("network", "inspect", "--format", form, *networks).splitlines() if line]
    pools = {one: tuple(map(ip_network, subnets)) for one, *subnets in lines}
    return [replace(thing, subnets=pools.get(thing.id, ())) for thing in things]


def _docker(*words: str) -> str:
    environment = {key: value for key, value in os.environ.items() if key != "DOCKER_CONTEXT"}
    done = finish(["docker", *words], seconds=LIMIT, environment=environment)
    # One that somebody has removed since it was listed is no failure.
    if done.returncode and "no such" not in done.stderr.lower():
        raise WhereError("docker-failed", f"docker {' '.join(words[:2])}: {done.stderr.strip()}")
    return done.stdout
