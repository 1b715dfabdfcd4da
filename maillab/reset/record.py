"""What an engine's state says of each machine, and how it has to read after a reset."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from maillab.offline.docker_engine import host_of
from maillab.offline.providers import Target
from maillab.offline.schema import COMMAND, CONTAINER, NETWORK, PROVIDER, VOLUME
from maillab.offline.values import Props, Value, is_secret, plain, secret

if TYPE_CHECKING:
    from maillab.offline.entries import Entry

CONFIG, BY_HAND, CERTIFICATE = "config", "by-hand", "certificate"
"""Ends of the names of a machine's Commands (components/resources/machine.py, by_hand.py, certificates.py)."""
ROLES, ZONES_ROLE = "/etc/maillab/roles", "bind"
LAST_ROLES = frozenset(("disks", "postfix", "redis", "sendmail"))
"""Those that write to volumes what a sudden end would cut off."""


class HalfMadeError(Exception):
    """The last `up` did not make the machine, which the text names, to its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A resource of the state: its entry with all secrets open, and where it is."""

    entry: Entry = field(repr=False)
    target: Target

    @property
    def id(self) -> str:
        """Docker's own id, or a Command's."""
        return str(self.entry["id"])

    @property
    def urn(self) -> str:
        """Its name in the state."""
        return str(self.entry["urn"])

    @property
    def inputs(self) -> Props:
        """What it was made of."""
        found: Props = self.entry["inputs"]
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What a machine consists of; a lab of an older program has no `by_hand`, and few machines a `certificate`."""

    name: str
    container: Resource
    config: Resource
    by_hand: Resource | None
    certificate: Resource | None
    volumes: tuple[Resource, ...]
    networks: tuple[Resource, ...]

    @property
    def roles(self) -> list[str]:
        """The roles that it starts, in their order."""
        return str(self.config.inputs["environment"].get(ROLES, "")).split()

    @property
    def reported(self) -> str:
        """What its configuration reported at the last `up`: of a name server lines "zone serial"."""
        return str(self.config.entry["outputs"].get("stdout") or "")


def machines_of(resources: Iterable[Mapping[str, Value]]) -> dict[str, Machine]:
    """The machines by name, of entries as `Store` has them. Raises HalfMadeError: one was not made to its end."""
    entries = {str(one["urn"]): _opened(one) for one in resources if not one.get("delete")}
    providers = {urn: entry for urn, entry in entries.items() if entry["type"] == PROVIDER}
    found = {(entry["type"], urn.rpartition("::")[2]): _resource(entry, providers) for urn, entry in entries.items()}
    by_id = {(kind, one.id): one for (kind, _), one in found.items() if kind in (NETWORK, VOLUME)}
    return {name: _machine(name, found, by_id) for kind, name in found if kind == CONTAINER}


def _opened(entry: Mapping[str, Value]) -> Entry:
    opened = {"inputs": {}, "outputs": {}, "id": "", **entry}
    return {**opened, "inputs": plain(opened["inputs"]), "outputs": plain(opened["outputs"])}


def _resource(entry: Entry, providers: Mapping[str, Entry]) -> Resource:
    provider = providers.get(str(entry.get("provider", "")).rpartition("::")[0])
    host = host_of(provider["inputs"] if provider else {})
    return Resource(entry=entry, target=Target(kind=entry["type"], name=entry["urn"].rpartition("::")[2], host=host))


def _machine(
    name: str, found: Mapping[tuple[str, str], Resource], by_id: Mapping[tuple[str, str], Resource]
) -> Machine:
    container = found[CONTAINER, name]
    config = found.get((COMMAND, f"{name}-{CONFIG}"))
    if config is None or container.entry.get("pendingReplacement"):
        raise HalfMadeError(name)
    volumes = [by_id.get((VOLUME, one["volumeName"])) for one in container.inputs.get("volumes") or []]
    networks = [by_id.get((NETWORK, one["name"])) for one in container.inputs.get("networksAdvanced") or []]
    return Machine(
        name=name,
        container=container,
        config=config,
        by_hand=found.get((COMMAND, f"{name}-{BY_HAND}")),
        certificate=found.get((COMMAND, f"{name}-{CERTIFICATE}")),
        volumes=tuple(filter(None, volumes)),
        networks=tuple(filter(None, networks)),
    )


def swapped(resources: Iterable[Entry], ids: Mapping[str, str], unconfigured: Collection[str]) -> list[Entry]:
    """The resources with new ids (old to new) wherever a value is an old one.

    `unconfigured`: URNs of Commands that keep what they say. It is true that they were last run on the old container,
    and the next `up`, which sees the difference, runs them again if nobody else does.
    """
    return [one if one["urn"] in unconfigured else _with(one, ids) for one in resources]


def certified(resources: Iterable[Entry], *, urn: str, ids: Mapping[str, str]) -> list[Entry]:
    """The resources after the Command `urn`, which `swapped` had left as it was, was run on the new containers."""
    return [_with(one, ids) if one["urn"] == urn else one for one in resources]


def on_new(resource: Resource, ids: Mapping[str, str]) -> Resource:
    """The resource with new ids wherever it has old ones."""
    return replace(resource, entry=_with(resource.entry, ids))


def configured(resources: Iterable[Entry], done: Mapping[str, tuple[str, str]]) -> list[Entry]:
    """The resources after Commands were run: `done` is URN to (container id, stdout).

    What others say of an old stdout (a zone's serial in the stack's outputs) says the new one too.
    """
    known = list(resources)
    words = {
        before: done[one["urn"]][1]
        for one in known
        if one["urn"] in done and (before := (one.get("outputs") or {}).get("stdout")) and done[one["urn"]][1]
    }
    return [_ran(one, *done[one["urn"]]) if one["urn"] in done else _with(one, words) for one in known]


def _ran(entry: Entry, container: str, stdout: str) -> Entry:
    def on_it(part: Props) -> Props:
        told = part.get("environment") or {}
        # Pulumi may have marked it whole, because there is a secret in it.
        now = {**(told["value"] if is_secret(told) else told), "CONTAINER": container}
        return {**part, "environment": secret(now) if is_secret(told) else now}

    return {**entry, "inputs": on_it(entry["inputs"]), "outputs": {**on_it(entry["outputs"]), "stdout": stdout}}


def _with(value: Value, new: Mapping[str, str]) -> Value:
    """The value with `new` of each text in it that is a key there."""
    if isinstance(value, dict):
        return {key: _with(item, new) for key, item in value.items()}
    if isinstance(value, list):
        return [_with(item, new) for item in value]
    return new.get(value, value) if isinstance(value, str) else value
