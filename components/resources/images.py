"""The images of the machines: chains of recipes, named by the hash of what is in them."""

import hashlib
import platform
import stat
from collections.abc import Collection
from functools import cache
from pathlib import Path

import pulumi
import pulumi_docker as docker

# setup/image.sh makes it here, maillab/where/power.py in a virtual machine.
BASE_IMAGE = "debian:trixie-slim"
Chain = tuple[str, ...]
"""The recipes (folders files/<service>/image) that an image is made of, each built on the one before it."""
FILES = Path("files")
PLATFORMS = {"x86_64": "linux/amd64", "aarch64": "linux/arm64"}


def this_platform() -> str | None:
    """The platform of this computer, None for one that nobody has tried."""
    return PLATFORMS.get(platform.machine())


def image_name(chain: Chain) -> str:
    """What an image is called: by its recipes, without the one that all begin with."""
    return "-".join(chain[1:] or chain)


def image_tag(chain: Chain) -> str:
    """The tag of an image, with the hash of its recipes in it: another clone never gives it another content."""
    total = hashlib.sha256(BASE_IMAGE.encode())
    for recipe in chain:
        total.update(_content(FILES / recipe / "image"))
    return f"maillab/{image_name(chain)}:{total.hexdigest()[:12]}"


@cache
def _content(folder: Path) -> bytes:
    """A hash of all files in the folder: names, contents, and whether they can be run."""
    total = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        run = bool(path.stat().st_mode & stat.S_IXUSR)
        total.update(f"{path.relative_to(folder)}\0{run}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\0".encode())
    return total.digest()


def build_images(
    provider: docker.Provider, platform: pulumi.Input[str] | None, used: Collection[Chain], parent: pulumi.Resource
) -> dict[Chain, pulumi.Output[str]]:
    """Ids of the images in `used`, with all that they stand on.

    What comes before in a chain is the build argument BASE, by its id, so that order and rebuilds follow.
    """
    beginnings = {chain[:length] for chain in used for length in range(1, len(chain) + 1)}
    ids: dict[Chain, pulumi.Output[str]] = {}
    for chain in sorted(beginnings, key=lambda one: (len(one), one)):
        recipe = chain[-1]
        # Before images were chains they were called by their last recipe.
        former = [pulumi.Alias(name=recipe)] if image_name(chain) != recipe else []
        ids[chain] = docker.Image(
            image_name(chain),
            image_name=image_tag(chain),
            skip_push=True,
            build=docker.DockerBuildArgs(
                context=f"files/{recipe}/image",
                dockerfile=f"files/{recipe}/image/Dockerfile",
                args={"BASE": ids.get(chain[:-1], BASE_IMAGE)},
                # The classic builder: the same image id from both engines, and no plugin needed.
                builder_version=docker.BuilderVersion.BUILDER_V1,
                platform=platform,
            ),
            opts=pulumi.ResourceOptions(parent=parent, provider=provider, aliases=former),
        ).repo_digest
    return ids
