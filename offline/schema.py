"""What the providers know of their types: defaults, what replaces, and how old and new are compared.

Source: the schemas of terraform-provider-docker 4.5 (behind pulumi-docker 5.2) and pulumi-command 1.2.
Removing a value that the provider computes itself is never noticed, as there.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from offline.values import UNKNOWN, Props, Value, contains, plain

NETWORK = "docker:index/network:Network"
VOLUME = "docker:index/volume:Volume"
IMAGE = "docker:index/image:Image"
CONTAINER = "docker:index/container:Container"
COMMAND = "command:local:Command"
PROVIDER = "pulumi:providers:docker"
DOCKER_TYPES = (NETWORK, VOLUME, CONTAINER)

DEFAULTS: dict[str, Props] = {
    NETWORK: {"ipamDriver": "default"},
    CONTAINER: {
        "containerReadRefreshTimeoutMilliseconds": 15000,
        "mustRun": True,
        "networkMode": "bridge",
        "removeVolumes": True,
        "restart": "no",
        "start": True,
        "waitTimeout": 60,
    },
}
_HEALTH = dict.fromkeys(("interval", "startInterval", "startPeriod", "timeout"), "0s")
NESTED_DEFAULTS: dict[str, Props] = {
    "healthcheck": _HEALTH,
    "ports": {"ip": "0.0.0.0", "protocol": "tcp"},  # noqa: S104 (the provider's default, not a socket)
    "devices": {"permissions": "rwm"},
}
OUTPUT_EXTRAS: dict[str, Props] = {
    CONTAINER: {
        **dict.fromkeys(("attach", "logs", "readOnly", "rm", "stdinOpen", "tty", "wait"), False),
        "entrypoints": [],
        "securityOpts": [],
        "networkDatas": [],
        "memoryReservation": 0,
    },
}
UPDATED_IN_PLACE = frozenset(
    "attach containerReadRefreshTimeoutMilliseconds cpuPeriod cpuQuota cpuSet cpuShares destroyGraceSeconds "
    "healthcheck init logs maxRetryCount memory memoryReservation memorySwap mustRun removeVolumes restart rm "
    "start tmpfs wait waitTimeout".split()
)
COMPUTED = {
    NETWORK: frozenset("id driver options internal ipamConfigs scope".split()),
    VOLUME: frozenset("id name driver mountpoint".split()),
    CONTAINER: frozenset(
        "id bridge command containerLogs entrypoints envs exitCode healthcheck hostname init ipcMode labels logDriver "
        "networkDatas platform runtime securityOpts shmSize stopSignal stopTimeout user workingDir".split()
    ),
}
LISTS = frozenset(("command", "entrypoints", "tests"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One property that differs; `path` is its place from the top, `old`/`new` are None when absent."""

    path: list[str]
    old: Value
    new: Value
    replaces: bool


def with_defaults(kind: str, name: str, inputs: Props, old: Props) -> Props:
    """The inputs as the docker provider's check leaves them, `__defaults` naming what it added."""
    filled: Props = {}
    for key, nested in NESTED_DEFAULTS.items():
        if kind == CONTAINER and key in inputs:
            value = inputs[key]
            filled[key] = [_fill(item, nested) for item in value] if isinstance(value, list) else _fill(value, nested)
    defaults = {key: value for key, value in DEFAULTS.get(kind, {}).items() if key not in inputs}
    if "name" not in inputs:
        was_default = "name" in (old.get("__defaults") or [])
        defaults["name"] = old["name"] if was_default else _random_name(name)
    return {**inputs, **filled, **defaults, "__defaults": sorted(defaults)}


def _fill(value: Value, defaults: Props) -> Value:
    if not isinstance(value, dict):
        return value
    missing = {key: default for key, default in defaults.items() if key not in value}
    return {**value, **missing, "__defaults": sorted(missing)}


def _random_name(name: str) -> str:
    import secrets  # noqa: PLC0415 (only where the program gives no name)

    return f"{name}-{secrets.token_hex(4)[:7]}"


def normal(value: Value, key: str = "") -> Any:
    """The value as the docker provider compares it: empty ones are absent, sets have no order."""
    if isinstance(value, dict):
        items = {name: normal(item, name) for name, item in value.items() if name != "__defaults"}
        return {name: item for name, item in items.items() if item not in (None, "", {}, [], False, 0)}
    if isinstance(value, list):
        parts = [normal(item) for item in value]
        return parts if key in LISTS else sorted(parts, key=lambda part: json.dumps(part, sort_keys=True))
    return None if value in ("", False, 0) else value


def diff(kind: str, old: dict[str, Any], new: Props) -> list[Change]:
    """What the provider would change: outputs against inputs for docker types, else inputs against inputs."""
    if kind in DOCKER_TYPES:
        return _docker_diff(kind, plain(old.get("outputs") or {}), plain(new))
    changes = leaves([], plain(old.get("inputs") or {}), plain(new))
    return [change for change in changes if not change.path[0].startswith("__")]


def _docker_diff(kind: str, old: Props, new: Props) -> list[Change]:
    changes = []
    for key in sorted(old.keys() | new.keys()):
        if key.startswith("__") or (key not in new and key in COMPUTED[kind]):
            continue
        before, after = normal(old.get(key), key), normal(new.get(key), key)
        if before in ([], {}, None) and after in ([], {}, None):
            continue
        if contains(after, UNKNOWN) or before != after:
            parts = leaves([key], old.get(key), new.get(key)) or [
                Change(path=[key], old=old.get(key), new=new.get(key), replaces=False)
            ]
            in_place = kind == CONTAINER and (key in UPDATED_IN_PLACE or _only_inside_mounts(key, before, after))
            changes += [Change(path=part.path, old=part.old, new=part.new, replaces=not in_place) for part in parts]
    return changes


def _only_inside_mounts(key: str, before: Any, after: Any) -> bool:
    """Whether mounts differ in content alone: then the provider updates, and changes nothing."""
    return key == "mounts" and len(before or []) == len(after or [])


def leaves(path: list[str], old: Value, new: Value) -> list[Change]:
    """The innermost differences of two values; `triggers` of a Command replace."""
    if old == new and not contains(new, UNKNOWN):
        return []
    if isinstance(old, dict) and isinstance(new, dict):
        keys = sorted((old.keys() | new.keys()) - {"__defaults"})
        return [change for key in keys for change in leaves([*path, key], old.get(key), new.get(key))]
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        pairs = enumerate(zip(old, new, strict=True))
        return [change for index, (a, b) in pairs for change in leaves([*path, str(index)], a, b)]
    return [Change(path=path, old=old, new=new, replaces=path[:1] == ["triggers"])]
