"""Mail that an update would leave behind: a machine, a prefix or a stack that has another name begins with none.

Said before anything is done. The volumes stay where they are; the old name brings them back.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from components.part import MAIL_VOLUMES
from components.plan import Plan
from maillab.cli.configuration import stack_plan
from maillab.cli.docker import docker, host_environment, is_in_use
from maillab.cli.problem import MaillabError
from maillab.cli.stack import Engine, Stack
from maillab.cli.stacks import names
from maillab.cli.text import text
from maillab.cli.things import some_of
from maillab.where.known import TYPES, Thing, known_of
from maillab.where.ownership import listed


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """A volume with mail: its name on the engine, and what it is called in the program, `machine-short`."""

    name: str
    resource: str

    @property
    def short(self) -> str:
        """What is on it: one of MAIL_VOLUMES."""
        return self.resource.rpartition("-")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftMail:
    """`left`: volumes that no machine would have; `new`: empty ones that machines would begin with."""

    left: tuple[Volume, ...] = ()
    new: tuple[Volume, ...] = ()

    def heir(self, volume: Volume) -> Volume | None:
        """The new volume that is meant instead, if that is plain."""
        same = [new for new in self.new if new.resource == volume.resource]
        alike = [new for new in self.new if new.short == volume.short]
        return next(iter(same or (alike if len(alike) == 1 else [])), None)


def left_mail_lines(stack: Stack) -> list[str]:
    """What the next update would leave behind, and how to keep it, in lines for people; none when nothing is.

    What can't be looked at (a bad configuration, no engine yet) the engine reports.
    """
    try:
        plan = stack_plan(stack)
    except MaillabError:
        return []
    found = left_mail(stack, plan, _there(stack))
    return [*_lines(stack, plan, found)] if found.left else []


def _there(stack: Stack) -> list[Thing]:
    """The volumes on the lab's engine; none where that is not within reach."""
    # Without a virtual machine that runs `docker` would work on this computer's engine, which is not the lab's.
    if not is_in_use() and stack.setting("where") not in ("", "local"):
        return []
    try:
        return listed("volume", docker)
    except MaillabError:
        return []


def left_mail(stack: Stack, plan: Plan, there: Collection[Thing]) -> LeftMail:
    """Compare the volumes that the plan has with those of the states and of the engine (`there`)."""
    made = {volume.resource: volume for volume in _made(stack)}
    wanted = {
        f"{machine}-{short}": Volume(name=f"{plan.config.prefix}{machine}-{short}", resource=f"{machine}-{short}")
        for machine, blueprint in plan.machines.items()
        for short in blueprint.part.volumes
        if short in MAIL_VOLUMES
    }
    on_engine = {one.name for one in there}
    new = tuple(one for key, one in wanted.items() if key not in made and one.name not in on_engine)
    left = [one for key, one in made.items() if key not in wanted]
    # Of what was left by an earlier run it is said when something new would stand in its place.
    left += [one for one in _forsaken(stack, there) if new and one.name not in {kept.name for kept in wanted.values()}]
    return LeftMail(left=tuple(left), new=new if left else ())


def _made(stack: Stack) -> Iterator[Volume]:
    """The volumes with mail that the states have: the name on the engine is that of their birth."""
    for entry in (entry for engine in Engine for entry in stack.resources(engine)):
        resource = str(entry.get("urn")).rpartition("::")[2]
        if TYPES.get(str(entry.get("type"))) == "volume" and _is_mail(resource) and entry.get("id"):
            yield Volume(name=str(entry["id"]), resource=resource)


def _forsaken(stack: Stack, there: Iterable[Thing]) -> Iterator[Volume]:
    """This folder's volumes with mail that no state has, of this stack or of one that has no file any more."""
    known = known_of(stack.root, stack.name)
    labels = {
        other.label for name in names(stack.root) if (other := Stack(name=name, root=stack.root)).name != stack.name
    }
    for one in there:
        ours = one.name in known.kept or (one.owner and one.owner == stack.owner and one.label not in labels)
        if ours and _is_mail(one.name) and ("volume", one.id) not in known.made | known.others:
            label = one.label or stack.label
            yield Volume(name=one.name, resource=one.name.removeprefix(label).removeprefix("-"))


def _is_mail(name: str) -> bool:
    return name.rpartition("-")[2] in MAIL_VOLUMES


def _lines(stack: Stack, plan: Plan, found: LeftMail) -> Iterator[str]:
    yield text("mail-left", stack=stack.name, names=some_of([one.name for one in found.left]))
    if not found.new:
        yield text("mail-left-gone")
        return
    yield text("mail-left-new", names=some_of([one.name for one in found.new]))
    yield text("mail-left-back")
    pairs = {one: heir for one in found.left if (heir := found.heir(one))}
    if pairs:
        yield text("mail-left-copy", stack=stack.name)
        yield from (f"      {copy_command(old, new, plan, host_environment())}" for old, new in pairs.items())
        machines = dict.fromkeys(_machine(new) for new in pairs.values())
        yield f"      {stack.maillab} reset {' '.join(machines)}"


def _machine(volume: Volume) -> str:
    return volume.resource.rpartition("-")[0]


def copy_command(old: Volume, new: Volume, plan: Plan, environment: Mapping[str, str]) -> str:
    """What copies the mail, from the old volume to the new machine's, by a container of that machine's own image."""
    machine = _machine(new)
    container, path = f"{plan.config.prefix}{machine}", plan.machines[machine].part.place_of(new.short)
    host = f"DOCKER_HOST={environment['DOCKER_HOST']} " if is_in_use() and "DOCKER_HOST" in environment else ""
    image = f"$({host}docker inspect -f '{{{{.Image}}}}' {container})"
    return (
        f"{host}docker run --rm --network none --volumes-from {container} -v {old.name}:/old:ro --entrypoint cp "
        f"{image} -a /old/. {path}/"
    )
