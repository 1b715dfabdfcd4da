"""Resource options do what they say; the same on both engines. `order` is a file that commands append to."""

from __future__ import annotations

import re

import pytest

from tests.engine.stacks import Stack

NOTE = """
import os
def note(name, opts=None, **args):
    file = os.path.join(os.getcwd(), "order")
    return lab.command(name, f"echo +{name} >> {file}", opts, delete=f"echo -{name} >> {file}", **args)
"""


def noting(text: str) -> str:
    return NOTE + "\n".join(line.strip() for line in text.strip().splitlines())


def order(stack: Stack) -> list[str]:
    """What the commands did since the last call."""
    file = stack.root / "order"
    lines = file.read_text("utf-8").split() if file.exists() else []
    file.unlink(missing_ok=True)
    return lines


def test_depends_on_orders_creation_and_deletion(stack: Stack) -> None:
    stack.program(noting('a = note("a")\nb = note("b", {"depends_on": [a]})\nnote("c", {"depends_on": [b]})'))
    assert stack.up().ok
    assert order(stack) == ["+a", "+b", "+c"]
    assert stack.destroy().ok
    assert order(stack) == ["-c", "-b", "-a"]


def test_depending_on_a_component_is_depending_on_its_children(stack: Stack) -> None:
    stack.program(
        noting(
            """
            part = pulumi.ComponentResource("maillab:test:Part", "part", None, None)
            child = note("child", {"parent": part})
            part.register_outputs({})
            note("after", {"depends_on": [part]})
            """
        )
    )
    assert stack.up().ok
    assert order(stack) == ["+child", "+after"]
    assert stack.resource("child")["urn"].endswith("::maillab:test:Part$command:local:Command::child")


def test_a_child_is_deleted_before_its_parent(stack: Stack) -> None:
    stack.program(noting('a = note("a")\nnote("b", {"parent": a})'))
    assert stack.up().ok
    order(stack)
    stack.program(noting(""))
    assert stack.up().ok
    assert order(stack) == ["-b", "-a"]


def test_protect_refuses_deletion(stack: Stack) -> None:
    stack.program('lab.volume("spool", {"protect": True})')
    assert stack.up().ok
    stack.program("")
    refused = stack.up()
    assert not refused.ok
    assert "protect" in refused.errors
    assert not stack.destroy().ok
    assert stack.names("volumes") == {"spool"}


def test_protect_refuses_replacement(stack: Stack) -> None:
    stack.program('lab.volume("spool", {"protect": True})')
    assert stack.up().ok
    stack.program('lab.volume("spool", {"protect": True}, driver_opts={"type": "tmpfs", "device": "tmpfs"})')
    refused = stack.up()
    assert not refused.ok
    assert "marked for protection" in refused.errors
    assert stack.names("volumes") == {"spool"}


def test_an_unprotected_resource_can_go(stack: Stack) -> None:
    stack.program('lab.volume("spool", {"protect": True})')
    assert stack.up().ok
    stack.program('lab.volume("spool")')
    assert stack.up().ops == {}
    assert stack.destroy().ok
    assert stack.names("volumes") == set()


def test_retained_volumes_stay_and_are_taken_up_again(stack: Stack) -> None:
    stack.program('lab.volume("spool", {"retain_on_delete": True})')
    assert stack.up().ok
    assert stack.destroy().ok
    assert stack.names("volumes") == {"spool"}
    assert stack.up().touched == {"kit-test": "create", "docker": "create", "spool": "create"}


def test_delete_before_replace(stack: Stack) -> None:
    stack.program(noting('note("a", {"delete_before_replace": True}, triggers=["1"])'))
    assert stack.up().ok
    stack.program(noting('note("a", {"delete_before_replace": True}, triggers=["2"])'))
    assert stack.up().touched == {"a": "replace"}
    assert order(stack) == ["+a", "-a", "+a"]


