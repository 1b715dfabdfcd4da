"""Pulumi's own CLI where its run would be led astray."""

import json
import pathlib

import pytest

from components.checks.surroundings import OFFLINE_RUN, refuse_surroundings
from components.config.problem import ConfigurationError

STACK = {"urn": "u", "custom": False, "type": "pulumi:pulumi:Stack"}
PROVIDER = {"urn": "p", "custom": True, "type": "pulumi:providers:docker"}
MADE = {"urn": "n", "custom": True, "type": "docker:index/network:Network"}


def state(*resources: object, **more: object) -> str:
    """A state of these resources, as text."""
    return json.dumps({"version": 3, "deployment": {"resources": resources, **more}})


def leave(root: pathlib.Path, text: str) -> None:
    """The offline engine's state of stack `school`."""
    folder = root / ".pulumi-state" / "offline"
    folder.mkdir(parents=True)
    (folder / "school.json").write_text(text, "utf-8")


@pytest.mark.parametrize(
    "text", [state(MADE), state(STACK, pending_operations=[{"type": "creating"}]), "{", "[]", '{"deployment": 1}']
)
def test_lab_of_the_offline_engine_is_refused(tmp_path: pathlib.Path, text: str) -> None:
    leave(tmp_path, text)
    with pytest.raises(ConfigurationError) as failed:
        refuse_surroundings("school", tmp_path, {})
    (problem,) = failed.value.problems
    assert problem.id == "made-by-offline"
    assert "bin/maillab --stack school state move --to pulumi" in problem.remedy


def test_nothing_made_is_nobodys(tmp_path: pathlib.Path) -> None:
    refuse_surroundings("school", tmp_path, {})
    leave(tmp_path, state(STACK, PROVIDER))
    refuse_surroundings("school", tmp_path, {})
    refuse_surroundings("other", tmp_path, {})


def test_the_offline_engine_itself_goes_on(tmp_path: pathlib.Path) -> None:
    leave(tmp_path, "{")
    refuse_surroundings("school", tmp_path, {OFFLINE_RUN: "yes"})


def test_a_docker_context_in_the_environment_is_refused(tmp_path: pathlib.Path) -> None:
    with pytest.raises(ConfigurationError) as failed:
        refuse_surroundings("school", tmp_path, {"DOCKER_CONTEXT": "lab"})
    assert [problem.id for problem in failed.value.problems] == ["docker-context"]
