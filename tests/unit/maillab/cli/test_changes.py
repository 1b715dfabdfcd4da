"""What a run did, from the state before and after it."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from maillab.cli.changes import Changes, compare, resources_of
from maillab.cli.stack import SECRET, Engine, Stack
from maillab.offline import project
from tests.unit.maillab.cli.conftest import save_state

HEAD = "urn:pulumi:lab::maillab::"
CONTAINER, COMMAND = "docker:index/container:Container", "command:local:Command"
Entry = dict[str, object]


def entry(kind: str, name: str, made: str = "1", **inputs: object) -> dict[str, Entry]:
    urn = f"{HEAD}{kind}::{name}"
    return {urn: {"urn": urn, "type": kind, "custom": True, "id": made, "inputs": inputs}}


def config(machine: str, **files: object) -> dict[str, Entry]:
    environment = {"CONTAINER": "1", **{f"/etc/{name}": value for name, value in files.items()}}
    return entry(COMMAND, f"{machine}-config", environment=environment)


def closed(text: str, nonce: bytes) -> Entry:
    """A secret as Pulumi's state has it."""
    data = AESGCM(b"k" * 32).encrypt(nonce, f'"{text}"'.encode(), None)
    return {SECRET: "1b47061264138c4ac30d75fd1eb44270", "ciphertext": f"v1:{_b(nonce)}:{_b(data)}"}


def _b(data: bytes) -> str:
    return base64.b64encode(data).decode()


def test_nothing_changed() -> None:
    both = entry(CONTAINER, "mail", image="a") | config("mail", aliases="a: b")
    assert compare(both, dict(both)) == Changes()


@pytest.mark.parametrize(
    ("before", "after", "op"),
    [
        ({}, entry(CONTAINER, "mail"), "create"),
        (entry(CONTAINER, "mail"), {}, "delete"),
        (entry(CONTAINER, "mail"), entry(CONTAINER, "mail", "2"), "replace"),
        (entry(CONTAINER, "mail", memory=1), entry(CONTAINER, "mail", memory=2), "update"),
        (entry(CONTAINER, "mail", labels=[1]), entry(CONTAINER, "mail", labels=[1, 2]), "update"),
    ],
)
def test_what_became_of_a_thing(before: dict[str, Entry], after: dict[str, Entry], op: str) -> None:
    changes = compare(before, after)
    assert (changes.resources, changes.things) == ({op: 1}, {op: ["container mail"]})


def test_files_that_a_machine_got() -> None:
    before = config("mail", aliases="a: b", hosts="1", gone="x")
    changes = compare(before, config("mail", aliases="a: c", hosts="1", new="y"))
    assert changes.files == {"mail": ["/etc/aliases", "/etc/gone", "/etc/new"]}
    assert changes.things == {}


def test_a_long_file_is_one_file() -> None:
    before = config("mail", **{"aliases#": "first\nab", "aliases#first": "a", "aliases#ab": "b"})
    after = config("mail", **{"aliases#": "first\ncd", "aliases#first": "a", "aliases#cd": "c"})
    assert compare(before, after).files == {"mail": ["/etc/aliases"]}


def test_a_new_container_has_no_files_that_changed() -> None:
    """All of a new machine's files are new, which says nothing."""
    assert compare({}, config("mail", aliases="a")).files == {}
    other = entry(COMMAND, "mail-config", environment={"CONTAINER": "2", "/etc/aliases": "a"})
    changes = compare(config("mail", aliases="a"), other)
    assert (changes.files, changes.resources) == ({}, {"update": 1})


def test_a_secret_that_pulumi_encrypted_again_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(project, "_cipher", lambda _: AESGCM(b"k" * 32))
    before, again, other = (
        config("mail", users=closed(text, nonce))
        for text, nonce in (("a", b"1" * 12), ("a", b"2" * 12), ("b", b"3" * 12))
    )
    assert compare(before, again, "salt") == Changes()
    assert compare(before, other, "salt").files == {"mail": ["/etc/users"]}


def test_a_secret_that_can_not_be_opened_is_taken_for_the_same() -> None:
    before, after = (config("mail", users=closed("a", nonce)) for nonce in (b"1" * 12, b"2" * 12))
    assert compare(before, after) == Changes()


def test_what_the_states_have(stack: Stack) -> None:
    save_state(stack, Engine.PULUMI, {})
    assert [one["type"] for one in resources_of(stack).values()] == [CONTAINER]


def test_a_damaged_state_has_nothing(stack: Stack) -> None:
    path = stack.state_file(Engine.OFFLINE)
    path.parent.mkdir(parents=True)
    path.write_text("{", "utf-8")
    assert resources_of(stack) == {}
