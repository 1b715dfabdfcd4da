"""One face for the resource types: check, create, read, update, delete, and finding what was left behind."""

from __future__ import annotations

import secrets
import time
import uuid
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from maillab.offline import commands, containers, images, networks, volumes
from maillab.offline.docker_engine import Api, client, explained, foreign, is_missing, labels
from maillab.offline.presence import Presence
from maillab.offline.process import Log
from maillab.offline.schema import (
    COMMAND,
    CONTAINER,
    DOCKER_TYPES,
    IMAGE,
    NETWORK,
    PROVIDER,
    VOLUME,
    normal,
    with_defaults,
)
from maillab.offline.values import OfflineError, Props, given, plain, secret, words

IN_USE_SECONDS = 30
SUPPORTED = {
    COMMAND: commands.SUPPORTED,
    NETWORK: networks.SUPPORTED,
    # disableDockerDaemonCheck: an engine is asked here when something is to be done on it, and not before.
    PROVIDER: words("disableDockerDaemonCheck host version"),
    VOLUME: volumes.SUPPORTED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A resource to work on: its type, name for messages, the Docker host it lives on, its `customTimeouts`."""

    kind: str
    name: str
    host: str
    timeouts: Mapping[str, float] = field(default_factory=dict)

    @property
    def where(self) -> str:
        """How messages call it."""
        return f"{self.kind.rsplit(':', 1)[-1]} {self.name}"

    @property
    def api(self) -> Api:
        """The Docker API client of the host."""
        return client(self.host)


def check(target: Target, inputs: Props, old: Props) -> Props:
    """The inputs with the provider's defaults. Raises OfflineError for what is not supported."""
    if refused := _unsupported(target.kind, inputs):
        raise OfflineError(f"{target.where}: the offline engine does not support its {', '.join(refused)}")
    if target.kind == IMAGE:
        return images.check(target.where, inputs)
    return with_defaults(target.kind, target.name, inputs, old) if target.kind in DOCKER_TYPES else inputs


def _unsupported(kind: str, inputs: Props) -> list[str]:
    """The inputs that this engine would have to ignore."""
    if kind == IMAGE:
        return images.unsupported(inputs)
    return containers.unsupported(inputs) if kind == CONTAINER else sorted(given(inputs) - SUPPORTED[kind])


def create(target: Target, inputs: Props, log: Log, kept: Collection[str] = ()) -> tuple[str, Props]:
    """Make the resource; returns its id and outputs. Raises OfflineError and leaves nothing behind.

    `kept`: names of volumes that are the stack's own, whatever labels they have.
    """
    opened = plain(inputs)
    if target.kind == PROVIDER:
        return str(uuid.uuid4()), inputs
    if target.kind == COMMAND:
        output = commands.run(target.where, opened.get("create"), opened, {}, log, limit=target.timeouts.get("create"))
        return f"{target.name}{secrets.token_hex(4)}", {**inputs, **output}
    api = target.api
    with explained(target.where):
        if target.kind == IMAGE:
            return opened["imageName"], _built(api, inputs, log)
        if target.kind == VOLUME:
            made = volumes.create(api, opened, kept)
        else:
            made = (networks.create if target.kind == NETWORK else containers.create)(api, opened)
        return made, _read(target.kind, api, made, inputs)


def update(target: Target, old: Props, inputs: Props, changed: set[str], log: Log) -> Props:
    """Change the resource `old` (an entry of the state) in place; returns its outputs. Raises OfflineError."""
    opened = plain(inputs)
    if target.kind == PROVIDER:
        return inputs
    if target.kind == COMMAND:
        script = opened.get("update") or opened.get("create")
        limit = target.timeouts.get("update")
        return {**inputs, **commands.run(target.where, script, opened, plain(old["outputs"]), log, limit=limit)}
    with explained(target.where):
        if target.kind == IMAGE:
            return _built(target.api, inputs, log)
        if target.kind == CONTAINER:
            containers.update(target.api, old["id"], opened, changed)
        return _read(target.kind, target.api, old["id"], inputs)


def delete(target: Target, old: Props, log: Log) -> None:
    """Remove the resource; one that is gone already is fine. An Image stays, as with the real provider."""
    opened = plain(old["inputs"])
    if target.kind == COMMAND and opened.get("delete"):
        limit = target.timeouts.get("delete")
        commands.run(target.where, opened["delete"], opened, plain(old["outputs"]), log, limit=limit)
    if target.kind not in DOCKER_TYPES:
        return
    api = target.api
    with explained(target.where):
        try:
            if target.kind == CONTAINER:
                containers.delete(api, old["id"], opened)
            else:
                remove = api.remove_network if target.kind == NETWORK else api.remove_volume
                _while_in_use(lambda: remove(old["id"]))
        except OSError as error:
            if not is_missing(error):
                raise


def read(target: Target, old: Props) -> Props | None:
    """The outputs as they are now, None when the resource is gone; Images and Commands are taken on trust."""
    if target.kind not in DOCKER_TYPES:
        return dict(old["outputs"])
    api = target.api
    with explained(target.where):
        try:
            return _read(target.kind, api, old["id"], old["inputs"])
        except OSError as error:
            if not is_missing(error):
                raise
            return None


def namesakes(target: Target, inputs: Props) -> dict[str, dict[str, str]]:
    """What has the resource's name on its host now: id to labels."""
    if target.kind not in DOCKER_TYPES:
        return {}
    api, name = target.api, plain(inputs)["name"]
    with explained(target.where):
        if target.kind == NETWORK:
            return {one["Id"]: one["Labels"] or {} for one in networks.named(api, name)}
        if target.kind == VOLUME:
            found = api.volumes(filters={"name": name})["Volumes"] or []
            return {one["Name"]: one["Labels"] or {} for one in found if one["Name"] == name}
        listed = api.containers(all=True, filters={"name": f"^/{name}$"})
        return {one["Id"]: one["Labels"] or {} for one in listed}


def lost(target: Target, old: Props, there: Presence) -> bool:
    """Whether what the state has is gone from its engine: a container, network, volume, or an image that was built."""
    if target.kind == IMAGE:
        made = str(old["outputs"].get("repoDigest") or "")
        return bool(made) and not there.has_image(target, made)
    return target.kind in DOCKER_TYPES and not there.has(target, old["id"])


def refuse_in_the_way(target: Target, inputs: Props, own: Collection[str]) -> None:
    """Raise OfflineError when what is to be made would find its name or subnet taken; `own` are the ids of the state's.

    Asked before the old one is deleted: what can't succeed must not have cost anything.
    """
    opened = plain(inputs)
    for made, has in namesakes(target, inputs).items():
        if made not in own and not (target.kind == VOLUME and volumes.is_left_by(has, labels(opened))):
            kind = target.kind.rsplit(":", 1)[-1].lower()
            raise OfflineError(f"{target.where}: {foreign(kind, opened['name'], has)}")
    if target.kind == NETWORK:
        with explained(target.where):
            networks.refuse_overlap(
                target.where, opened, [one for one in target.api.networks() if one["Id"] not in own]
            )


def find_leftover(target: Target, inputs: Props, before: list[str] | None) -> str | None:
    """The id of what an interrupted run made and could not record: this name, these labels, and not there `before`.

    By ids, not by time: the host's clock may differ from the one here. None: nobody looked before, all is spared; so is
    every volume, which may hold mail by now: what makes it takes it over.
    """
    if before is None or target.kind == VOLUME:
        return None
    ours = labels(plain(inputs)).items()
    found = namesakes(target, inputs).items()
    return next((one for one, has in found if one not in before and ours <= has.items()), None)


def _read(kind: str, api: Api, resource_id: str, inputs: Props) -> Props:
    """The outputs: what the engine says, in the program's own words where both mean the same."""
    opened = plain(inputs)
    if kind == NETWORK:
        found = networks.read(api, resource_id)
    elif kind == VOLUME:
        found = volumes.read(api, resource_id)
    else:
        found = containers.read(api, resource_id, opened)
    differs = {key for key in found.keys() & inputs.keys() if normal(found[key], key) != normal(opened[key], key)}
    own = {key: value for key, value in inputs.items() if key not in differs and key != "__defaults"}
    return {**found, **own}


def _while_in_use(remove: Callable[[], None]) -> None:
    """Remove a network or volume; one that a container is just leaving is tried again for 30 s."""
    deadline = time.monotonic() + IN_USE_SECONDS
    while True:
        try:
            return remove()
        except OSError as error:
            in_use = "active endpoints" in str(error) or "in use" in str(error)
            if not in_use or time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def _built(api: Api, inputs: Props, log: Log) -> Props:
    return {**images.build(api, plain(inputs), log), "__inputs": secret(plain(inputs))}
