"""The virtual machine, or the way to another computer, as resources: Commands that run `python -m where`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_command as command

from components.config.lab import LabConfig
from components.config.place import Build, VmConfig
from components.resources.disk_recipe import disk_recipe
from components.resources.images import Chain, image_tag, this_platform
from components.resources.limits import AT_ONCE, ON_A_COMPUTER

# Relative to the project's folder, so that a state holds no path of a computer.
INTERPRETER = [".venv/bin/python", "-m", "where"]
# Runs again only when WHERE changes: then everything of the lab would be left behind at the old place, unknown.
MOVED = """printf '%s\\n' "maillab: this lab is at $PULUMI_COMMAND_STDOUT, and the configuration says $WHERE now. \
Nothing was changed [where-changed]" "    remove it there first: bin/maillab down; then bring it up at the new place" \
"    or put maillab:where (for local: DOCKER_HOST, the docker context) back to what it was" >&2; exit 1"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """The Docker engine of a lab: its DOCKER_HOST, its platform such as `linux/amd64`, what makes it reachable.

    `possible`: what looked, before anything is made, whether it can be there.
    """

    host: pulumi.Input[str]
    platform: pulumi.Input[str] | None
    after: Sequence[pulumi.Resource]
    possible: pulumi.Resource


def where_command(
    name: str,
    verb: str,
    environment: Mapping[str, pulumi.Input[str]],
    opts: pulumi.ResourceOptions,
    delete: str | None = None,
) -> command.local.Command:
    """A Command that runs `python -m where VERB`, at deletion `python -m where DELETE`."""
    return command.local.Command(
        name,
        create=verb,
        delete=delete,
        interpreter=INTERPRETER,
        environment=dict(environment),
        add_previous_output_in_env=False,
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(custom_timeouts=ON_A_COMPUTER)),
    )


def _sizes(config: VmConfig) -> dict[str, str]:
    """What the machine is like, as its Commands get it."""
    return {
        "CPUS": str(config.cpus),
        "MEMORY": str(config.memory),
        "DISK": str(config.disk),
        "SSH_PORT": str(config.ssh_port),
        "ACCELERATOR": str(config.accelerator),
    }


def pin_place(where: str, opts: pulumi.ResourceOptions) -> command.local.Command:
    """What keeps a lab where it is: created with its place, it refuses to be changed. All else depends on it."""
    return command.local.Command(
        "where",
        create="""printf %s "$WHERE\"""",
        update=MOVED,
        interpreter=["/bin/bash", "-c"],
        environment={"WHERE": where},
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(custom_timeouts=AT_ONCE)),
    )


class LabVm(pulumi.ComponentResource):
    """`maillab:vm:LabVm`: a virtual machine on this computer with a Docker engine in it.

    Output `docker_host`: the engine's socket on this computer, known once the machine runs.
    """

    def __init__(self, config: LabConfig, after: pulumi.Resource, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("maillab:vm:LabVm", "vm", None, opts)
        recipe = disk_recipe()
        # What needs no packages needs no network, and then nothing in the machine reaches this computer or beyond.
        sizes = _sizes(config.vm) | {"NETWORK": "closed" if config.build is Build.HERE else "open"}
        folder = {"FOLDER": f".vm/{config.stack}", "NAME": config.stack}
        made_of = {"FOLDER": folder["FOLDER"], "PACKAGES": recipe.packages, "MAKE_DISK": recipe.script, **recipe.files}
        check = where_command("vm-check", "check", folder | sizes, self._child(after))
        disk = where_command("vm-disk", "disk", made_of, self._child(check))
        keys = where_command("vm-keys", "keys", folder, self._child(check))
        parts: dict[str, pulumi.Input[str]] = {**folder, **sizes, "BASE": disk.stdout, "KEYS": keys.stdout}
        machine = where_command("vm-machine", "start", parts, self._child(), delete="stop")
        # Whatever may have started it again: it is waited for each time.
        ready = where_command("vm-engine", "reach", {**parts, "FOLDER": machine.stdout}, self._child())
        usable = [ready]
        if config.build is Build.THERE:
            one = {"FOLDER": machine.stdout, "KEYS": keys.stdout}  # new keys: a new machine, without images
            usable.append(where_command("vm-base", "base", one, self._child(ready)))
        self.engine = Engine(host=ready.stdout, platform=this_platform(), after=usable, possible=check)
        self.register_outputs({"docker_host": ready.stdout})

    def _child(self, *after: pulumi.Resource) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self, depends_on=list(after))


class RemoteEngine(pulumi.ComponentResource):
    """`maillab:vm:RemoteEngine`: the Docker engine of another computer, over SSH.

    Output `docker_host`: its socket on this computer.
    """

    def __init__(
        self, stack: str, where: str, after: pulumi.Resource, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("maillab:vm:RemoteEngine", "engine", None, opts)
        ready = where_command(
            "engine-connection",
            "connect",
            {"FOLDER": f".vm/{stack}", "WHERE": where},
            pulumi.ResourceOptions(parent=self, depends_on=[after]),
            delete="disconnect",
        )
        lines = ready.stdout.apply(lambda text: text.splitlines())
        self.engine = Engine(host=lines[0], platform=lines[1], after=[ready], possible=ready)
        self.register_outputs({"docker_host": lines[0]})


def bring_images(
    built: Mapping[Chain, pulumi.Output[str]], here: str, there: pulumi.Input[str], opts: pulumi.ResourceOptions
) -> dict[Chain, pulumi.Output[str]]:
    """The ids that images built here have on the lab's engine, once they were brought there."""
    tags = {chain: image_tag(chain) for chain in built}
    lines = pulumi.Output.all(*built.values()).apply(
        lambda ids: "".join(f"{tag} {made}\n" for tag, made in zip(tags.values(), ids, strict=True))
    )
    brought = where_command("images", "bring", {"HERE": here, "DOCKER_HOST": there, "IMAGES": lines}, opts)
    ids = brought.stdout.apply(lambda text: dict(line.split() for line in text.splitlines()))
    return {chain: ids[tag] for chain, tag in tags.items()}
