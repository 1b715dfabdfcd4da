"""The whole lab: networks, images, machines."""

import os

import pulumi
import pulumi_command as command
import pulumi_docker as docker

from components.blueprints import blueprints
from components.config import LabConfig, Role
from components.dns.server import DnsServer
from components.images import build_images, this_platform
from components.internet.server import Internet, OutsideMail
from components.machine import Machine, Site
from components.mail.server import MailServer, SecondMailServer
from components.network.server import Router, docker_networks
from components.network.topology import INTERNET, OUTSIDE, ROUTER, topology_of
from components.part import Blueprint
from components.spamfilter.server import SpamFilter
from components.vm.model import LOCAL, VM, Build
from components.vm.server import Engine, LabVm, RemoteEngine, bring_images, settle
from components.workstation.server import Workstation

# The first role that fits says what a machine is: the tutorial's single host is a mail server with BIND.
CLASSES: dict[Role, type[Machine]] = {
    Role.MAIL: MailServer,
    Role.SECOND_MAIL: SecondMailServer,
    Role.DNS: DnsServer,
    Role.SPAMFILTER: SpamFilter,
    Role.WORKSTATION: Workstation,
}
# ZONES has "zone serial" lines.
FLUSH = (
    """docker exec "$CONTAINER" sh -c 'for zone; do rndc flushtree "$zone" || exit 1; done' """
    """sh $(awk '{print $1}' <<<"$ZONES")"""
)


def local_docker_host() -> str:
    """The engine that the docker command itself would use."""
    return os.environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock"


class Lab(pulumi.ComponentResource):
    """`maillab:lab:Lab`: everything that a configuration describes.

    Outputs: `machines` (name to container, lists of addresses and what it does), `serials` (school to lines
    "zone serial"), `counts`.
    """

    def __init__(self, config: LabConfig, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("maillab:lab:Lab", config.stack, None, opts)
        self.config = config
        engine = self._engine()
        child_of_engine = pulumi.ResourceOptions(parent=self, depends_on=engine.after)
        provider = docker.Provider("docker", host=engine.host, opts=child_of_engine)
        topology = topology_of(config)
        child = pulumi.ResourceOptions(parent=self, provider=provider)
        plans = blueprints(config)
        labels = {"maillab.project": "maillab", "maillab.stack": config.label}
        self.site = Site(
            labels=labels,
            prefix=config.prefix,
            provider=provider,
            docker_host=engine.host,
            networks=docker_networks(topology.segments, config.prefix, labels, child),
            images=self._images(engine, provider, {plan.part.image for plan in plans.values()}),
        )
        kinds = self._classes()
        self.machines = {
            name: kinds[name](name, plan, self.site, pulumi.ResourceOptions(parent=self))
            for name, plan in plans.items()
        }
        for school in config.schools:
            if school.zone.flush_outside:
                self._flush(school.name, school.with_role(Role.DNS)[0].name)
        self.outputs = {
            "machines": {name: _about(plan, self.machines[name]) for name, plan in plans.items()},
            "serials": {
                school.name: self.machines[school.with_role(Role.DNS)[0].name].config.stdout
                for school in config.schools
            },
            "urls": {},  # nothing of the lab can be opened from outside yet
            "counts": {
                "machines": len(plans),
                "schools": len(config.schools),
                "users": sum(len(m.mail.users) for s in config.schools for m in s.machines if m.mail),
            },
        }
        self.register_outputs(self.outputs)

    def _engine(self) -> Engine:
        """The lab's Docker engine, made or reached."""
        where, stack = self.config.where, self.config.stack
        child = pulumi.ResourceOptions(parent=self)
        self.stays = settle(f"{LOCAL} {local_docker_host()}" if where == LOCAL else where, child)
        if where == LOCAL:
            here = local_docker_host()
            return Engine(host=here, platform=this_platform(), after=[self.stays], possible=self.stays)
        if where == VM:
            return LabVm(self.config, self.stays, child).engine
        return RemoteEngine(stack, where, self.stays, child).engine

    def _images(self, engine: Engine, provider: docker.Provider, used: set[str]) -> dict[str, pulumi.Output[str]]:
        """The id of each image that is used, on the lab's engine."""
        if self.config.build is Build.THERE:
            return build_images(provider, engine.platform, used, self)
        child = pulumi.ResourceOptions(parent=self, depends_on=[engine.possible])
        builder = docker.Provider("docker-here", host=local_docker_host(), opts=child)
        built = build_images(builder, engine.platform, used, self)
        return bring_images(built, local_docker_host(), engine.host, pulumi.ResourceOptions(parent=self))

    def _classes(self) -> dict[str, type[Machine]]:
        kinds: dict[str, type[Machine]] = {
            ROUTER: Router,
            INTERNET: Internet,
            OUTSIDE: OutsideMail,
            self.config.internet.mail.name: OutsideMail,
        }
        for school in self.config.schools:
            for machine in school.machines:
                kinds[machine.name] = next(cls for role, cls in CLASSES.items() if role in machine.roles)
        return kinds

    def _flush(self, school: str, name_server: str) -> None:
        """After an edit of the zone the outside's resolver forgets the old one (its TTL is a day)."""
        internet = self.machines[INTERNET]
        zones = self.machines[name_server].config.stdout
        command.local.Command(
            f"{school}-flush",
            create=FLUSH,
            interpreter=["/bin/bash", "-c"],
            environment={
                "CONTAINER": internet.container.id,
                "DOCKER_HOST": self.site.docker_host,
                # A new serial is what makes this run again.
                "ZONES": zones,
            },
            add_previous_output_in_env=False,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[internet.config], deleted_with=internet.container),
        )


def _about(plan: Blueprint, machine: Machine) -> dict[str, pulumi.Input[str] | list[str]]:
    return {
        "container": machine.container.name,
        "ipv4": plan.host.all_of(4),
        "ipv6": plan.host.all_of(6),
        "role": plan.part.about,
    }
