"""The whole lab: networks, images, machines."""

import os
from collections.abc import Mapping

import pulumi
import pulumi_command as command
import pulumi_docker as docker

from components.config.lab import INTERNET, OUTSIDE, ROUTER, Role, SchoolConfig
from components.config.place import LOCAL, VM, Build
from components.dns.render import secondaries
from components.part import Blueprint, pages
from components.plan import Plan, what_it_takes
from components.resources.certificates import bring_certificates
from components.resources.images import Chain, build_images, this_platform
from components.resources.kinds import (
    DnsServer,
    Internet,
    MailServer,
    OutsideMail,
    Router,
    SecondMailServer,
    SpamFilter,
    Workstation,
)
from components.resources.limits import ON_A_MACHINE
from components.resources.machine import Machine, Site
from components.resources.networks import docker_networks, lent_addresses
from components.resources.ownership import OWNER_LABEL, STACK_LABEL, look_first
from components.resources.place import Engine, LabVm, RemoteEngine, bring_images, pin_place
from components.tls.render import NAMES

# The first role that fits says what a machine is: the tutorial's single host is a mail server with BIND.
CLASSES: dict[Role, type[Machine]] = {
    Role.MAIL: MailServer,
    Role.SECOND_MAIL: SecondMailServer,
    Role.DNS: DnsServer,
    Role.SPAMFILTER: SpamFilter,
    Role.WORKSTATION: Workstation,
}
# A machine whose roles change is another class then, and the same machine all the same.
KINDS: tuple[type[Machine], ...] = (*CLASSES.values(), Router, Internet, OutsideMail)
FORMER_KINDS = [pulumi.Alias(type_=f"maillab:{cls.kind}") for cls in KINDS]
# ZONES has "zone serial" lines.
# A resolver that asks a secondary too early would remember the old zone for a day: first it has the new one. One that
# is not there is waited for 10 seconds.
COPIED = r"""docker exec -i "$CONTAINER" bash -c 'while read -r zone serial; do
  for server; do
    until read -r _ _ found _ < <(dig +short +tries=1 +time=1 "@$server" "$zone" SOA); [ "${found:-}" = "$serial" ]; do
      [ "$SECONDS" -lt 10 ] || { echo "$server does not serve $zone with the serial $serial yet" >&2; break; }
      sleep 0.2
    done
  done
done' bash $SECONDARIES <<<"$ZONES"
"""
FLUSH = (
    """docker exec "$CONTAINER" sh -c 'for zone; do rndc flushtree "$zone" || exit 1; done' """
    """sh $(awk '{print $1}' <<<"$ZONES")"""
)


def local_docker_host() -> str:
    """The engine that the docker command itself would use."""
    return os.environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock"


class Lab(pulumi.ComponentResource):
    """`maillab:lab:Lab`: everything that a plan has. `owner` is the id of the folder that has it.

    Outputs: `machines` (name to container, lists of addresses, what it does, its school or "", and the names of its
    Docker networks), `serials` (school to lines "zone serial"), `urls` (page to its URL in the lab), `counts`.
    """

    def __init__(self, plan: Plan, owner: str, opts: pulumi.ResourceOptions | None = None) -> None:
        config, topology, plans = plan.config, plan.topology, plan.machines
        super().__init__("maillab:lab:Lab", config.stack, None, opts)
        self.config = config
        engine = self._engine()
        reached = pulumi.ResourceOptions(parent=self, depends_on=engine.after)
        looked = look_first(what_it_takes(plan), owner, engine.host, reached)
        free = pulumi.ResourceOptions(parent=self, depends_on=[*engine.after, looked])
        provider = docker.Provider("docker", host=engine.host, opts=free)
        child = pulumi.ResourceOptions(parent=self, provider=provider)
        labels = {"maillab.project": "maillab", STACK_LABEL: config.label, OWNER_LABEL: owner}
        self.site = Site(
            labels=labels,
            prefix=config.prefix,
            provider=provider,
            docker_host=engine.host,
            networks=docker_networks(topology.segments, config.prefix, labels, child, lending=free),
            addresses=lent_addresses(topology, free),
            images=self._images(engine, provider, {machine.part.recipes for machine in plans.values()}),
        )
        kinds = self._classes()
        self.machines = {
            name: kinds[name](name, machine, self.site, pulumi.ResourceOptions(parent=self, aliases=FORMER_KINDS))
            for name, machine in plans.items()
        }
        for school in config.schools:
            if school.zone.flush_outside:
                self._flush(school, school.with_role(Role.DNS)[0].name)
        bring_certificates(self._certificates(plans), self.machines[INTERNET], self.site, self)
        schools = {machine.name: school.name for school in config.schools for machine in school.machines}
        self.outputs = {
            "machines": {
                name: _about(machine, self.machines[name], schools.get(name, ""), config.prefix)
                for name, machine in plans.items()
            },
            "serials": {
                school.name: self.machines[school.with_role(Role.DNS)[0].name].config.stdout
                for school in config.schools
            },
            "urls": {name: page.url for name, (_, page) in pages(plans).items()},  # `maillab open NAME`
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
        self.pinned = pin_place(f"{LOCAL} {local_docker_host()}" if where == LOCAL else where, child)
        if where == LOCAL:
            here = local_docker_host()
            return Engine(host=here, platform=this_platform(), after=[self.pinned], possible=self.pinned)
        if where == VM:
            return LabVm(self.config, self.pinned, child).engine
        return RemoteEngine(stack, where, self.pinned, child).engine

    def _images(self, engine: Engine, provider: docker.Provider, used: set[Chain]) -> dict[Chain, pulumi.Output[str]]:
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

    def _certificates(self, plans: Mapping[str, Blueprint]) -> dict[str, tuple[Machine, tuple[str, ...]]]:
        """Who trusts the lab's authority, with the names that it has a certificate of it for."""
        given = {name: plan.part for name, plan in plans.items() if "tls" in plan.part.roles}
        return {name: (self.machines[name], tuple(part.files.get(NAMES, "").split())) for name, part in given.items()}

    def _flush(self, school: SchoolConfig, name_server: str) -> None:
        """After an edit of the zone the outside's resolver forgets the old one (its TTL is a day)."""
        internet = self.machines[INTERNET]
        zones = self.machines[name_server].config.stdout
        copies = [address for _, addresses in secondaries(self.config, school) for address in addresses]
        command.local.Command(
            f"{school.name}-flush",
            create=COPIED + FLUSH if copies else FLUSH,
            interpreter=["/bin/bash", "-c"],
            environment={
                "CONTAINER": internet.container.id,
                "DOCKER_HOST": self.site.docker_host,
                # A new serial is what makes this run again.
                "ZONES": zones,
                **({"SECONDARIES": " ".join(map(str, copies))} if copies else {}),
            },
            add_previous_output_in_env=False,
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=[internet.config, *(self.machines[name].config for name in school.zone.secondaries)],
                deleted_with=internet.container,
                custom_timeouts=ON_A_MACHINE,
            ),
        )


def _about(plan: Blueprint, machine: Machine, school: str, prefix: str) -> dict[str, pulumi.Input[str] | list[str]]:
    return {
        "container": machine.container.name,
        "ipv4": plan.host.all_of(4),
        "ipv6": plan.host.all_of(6),
        "role": plan.part.about,
        "school": school,
        "networks": [f"{prefix}{interface.segment}" for interface in plan.host.interfaces],
    }
