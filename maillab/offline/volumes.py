"""Docker volumes: creating, reading, and whose one is that is there."""

from __future__ import annotations

from collections.abc import Collection

from maillab.offline.docker_engine import Api, foreign, label_list, labels
from maillab.offline.values import OfflineError, Props, words

SUPPORTED = words("driver driverOpts labels name")


def create(api: Api, inputs: Props, kept: Collection[str]) -> str:
    """Make the volume, or take over one that this stack left (kept by retainOnDelete, or left by a kill)."""
    options = inputs.get("driverOpts")
    name = str(inputs["name"])
    api.create_volume(name, driver=inputs.get("driver"), driver_opts=options, labels=labels(inputs))
    # Asked for: of a volume that was there, an engine that was started since answers without the labels.
    found = api.inspect_volume(name).get("Labels") or {}
    if not is_left_by(found, labels(inputs)) and found != labels(inputs) and (found or name not in kept):
        raise OfflineError(foreign("volume", name, found))
    return name


def is_left_by(found: dict[str, str], wanted: dict[str, str]) -> bool:
    """Whether a volume's labels are the stack's own; an older program may have given it fewer, but not none."""
    return bool(found) and found.items() <= wanted.items()


def read(api: Api, resource_id: str) -> Props:
    """What the engine says of it, as outputs."""
    data = api.inspect_volume(resource_id)
    found = {"name": data["Name"], "driver": data["Driver"], "mountpoint": data["Mountpoint"]}
    return {**found, "driverOpts": data.get("Options") or {}, "labels": label_list(data.get("Labels"))}
