"""Tags that a lab uses no longer."""

from __future__ import annotations

from pathlib import Path

import pytest

from maillab.cli.docker import host_environment, on
from maillab.cli.problem import MaillabError
from maillab.cli.stack import Engine, Stack
from maillab.cli.tags import former_tags, remove_everywhere, remove_former, tags_of
from tests.unit.conftest import Program
from tests.unit.maillab.cli.conftest import configure, image, save_state

NOW, BEFORE = "maillab/dns-mail:2", "maillab/dns-mail:1"


@pytest.fixture
def lab(stack: Stack) -> Stack:
    save_state(stack, Engine.OFFLINE, {}, more=[image(NOW), image("school/own:1")])
    return stack


def test_the_tags_are_those_of_the_state(lab: Stack) -> None:
    assert tags_of(lab) == {NOW}


def test_a_former_tag_goes_and_the_present_one_stays(lab: Stack, program: Program, tmp_path: Path) -> None:
    program("docker", f'echo "$*" >>{tmp_path}/log')
    assert list(remove_former(lab, {NOW, BEFORE})) == [BEFORE]
    assert (tmp_path / "log").read_text("utf-8") == f"image rm {BEFORE}\n"


@pytest.mark.parametrize("words", ["conflict: container 1 is using its referenced image", "No such image: x"])
def test_what_another_lab_uses_or_what_is_gone_is_no_failure(lab: Stack, program: Program, words: str) -> None:
    program("docker", f'echo "Error response from daemon: {words}" >&2; exit 1')
    assert list(remove_former(lab, {BEFORE})) == []


def test_another_failure_is_one(lab: Stack, program: Program) -> None:
    program("docker", "echo 'input/output error' >&2; exit 1")
    with pytest.raises(MaillabError, match="input/output error"):
        list(remove_former(lab, {BEFORE}))


def test_the_former_tags_are_known_after_an_up_that_failed(lab: Stack, program: Program, tmp_path: Path) -> None:
    program("docker", f'echo "$*" >>{tmp_path}/log')
    save_state(lab, Engine.OFFLINE, {}, more=[image(BEFORE)])
    assert former_tags(lab) == {BEFORE}
    save_state(lab, Engine.OFFLINE, {}, more=[image(NOW)])  # built, and then something failed
    tags = former_tags(lab)
    assert list(remove_everywhere(lab, tags)) == [BEFORE]
    assert (tmp_path / "log").read_text("utf-8") == f"image rm {BEFORE}\n"
    assert former_tags(lab) == {NOW}


@pytest.mark.parametrize(("build", "engines"), [("here", ["unix:///far", "unix:///here"]), ("there", ["unix:///far"])])
def test_former_tags_go_where_images_are_built_too(
    lab: Stack, program: Program, monkeypatch: pytest.MonkeyPatch, build: str, engines: list[str]
) -> None:
    configure(lab, "ssh://far", build=build)
    program("docker", f'echo "$DOCKER_HOST" >>{lab.root}/log')
    monkeypatch.setenv("DOCKER_HOST", "unix:///here")
    with on("unix:///far"):
        assert list(remove_everywhere(lab, {BEFORE})) == [BEFORE]
        assert host_environment()["DOCKER_HOST"] == "unix:///far"
    assert (lab.root / "log").read_text("utf-8").split() == engines
