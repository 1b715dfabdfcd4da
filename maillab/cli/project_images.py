"""The project's images on the lab's engine, and their removal when no lab is left that runs on them."""

from __future__ import annotations

from dataclasses import dataclass

from maillab.cli import docker
from maillab.cli.problem import MaillabError
from maillab.cli.stack import PROJECT
from maillab.where.power import BASE as BASE_IMAGE


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """An image of the project: `names` are the lab's tags of it, none for an old build."""

    id: str
    names: tuple[str, ...]


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
