"""What people do by hand is seen by refresh and repaired by up; the same on both engines."""

from __future__ import annotations

from tests.engine.stacks import Stack

LAB = """
    net = lab.network("lan")
    spool = lab.volume("spool")
    address = lab.config.require("subnet").replace(".0/24", ".10")
    box = lab.container("box", restart="unless-stopped", networks_advanced=[{"name": net.id, "ipv4_address": address}])
    lab.command("config", "true", environment={"CONTAINER": box.id})
"""


def brought_up(stack: Stack) -> None:
    stack.program(LAB)
    done = stack.up()
    assert done.ok, done.text


def repaired(stack: Stack) -> dict[str, str]:
    """Refresh, up; answers what up did, and proves that nothing is left to do."""
    assert stack.refresh().ok
    done = stack.up()
    assert done.ok, done.text
    assert stack.container("box").status == "running"
    assert stack.preview().ops == {}
    return done.touched


def test_a_plain_preview_does_not_look(stack: Stack) -> None:
    brought_up(stack)
    stack.container("box").remove(force=True)
    assert stack.preview().ops == {}
    assert stack.preview("--refresh").touched["box"] == "create"
    assert stack.preview().ops == {}


def test_nothing_has_changed_after_a_refresh(stack: Stack) -> None:
    brought_up(stack)
    assert stack.refresh().ok
    assert stack.preview().ops == {}
    assert stack.preview("--refresh").ops == {}


def test_a_stopped_container_is_started_and_stays_the_same(stack: Stack) -> None:
    brought_up(stack)
    before = stack.container("box")
    before.stop(timeout=0)
    assert repaired(stack) == {"box": "update"}
    assert stack.container("box").id == before.id


def test_a_removed_container_is_made_again_with_its_configuration(stack: Stack) -> None:
    brought_up(stack)
    stack.container("box").remove(force=True)
    assert repaired(stack) == {"box": "create", "config": "update"}


def test_a_container_changed_by_hand_is_changed_back(stack: Stack) -> None:
    brought_up(stack)
    stack.container("box").update(restart_policy={"Name": "no"})
    assert repaired(stack) == {"box": "update"}
    assert stack.container("box").attrs["HostConfig"]["RestartPolicy"]["Name"] == "unless-stopped"


def test_a_renamed_container_is_replaced(stack: Stack) -> None:
    brought_up(stack)
    stack.container("box").rename(f"{stack.prefix}other")
    assert repaired(stack) == {"box": "replace", "config": "update"}
    assert stack.names("containers") == {"box"}


def test_a_removed_volume_is_made_again(stack: Stack) -> None:
    brought_up(stack)
    stack.docker.volumes.get(f"{stack.prefix}spool").remove()
    assert repaired(stack) == {"spool": "create"}


def test_a_removed_network_is_made_again_and_its_container_with_it(stack: Stack) -> None:
    brought_up(stack)
    network = stack.docker.networks.get(f"{stack.prefix}lan")
    network.disconnect(stack.container("box"), force=True)
    network.remove()
    assert repaired(stack) == {"lan": "create", "box": "replace", "config": "update"}
