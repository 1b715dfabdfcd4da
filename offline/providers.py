"""One face for the five resource types: check, create, read, update, delete, and finding what was left behind."""

from __future__ import annotations

import secrets
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from offline import commands, containers, images
from offline.docker_engine import client, explained, is_missing, labels
from offline.schema import COMMAND, CONTAINER, IMAGE, NETWORK, PROVIDER, VOLUME, normal, with_defaults
from offline.values import OfflineError, Props, plain, secret

IN_USE_SECONDS = 30
UNSEEN = (COMMAND, IMAGE, PROVIDER)
"""Types of which nothing is read back and, but for a Command's own script, nothing is removed."""

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
    def api(self) -> Any:
        """The Docker API client of the host."""
        return client(self.host)


def check(target: Target, inputs: Props, old: Props) -> Props:
    """The inputs with the provider's defaults. Raises OfflineError for what is not supported."""
    if target.kind == COMMAND:
        commands.check(target.where, inputs)
    if target.kind in (COMMAND, PROVIDER):
        return inputs
    if target.kind == IMAGE:
        return images.check(target.where, inputs)
    if target.kind == CONTAINER:
        containers.check(target.where, inputs)
    return with_defaults(target.kind, target.name, inputs, old)


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
            return opened["imageName"], _image_outputs(inputs, images.build(api, opened, log))
        if target.kind == NETWORK:
            made = _create_network(target, api, opened)
        elif target.kind == VOLUME:
            made = _create_volume(target, api, opened)
        else:
            made = containers.create(api, opened)
        return made, _read(target, api, made, inputs)


def update(target: Target, resource_id: str, inputs: Props, old_outputs: Props, changed: set[str], log: Log) -> Props:
    """Change the resource in place; returns its outputs. Raises OfflineError."""
    opened = plain(inputs)
    if target.kind == PROVIDER:
        return inputs
    if target.kind == COMMAND:
        script = opened.get("update") or opened.get("create")
        return {**inputs, **commands.run(target.where, script, opened, plain(old_outputs), log)}
    with explained(target.where):
        if target.kind == IMAGE:
            return _image_outputs(inputs, images.build(target.api, opened, log))
        if target.kind == CONTAINER:
            containers.update(target.api, resource_id, opened, changed)
        return _read(target, target.api, resource_id, inputs)


def delete(target: Target, resource_id: str, inputs: Props, outputs: Props, log: Log) -> None:
    """Remove the resource; one that is gone already is fine. An Image stays, as with the real provider."""
    opened = plain(inputs)
    if target.kind == COMMAND and opened.get("delete"):
        commands.run(target.where, opened["delete"], opened, plain(outputs), log)
    if target.kind in UNSEEN:
        return
    api = target.api
    with explained(target.where):
        try:
            if target.kind == CONTAINER:
                containers.delete(api, resource_id, opened)
            else:
                remove = api.remove_network if target.kind == NETWORK else api.remove_volume
                _while_in_use(lambda: remove(resource_id))
        except OSError as error:
            if not is_missing(error):
                raise


def read(target: Target, resource_id: str, inputs: Props, outputs: Props) -> Props | None:
    """The resource's outputs as they are now, None when it is gone. Images and Commands are taken on trust."""
    if target.kind in UNSEEN:
        return outputs
    api = target.api
    with explained(target.where):
        try:
            return _read(target, api, resource_id, inputs)
        except OSError as error:
            if not is_missing(error):
                raise
            return None


def find_leftover(target: Target, inputs: Props, since: str) -> str | None:
    """The id of what an interrupted run made and could not record (this name, these labels, not older)."""
    if target.kind in UNSEEN:
        return None
    opened, api = plain(inputs), target.api
    with explained(target.where):
        if target.kind == NETWORK:
            found = [net for net in api.networks(names=[opened["name"]]) if net["Name"] == opened["name"]]
            facts = [(net["Id"], net.get("Labels") or {}, net["Created"]) for net in found]
        elif target.kind == VOLUME:
            volumes = api.volumes(filters={"name": opened["name"]})["Volumes"] or []
            found = [one for one in volumes if one["Name"] == opened["name"]]
            facts = [(one["Name"], one.get("Labels") or {}, one["CreatedAt"]) for one in found]
        else:
            listed = api.containers(all=True, filters={"name": f"^/{opened['name']}$"})
            details = [api.inspect_container(item["Id"]) for item in listed]
            facts = [(one["Id"], one["Config"]["Labels"] or {}, one["Created"]) for one in details]
    wanted = labels(opened).items()
    return next(
        (found for found, has, made in facts if wanted <= has.items() and _moment(made) >= _moment(since)), None
    )


