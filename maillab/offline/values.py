"""Property values: plain JSON, secrets and unknowns, and their way to and from protobuf and state."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

SIGNATURE = "4dabf18193072939515e22adb298388d"
SECRET = "1b47061264138c4ac30d75fd1eb44270"
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
MASK = "[secret]"
SECRET_LINE = 8
"""From this length on a line of a secret file is hidden by itself; shorter ones stand in other files too."""
EMPTY: tuple[Any, ...] = (None, "", False, [], {}, "[]")
"""Values that say nothing; of a provider, lists come as JSON text."""

Value = Any
"""A JSON value; a secret is `{SIGNATURE: SECRET, "value": …}`, an unknown is the text `UNKNOWN`."""
Props = dict[str, Any]
Message = Any
"""A protobuf message of the Pulumi SDK (it comes without types)."""


class OfflineError(Exception):
    """A problem a person can act on: the text says what, where and what to do."""


def words(text: str) -> frozenset[str]:
    """A table of names, written as one text."""
    return frozenset(text.split())


def from_protobuf(value: Message) -> Value:
    """The plain value of a `google.protobuf` Struct, ListValue or Value; whole numbers become int."""
    kind = value.DESCRIPTOR.name
    if kind == "Struct":
        return {key: from_protobuf(item) for key, item in value.fields.items()}
    if kind == "ListValue":
        return [from_protobuf(item) for item in value.values]
    field = value.WhichOneof("kind")
    inner = None if field in (None, "null_value") else getattr(value, field)
    if field in ("struct_value", "list_value"):
        return from_protobuf(inner)
    return int(inner) if isinstance(inner, float) and inner.is_integer() else inner


def is_secret(value: Value) -> bool:
    """Whether this very value is a secret."""
    return isinstance(value, dict) and value.get(SIGNATURE) == SECRET


def secret(value: Value) -> Value:
    """The value as a secret; a secret stays as it is."""
    return value if is_secret(value) else {SIGNATURE: SECRET, "value": value}


def _rewrite(value: Value, at_secret: Callable[[Props], Value]) -> Value:
    if is_secret(value):
        return at_secret(value)
    if isinstance(value, dict):
        return {key: _rewrite(item, at_secret) for key, item in value.items()}
    return [_rewrite(item, at_secret) for item in value] if isinstance(value, list) else value


def plain(value: Value) -> Value:
    """The value with every secret opened."""
    return _rewrite(value, lambda found: plain(found["value"]))


def public(value: Value) -> Value:
    """The value with `[secret]` for every secret."""
    return _rewrite(value, lambda _: MASK)


def to_state(value: Value, seal: Callable[[str], str] | None = None) -> Value:
    """The value as a deployment holds it: a secret's content as JSON text under `plaintext`.

    With `seal`, which encrypts a text, it is under `ciphertext`.
    """

    def closed(found: Props) -> Value:
        text = json.dumps(found["value"], ensure_ascii=False, sort_keys=True)
        return {SIGNATURE: SECRET, **({"ciphertext": seal(text)} if seal else {"plaintext": text})}

    return _rewrite(value, closed)


def from_state(value: Value, unseal: Callable[[str], str] | None = None) -> Value:
    """The inverse of `to_state`. Raises OfflineError for a secret that is encrypted, without `unseal`."""

    def opened(found: Props) -> Value:
        if "plaintext" not in found and "ciphertext" in found and unseal:
            return secret(json.loads(unseal(found["ciphertext"])))
        if "plaintext" not in found:
            raise OfflineError("the deployment has encrypted secrets; export it with --show-secrets")
        return secret(json.loads(found["plaintext"]))

    return _rewrite(value, opened)


def leaves(value: Value) -> list[Value]:
    """Every value in the value that is neither an object nor a list; a secret's marks are among them."""
    if isinstance(value, dict):
        return [leaf for item in value.values() for leaf in leaves(item)]
    return [leaf for item in value for leaf in leaves(item)] if isinstance(value, list) else [value]


def contains(value: Value, what: str) -> bool:
    """Whether a secret (`SECRET`) or an unknown (`UNKNOWN`) is anywhere in the value."""
    return what in leaves(value)


def secret_texts(value: Value) -> set[str]:
    """Every text in the value's secrets, to be hidden wherever it would be shown; of a file its lines too."""
    if is_secret(value):
        texts = [text for text in leaves(plain(value)) if isinstance(text, str) and text != UNKNOWN]
        lines = [line.strip() for text in texts for line in text.splitlines() if not line.startswith("#")]
        return {text for text in texts if len(text) > 2} | {line for line in lines if len(line) >= SECRET_LINE}
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return {text for item in items for text in secret_texts(item)}


def given(inputs: Props) -> set[str]:
    """The names of the inputs that say something: an empty one means the same as none."""
    return {key for key, value in inputs.items() if not key.startswith("__") and plain(value) not in EMPTY}


def without_nulls(value: Value) -> Value:
    """The value without the keys that have no value: to a provider they are not there."""
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value


_SEGMENT = re.compile(r'\["((?:[^"\\]|\\.)*)"\]|\[(\*|\d+)\]|([^.\[\]]+)')


def parse_path(path: str) -> list[str]:
    """The segments of a property path such as `environment["/etc/hosts"]`, `ports[0].ip`, `triggers[*]`."""
    return [quoted or index or name for quoted, index, name in _SEGMENT.findall(path)]


def matches(pattern: str, path: list[str]) -> bool:
    """Whether the pattern names the path, one of its parents or what is below it (`*` is any one segment)."""
    return all(want in ("*", have) for want, have in zip(parse_path(pattern), path, strict=False))
