"""The images of the machines, each built on top of another one."""

import platform
from collections.abc import Collection

import pulumi
import pulumi_docker as docker

BASE_IMAGE = "debian:trixie-slim"
# Image and what it stands on. The tutorial's single host is name server and mail server at once,
# so mail stands on dns.
STANDS_ON = {"machine": BASE_IMAGE, "dns": "machine", "mail": "dns", "spamfilter": "mail", "workstation": "mail"}
PLATFORMS = {"x86_64": "linux/amd64", "aarch64": "linux/arm64"}


def this_platform() -> str | None:
    """The platform of this computer, None for one that nobody has tried."""
    return PLATFORMS.get(platform.machine())


def image_name(service: str) -> str:
    """The tag of a service's image."""
    return f"maillab/{service}:latest"


def build_images(
    provider: docker.Provider, platform: pulumi.Input[str] | None, used: Collection[str], parent: pulumi.Resource
) -> dict[str, pulumi.Output[str]]:
    """Ids of the images in `used` by service, with those that they stand on.

    A parent's id is the child's build argument BASE, so that order and rebuilds follow.
    """
    needed = {one for service in used for one in _chain(service)}
    ids: dict[str, pulumi.Output[str]] = {}
    for service, base in STANDS_ON.items():
        if service not in needed:
            continue
        ids[service] = docker.Image(
            service,
            image_name=image_name(service),
            skip_push=True,
            build=docker.DockerBuildArgs(
                context=f"files/{service}/image",
                dockerfile=f"files/{service}/image/Dockerfile",
                args={"BASE": ids.get(base, base)},
                # The classic builder: the same image id from both engines, and no plugin needed.
                builder_version=docker.BuilderVersion.BUILDER_V1,
                platform=platform,
            ),
            opts=pulumi.ResourceOptions(parent=parent, provider=provider),
        ).repo_digest
    return ids


def _chain(service: str) -> list[str]:
    """The service and what its image stands on."""
    return [service, *_chain(STANDS_ON[service])] if service in STANDS_ON else []
