"""Create, change, replace and delete: the same on both engines."""

from __future__ import annotations

from tests.engine.stacks import Stack

WHOLE = """
    net = lab.network("lan")
    spool = lab.volume("spool")
    image = lab.image("machine")
    box = lab.container(
        "box", image=image.repo_digest, hostname="box",
        networks_advanced=[{"name": net.id, "ipv4_address": lab.config.require("subnet").replace(".0/24", ".10")}],
        volumes=[{"volume_name": spool.name, "container_path": "/spool"}],
    )
    told = lab.command("config", 'echo "$WORD"', environment={"CONTAINER": box.id, "WORD": lab.config.require("word")})
    pulumi.export("told", told.stdout)
    pulumi.export("box", box.name)
"""


def brought_up(stack: Stack) -> None:
    stack.program(WHOLE)
    done = stack.up()
    assert done.ok, done.text


def test_up_creates_everything_and_a_second_one_nothing(stack: Stack) -> None:
    stack.program(WHOLE)
    first = stack.up()
    assert first.ok, first.text
    assert first.ops == {"create": 7}
    assert stack.container("box").status == "running"
    assert stack.preview().ops == {}
    assert stack.up().ops == {}


def test_preview_changes_nothing(stack: Stack) -> None:
    stack.program(WHOLE)
    seen = stack.preview()
    assert seen.ok, seen.text
    assert seen.ops == {"create": 7}
    assert not stack.names("containers") | stack.names("networks") | stack.names("volumes")


def test_outputs_are_those_of_the_program(stack: Stack) -> None:
    brought_up(stack)
    assert stack.resource("kit-test")["outputs"] == {"told": "hello", "box": f"{stack.prefix}box"}


def test_a_changed_command_runs_again_and_nothing_else_happens(stack: Stack) -> None:
    brought_up(stack)
    container = stack.container("box").id
    stack.configure(**{"kit:word": "good day"})
    done = stack.up()
    assert done.touched == {"config": "update"}
    assert stack.resource("config")["outputs"]["stdout"] == "good day"
    assert stack.container("box").id == container


def test_a_changed_image_replaces_the_container_and_runs_the_command_again(stack: Stack) -> None:
    brought_up(stack)
    before = stack.container("box")
    (stack.root / "image" / "hello").write_text("changed\n", "utf-8")
    assert stack.preview().touched == {"machine": "update", "box": "replace", "config": "update"}
    assert stack.up().touched == {"machine": "update", "box": "replace", "config": "update"}
    after = stack.container("box")
    assert after.id != before.id
    assert after.exec_run("cat /hello").output == b"changed\n"
    assert stack.resource("config")["inputs"]["environment"]["CONTAINER"] == after.id


def test_a_changed_network_replaces_the_containers_on_it_first(stack: Stack) -> None:
    brought_up(stack)
    old = stack.docker.networks.get(f"{stack.prefix}lan").id
    stack.program(
        WHOLE.replace('lab.network("lan")', 'lab.network("lan", {"delete_before_replace": True}, internal=True)')
    )
    assert stack.preview().touched == {"lan": "replace", "box": "replace", "config": "update"}
    done = stack.up()
    assert done.ok, done.text
    assert done.touched == {"lan": "replace", "box": "replace", "config": "update"}
    network = stack.docker.networks.get(f"{stack.prefix}lan")
    assert network.id != old
    assert network.attrs["Internal"]
    assert list(network.attrs["Containers"]) == [stack.container("box").id]
    assert stack.preview().ops == {}


def test_what_the_program_no_longer_has_is_deleted(stack: Stack) -> None:
    brought_up(stack)
    stack.program('lab.volume("spool")')
    done = stack.up()
    assert done.ok, done.text
    assert done.touched == {"lan": "delete", "machine": "delete", "box": "delete", "config": "delete"}
    assert stack.names("containers") | stack.names("networks") == set()
    assert stack.names("volumes") == {"spool"}


def test_destroy_deletes_everything(stack: Stack) -> None:
    brought_up(stack)
    done = stack.destroy()
    assert done.ok, done.text
    assert done.ops == {"delete": 7}
    assert not stack.names("containers") | stack.names("networks") | stack.names("volumes")
    assert not stack.state().get("resources")


def test_independent_resources_are_made_in_parallel(stack: Stack) -> None:
    """Each command waits for the other one: one after the other they would never end."""
    stack.program(
        """
        meet = "mkfifo a b 2>/dev/null; timeout 20 sh -c"
        lab.command("left", f"{meet} 'echo > a & cat b'")
        lab.command("right", f"{meet} 'echo > b & cat a'")
        """
    )
    done = stack.up()
    assert done.ok, done.text


def test_a_volume_of_another_name_is_made_before_the_old_one_goes(stack: Stack) -> None:
    stack.program('lab.volume("spool")')
    stack.up()
    stack.program('lab.volume("spool", name=lab.prefix + "other")')
    assert stack.up().touched == {"spool": "replace"}
    assert stack.names("volumes") == {"other"}
    assert len(stack.state()["resources"]) == 3


def test_without_a_name_one_is_made_and_kept(stack: Stack) -> None:
    stack.program('docker.Volume(lab.prefix + "free", opts=lab.opts())')
    stack.up()
    names = stack.names("volumes")
    assert len(names) == 1
    assert names.pop().startswith("free-")
    assert stack.up().ops == {}
