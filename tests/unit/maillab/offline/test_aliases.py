"""The URNs that aliases stand for."""

from __future__ import annotations

from typing import Any

import pytest
from pulumi.runtime.proto import alias_pb2, resource_pb2

from maillab.offline.aliases import former_urns

PARENT = "urn:pulumi:lab::maillab::maillab:lab:Lab$maillab:mail:MailServer::mail"
URN = "urn:pulumi:lab::maillab::maillab:lab:Lab$maillab:mail:MailServer$x:y:Z::mail-spool"
CHAIN = "maillab:lab:Lab$maillab:mail:MailServer"


def former(*specs: dict[str, Any], inherited: tuple[str, ...] = (), urns: tuple[str, ...] = ()) -> list[str]:
    aliases = [alias_pb2.Alias(spec=alias_pb2.Alias.Spec(**spec)) for spec in specs]
    request = resource_pb2.RegisterResourceRequest(type="x:y:Z", name="mail-spool", parent=PARENT, aliasURNs=urns)
    request.aliases.extend(aliases)
    return former_urns(request, URN, inherited)


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        pytest.param({"type": "x:y:W"}, f"lab::maillab::{CHAIN}$x:y:W::mail-spool", id="type"),
        pytest.param({"name": "queue"}, f"lab::maillab::{CHAIN}$x:y:Z::queue", id="name"),
        pytest.param({"stack": "two"}, f"two::maillab::{CHAIN}$x:y:Z::mail-spool", id="stack"),
        pytest.param({"project": "post"}, f"lab::post::{CHAIN}$x:y:Z::mail-spool", id="project"),
        pytest.param({"noParent": True}, "lab::maillab::x:y:Z::mail-spool", id="no parent"),
        pytest.param(
            {"parentUrn": "urn:pulumi:lab::maillab::pulumi:pulumi:Stack::maillab-lab"},
            "lab::maillab::x:y:Z::mail-spool",
            id="the stack as parent",
        ),
        pytest.param(
            {"parentUrn": "urn:pulumi:lab::maillab::a:b:C::post"},
            "lab::maillab::a:b:C$x:y:Z::mail-spool",
            id="another parent",
        ),
    ],
)
def test_each_part_of_a_specification(spec: dict[str, Any], expected: str) -> None:
    assert former(spec) == [f"urn:pulumi:{expected}"]


def test_children_inherit_what_their_parent_was_called() -> None:
    before = "urn:pulumi:lab::maillab::maillab:lab:Lab$maillab:dns:DnsServer::dns"
    assert former(inherited=(before,)) == [
        "urn:pulumi:lab::maillab::maillab:lab:Lab$maillab:dns:DnsServer$x:y:Z::dns-spool"
    ]


def test_own_aliases_hold_below_each_former_parent() -> None:
    before = "urn:pulumi:lab::maillab::a:b:C::dns"
    assert former({"name": "queue"}, inherited=(before,)) == [
        f"urn:pulumi:lab::maillab::{CHAIN}$x:y:Z::queue",
        "urn:pulumi:lab::maillab::a:b:C$x:y:Z::queue",
        "urn:pulumi:lab::maillab::a:b:C$x:y:Z::dns-spool",
    ]


def test_whole_urns_are_taken_as_they_are_and_the_own_one_is_none() -> None:
    assert former({"type": "x:y:Z"}, urns=("urn:pulumi:a::b::c:d:E::f", URN)) == ["urn:pulumi:a::b::c:d:E::f"]
