"""What the engine's destroy left of a lab, and what no state knows any more: removed if this folder made it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from maillab.cli import docker
from maillab.cli.belongings import Belongings
from maillab.cli.folders import folder_of
from maillab.cli.project_images import remove_images
from maillab.cli.text import text
from maillab.cli.things import all_named, named, some_of
from maillab.where.known import Thing

SCRIPT = "files/machine/keep-by-hand"
KEEP_SECONDS = 1800  # each of its questions to the engine has a limit of its own
STOP_SECONDS = 20  # a mail server goes off in order within 10


def sweep(own: Belongings, *, volumes: bool, images: bool) -> Iterator[str]:
    """Remove what is left of the lab; a line for people on each kind."""
    yield from keep_by_hand(own)
    if removed := remove_leftovers(own, volumes=volumes):
        yield text("removed", things=", ".join(removed))
    mail = own.removable("volume")
    if mail:
        yield text("kept-mail", things=some_of(mail))
    if doubtful := [name for name in own.of("volume") if name not in mail]:
        yield text("kept-unmarked", things=some_of(doubtful))
    yield from left_alone(own.of_others())
    if images:
        yield from _sweep_images()


def left_alone(others: Sequence[Thing]) -> Iterator[str]:
    """A line for each folder that has made some of these."""
    for owner in sorted({one.owner for one in others}):
        things = all_named([one for one in others if one.owner == owner])
        yield text("left-alone", things=things, whose=whose(owner))


def whose(owner: str) -> str:
    """The folder with the id `owner`, in words."""
    if folder := folder_of(owner):
        return text("of-folder", folder=folder)
    return text("of-unknown-folder", id=owner) if owner else text("of-no-folder")


def _sweep_images() -> Iterator[str]:
    if others := {container.stack for container in docker.containers()}:
        yield text("kept-images", labs=", ".join(sorted(others)))
    elif tags := remove_images():
        yield text("removed-images", names=", ".join(tags))


def keep_by_hand(own: Belongings) -> Iterator[str]:
    """Copy out what was made by hand in containers that no engine removes; yields its lines for people.

    The state was lost, or this would have been done before.
    """
    names = set(own.removable("container"))
    left = [one for one in docker.containers(own.lab.label) if one.name in names] if names else []
    if left:
        with ThreadPoolExecutor(4) as pool:
            for said in pool.map(lambda one: _keep(own, one), left):
                yield from said.splitlines()
        docker.docker("stop", "--time", str(STOP_SECONDS), *(one.name for one in left))


def _keep(own: Belongings, machine: docker.Container) -> str:
    given = {"CONTAINER": machine.name, "STACK": own.lab.label, "MACHINE": machine.machine or machine.name}
    env = docker.host_environment() | given
    try:
        done = subprocess.run(
            ["bash", SCRIPT], cwd=own.root, env=env, capture_output=True, text=True, check=False, timeout=KEEP_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return text("not-copied", machine=machine.name, words=error)
    return done.stdout.replace("maillab: ", "")


def remove_leftovers(own: Belongings, *, volumes: bool) -> list[str]:
    """Remove what this folder made of the lab. Answers what was removed, a word for each kind."""
    removed = []
    for kind in ("container", "network", *(["volume"] if volumes else [])):
        names = own.removable(kind)
        docker.remove(kind, names)
        removed += [named(kind, names)] if names else []
    return removed
