"""Removing a lab: what the engine's destroy leaves (retained volumes, images), and nothing that is not the lab's."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass

from cli import docker, where
from cli.choice import Choice
from cli.engine import forget
from cli.move import unused
from cli.problem import MaillabError
from cli.stack import PROJECT, Stack
from components.vm.model import VM

BASE_IMAGE = "debian:trixie-slim"


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """An image of the project: `names` are the lab's tags of it, none for an old build."""

    id: str
    names: tuple[str, ...]


def remove_lab(choice: Choice, *, yes: bool, keep_mail: bool, images: bool) -> Iterator[str]:
    """Remove the lab where it is; a line for people on each kind of thing. Raises MaillabError."""
    stack = choice.stack
    # After a `down` that kept the mail there is no lab, and its volumes are where it was all the same.
    place = where.place_of(stack) or ("" if stack.makers() else stack.setting("where"))
    if place == VM:
        yield from _remove_with_machine(choice, yes=yes, keep_mail=keep_mail, images=images)
    elif place.startswith("ssh://"):
        yield from _remove_over_ssh(choice, place, yes=yes, keep_mail=keep_mail, images=images)
    else:
        choice.attend()
        volumes = mail_goes(stack.label, yes=yes, keep=keep_mail)
        if stack.makers():
            choice.run("destroy")
        yield from sweep(stack.label, volumes=volumes, images=images)


def _remove_over_ssh(choice: Choice, place: str, *, yes: bool, keep_mail: bool, images: bool) -> Iterator[str]:
    stack = choice.stack
    if stack.makers() and not where.is_made(stack):
        choice.run("destroy")  # of what came no further than its place
        return
    where.attend_again(stack, place)
    volumes = mail_goes(stack.label, yes=yes, keep=keep_mail)
    if stack.makers():
        choice.run("destroy")
        where.attend_again(stack, place)  # its way is a resource too, and gone
    yield from sweep(stack.label, volumes=volumes, images=images)
    where.part(stack, place)
    yield from _images_built_here(stack, images=images)


def _remove_with_machine(choice: Choice, *, yes: bool, keep_mail: bool, images: bool) -> Iterator[str]:
    """The mail is on the virtual machine's disk: either that goes as a whole, or the lab is removed in it."""
    stack = choice.stack
    home = where.home_of(stack)
    kept = home.disk.exists() and (keep_mail or not (yes or _mail_is_lost(f"the disk {home.disk}", stack.label)))
    with unused(stack):
        if not kept:
            yield from where.remove_machine(stack, images=images)
        elif stack.makers():
            choice.attend(start=True)
    if kept:
        if stack.makers():
            choice.run("destroy")  # which takes the lock itself
        yield f"kept, with the mail: {home.disk}"
    yield from _images_built_here(stack, images=images)


def _images_built_here(stack: Stack, *, images: bool) -> Iterator[str]:
    """On this computer's engine only images are the lab's: containers of the same name are another folder's."""
    if images and stack.setting("build") == "here":
        docker.use(where.local_engine())
        yield from _sweep_images()


def forget_lab(choice: Choice) -> Iterator[str]:
    """Drop what is known of a lab whose place is gone for good; nothing is removed there.

    Raises:
        MaillabError: its place is a virtual machine that is here, and would go on running unknown to anybody.
    """
    stack = choice.stack
    place, machine = where.place_of(stack), where.home_of(stack).folder
    if place == VM and machine.exists():
        what = f"the virtual machine of the lab {stack.name}, with its mail, is on this computer: {machine}"
        remedy = f"remove it (you are asked about the mail): {stack.maillab} down"
        raise MaillabError(what, remedy, id="vm-is-here")
    with unused(stack):
        for engine in stack.makers():
            forget(engine, stack)
    yield f"forgotten: what may be left of {stack.name} at {place}" if place else f"there is no lab {stack.name}"


def mail_goes(stack: str, *, yes: bool, keep: bool) -> bool:
    """Are the volumes to be removed? Asks, unless the options say it or there are none.

    Raises:
        MaillabError: there is no terminal to ask at, or the person ended the question.
    """
    if yes or keep:
        return yes and not keep
    volumes = docker.labelled("volume", stack)
    return not volumes or _mail_is_lost(f"the volumes {', '.join(volumes)}", stack)


