"""What people do to a stack's things by hand, and what each operation makes of it: a plain `up` sees what is gone,
mail is never replaced, and what somebody else made is left alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from maillab.offline import engine
from maillab.offline.display import Display
from tests.engine.stacks import OfflineStack, Stack

WHOLE = """
    net = lab.network("lan", {"delete_before_replace": True})
    kept = ["name", "labels", "driver", "driver_opts"]
    spool = lab.volume("spool", {"retain_on_delete": True, "ignore_changes": kept})
    image = lab.image("machine")
    box = lab.container(
        "box", image=image.repo_digest, networks_advanced=[{"name": net.id}],
        volumes=[{"volume_name": spool.name, "container_path": "/spool"}],
    )
    lab.command("config", "true", environment={"CONTAINER": box.id})
"""
MACHINE = {"box": "create", "config": "update"}


def without_box(stack: Stack) -> None:
    stack.container("box").remove(force=True)


def without_network(stack: Stack) -> None:
    without_box(stack)
    stack.docker.networks.get(f"{stack.prefix}lan").remove()


def without_volume(stack: Stack) -> None:
    without_box(stack)
    stack.docker.volumes.get(f"{stack.prefix}spool").remove()


def without_image(stack: Stack) -> None:
    without_box(stack)
    stack.docker.images.remove(f"maillab-engine-test/{stack.prefix}machine:latest", force=True)


def without_anything(stack: Stack) -> None:
    without_image(stack)
    stack.docker.networks.get(f"{stack.prefix}lan").remove()
    stack.docker.volumes.get(f"{stack.prefix}spool").remove()


def volume_without_labels(stack: Stack) -> None:
    """As Docker makes it for `docker run -v`, and with somebody's mail in it."""
    without_volume(stack)
    made = f"{stack.prefix}spool:/spool"
    stack.docker.containers.run("debian:trixie-slim", "touch /spool/mail", volumes=[made], remove=True)


def volume_with_other_labels(stack: Stack) -> None:
    without_volume(stack)
    stack.docker.volumes.create(f"{stack.prefix}spool", labels={"somebody": "else"})
    made = f"{stack.prefix}spool:/spool"
    stack.docker.containers.run("debian:trixie-slim", "touch /spool/mail", volumes=[made], remove=True)


def box_of_somebody(stack: Stack) -> None:
    without_box(stack)
    stack.docker.containers.create("debian:trixie-slim", "true", name=f"{stack.prefix}box", labels={"not": "ours"})


