"""Property values: plain JSON values, secrets and unknowns, and their way to and from protobuf and state."""

from __future__ import annotations

import json
import re
from typing import Any

SIGNATURE = "4dabf18193072939515e22adb298388d"
SECRET = "1b47061264138c4ac30d75fd1eb44270"
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
MASK = "[secret]"

Value = Any
"""A JSON value; a secret is `{SIGNATURE: SECRET, "value": …}`, an unknown is the text `UNKNOWN`."""
Props = dict[str, Any]


class OfflineError(Exception):
    """A problem a person can act on: the text says what, where and what to do."""


def from_protobuf(value: Any) -> Value:
    """The plain value of a `google.protobuf` Struct, ListValue or Value; whole numbers become int."""
    if hasattr(value, "fields"):
        return {key: from_protobuf(item) for key, item in value.fields.items()}
    if value.DESCRIPTOR.name == "ListValue":
        return [from_protobuf(item) for item in value.values]
    kind = value.WhichOneof("kind")
    if kind in (None, "null_value"):
        return None
    inner = getattr(value, kind)
    if kind == "number_value":
        return int(inner) if inner.is_integer() else inner
    return from_protobuf(inner) if kind in ("struct_value", "list_value") else inner


def is_secret(value: Value) -> bool:
    """Whether this very value is a secret."""
    return isinstance(value, dict) and value.get(SIGNATURE) == SECRET


def secret(value: Value) -> Value:
    """The value as a secret; a secret stays as it is."""
    return value if is_secret(value) else {SIGNATURE: SECRET, "value": value}


def plain(value: Value) -> Value:
    """The value with every secret opened."""
    if is_secret(value):
        return plain(value["value"])
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


def contains(value: Value, what: str) -> bool:
    """Whether a secret (`SECRET`) or an unknown (`UNKNOWN`) is anywhere in the value."""
    if isinstance(value, dict):
        return any(contains(item, what) for item in value.values())
    return any(contains(item, what) for item in value) if isinstance(value, list) else value == what


def without_nulls(value: Value) -> Value:
    """The value without the keys that have no value: to a provider they are not there."""
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value


def to_state(value: Value) -> Value:
    """The value as a deployment holds it: a secret's content as JSON text under `plaintext`."""
    if is_secret(value):
        return {SIGNATURE: SECRET, "plaintext": json.dumps(value["value"], ensure_ascii=False)}
    if isinstance(value, dict):
        return {key: to_state(item) for key, item in value.items()}
    return [to_state(item) for item in value] if isinstance(value, list) else value


def from_state(value: Value) -> Value:
    """The inverse of `to_state`. Raises OfflineError for a secret that is still encrypted."""
    if is_secret(value):
        if "plaintext" not in value:
            raise OfflineError("the deployment has encrypted secrets; export it with --show-secrets")
        return secret(json.loads(value["plaintext"]))
    if isinstance(value, dict):
        return {key: from_state(item) for key, item in value.items()}
    return [from_state(item) for item in value] if isinstance(value, list) else value


def secret_texts(value: Value, *, inside: bool = False) -> set[str]:
    """Every text in the value's secrets, to be masked wherever it would be shown."""
    if isinstance(value, str):
        return {value} if inside and len(value) > 2 and value != UNKNOWN else set()
    if is_secret(value):
        return secret_texts(value["value"], inside=True)
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return {text for item in items for text in secret_texts(item, inside=inside)}


_SEGMENT = re.compile(r'\["((?:[^"\\]|\\.)*)"\]|\[(\*|\d+)\]|([^.\[\]]+)')


def parse_path(path: str) -> list[str]:
    """The segments of a property path such as `environment["/etc/hosts"]`, `ports[0].ip`, `triggers[*]`."""
    return [quoted or index or name for quoted, index, name in _SEGMENT.findall(path)]


def matches(pattern: str, path: list[str]) -> bool:
    """Whether the pattern names the path or one of its parents (`*` stands for any one segment)."""
    wanted = parse_path(pattern)
    return all(want in ("*", have) for want, have in zip(wanted, path, strict=False)) and bool(path)