def _mail_is_lost(what: str, stack: str) -> bool:
    """Does the person want that?

    Raises:
        MaillabError: there is no terminal to ask at, or the person ended the question.
    """
    if not sys.stdin.isatty():
        raise MaillabError(
            f"the mail of the lab {stack} is in {what}, and there is no terminal to ask at",
            "remove them: make down YES=1 (bin/maillab down --yes)",
            "keep them: bin/maillab down --keep-mail",
        )
    print(f"The mail of the lab {stack} is in {what}.")
    try:
        answer = input("Remove that too? All mail is lost. [y/N/Ctrl-C: leave the lab as it is] ")
    except (EOFError, KeyboardInterrupt) as error:
        raise MaillabError("nothing was removed", code=130) from error
    return answer.strip().lower() in ("y", "yes")


def sweep(stack: str, *, volumes: bool, images: bool) -> Iterator[str]:
    """Remove what the engine's destroy left; a line for people on each kind."""
    if removed := remove_leftovers(stack, volumes=volumes):
        yield f"removed {', '.join(removed)}"
    if kept := docker.labelled("volume", stack):
        yield f"kept, with the mail: {', '.join(kept)}"
    if images:
        yield from _sweep_images()


def _sweep_images() -> Iterator[str]:
    if others := {container.stack for container in docker.containers()}:
        yield f"kept the images: the lab {', '.join(sorted(others))} runs on them"
    elif tags := remove_images():
        yield f"removed images {', '.join(tags)}"


def remove_leftovers(stack: str, *, volumes: bool) -> list[str]:
    """Remove what carries the stack's label. Answers what was removed, a word for each kind."""
    removed = []
    kinds = {
        "container": [container.name for container in docker.containers(stack)],
        "network": docker.labelled("network", stack),
        "volume": docker.labelled("volume", stack) if volumes else [],
    }
    for kind, names in kinds.items():
        docker.remove(kind, names)
        removed += [f"{kind} {name}" for name in names]
    return removed


def images() -> list[Image]:
    """The project's images: tags `maillab/…`, the base image that the set-up made, old builds without a tag.

    All that was built here has the label, from the first step on. A tag that somebody else gave to one of them is not
    the lab's, nor is an image without the label, whatever it is called: they stay.
    """
    form = "{{.ID}} {{.Repository}}:{{.Tag}}"
    found: dict[str, set[str]] = {}
    # The base by its name too: what others build on it inherits its label.
    kinds = (
        [f"label={docker.PROJECT_LABEL}={PROJECT}"],
        [f"label={docker.BASE_LABEL}", f"reference={BASE_IMAGE}"],
    )
    for filters in kinds:
        flags = [word for item in filters for word in ("--filter", item)]
        for line in docker.docker("image", "ls", "--no-trunc", *flags, "--format", form).splitlines():
            image, name = line.split(" ", 1)
            found.setdefault(image, set()).update([] if "<none>" in name else [name])
    return [
        Image(id=image, names=tuple(filter(_is_ours, sorted(names))))
        for image, names in found.items()
        if not names or any(map(_is_ours, names))
    ]


def _is_ours(tag: str) -> bool:
    return tag == BASE_IMAGE or tag.startswith(f"{PROJECT}/")


def remove_images() -> list[str]:
    """Remove the project's images, children before parents; the base image too if the set-up made it.

    Nothing is removed while containers of another lab need it. Answers the tags that were removed.
    """
    if docker.containers():
        return []
    docker.remove("container", docker.build_leftovers())
    removed: list[str] = []
    waiting = images()
    while waiting:
        left = [image for image in waiting if not _try_remove(image)]
        removed += [name for image in waiting if image not in left for name in image.names]
        if len(left) == len(waiting):
            break  # someone else's containers or images stand on them: theirs now
        waiting = left
    return removed


def _try_remove(image: Image) -> bool:
    """False while another image or a container needs it."""
    try:
        # By its tags when it has some: removing by id would take a tag that someone else added.
        docker.remove("image", image.names or [image.id])
    except MaillabError as error:
        if "conflict" in str(error) or "dependent child" in str(error) or "being used" in str(error):
            return False
        return "No such image" in str(error)
    return True
