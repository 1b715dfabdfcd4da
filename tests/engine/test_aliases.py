"""What had another URN before is the same resource: nothing is made or removed. The same on both engines."""

from __future__ import annotations

import textwrap

import pytest

from tests.engine.stacks import Stack

PART = """
class Part(pulumi.ComponentResource):
    def __init__(self, kind, name, children=True, opts=None):
        super().__init__(f"maillab:test:{kind}", name, None, opts)
        if children:
            spool = lab.volume(f"{name}-spool", {"parent": self}, name=f"{lab.prefix}spool")
            lab.command(f"{name}-config", "true", {"parent": self, "depends_on": [spool], "deleted_with": spool},
                environment={"SPOOL": spool.name})

def was(**alias):
    return pulumi.ResourceOptions(aliases=[pulumi.Alias(**alias)])

def volume(name, **opts):
    return lab.volume(name, opts, name=f"{lab.prefix}spool")

def urn(*parts):
    return f"urn:pulumi:test::kit::{parts[0]}::{parts[1]}"
"""
# A program, the one after it, and what that changes: a component that only one of the two has.
RENAMED: dict[str, tuple[str, str] | tuple[str, str, dict[str, str]]] = {
    "type of the parent": ('Part("One", "box")', 'Part("Two", "box", opts=was(type_="maillab:test:One"))'),
    "one of several types": (
        'Part("One", "box")',
        'Part("Two", "box", opts=pulumi.ResourceOptions(aliases=[pulumi.Alias(type_=f"maillab:test:{one}")'
        ' for one in ("Three", "Two", "One")]))',
    ),
    "name of the parent": ('Part("One", "box")', 'Part("One", "crate", opts=was(name="box"))'),
    "type and name of the parent": (
        'Part("One", "box")',
        'Part("Two", "crate", opts=was(type_="maillab:test:One", name="box"))',
    ),
    "type of the grandparent": (
        'one = Part("One", "one", False)\nPart("Part", "box", opts=pulumi.ResourceOptions(parent=one))',
        'one = Part("Two", "one", False, was(type_="maillab:test:One"))\n'
        'Part("Part", "box", opts=pulumi.ResourceOptions(parent=one))',
    ),
    "name": ('volume("spool")', 'volume("store", aliases=[pulumi.Alias(name="spool")])'),
    "whole URN": (
        'Part("One", "box")',
        'Part("Two", "box", opts=pulumi.ResourceOptions(aliases=[urn("maillab:test:One", "box")]))',
    ),
    "a parent gained": (
        'volume("spool")',
        'one = Part("One", "one", False)\nvolume("spool", parent=one, aliases=[pulumi.Alias(parent=None)])',
        {"one": "create"},
    ),
    "a parent lost": (
        'one = Part("One", "one", False)\nvolume("spool", parent=one)',
        'one = Part("One", "one", False)\nvolume("spool", aliases=[pulumi.Alias(parent=one)])',
    ),
    "a parent that is gone": (
        'one = Part("One", "one", False)\nvolume("spool", parent=one)',
        'volume("spool", aliases=[pulumi.Alias(parent=urn("maillab:test:One", "one"))])',
        {"one": "delete"},
    ),
    "of a renamed parent, and renamed itself": (
        'one = Part("One", "one", False)\nvolume("spool", parent=one)',
        'one = Part("Two", "one", False, was(type_="maillab:test:One"))\n'
        'volume("store", parent=one, aliases=[pulumi.Alias(name="spool")])',
    ),
    "one that never was": ('volume("spool")', 'volume("spool", aliases=[pulumi.Alias(name="store")])'),
}


def program(text: str) -> str:
    return textwrap.dedent(PART) + text


@pytest.mark.parametrize("case", RENAMED.values(), ids=RENAMED)
def test_a_renamed_resource_stays(stack: Stack, case: tuple[str, str] | tuple[str, str, dict[str, str]]) -> None:
    before, after, *components = case
    changed = components[0] if components else {}
    stack.program(program(before))
    assert stack.up().ok
    made = {entry["id"] for entry in stack.state()["resources"] if entry.get("custom")}
    stack.program(program(after))
    seen = stack.preview()
    assert seen.ok, seen.text
    assert seen.touched == changed
    done = stack.up()
    assert done.ok, done.text
    assert done.touched == changed
    state = stack.state()["resources"]
    assert {entry["id"] for entry in state if entry.get("custom")} == made
    urns = {entry["urn"] for entry in state}
    assert {entry["parent"] for entry in state if entry.get("parent")} <= urns
    assert {urn for entry in state for urn in entry.get("dependencies") or []} <= urns
    assert stack.preview().ops == {}
    assert stack.destroy().ok
    assert stack.names("volumes") == set()


@pytest.mark.parametrize("alias", ['project="other"', 'stack="other"'])
def test_an_alias_of_another_project_or_stack_is_another_resource(stack: Stack, alias: str) -> None:
    stack.program(program('volume("spool")'))
    assert stack.up().ok
    stack.program(program(f'volume("spool", aliases=[pulumi.Alias(name="store", {alias})])'))
    assert stack.up().ops == {}


def test_without_the_alias_it_is_another_resource(stack: Stack) -> None:
    """The positive control: the same change is a creation and a deletion."""
    stack.program('lab.command("one", "true")')
    assert stack.up().ok
    stack.program('lab.command("two", "true")')
    assert stack.up().touched == {"one": "delete", "two": "create"}


def test_what_is_there_under_its_own_name_needs_no_alias(stack: Stack) -> None:
    stack.program('lab.command("one", "true")\nlab.command("two", "true")')
    assert stack.up().ok
    stack.program('lab.command("two", "true", {"aliases": [pulumi.Alias(name="one")]})')
    done = stack.up()
    assert done.ok, done.text
    assert done.touched == {"one": "delete"}


def test_a_renamed_resource_can_change_too(stack: Stack) -> None:
    stack.program('net = lab.network("lan")\nlab.container("box", networks_advanced=[{"name": net.id}])')
    assert stack.up().ok
    before = stack.container("box").id
    stack.program(
        'net = lab.network("lan", {"aliases": [pulumi.Alias(name="net")]})\n'
        'lab.container("crate", {"aliases": [pulumi.Alias(name="box")]}, networks_advanced=[{"name": net.id}])'
    )
    done = stack.up()
    assert done.ok, done.text
    # Pulumi 3.259 names the deleted one by its old name as well.
    assert {name: done.touched[name] for name in done.touched if name != "box"} == {"crate": "replace"}
    assert stack.names("containers") == {"crate"}
    assert stack.container("crate").id != before
