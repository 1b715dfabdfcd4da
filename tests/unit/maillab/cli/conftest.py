"""Stacks in a folder of their own, and their states."""

import fcntl
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from maillab.cli.stack import Engine, Stack
from maillab.cli.where import GUARD, PROVIDER

CONTAINER = {"urn": "urn:pulumi:lab::maillab::docker:index/container:Container::mail", "custom": True}


@pytest.fixture(autouse=True)
def about_no_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test begins without a stack that the texts are about."""
    monkeypatch.setattr("maillab.cli.text._stack", "<stack>")


@pytest.fixture(autouse=True)
def no_history_of_the_project(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What a test does with the project's own stacks is noted elsewhere."""
    monkeypatch.setattr("maillab.cli.history.FOLDER", tmp_path / "history")


@contextmanager
def other_run(stack: Stack) -> Iterator[None]:
    """A run of the offline engine works on the stack meanwhile."""
    path = stack.state_file(Engine.OFFLINE).with_suffix(".lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    """A stack without a state."""
    return Stack(name="lab", root=tmp_path)


def image(name: str) -> dict[str, object]:
    """An image in a state."""
    kind = "docker:index/image:Image"
    urn = f"urn:pulumi:lab::maillab::{kind}::{name}"
    return {"urn": urn, "type": kind, "custom": True, "inputs": {"imageName": name}}


def save_state(
    stack: Stack,
    engine: Engine,
    outputs: dict[str, object],
    *,
    made: bool = True,
    more: Sequence[Mapping[str, object]] = (),
) -> None:
    """Write a state as `engine` does: a stack with `outputs` and, if `made`, a container and `more` resources."""
    urn = "urn:pulumi:lab::maillab::pulumi:pulumi:Stack::maillab-lab"
    root = {"urn": urn, "custom": False, "type": "pulumi:pulumi:Stack", "outputs": outputs}
    resources = [root, *([CONTAINER | {"type": "docker:index/container:Container"}, *more] if made else [])]
    deployment = {"resources": resources}
    wrapped: dict[str, object] = {"version": 3, "deployment": deployment}
    if engine is Engine.PULUMI:
        wrapped = {"version": 3, "checkpoint": {"stack": stack.name, "latest": deployment}}
    path = stack.state_file(engine)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(wrapped), "utf-8")


# What the Commands of a virtual machine get (components/resources/place.py).
TOLD = {
    "NAME": "lab", "BASE": "base", "CPUS": "2", "MEMORY": "1024", "DISK": "8", "SSH_PORT": "0", "ACCELERATOR": "tcg",
}  # fmt: skip


def configure(stack: Stack, place: str, **more: str) -> None:
    """Write the stack's file: `maillab:where`, and `more` settings of maillab."""
    settings = {f"maillab:{key}": value for key, value in ({"where": place} | more).items()}
    (stack.root / f"Pulumi.{stack.name}.yaml").write_text(json.dumps({"config": settings}), "utf-8")


def save_old_lab(stack: Stack, host: str) -> None:
    """Write the state of a lab from before there was a guard, on the engine `host`."""
    provider = {"urn": f"urn:pulumi:lab::maillab::{PROVIDER}", "custom": True, "inputs": {"host": host}}
    save_state(stack, Engine.OFFLINE, {}, more=[{"type": "pulumi:providers:docker"} | provider])


def save_lab(stack: Stack, place: str, engine: Engine = Engine.OFFLINE, *urns: str) -> None:
    """Write the state of a lab that was made at `place`, and that has resources with these ends of URNs."""
    guard = {"urn": f"urn:pulumi:lab::maillab::{GUARD}", "custom": True, "inputs": {"environment": {"WHERE": place}}}
    others = [
        {"urn": f"urn:pulumi:lab::maillab::{urn}", "custom": True, "inputs": {"environment": TOLD}} for urn in urns
    ]
    save_state(stack, engine, {}, more=[guard, *others])
