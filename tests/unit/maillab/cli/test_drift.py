"""What `up` tells the engine to look for; docker is a script."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from maillab.cli.drift import flags_of
from maillab.cli.machines import standing_still
from maillab.cli.stack import Engine, Stack
from tests.unit.conftest import Program
from tests.unit.maillab.cli.conftest import configure, save_state

DOCKER = r"""
case "$1 $2" in
  "ps --all") case "$*" in
      *--no-trunc*) {containers};;
      *) echo '["lab-mail","mail","lab","running"]';;
    esac;;
  "network ls") {networks};;
  "volume ls") {volumes};;
  "image ls") {images};;
esac
"""
THERE = {
    "images": "echo sha256:1; echo sha256:2",
    "containers": r"printf 'c1\tlab-mail\tme\tlab\n'",
    "networks": r"printf 'n1\tlab-school\tme\tlab\n'",
    "volumes": r"printf 'lab-spool\tlab-spool\tme\tlab\n'",
}
OUTPUTS: dict[str, object] = {"machines": {"mail": {"container": "lab-mail", "ipv4": [], "ipv6": [], "role": ""}}}
URN = "urn:pulumi:lab::maillab::"


def entry(kind: str, made: str, **more: object) -> dict[str, object]:
    urn = f"{URN}docker:index/{kind}:{kind.title()}::{made}"
    return {"urn": urn, "custom": True, "type": f"docker:index/{kind}:{kind.title()}", "id": made, **more}


def image(name: str, made: str) -> dict[str, object]:
    return entry("image", name, outputs={"repoDigest": made})


WHOLE = [entry("container", "c1"), entry("network", "n1"), entry("volume", "lab-spool"), image("mail", "sha256:1")]
Flags = Callable[..., tuple[list[str], str]]


@pytest.fixture
def flags(stack: Stack, program: Program) -> Flags:
    """What `up` of a lab with these resources gets, on an engine where some things are gone."""

    def ask(
        gone: Mapping[str, str], *more: dict[str, object], engine: Engine = Engine.OFFLINE
    ) -> tuple[list[str], str]:
        program("docker", DOCKER.format(**{**THERE, **gone}))
        save_state(stack, engine, OUTPUTS, more=[*WHOLE, *more])
        return flags_of(stack, standing_still(stack))

    return ask


@pytest.mark.parametrize("kind", ["containers", "networks", "volumes"])
def test_what_is_gone_makes_it_look(flags: Flags, kind: str) -> None:
    assert flags({kind: ":"}) == (["--refresh"], f"not there any more: {kind}")


@pytest.mark.parametrize("engine", [*Engine])
def test_a_lost_image_is_made_again(flags: Flags, engine: Engine) -> None:
    given = flags({}, image("dns", "sha256:3"), image("machine", "sha256:2"), engine=engine)
    told = ["--replace", f"{URN}docker:index/image:Image::dns"]
    assert given == (told, "images are to be made again: dns")


@pytest.mark.parametrize(("made", "lost"), [("sha256:2", False), ("sha256:4", True)])
def test_images_that_were_brought_are_brought_again(flags: Flags, stack: Stack, made: str, lost: bool) -> None:
    configure(stack, "vm", build="here")
    urn = f"{URN}command:local:Command::images"
    brought = {"urn": urn, "custom": True, "outputs": {"stdout": f"maillab/dns:1 sha256:1\nmaillab/mail:1 {made}\n"}}
    assert flags({}, brought)[0] == (["--replace", urn] if lost else [])


def test_images_that_are_lost_where_they_were_built_are_built_again(
    flags: Flags, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the real engine the next change could not be built on them; the lab's own engine need not have them."""
    configure(stack, "vm", build="here")
    monkeypatch.setenv("DOCKER_HOST", "unix:///here")
    on_each = "case $DOCKER_HOST in unix:///here) echo sha256:1; echo sha256:3;; *) echo sha256:2;; esac"
    dns, machine = image("dns", "sha256:3"), image("machine", "sha256:2")
    given = flags({"images": on_each}, dns, machine, engine=Engine.PULUMI)
    assert given[0] == ["--replace", f"{URN}docker:index/image:Image::machine"]


def test_nothing_to_look_for(flags: Flags) -> None:
    assert flags({}) == ([], "")


def test_without_a_lab_no_engine_is_asked(stack: Stack, program: Program) -> None:
    program("docker", "exit 1")
    assert flags_of(stack, standing_still(stack)) == ([], "")