def _moment(stamp: str) -> datetime:
    """An RFC 3339 time stamp, to the second (volumes are stamped no finer)."""
    return datetime.fromisoformat(stamp).replace(microsecond=0)


def _read(target: Target, api: Any, resource_id: str, inputs: Props) -> Props:
    """The outputs: what the engine says, in the program's own words where both mean the same."""
    opened = plain(inputs)
    if target.kind == NETWORK:
        found = _read_network(api.inspect_network(resource_id))
    elif target.kind == VOLUME:
        data = api.inspect_volume(resource_id)
        found = {"name": data["Name"], "driver": data["Driver"], "mountpoint": data["Mountpoint"]}
        found |= {"driverOpts": data.get("Options") or {}, "labels": _label_list(data.get("Labels"))}
    else:
        found = containers.read(api, resource_id, opened)
    same = {key for key in found.keys() & inputs.keys() if normal(found[key], key) == normal(opened[key], key)}
    given = {key: value for key, value in inputs.items() if key in same or key not in found}
    return {**found, **{key: value for key, value in given.items() if key != "__defaults"}}


def _read_network(data: Props) -> Props:
    pools = data["IPAM"].get("Config") or []
    fields = {"Subnet": "subnet", "Gateway": "gateway", "IPRange": "ipRange", "AuxiliaryAddresses": "auxAddress"}
    return {
        "name": data["Name"],
        "labels": _label_list(data["Labels"]),
        "driver": data["Driver"],
        "internal": data["Internal"],
        "attachable": data["Attachable"],
        "ingress": data["Ingress"],
        "ipv6": data["EnableIPv6"],
        "ipamDriver": data["IPAM"]["Driver"],
        "ipamOptions": data["IPAM"].get("Options") or {},
        "ipamConfigs": [{fields[key]: value for key, value in pool.items() if key in fields} for pool in pools],
        "options": data["Options"] or {},
        "scope": data["Scope"],
    }


def _label_list(mapping: dict[str, str] | None) -> list[Props]:
    return [{"label": label, "value": value} for label, value in sorted((mapping or {}).items())]


def _create_network(target: Target, api: Any, inputs: Props) -> str:
    if any(net["Name"] == inputs["name"] for net in api.networks(names=[inputs["name"]])):
        raise OfflineError(
            f"{target.where}: a network named {inputs['name']} exists that this stack did not make; remove it "
            f"(docker network rm {inputs['name']}) or choose another prefix"
        )
    names = {"subnet": "Subnet", "gateway": "Gateway", "ipRange": "IPRange", "auxAddress": "AuxiliaryAddresses"}
    pools = [{names[key]: value for key, value in pool.items()} for pool in inputs.get("ipamConfigs") or []]
    made = api.create_network(
        inputs["name"], driver=inputs.get("driver"), options=inputs.get("options"), labels=labels(inputs),
        ipam={"Driver": inputs["ipamDriver"], "Config": pools, "Options": inputs.get("ipamOptions") or {}},
        internal=bool(inputs.get("internal")), enable_ipv6=bool(inputs.get("ipv6")), check_duplicate=True,
        attachable=inputs.get("attachable"), ingress=inputs.get("ingress"),
    )  # fmt: skip
    return str(made["Id"])


def _create_volume(target: Target, api: Any, inputs: Props) -> str:
    """Make the volume, or take over one with the same labels (kept by retainOnDelete, or left by a kill)."""
    made = api.create_volume(
        inputs["name"], driver=inputs.get("driver"), driver_opts=inputs.get("driverOpts"), labels=labels(inputs)
    )
    if (made.get("Labels") or {}) != labels(inputs):
        raise OfflineError(
            f"{target.where}: a volume named {inputs['name']} exists that this stack did not make; remove it "
            f"(docker volume rm {inputs['name']}) or choose another prefix"
        )
    return str(made["Name"])


def _while_in_use(remove: Callable[[], None]) -> None:
    """Remove a network or volume; one that a container is just leaving is tried again for 30 s."""
    deadline = time.monotonic() + IN_USE_SECONDS
    while True:
        try:
            return remove()
        except OSError as error:
            if "active endpoints" not in str(error) and "in use" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def _image_outputs(inputs: Props, outputs: Props) -> Props:
    return {**outputs, "__inputs": secret(plain(inputs))}
