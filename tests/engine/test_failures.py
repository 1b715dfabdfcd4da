"""Failures say what, where and what to do, and leave a state from which the next up goes on."""

from __future__ import annotations

import pytest

from tests.engine.stacks import OfflineStack, Stack


def test_a_failed_update_keeps_the_old_inputs_and_is_tried_again(stack: Stack) -> None:
    program = """lab.command("config", 'test "$WORD" != bad', environment={"WORD": "%s"})"""
    stack.program(program % "good")
    assert stack.up().ok
    stack.program(program % "bad")
    assert not stack.up().ok
    assert stack.resource("config")["inputs"]["environment"]["WORD"] == "good"
    assert stack.preview().touched == {"config": "update"}
    stack.program(program % "good")
    assert stack.up().ops == {}


def test_a_failed_command_is_shown_whole(stack: Stack) -> None:
    stack.program('lab.command("config", "seq 1 60 >&2; echo the end >&2; exit 3")')
    done = stack.up()
    assert not done.ok
    assert "exit status 3" in done.errors
    assert "\n1\n2\n3\n" in done.errors
    assert "\n60\nthe end" in done.errors


def test_what_was_made_before_a_failure_stays_and_the_next_up_goes_on(stack: Stack) -> None:
    program = 'spool = lab.volume("spool")\nlab.command("config", "%s", {"depends_on": [spool]})'
    stack.program(program % "false")
    assert not stack.up().ok
    stack.program(program % "true")
    assert stack.up().touched == {"config": "create"}


def test_what_depends_on_a_failure_is_not_begun(stack: Stack) -> None:
    stack.program('bad = lab.command("bad", "false")\nlab.volume("spool", {"depends_on": [bad]})')
    assert not stack.up().ok
    assert stack.names("volumes") == set()


def test_an_output_of_a_failure_reaches_nobody(stack: Stack) -> None:
    stack.program('bad = lab.command("bad", "exit 4")\nlab.command("next", "true", environment={"X": bad.stdout})')
    done = stack.up()
    assert not done.ok
    assert "exit status 4" in done.errors


def test_a_failure_of_the_program_is_shown_with_its_line(stack: Stack) -> None:
    stack.program('lab.volume("spool")\nraise ValueError("no such school")')
    done = stack.up()
    assert not done.ok
    assert "ValueError: no such school" in done.errors
    assert "__main__.py" in done.errors


def test_a_run_error_has_no_traceback(stack: Stack) -> None:
    stack.program('raise pulumi.RunError("schools: none is given")')
    done = stack.up()
    assert not done.ok
    assert "schools: none is given" in done.errors
    assert "Traceback" not in done.text


def test_a_program_that_fails_leaves_the_outputs_of_the_last_one_that_did_not(offline: OfflineStack) -> None:
    """Without them nobody would know the lab's machines until the error is corrected."""
    offline.program('pulumi.export("word", "good")')
    assert offline.up().ok
    offline.program('raise pulumi.RunError("schools: none is given")')
    assert not offline.up().ok
    outputs = [one.get("outputs") for one in offline.state()["resources"] if one["type"] == "pulumi:pulumi:Stack"]
    assert outputs == [{"word": "good"}]


def test_a_build_that_fails_shows_its_last_lines(offline: OfflineStack) -> None:
    (offline.root / "image" / "Dockerfile").write_text(
        "ARG BASE\nFROM ${BASE}\nRUN echo almost done; exit 9\n", "utf-8"
    )
    offline.program('lab.image("machine")')
    done = offline.up()
    assert not done.ok
    assert "image/Dockerfile" in done.errors
    assert "almost done" in done.errors
    assert "returned a non-zero code: 9" in done.errors


def test_a_container_name_in_use_is_refused_and_the_other_one_spared(offline: OfflineStack) -> None:
    other = offline.docker.containers.create("debian:trixie-slim", "true", name=f"{offline.prefix}box")
    offline.program('lab.container("box")')
    done = offline.up()
    assert not done.ok
    assert "already in use" in done.errors
    assert "choose another prefix" in done.errors
    assert offline.container("box").id == other.id