def test_a_replacement_is_made_before_the_old_one_goes(stack: Stack) -> None:
    stack.program(noting('note("a", triggers=["1"])'))
    assert stack.up().ok
    assert order(stack) == ["+a"]
    stack.program(noting('note("a", triggers=["2"])'))
    assert stack.up().touched == {"a": "replace"}
    assert order(stack) == ["+a", "-a"]
    assert [entry for entry in stack.state()["resources"] if entry.get("delete")] == []


def test_replace_on_changes(stack: Stack) -> None:
    program = 'note("a", {"replace_on_changes": ["environment.WORD"]}, environment={"WORD": "%s", "OTHER": "%s"})'
    stack.program(noting(program % ("one", "one")))
    assert stack.up().ok
    stack.program(noting(program % ("one", "two")))
    assert stack.preview().touched == {"a": "update"}
    stack.program(noting(program % ("two", "one")))
    assert stack.preview().touched == {"a": "replace"}


@pytest.mark.parametrize("path", ["environment", "environment.WORD", 'environment["WORD"]', "environment[*]"])
def test_ignore_changes(stack: Stack, path: str) -> None:
    program = "note('a', {'ignore_changes': ['%s']}, environment={'WORD': '%s'})"
    stack.program(noting(program % (path, "one")))
    assert stack.up().ok
    stack.program(noting(program % (path, "two")))
    ignored = stack.up()
    assert ignored.ok, ignored.text
    assert ignored.ops == {}


def test_deleted_with_spares_the_work_on_what_goes_anyway(stack: Stack) -> None:
    stack.program(noting('box = lab.container("box")\nnote("a", {"deleted_with": box})\nnote("b")'))
    assert stack.up().ok
    order(stack)
    assert stack.destroy().ok
    assert order(stack) == ["-b"]


def test_additional_secret_outputs_are_hidden_and_secret_in_the_state(stack: Stack) -> None:
    stack.program(
        """
        told = lab.command("told", "echo very-private", {"additional_secret_outputs": ["stdout"]}, logging="none")
        pulumi.export("told", told.stdout)
        """
    )
    done = stack.up()
    assert done.ok
    assert "very-private" not in done.text
    assert stack.resource("told")["outputs"]["stdout"]["plaintext"] == '"very-private"'


def test_two_resources_of_one_name_are_refused(stack: Stack) -> None:
    stack.program(noting('note("a")\nnote("a")'))
    refused = stack.up()
    assert not refused.ok
    assert "Duplicate resource URN" in refused.errors


def test_another_limit_is_no_change(stack: Stack) -> None:
    """It counts from the next operation on, and is kept for the deletion."""
    stack.program('lab.command("a", "true")')
    assert stack.up().ok
    stack.program('lab.command("a", "true", {"custom_timeouts": pulumi.CustomTimeouts(delete="1h30m")})')
    assert stack.preview().ops == {}
    assert stack.up().ops == {}
    assert stack.resource("a")["customTimeouts"] == {"delete": 5400}


def test_a_command_that_exceeds_its_time_is_ended_and_fails(stack: Stack) -> None:
    """What is to be deleted, too, by the limit that the state has of it."""
    endless = "read <> <(:)"
    limit = '"custom_timeouts": pulumi.CustomTimeouts(create="1s", delete="1s")'
    stack.program(f'lab.command("quick", "true", {{{limit}}}, delete="{endless}")\n')
    assert stack.up().ok
    stack.program(f'lab.command("slow", "{endless}", {{{limit}}})\n')
    refused = stack.up()
    assert not refused.ok
    assert re.search(
        rf"(no end after 1 s: it was stopped|signal: killed): running .{re.escape(endless)}", refused.errors
    )
    assert "quick" in {entry["urn"].rpartition("::")[2] for entry in stack.state()["resources"]}
    stack.program("")
    refused = stack.up()
    assert not refused.ok
    assert endless in refused.errors
    stack.program('lab.command("quick", "true")')
    assert stack.up().ok
