"""What a project's folder knows of its labs by its states: what it made, began, lent and left on a Docker engine."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any

# As components/config/folder.py has it: nothing here knows the lab.
STATE = Path(".pulumi-state")
KINDS = {
    "container": ("ps", "--all", "--no-trunc"),
    "network": ("network", "ls", "--no-trunc"),
    "volume": ("volume", "ls"),
}
TYPES = {f"docker:index/{kind}:{kind.title()}": kind for kind in KINDS}
# In STATE, for each stack the names of the volumes that its removal left; the offline engine reads it too.
KEPT = "kept-mail"
LEASE = re.compile(r"::subnet-(\d+)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """A container, network or volume on the engine; a volume's id is its name, `owner` and `label` may be empty."""

    kind: str
    id: str
    name: str
    owner: str
    label: str
    subnets: tuple[IPv4Network | IPv6Network, ...] = ()

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the folder's states say: (kind, id) of what the stack made, (kind, name) of what it began.

    `others`: (kind, id) of what other stacks of the folder made. `lent`: the stack's subnets by the numbers of their
    leases (components/resources/networks.py). `kept`: names of the volumes that a removal of the stack left.
    """

    made: frozenset[tuple[str, str]] = frozenset()
    begun: frozenset[tuple[str, str]] = frozenset()
    others: frozenset[tuple[str, str]] = frozenset()
    lent: frozenset[tuple[int, IPv4Network | IPv6Network]] = frozenset()
    kept: frozenset[str] = frozenset()

    def has(self, thing: Thing) -> bool:
        """Whether the stack made it, or its removal left it."""
        return (thing.kind, thing.id) in self.made or (thing.kind == "volume" and thing.name in self.kept)


def known_of(root: Path, stack: str) -> Known:
    """What both engines' states in the project's folder `root` say; a state that can't be read says nothing."""
    made, begun, others, lent = set(), set(), set(), set()
    for name, state in _states(root / STATE):
        found = {(kind, str(one["id"])) for kind, one in _docker_types(state.get("resources")) if one.get("id")}
        if name != stack:
            others |= found
            continue
        made |= found
        lent |= set(_lent(state.get("resources")))
        operations = [operation["resource"] for operation in state.get("pending_operations") or []]
        begun |= {(kind, str((one.get("inputs") or {}).get("name", ""))) for kind, one in _docker_types(operations)}
    return Known(
        made=frozenset(made),
        begun=frozenset(begun),
        others=frozenset(others),
        lent=frozenset(lent),
        kept=_kept(root, stack),
    )


def note_kept(root: Path, stack: str, names: Iterable[str]) -> None:
    """Note which volumes a removal of the stack leaves: one without labels is known by nothing else afterwards."""
    path = root / STATE / KEPT / stack
    if text := "".join(f"{name}\n" for name in names):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    else:
        path.unlink(missing_ok=True)


def _kept(root: Path, stack: str) -> frozenset[str]:
    try:
        return frozenset((root / STATE / KEPT / stack).read_text("utf-8").split())
    except (OSError, ValueError):
        return frozenset()


def _docker_types(entries: list[dict[str, Any]] | None) -> Iterator[tuple[str, dict[str, Any]]]:
    return ((TYPES[one["type"]], one) for one in entries or [] if one.get("type") in TYPES)


def _lent(entries: list[dict[str, Any]] | None) -> Iterator[tuple[int, IPv4Network | IPv6Network]]:
    """The leases of subnets in a state."""
    for entry in entries or []:
        subnet = (entry.get("outputs") or {}).get("stdout")
        if (found := LEASE.search(entry.get("urn", ""))) and subnet:
            yield int(found[1]), ip_network(subnet)


def _states(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each stack's name and state, of both engines."""
    for path in [*(folder / "offline").glob("*.json"), *(folder / ".pulumi" / "stacks").glob("*/*.json")]:
        try:
            state = json.loads(path.read_text("utf-8"))
            yield path.stem, (state.get("checkpoint") or {}).get("latest") or state.get("deployment") or {}
        except (OSError, ValueError, AttributeError):
            continue
