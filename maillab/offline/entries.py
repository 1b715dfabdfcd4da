"""Entries of a state: what one says about other resources, by their URNs."""

from __future__ import annotations

from typing import Any

Entry = dict[str, Any]
"""A resource as the deployment holds it (`urn`, `type`, `id`, `inputs`, `outputs`, `dependencies` …)."""
REFERENCES = frozenset(("urn", "parent", "dependencies", "propertyDependencies", "deletedWith"))
"""The fields of an entry that hold URNs."""


def is_default_provider(urn: str) -> bool:
    """Whether the real engine made the provider by itself."""
    return "::pulumi:providers:" in urn and urn.rpartition("::")[2].startswith("default")


def without(entry: Entry, urn: str) -> Entry:
    """The entry without its references to the resource `urn`."""
    by_key: dict[str, list[str]] = entry.get("propertyDependencies") or {}
    left = {key: value for key, value in entry.items() if (key, value) != ("deletedWith", urn)}
    if urn in (entry.get("dependencies") or []):
        left["dependencies"] = [other for other in entry["dependencies"] if other != urn]
        left["propertyDependencies"] = {key: [one for one in urns if one != urn] for key, urns in by_key.items()}
    return left


def renamed(entry: Entry, before: str, now: str) -> Entry:
    """The entry with `now` wherever it says the URN `before`; itself when it does not say it."""

    def name(value: Any) -> Any:  # noqa: ANN401 (a text, a list of them, or lists by key)
        if isinstance(value, dict):
            return {key: name(item) for key, item in value.items()}
        return [name(item) for item in value] if isinstance(value, list) else now if value == before else value

    new = {key: name(entry[key]) for key in REFERENCES & entry.keys()}
    provider, _, made = entry.get("provider", "").rpartition("::")
    if provider == before:
        new["provider"] = f"{now}::{made}"
    return {**entry, **new} if any(entry[key] != value for key, value in new.items()) else entry
