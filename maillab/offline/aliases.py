"""Aliases: the URNs that a resource may have had before, as Pulumi's engine derives them.

Source: `generateAliases` and `inheritedChildAlias` in pulumi/pkg/resource/deploy/step_generator.go.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from maillab.offline.values import Message

STACK = "pulumi:pulumi:Stack"


def urn_of(stack: str, project: str, parent: str, kind: str, name: str) -> str:
    """The URN of a resource; `parent` is its parent's URN, empty for none."""
    parents = parent.split("::")[2] if parent else STACK
    chain = "" if parents == STACK else f"{parents}$"
    return f"urn:pulumi:{stack}::{project}::{chain}{kind}::{name}"


def former_urns(request: Message, urn: str, of_parent: Iterable[str]) -> list[str]:
    """Every URN that the resource of a RegisterResource request may have in the state, the program's own wishes first.

    `of_parent`: those of its parent, which its children inherit.
    """
    stack, project = urn.removeprefix("urn:pulumi:").split("::")[:2]
    inherited = list(of_parent)
    found: list[str] = [*request.aliasURNs]
    for alias in request.aliases:
        if alias.WhichOneof("alias") == "urn":
            found.append(alias.urn)
            continue
        spec = alias.spec
        for parent, name in _places(request, spec, inherited):
            kind = spec.type or request.type
            found.append(urn_of(spec.stack or stack, spec.project or project, parent, kind, name))
    found += [
        urn_of(stack, project, parent, request.type, _inherited_name(request.name, request.parent, parent))
        for parent in inherited
    ]
    return [one for one in dict.fromkeys(found) if one != urn]


def _places(request: Message, spec: Message, inherited: list[str]) -> list[tuple[str, str]]:
    """(parent, name) of an alias: with the parent that it names, or below each URN of the resource's own parent."""
    if spec.noParent:
        return [("", spec.name or request.name)]
    if spec.parentUrn:
        return [(spec.parentUrn, spec.name or request.name)]
    return [
        (parent, spec.name or _inherited_name(request.name, request.parent, parent))
        for parent in [request.parent, *inherited]
    ]


def _inherited_name(name: str, parent: str, former_parent: str) -> str:
    """A child that is called after its parent was called after that one's former name."""
    now, before = (urn.rpartition("::")[2] for urn in (parent, former_parent))
    return before + name.removeprefix(now) if now and name.startswith(now) else name