def test_a_network_name_in_use_is_refused_and_the_other_one_spared(offline: OfflineStack) -> None:
    other = offline.docker.networks.create(f"{offline.prefix}lan")
    offline.program('lab.network("lan")')
    done = offline.up()
    assert not done.ok
    assert f"docker network inspect {offline.prefix}lan" in done.errors
    assert "docker network rm" not in done.errors
    assert offline.docker.networks.get(f"{offline.prefix}lan").id == other.id


def test_a_volume_name_in_use_is_refused(offline: OfflineStack) -> None:
    offline.docker.volumes.create(f"{offline.prefix}spool")
    offline.program('lab.volume("spool")')
    done = offline.up()
    assert not done.ok
    assert "it may hold what somebody needs" in done.errors
    assert "docker volume rm" not in done.errors


def test_a_pool_that_is_taken_is_explained(offline: OfflineStack) -> None:
    offline.program('lab.network("lan")\nlab.network("same", {"depends_on": []})')
    done = offline.up()
    assert not done.ok
    assert "Pool overlaps" in done.errors
    assert "another carrier" in done.errors


def test_no_docker_engine_is_explained(offline: OfflineStack) -> None:
    offline.program(
        'away = docker.Provider("away", host="unix:///nowhere.sock")\n'
        'docker.Volume("spool", name="x", opts=pulumi.ResourceOptions(provider=away))'
    )
    done = offline.up()
    assert not done.ok
    assert "Docker engine unix:///nowhere.sock: does not answer" in done.errors
    assert "systemctl start docker" in done.errors


REFUSED = {
    "type": ('docker.Tag("t", source_image="a", target_image="b", opts=lab.opts())', "docker:index/tag:Tag"),
    "remote-image": ('docker.RemoteImage("r", name="debian:trixie-slim", opts=lab.opts())', "RemoteImage"),
    "invoke": ('docker.get_network(name="b", opts=pulumi.InvokeOptions(provider=lab.provider))', "getNetwork"),
    "read": ('docker.Volume.get("v", "id", opts=lab.opts())', "does not support ReadResource"),
    "import": ('lab.volume("v", {"import_": "v"})', "importId"),
    "timeouts": ('lab.volume("v", {"custom_timeouts": pulumi.CustomTimeouts(create="1m")})', "customTimeouts"),
    "transforms": ('lab.volume("v", {"transforms": [lambda args: None]})', "transforms"),
    "replace-with": ('lab.volume("v", {"replace_with": [lab.volume("w")]})', "ReplaceWith"),
    "hide-diffs": ('lab.volume("v", {"hide_diffs": ["name"]})', "hideDiffs"),
    "default-provider": ('docker.Volume("v", name="v")', "explicit docker Provider"),
    "provider-input": ('docker.Provider("p", context="other")', "context"),
    "volume-input": ('lab.volume("v", cluster={"scope": "single"})', "cluster"),
    "container-input": ('lab.container("c", gpus="all")', "gpus"),
    "container-part": ('lab.container("c", volumes=[{"container_path": "/v", "host_path": "/"}])', "volumes.hostPath"),
    "container-wait": ('lab.container("c", wait=True)', "wait"),
    "build-input": ('lab.image("i", cache_from={"images": ["a"]})', "cacheFrom"),
    "buildkit": ('lab.image("i", builder_version="BuilderBuildKit")', "BuilderV1"),
    "command-input": ('lab.command("c", "true", asset_paths=["*"])', "assetPaths"),
}


@pytest.mark.parametrize(("program", "named"), REFUSED.values(), ids=REFUSED)
def test_what_is_not_supported_is_refused_by_name(offline: OfflineStack, program: str, named: str) -> None:
    offline.program(program)
    done = offline.preview()
    assert not done.ok
    assert named in done.errors


def test_a_build_context_that_is_not_there_is_told_without_a_traceback(offline: OfflineStack) -> None:
    offline.program('lab.image("machine", "nowhere", dockerfile="image/Dockerfile")')
    done = offline.preview()
    assert not done.ok
    assert "machine: No such file or directory: 'nowhere'" in done.errors
    assert "the program failed" not in done.errors
