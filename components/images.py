"""The images of the machines, each built on top of another one."""

import platform

import pulumi
import pulumi_docker as docker

BASE_IMAGE = "debian:trixie-slim"
# Image and what it stands on. The tutorial's single host is name server and mail server at once,
# so mail stands on dns.
STANDS_ON = {"machine": BASE_IMAGE, "dns": "machine", "mail": "dns", "spamfilter": "mail", "workstation": "mail"}
PLATFORMS = {"x86_64": "linux/amd64", "aarch64": "linux/arm64"}


def build_images(provider: docker.Provider, parent: pulumi.Resource) -> dict[str, docker.Image]:
    """All images by service; a parent's id is the child's build argument BASE, so that order and rebuilds follow."""
    images: dict[str, docker.Image] = {}
    for service, base in STANDS_ON.items():
        images[service] = docker.Image(
            service,
            image_name=f"maillab/{service}:latest",
            skip_push=True,
            build=docker.DockerBuildArgs(
                context=f"files/{service}/image",
                dockerfile=f"files/{service}/image/Dockerfile",
                args={"BASE": images[base].repo_digest if base in images else base},
                # The classic builder: the same image id from both engines, and no plugin needed.
                builder_version=docker.BuilderVersion.BUILDER_V1,
                platform=PLATFORMS.get(platform.machine()),
            ),
            opts=pulumi.ResourceOptions(parent=parent, provider=provider),
        )
    return images
