"""Stacks in a folder of their own, and programs that stand in for pulumi and docker."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.stack import Engine, Stack

CONTAINER = {"urn": "urn:pulumi:lab::maillab::docker:index/container:Container::mail", "custom": True}
Program = Callable[[str, str], Path]


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    """A stack without a state."""
    return Stack(name="lab", root=tmp_path)


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    """Puts a shell script under a name first on PATH, with nothing else of the machine's but the shell's own."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")

    def make(name: str, script: str) -> Path:
        path = folder / name
        path.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
        path.chmod(0o755)
        return path

    return make


def save_state(stack: Stack, engine: Engine, outputs: dict[str, object], *, made: bool = True) -> None:
    """Write a state as `engine` does: a stack with `outputs` and, if `made`, a container."""
    root = {"type": "pulumi:pulumi:Stack", "outputs": outputs}
    resources = [root, *([CONTAINER | {"type": "docker:index/container:Container"}] if made else [])]
    deployment = {"resources": resources}
    wrapped: dict[str, object] = {"version": 3, "deployment": deployment}
    if engine is Engine.PULUMI:
        wrapped = {"version": 3, "checkpoint": {"stack": stack.name, "latest": deployment}}
    path = stack.state_file(engine)
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(wrapped), "utf-8")