def network_of_somebody(stack: Stack) -> None:
    without_network(stack)
    stack.docker.networks.create(f"{stack.prefix}lan", labels={"not": "ours"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """What was done; what the next up touches, or the words in which it refuses; whose thing is there then."""

    do: Callable[[Stack], None]
    touched: dict[str, str] | None = None
    refused: str = ""
    theirs: str = ""
    mail: bool = False


DEEDS = {
    "container removed": Deed(do=without_box, touched=MACHINE),
    "network removed": Deed(do=without_network, touched={"lan": "create", **MACHINE}),
    "volume removed": Deed(do=without_volume, touched={"spool": "create", **MACHINE}),
    "image removed": Deed(do=without_image, touched={"machine": "update", **MACHINE}),
    "all removed": Deed(
        do=without_anything, touched={"lan": "create", "spool": "create", "machine": "update", **MACHINE}
    ),
    "volume made again by docker": Deed(do=volume_without_labels, touched=MACHINE, mail=True),
    "volume relabelled": Deed(do=volume_with_other_labels, touched=MACHINE, mail=True),
    "container of somebody else": Deed(do=box_of_somebody, refused="already in use", theirs="containers"),
    "network of somebody else": Deed(do=network_of_somebody, refused="did not make", theirs="networks"),
}
of_each = pytest.mark.parametrize("deed", DEEDS.values(), ids=DEEDS)


def brought_up(stack: Stack) -> None:
    # An image of its own from its first step on: other runs beside this one must not miss what is removed here.
    dockerfile = stack.root / "image" / "Dockerfile"
    dockerfile.write_text(
        dockerfile.read_text("utf-8").replace("FROM ${BASE}\n", f"FROM ${{BASE}}\nLABEL stack={stack.prefix}\n"),
        "utf-8",
    )
    stack.program(WHOLE)
    done = stack.up()
    assert done.ok, done.text


def what_there_is(stack: Stack) -> list[set[str]]:
    return [stack.names(kind) for kind in ("containers", "networks", "volumes")]


def is_theirs(stack: Stack, kind: str) -> bool:
    """Whether somebody's thing of this kind is there as it was made."""
    name = {"containers": "box", "networks": "lan"}[kind]
    thing = getattr(stack.docker, kind).get(stack.prefix + name)
    labels: dict[str, str] = thing.attrs.get("Labels") or thing.attrs["Config"]["Labels"]
    return labels.get("not") == "ours"


def has_mail(stack: Stack) -> bool:
    return bool(stack.container("box").exec_run("test -e /spool/mail").exit_code == 0)


@of_each
def test_up(offline: OfflineStack, deed: Deed) -> None:
    """The real engine looks with --refresh only: that is the next test."""
    brought_up(offline)
    deed.do(offline)
    before = what_there_is(offline)
    offline.preview()
    offline.preview("--refresh")
    assert what_there_is(offline) == before
    done = offline.up()
    if deed.theirs:
        assert not done.ok
        assert deed.refused in done.errors
        assert is_theirs(offline, deed.theirs)
        return
    assert done.ok, done.text
    assert done.touched == deed.touched
    assert offline.container("box").status == "running"
    assert has_mail(offline) == deed.mail
    if not deed.mail:
        made = offline.docker.volumes.get(f"{offline.prefix}spool")
        assert made.attrs["Labels"] == {"maillab.stack": offline.prefix}
    assert offline.preview("--refresh").ops == {}


@of_each
def test_refresh_then_up(stack: Stack, deed: Deed) -> None:
    brought_up(stack)
    if deed.do in (without_image, without_anything) and not isinstance(stack, OfflineStack):
        pytest.skip("the real provider never looks whether an image is there: `maillab up` does (maillab/cli/drift.py)")
    deed.do(stack)
    before = what_there_is(stack)
    assert stack.refresh().ok
    assert what_there_is(stack) == before
    done = stack.up()
    assert done.ok == (not deed.theirs)
    if deed.theirs:
        assert is_theirs(stack, deed.theirs)
        return
    assert "replace" not in done.touched.values()
    assert has_mail(stack) == deed.mail
    assert stack.preview("--refresh").ops == {}


@of_each
def test_destroy(stack: Stack, deed: Deed) -> None:
    """It removes what is the stack's, and nothing that holds mail or that somebody else made."""
    brought_up(stack)
    deed.do(stack)
    volumes = stack.names("volumes")
    done = stack.destroy()
    assert done.ok, done.text
    assert stack.names("volumes") == volumes
    assert stack.names("containers") == ({"box"} if deed.theirs == "containers" else set())
    assert stack.names("networks") == ({"lan"} if deed.theirs == "networks" else set())


# A change that must fail, because somebody has what it needs: nothing of the old is deleted before.
IN_THE_WAY = {
    "container": ('"box", image', '"box", name=lab.prefix + "taken", image', "did not make"),
    "network": ('"lan", {', '"lan", name=lab.prefix + "taken", opts={', "did not make"),
    "subnet": ('"lan", {', '"lan", ipam_configs=[{"subnet": "TAKEN"}], opts={', "overlaps"),
}


@pytest.mark.parametrize(("old", "new", "words"), IN_THE_WAY.values(), ids=IN_THE_WAY)
def test_what_cannot_succeed_costs_nothing(offline: OfflineStack, old: str, new: str, words: str) -> None:
    brought_up(offline)
    taken = offline.docker.networks.create(f"{offline.prefix}taken")
    (pool,) = offline.docker.networks.get(taken.id).attrs["IPAM"]["Config"]
    offline.docker.containers.create("debian:trixie-slim", "true", name=f"{offline.prefix}taken")
    box = offline.container("box").id
    offline.program(WHOLE.replace(old, new.replace("TAKEN", pool["Subnet"])))
    done = offline.up()
    assert not done.ok
    assert words in done.errors
    assert offline.container("box").id == box
    assert offline.container("box").status == "running"
    offline.program(WHOLE)
    assert offline.up().ops == {}


def test_a_volume_of_another_stack_is_not_taken_over(offline: OfflineStack) -> None:
    """With the labels of another one, with more than this one's, with none: it stays what it is."""
    for labels in ({"maillab.stack": "another"}, {"maillab.stack": offline.prefix, "more": "yes"}, {}):
        volume = offline.docker.volumes.create(f"{offline.prefix}spool", labels=labels)
        offline.program('lab.volume("spool", {"retain_on_delete": True})')
        refused = offline.up()
        assert not refused.ok
        assert "did not make" in refused.errors
        assert "docker volume rm" not in refused.errors
        assert offline.destroy().ok
        assert offline.names("volumes") == {"spool"}
        volume.remove()


def test_a_volume_that_an_older_program_left_is_taken_up(offline: OfflineStack) -> None:
    """It lacks a label that the program gives today."""
    offline.docker.volumes.create(f"{offline.prefix}spool", labels={"maillab.stack": offline.prefix})
    labels = '[*lab.labels(), {"label": "maillab.owner", "value": "me"}]'
    offline.program(f'lab.volume("spool", {{"ignore_changes": ["labels"]}}, labels={labels})')
    done = offline.up()
    assert done.ok, done.text
    assert offline.preview("--refresh").ops == {}


def test_what_is_to_be_done_again_is_updated_without_a_change(offline: OfflineStack) -> None:
    """As Pulumi's `--replace`, which `maillab up` gives for an image that is gone from where it was brought."""
    offline.program('lab.command("config", "echo run >>runs")\nlab.command("other", "true")')
    assert offline.up().ok
    result = engine.up(
        offline.root, "test", display=Display(quiet=True), again=[str(offline.resource("config")["urn"])]
    )
    assert result.summary == {"same": 3, "update": 1}
    assert (offline.root / "runs").read_text("utf-8") == "run\nrun\n"
