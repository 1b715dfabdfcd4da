"""No wait is endless: a Docker engine or a Pulumi that hangs is reported."""

from __future__ import annotations

import pytest

from maillab.cli import docker, engine, move
from maillab.cli.problem import MaillabError
from maillab.cli.stack import Engine, Stack
from tests.unit.conftest import Program
from tests.unit.maillab.cli.conftest import save_state

HANGS = "exec tail -f /dev/null"


def test_a_docker_engine_that_hangs_is_told(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    program("docker", HANGS)
    monkeypatch.setattr(docker, "LIMIT", 0.2)
    with pytest.raises(MaillabError, match=r"`docker ps --all --filter` had no answer .* within 0\.2 s"):
        docker.containers("lab")


def test_a_docker_context_that_hangs_is_told(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    program("docker", HANGS)
    monkeypatch.setattr(engine, "CONTEXT_SECONDS", 0.2)
    with pytest.raises(MaillabError, match=r"`docker context inspect .*` had no answer within 0\.2 s"):
        engine.environment({"DOCKER_CONTEXT": "lab"})


def test_an_export_of_pulumi_that_hangs_changes_nothing(
    stack: Stack, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    program("pulumi", HANGS)
    monkeypatch.setattr(move, "EXPORT_SECONDS", 0.2)
    save_state(stack, Engine.PULUMI, {})
    with pytest.raises(MaillabError, match=r"`pulumi stack export` has not ended within 0\.2 s; nothing was changed"):
        move.move(stack, Engine.OFFLINE)
    assert stack.makers() == [Engine.PULUMI]
