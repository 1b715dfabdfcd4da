"""The tags of a lab's images: a changed recipe has a tag of its own, and the former one goes when no lab uses it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from maillab.cli.docker import docker, on
from maillab.cli.drift import IMAGE
from maillab.cli.problem import MaillabError
from maillab.cli.stack import PROJECT, Engine, Stack
from maillab.cli.where import local_engine
from maillab.where.known import STATE


def tags_of(stack: Stack) -> set[str]:
    """The tags in the stack's states."""
    inputs = (
        entry.get("inputs") for engine in Engine for entry in stack.resources(engine) if entry.get("type") == IMAGE
    )
    names = (str(one.get("imageName") or "") for one in inputs if isinstance(one, Mapping))
    return {name for name in names if name.startswith(f"{PROJECT}/")}


def former_tags(stack: Stack) -> set[str]:
    """The tags that the stack has now, or had before an `up` that failed; noted until `forget_former`.

    After a failure the state has new tags, and nothing else would know of the former ones.
    """
    path = _note(stack)
    noted = set(path.read_text("utf-8").split()) if path.exists() else set()
    if tags := noted | tags_of(stack):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{tag}\n" for tag in sorted(tags)), "utf-8")
    return tags


def forget_former(stack: Stack) -> None:
    """The former tags are dealt with."""
    _note(stack).unlink(missing_ok=True)


def _note(stack: Stack) -> Path:
    return stack.root / STATE / "former-tags" / stack.name


def remove_former(stack: Stack, before: set[str]) -> Iterator[str]:
    """Remove the tags `before` that the stack has no longer; answers those that went.

    One whose image a container uses, of whatever lab, the engine does not remove; one that is gone is fine.
    """
    yield from remove_tags(before - tags_of(stack))


def remove_tags(tags: Collection[str]) -> Iterator[str]:
    """Remove the tags; answers those that went: not what a container uses, or what is gone already."""
    for tag in sorted(tags):
        try:
            docker("image", "rm", tag)
        except MaillabError as error:
            if "conflict" in str(error).lower() or "no such image" in str(error).lower():
                continue
            raise
        yield tag


def tags_of_it_alone(stack: Stack) -> set[str]:
    """The stack's tags that no other stack of the folder has."""
    files = (path for engine in Engine for path in stack.state_file(engine).parent.glob("*.json"))
    tags = tags_of(stack)
    for name in {path.stem for path in files} - {stack.name}:
        with suppress(MaillabError):  # a damaged state: what it has is built again
            tags -= tags_of(Stack(name=name, root=stack.root))
    return tags


def remove_everywhere(stack: Stack, before: set[str]) -> Iterator[str]:
    """`remove_former` on the lab's engine, and where its images are built; then they are forgotten."""
    removed = set(remove_former(stack, before))
    if stack.setting("build") == "here":
        with on(local_engine()):
            removed |= set(remove_former(stack, before))
    forget_former(stack)
    yield from sorted(removed)
