"""What the providers know of their types: defaults, what replaces, and how old and new are compared.

Source: the schemas of terraform-provider-docker 4.5 (behind pulumi-docker 5.2) and pulumi-command 1.2.
Removing a value that the provider computes itself is never noticed, as there.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass

from maillab.offline.values import UNKNOWN, Props, Value, contains, plain, words

NETWORK = "docker:index/network:Network"
VOLUME = "docker:index/volume:Volume"
IMAGE = "docker:index/image:Image"
CONTAINER = "docker:index/container:Container"
COMMAND = "command:local:Command"
PROVIDER = "pulumi:providers:docker"
DOCKER_TYPES = (NETWORK, VOLUME, CONTAINER)

DEFAULTS: dict[str, Props] = {
    NETWORK: {"ipamDriver": "default"},
    VOLUME: {},
    CONTAINER: {
        "containerReadRefreshTimeoutMilliseconds": 15000, "mustRun": True, "networkMode": "bridge",
        "removeVolumes": True, "restart": "no", "start": True, "waitTimeout": 60,
    },
}  # fmt: skip
NESTED_DEFAULTS: dict[str, Props] = {
    "healthcheck": {"interval": "0s", "startInterval": "0s", "startPeriod": "0s", "timeout": "0s"},
    "ports": {"ip": "0.0.0.0", "protocol": "tcp"},
}
OUTPUT_EXTRAS: Props = {
    **dict.fromkeys(("attach", "logs", "readOnly", "rm", "stdinOpen", "tty", "wait"), False),
    **dict.fromkeys(("command", "entrypoints", "envs", "labels", "networkDatas", "securityOpts"), ()),
    "memoryReservation": 0,
}
"""What a Container's outputs have beside its inputs."""
IN_PLACE = words(
    "attach containerReadRefreshTimeoutMilliseconds cpuPeriod cpuQuota cpuSet cpuShares destroyGraceSeconds "
    "healthcheck init logs maxRetryCount memory memoryReservation memorySwap mustRun removeVolumes restart rm "
    "start tmpfs wait waitTimeout"
)
"""What a Container updates without being replaced (some of it the provider only records: PULUMI.md)."""
COMPUTED = {
    NETWORK: words("id driver options internal ipamConfigs scope"),
    VOLUME: words("id name driver mountpoint"),
    CONTAINER: words(
        "id bridge command containerLogs entrypoints envs exitCode healthcheck hostname init ipcMode labels logDriver "
        "networkDatas platform runtime securityOpts shmSize stopSignal stopTimeout user workingDir"
    ),
}
ORDERED = words("command entrypoints tests")
"""Lists whose order matters; the others are sets to the provider."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One property that differs; `path` is its place from the top, `old`/`new` are None when absent."""

    path: list[str]
    old: Value
    new: Value
    replaces: bool = False


def with_defaults(kind: str, name: str, inputs: Props, old: Props) -> Props:
    """The inputs as the docker provider's check leaves them, `__defaults` naming what it added."""
    filled = dict(inputs)
    for key, nested in NESTED_DEFAULTS.items() if kind == CONTAINER else ():
        value = inputs.get(key)
        if isinstance(value, list):
            filled[key] = [_filled(item, nested) for item in value]
        elif isinstance(value, dict):
            filled[key] = _filled(value, nested)
    named = old.get("name") if "name" in (old.get("__defaults") or []) else f"{name}-{secrets.token_hex(4)[:7]}"
    return _filled(filled, {**DEFAULTS[kind], "name": named})


def _filled(value: Props, defaults: Props) -> Props:
    missing = {key: default for key, default in defaults.items() if key not in value}
    return {**value, **missing, "__defaults": sorted(missing)}


def normal(value: Value, key: str = "") -> Value:
    """The value as the docker provider compares it: empty ones are absent, sets have no order."""
    if isinstance(value, dict):
        items = {name: normal(item, name) for name, item in value.items() if name != "__defaults"}
        return {name: item for name, item in items.items() if item is not None} or None
    if isinstance(value, list | tuple):
        parts = [normal(item) for item in value]
        return (parts if key in ORDERED else sorted(parts, key=lambda part: json.dumps(part, sort_keys=True))) or None
    return None if value in ("", False, 0) else value


def diff(kind: str, old: Props, new: Props) -> list[Change]:
    """What the provider would change: outputs against inputs for docker types, else inputs against inputs."""
    if kind in DOCKER_TYPES:
        return _docker_diff(kind, plain(old["outputs"]), plain(new))
    return differences([], plain(old["inputs"]), plain(new))


def _docker_diff(kind: str, old: Props, new: Props) -> list[Change]:
    changes = []
    if not any("external" in port for port in new.get("ports") or ()):  # then the engine has chosen them
        old = {**old, "ports": [{**port, "external": None} for port in old.get("ports") or ()]}
    for key in sorted(old.keys() | new.keys()):
        before, after = normal(old.get(key), key), normal(new.get(key), key)
        unseen = key.startswith("__") or (key not in new and key in COMPUTED[kind])
        if unseen or (before == after and not contains(after, UNKNOWN)):
            continue
        # Mounts that differ in their content alone are updated, which changes nothing.
        same_mounts = key == "mounts" and len(before or ()) == len(after or ())
        replaces = kind != CONTAINER or not (key in IN_PLACE or same_mounts)
        parts = differences([key], old.get(key), new.get(key)) or [Change(path=[key], old=before, new=after)]
        changes += [Change(path=part.path, old=part.old, new=part.new, replaces=replaces) for part in parts]
    return changes


def differences(path: list[str], old: Value, new: Value) -> list[Change]:
    """The innermost differences of two values; `triggers` of a Command replace."""
    if old == new and not contains(new, UNKNOWN):
        return []
    if isinstance(old, dict) and isinstance(new, dict):
        keys = sorted(key for key in old.keys() | new.keys() if not key.startswith("__"))
        return [change for key in keys for change in differences([*path, key], old.get(key), new.get(key))]
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        pairs = enumerate(zip(old, new, strict=True))
        return [change for index, (a, b) in pairs for change in differences([*path, str(index)], a, b)]
    return [Change(path=path, old=old, new=new, replaces=path[:1] == ["triggers"])]
