"""Removing a lab: what the engine's destroy leaves (retained volumes, images), and nothing that is not the lab's."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from components.config.place import VM
from maillab.cli import docker, where
from maillab.cli.belongings import Belongings, belongings_of
from maillab.cli.choice import Choice
from maillab.cli.engine import forget
from maillab.cli.mail_question import is_to_go, mail_goes
from maillab.cli.move import unused
from maillab.cli.problem import failed
from maillab.cli.stack import Stack
from maillab.cli.sweep import sweep
from maillab.cli.tags import remove_tags, tags_of_it_alone
from maillab.cli.text import text
from maillab.where.known import KINDS, note_kept


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
        choice.reach_engine()
        own = belongings_of(stack)
        volumes = mail_goes(own, yes=yes, keep=keep_mail)
        if not (stack.makers() or any(map(own.of, KINDS))):
            yield text("no-lab", stack=stack.name)
        with _kept_mail_is_noted(stack, own):
            if stack.makers():
                choice.run("destroy")
            yield from sweep(own, volumes=volumes, images=images)


@contextmanager
def _kept_mail_is_noted(stack: Stack, own: Belongings) -> Iterator[None]:
    """What the state alone knows as the lab's mail is found again when the state is empty."""
    note_kept(stack.root, stack.name, own.removable("volume"))  # it may end half-way
    yield
    note_kept(stack.root, stack.name, own.removable("volume"))


def _remove_over_ssh(choice: Choice, place: str, *, yes: bool, keep_mail: bool, images: bool) -> Iterator[str]:
    stack = choice.stack
    tags = tags_of_it_alone(stack) if images else set()
    if stack.makers() and not where.is_made(stack):
        choice.run("destroy")  # of what came no further than its place
        return
    where.reach_over_ssh(stack, place)
    own = belongings_of(stack)
    volumes = mail_goes(own, yes=yes, keep=keep_mail)
    with _kept_mail_is_noted(stack, own):
        if stack.makers():
            choice.run("destroy")
            where.reach_over_ssh(stack, place)  # its way is a resource too, and gone
        yield from sweep(own, volumes=volumes, images=images)
    where.disconnect(stack, place)
    yield from _images_built_here(stack, tags)


def _remove_with_machine(choice: Choice, *, yes: bool, keep_mail: bool, images: bool) -> Iterator[str]:
    """The mail is on the virtual machine's disk: either that goes as a whole, or the lab is removed in it."""
    stack = choice.stack
    tags = tags_of_it_alone(stack) if images else set()
    home = where.home_of(stack)
    kept = home.disk.exists() and (keep_mail or not (yes or is_to_go(text("the-disk", disk=home.disk), stack.name)))
    with unused(stack):
        if not kept:
            yield from where.remove_machine(stack, images=images)
        elif stack.makers():
            choice.reach_engine(start=True)
            note_kept(stack.root, stack.name, belongings_of(stack).of("volume"))
    if kept:
        if stack.makers():
            choice.run("destroy")  # which takes the lock itself
        yield text("kept-mail", things=home.disk)
    yield from _images_built_here(stack, tags)


def _images_built_here(stack: Stack, tags: Collection[str]) -> Iterator[str]:
    """On this computer's engine only images are the lab's: containers of the same name are another folder's.

    Of the images only those that it made, too: labs elsewhere have no containers here that would say that they have
    the others.
    """
    if tags and stack.setting("build") == "here":
        docker.use(where.local_engine())
        if removed := list(remove_tags(tags)):
            yield text("removed-images", names=", ".join(removed))


def forget_lab(choice: Choice) -> Iterator[str]:
    """Drop what is known of a lab whose place is gone for good; nothing is removed there.

    Raises:
        MaillabError: its place is a virtual machine that is here, and would go on running unknown to anybody.
    """
    stack = choice.stack
    place, machine = where.place_of(stack), where.home_of(stack).folder
    if place == VM and machine.exists():
        raise failed("vm-is-here", stack=stack.name, machine=machine)
    with unused(stack):
        for engine in stack.makers():
            forget(engine, stack)
    yield text("forgotten", stack=stack.name, place=place) if place else text("no-lab", stack=stack.name)
