"""What the last `up` made and is missing now: which flags repair that, and why they are needed."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from maillab.cli.docker import docker, on
from maillab.cli.problem import MaillabError
from maillab.cli.stack import Engine, Stack
from maillab.cli.text import text
from maillab.cli.where import local_engine
from maillab.where.known import KINDS, known_of
from maillab.where.ownership import listed

IMAGE = "docker:index/image:Image"
BROUGHT = "command:local:Command::images"  # with `build: here`; its output has lines "tag id"


def flags_of(stack: Stack, still: Mapping[str, str]) -> tuple[list[str], str]:
    """Additional flags for the engine's `up`, and the reason as text for people; nothing when nothing is missing.

    `still`: the machines that do not run.
    """
    flags: list[str] = []
    reasons: list[str] = []
    if still:
        reasons.append(text("drift-stopped"))
    elif gone := _gone(stack):
        reasons.append(text("drift-gone", kinds=", ".join(text(f"kinds-{kind}") for kind in gone)))
    if reasons:
        flags.append("--refresh")
    if lost := _lost_images(stack):
        reasons.append(text("drift-images", names=", ".join(sorted(lost.values()))))
        # The real provider never looks at images; the offline engine does so where it builds them.
        flags += [word for urn in lost for word in ("--replace", urn)]
    return flags, "; ".join(reasons)


def _gone(stack: Stack) -> list[str]:
    """The kinds of what the states have and the engine has not."""
    made = known_of(stack.root, stack.name).made
    if not made:
        return []
    there = {(kind, one.id) for kind in KINDS for one in listed(kind, docker)}
    return sorted({kind for kind, _ in made - there})


def _lost_images(stack: Stack) -> dict[str, str]:
    """URN to name of what made an image that is gone: its build, or what brought it to the lab's engine."""
    built: dict[str, set[str]] = {}
    brought: dict[str, set[str]] = {}
    for entry in (entry for engine in Engine for entry in stack.resources(engine)):
        outputs, urn = entry.get("outputs"), str(entry["urn"])
        if isinstance(outputs, Mapping) and f"{IMAGE}::" in urn and outputs.get("repoDigest"):
            built[urn] = {str(outputs["repoDigest"])}
        elif isinstance(outputs, Mapping) and urn.endswith(BROUGHT):
            lines = str(outputs.get("stdout") or "").splitlines()
            brought[urn] = {line.split()[-1] for line in lines if line.strip()}
    if stack.setting("build") != "here":
        lost = _not_there(built)
    else:
        lost = _not_there(brought)
        # An engine here that does not answer is reported by what needs it.
        with suppress(MaillabError), on(local_engine()):
            lost += _not_there(built)
    return {urn: urn.rpartition("::")[2] for urn in lost}


def _not_there(makers: Mapping[str, set[str]]) -> list[str]:
    """The URNs of which an image is not on the engine."""
    there = set(docker("image", "ls", "--all", "--no-trunc", "--quiet").split()) if any(makers.values()) else set()
    return [urn for urn, ids in makers.items() if not ids <= there]
