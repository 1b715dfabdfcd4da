"""A machine of the lab: one container, its volumes, and the Command that brings its files."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_command as command
import pulumi_docker as docker

from components.environment import files_environment
from components.part import Blueprint
from components.resources.by_hand import keep_by_hand
from components.resources.images import Chain
from components.resources.limits import ON_A_MACHINE
from components.resources.ownership import STACK_LABEL

# Environment keys that begin with "/" are files; `env -0` passes them on with their line ends.
APPLY = (
    """set -o pipefail; { env -0 | grep -z '^/' && printf '.end\\0'; } | """
    """docker exec -i "$CONTAINER" maillab-apply"""
)
STOP_SECONDS = 10
# A service that closes every possible descriptor at start (xinetd) takes minutes with an unlimited number.
OPEN_FILES = 8192


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What all machines of a lab share: the engine, the names, the networks (by segment), image ids by chain.

    `labels` mark what belongs to the lab; `addresses` are leases, by (machine, segment).
    """

    labels: Mapping[str, str]
    prefix: str
    provider: docker.Provider
    docker_host: pulumi.Input[str]
    networks: Mapping[str, docker.Network]
    addresses: Mapping[tuple[str, str], command.local.Command]
    images: Mapping[Chain, pulumi.Input[str]]


class Machine(pulumi.ComponentResource):
    """`maillab:machine:Machine`: subclasses only say which roles, files and rights it has."""

    kind = "machine:Machine"
    container: docker.Container
    config: command.local.Command

    def __init__(
        self,
        name: str,
        args: Blueprint,
        site: Site,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(f"maillab:{self.kind}", name, None, opts)
        part = args.part
        child = pulumi.ResourceOptions(parent=self, provider=site.provider)
        volumes = {short: self._volume(f"{name}-{short}", site, child) for short in part.volumes}
        self.container = self._container(name, args, site, volumes, child)
        self.config = self._config(name, args, site)
        environment = {"DOCKER_HOST": site.docker_host, "STACK": site.labels[STACK_LABEL]}
        keep_by_hand(name, self.container, environment, self)
        self.register_outputs({"container": self.container.name})

    @staticmethod
    def _volume(name: str, site: Site, child: pulumi.ResourceOptions) -> docker.Volume:
        labels = [docker.VolumeLabelArgs(label=k, value=v) for k, v in site.labels.items()]
        options = pulumi.ResourceOptions(
            # Mail outlives the lab: `destroy` leaves the volume, `make down` removes it after a question.
            retain_on_delete=True,
            delete_before_replace=True,
            # And nothing is a reason to replace it: no other prefix, and no mark that it lacks because somebody made it
            # by hand, or an older program did.
            ignore_changes=["name", "labels", "driver", "driver_opts"],
        )
        return docker.Volume(
            name, name=f"{site.prefix}{name}", labels=labels, opts=pulumi.ResourceOptions.merge(child, options)
        )

    @staticmethod
    def _container(
        name: str, args: Blueprint, site: Site, volumes: Mapping[str, docker.Volume], child: pulumi.ResourceOptions
    ) -> docker.Container:
        marked = {**site.labels, "maillab.machine": name}
        ipv6_on = {f"net.ipv6.conf.{scope}.disable_ipv6": "0" for scope in ("all", "default")}
        options = pulumi.ResourceOptions(
            delete_before_replace=True,
            # On all leases: one that changes hands removes this container, and that must have come to its end.
            depends_on=list(site.addresses.values()),
            # The provider records a change of these without doing it.
            replace_on_changes=["init", "mounts", "tmpfs", "ulimits"],
        )
        return docker.Container(
            name,
            name=f"{site.prefix}{name}",
            image=site.images[args.part.recipes],
            hostname=args.host.fqdn.partition(".")[0],
            init=True,
            restart="unless-stopped",
            must_run=True,
            destroy_grace_seconds=STOP_SECONDS,
            capabilities=docker.ContainerCapabilitiesArgs(
                # The engine gives names back with CAP_, and the provider takes another spelling for a change.
                drops=["ALL"],
                adds=[f"CAP_{name}" for name in sorted(args.part.capabilities)],
            ),
            security_opts=["no-new-privileges:true"] if args.part.no_new_privileges else None,
            sysctls=ipv6_on | dict(args.part.sysctls),
            ulimits=[docker.ContainerUlimitArgs(name="nofile", soft=OPEN_FILES, hard=OPEN_FILES)],
            labels=[docker.ContainerLabelArgs(label=k, value=v) for k, v in marked.items()],
            networks_advanced=[
                docker.ContainerNetworksAdvancedArgs(
                    name=site.networks[interface.segment].id,
                    ipv4_address=site.addresses[name, interface.segment].stdout,
                )
                for interface in args.host.interfaces
            ],
            volumes=[
                docker.ContainerVolumeArgs(
                    volume_name=volumes[short].name,
                    container_path=args.part.place_of(short),
                    # Unset, not false: the provider takes one for a change of the other.
                    read_only=args.part.is_read_only(short) or None,
                )
                for short in sorted(args.part.volumes)
            ],
            # A disk that is smaller than the volume, which stays as it is (docs/en/explanation/decisions.md).
            tmpfs={path: f"size={size}" for path, size in args.part.small.items()} or None,
            opts=pulumi.ResourceOptions.merge(child, options),
        )

    def _config(self, name: str, args: Blueprint, site: Site) -> command.local.Command:
        secret = files_environment(args.part.secret_files, secret=True)
        environment: dict[str, pulumi.Input[str]] = {
            # A new container has no files yet: its id makes the Command run again.
            "CONTAINER": self.container.id,
            "DOCKER_HOST": site.docker_host,
            **files_environment(args.part.all_files),
            # Each value a secret of its own: one secret hides nothing else.
            **{key: pulumi.Output.secret(text) for key, text in secret.items()},
        }
        return command.local.Command(
            f"{name}-config",
            create=APPLY,
            interpreter=["/bin/bash", "-c"],
            environment=environment,
            add_previous_output_in_env=False,
            opts=pulumi.ResourceOptions(parent=self, deleted_with=self.container, custom_timeouts=ON_A_MACHINE),
        )
