"""Short words for the programs of the engine tests: `lab = Kit()`, then `lab.network("lan")` and so on."""

from typing import Any

import pulumi
import pulumi_command as command
import pulumi_docker as docker

Anything = Any


class Kit:
    def __init__(self) -> None:
        self.config = pulumi.Config()
        self.prefix = self.config.require("prefix")
        self.provider = docker.Provider("docker", host="unix:///var/run/docker.sock")

    def labels(self) -> list[dict[str, str]]:
        return [{"label": "maillab.stack", "value": self.prefix}]

    def opts(self, **more: Anything) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(provider=self.provider, **more)

    def network(self, name: str, /, opts: Anything = None, **args: Anything) -> docker.Network:
        subnet = self.config.require("subnet")
        gateway = subnet.replace(".0/24", ".254")
        defaults = {"ipam_configs": [{"subnet": subnet, "gateway": gateway}], "labels": self.labels()}
        return docker.Network(name, **{"name": self.prefix + name, **defaults, **args}, opts=self.opts(**opts or {}))

    def volume(self, name: str, /, opts: Anything = None, **args: Anything) -> docker.Volume:
        return docker.Volume(
            name,
            **{"name": self.prefix + name, "labels": self.labels(), **args},
            opts=self.opts(**opts or {}),
        )

    def container(self, name: str, /, opts: Anything = None, **args: Anything) -> docker.Container:
        defaults = {"image": "debian:trixie-slim", "command": ["sleep", "infinity"], "init": True}
        return docker.Container(
            name,
            **{"name": self.prefix + name, **defaults, "labels": self.labels(), **args},
            opts=self.opts(**opts or {}),
        )

    def image(self, name: str, context: str = "image", opts: Anything = None, **build: Anything) -> docker.Image:
        args = {"BASE": "debian:trixie-slim"}
        fixed = {"context": context, "platform": "linux/amd64", "builder_version": "BuilderV1", "args": args}
        more: Anything = {"build": {**fixed, **build}, "skip_push": True, "opts": self.opts(**opts or {})}
        return docker.Image(name, image_name=f"maillab-engine-test/{self.prefix}{name}:latest", **more)

    def command(self, name: str, /, create: str, opts: Anything = None, **args: Anything) -> command.local.Command:
        defaults = {"interpreter": ["/bin/bash", "-c"], "add_previous_output_in_env": False}
        return command.local.Command(
            name, create=create, **{**defaults, **args}, opts=pulumi.ResourceOptions(**opts or {})
        )
