"""One face for the resource types: check, create, read, update, delete, and finding what was left behind."""

from __future__ import annotations

import secrets
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from offline import commands, containers, images
from offline.docker_engine import Api, client, explained, is_missing, label_list, labels
from offline.schema import COMMAND, CONTAINER, DOCKER_TYPES, IMAGE, NETWORK, PROVIDER, VOLUME, normal, with_defaults
from offline.values import OfflineError, Props, given, plain, secret, words

IN_USE_SECONDS = 30
POOL = {"subnet": "Subnet", "gateway": "Gateway", "ipRange": "IPRange", "auxAddress": "AuxiliaryAddresses"}
SUPPORTED = {
    COMMAND: commands.SUPPORTED,
    NETWORK: words("attachable driver ingress internal ipamConfigs ipamDriver ipamOptions ipv6 labels name options"),
    # disableDockerDaemonCheck: an engine is asked here when something is to be done on it, and not before.
    PROVIDER: words("disableDockerDaemonCheck host version"),
    VOLUME: words("driver driverOpts labels name"),
}
Log = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A resource to work on: its type, name for messages, and the Docker host it lives on."""

    kind: str
    name: str
    host: str

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


def create(target: Target, inputs: Props, log: Log) -> tuple[str, Props]:
    """Make the resource; returns its id and outputs. Raises OfflineError and leaves nothing behind."""
    opened = plain(inputs)
    if target.kind == PROVIDER:
        return str(uuid.uuid4()), inputs
    if target.kind == COMMAND:
        output = commands.run(target.where, opened.get("create"), opened, {}, log)
        return f"{target.name}{secrets.token_hex(4)}", {**inputs, **output}
    api = target.api
    with explained(target.where):
        if target.kind == IMAGE:
            return opened["imageName"], _built(api, inputs, log)
        make = {NETWORK: _create_network, VOLUME: _create_volume, CONTAINER: containers.create}[target.kind]
        made = make(api, opened)
        return made, _read(target.kind, api, made, inputs)


def update(target: Target, old: Props, inputs: Props, changed: set[str], log: Log) -> Props:
    """Change the resource `old` (an entry of the state) in place; returns its outputs. Raises OfflineError."""
    opened = plain(inputs)
    if target.kind == PROVIDER:
        return inputs
    if target.kind == COMMAND:
        script = opened.get("update") or opened.get("create")
        return {**inputs, **commands.run(target.where, script, opened, plain(old["outputs"]), log)}
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
        commands.run(target.where, opened["delete"], opened, plain(old["outputs"]), log)
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
            return {one["Id"]: one["Labels"] or {} for one in _networks(api, name)}
        if target.kind == VOLUME:
            volumes = api.volumes(filters={"name": name})["Volumes"] or []
            return {one["Name"]: one["Labels"] or {} for one in volumes if one["Name"] == name}
        listed = api.containers(all=True, filters={"name": f"^/{name}$"})
        return {one["Id"]: one["Labels"] or {} for one in listed}


def find_leftover(target: Target, inputs: Props, before: list[str] | None) -> str | None:
    """The id of what an interrupted run made and could not record: this name, these labels, and not there `before`.

    By ids, not by time: the host's clock may differ from the one here. None: nobody looked before, all is spared.
    """
    if before is None:
        return None
    ours = labels(plain(inputs)).items()
    found = namesakes(target, inputs).items()
    return next((one for one, has in found if one not in before and ours <= has.items()), None)


def _read(kind: str, api: Api, resource_id: str, inputs: Props) -> Props:
    """The outputs: what the engine says, in the program's own words where both mean the same."""
    opened = plain(inputs)
    if kind == NETWORK:
        found = _read_network(api.inspect_network(resource_id))
    elif kind == VOLUME:
        data = api.inspect_volume(resource_id)
        found = {"name": data["Name"], "driver": data["Driver"], "mountpoint": data["Mountpoint"]}
        found |= {"driverOpts": data.get("Options") or {}, "labels": label_list(data.get("Labels"))}
    else:
        found = containers.read(api, resource_id, opened)
    differs = {key for key in found.keys() & inputs.keys() if normal(found[key], key) != normal(opened[key], key)}
    own = {key: value for key, value in inputs.items() if key not in differs and key != "__defaults"}
    return {**found, **own}


def _read_network(data: Props) -> Props:
    keys = {"name": "Name", "driver": "Driver", "internal": "Internal", "attachable": "Attachable"}
    keys |= {"ingress": "Ingress", "ipv6": "EnableIPv6", "scope": "Scope"}
    pools = data["IPAM"].get("Config") or []
    return {
        **{key: data[field] for key, field in keys.items()},
        "labels": label_list(data["Labels"]),
        "ipamDriver": data["IPAM"]["Driver"],
        "ipamOptions": data["IPAM"].get("Options") or {},
        "ipamConfigs": [{key: pool[field] for key, field in POOL.items() if field in pool} for pool in pools],
        "options": data["Options"] or {},
    }


def _networks(api: Api, name: str) -> list[Props]:
    """The networks of exactly this name: Docker itself allows several."""
    return [network for network in api.networks(names=[name]) if network["Name"] == name]


def _create_network(api: Api, inputs: Props) -> str:
    if _networks(api, inputs["name"]):
        raise OfflineError(_foreign("network", inputs["name"]))
    pools = [{POOL[key]: pool[key] for key in POOL if key in pool} for pool in inputs.get("ipamConfigs") or []]
    made = api.create_network(
        inputs["name"], driver=inputs.get("driver"), options=inputs.get("options"), labels=labels(inputs),
        ipam={"Driver": inputs["ipamDriver"], "Config": pools, "Options": inputs.get("ipamOptions")},
        internal=bool(inputs.get("internal")), enable_ipv6=bool(inputs.get("ipv6")), check_duplicate=True,
        attachable=inputs.get("attachable"), ingress=inputs.get("ingress"),
    )  # fmt: skip
    return str(made["Id"])


def _create_volume(api: Api, inputs: Props) -> str:
    """Make the volume, or take over one with the same labels (kept by retainOnDelete, or left by a kill)."""
    options = inputs.get("driverOpts")
    name = str(inputs["name"])
    api.create_volume(name, driver=inputs.get("driver"), driver_opts=options, labels=labels(inputs))
    # Asked for: of a volume that was there, an engine that was started since answers without the labels.
    if (api.inspect_volume(name).get("Labels") or {}) != labels(inputs):
        raise OfflineError(_foreign("volume", name))
    return name


def _foreign(kind: str, name: str) -> str:
    return (
        f"there is a {kind} {name} that this stack did not make; remove it (docker {kind} rm {name}), "
        "or choose another prefix"
    )


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
