"""The `docker` client, for what people look at and for what an engine leaves behind."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from maillab.cli.problem import MaillabError, explain, failed
from maillab.cli.stack import PROJECT
from maillab.where.ownership import STACK_LABEL

MACHINE_LABEL = "maillab.machine"
PROJECT_LABEL = "maillab.project"
LIMIT = 300  # seconds for one command
RUNNING = "running"  # Docker's word for a container's state
BASE_LABEL = "maillab.base"  # on a base image that the set-up made


_host: str | None = None  # the engine of the lab that the command is about


def use(host: str) -> None:
    """From now on work on the engine `host`, whatever DOCKER_HOST and the docker context say."""
    global _host  # noqa: PLW0603 (one command, one lab)
    _host = host


@contextmanager
def on(host: str) -> Iterator[None]:
    """Meanwhile work on the engine `host`."""
    global _host  # noqa: PLW0603 (one command, one lab)
    before, _host = _host, host
    try:
        yield
    finally:
        _host = before


def is_in_use() -> bool:
    """Was an engine named by `use`?"""
    return _host is not None


def host_environment(given: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment in which `docker` works on the lab's engine."""
    if _host is None:
        return dict(given)
    return {key: value for key, value in given.items() if key != "DOCKER_CONTEXT"} | {"DOCKER_HOST": _host}


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """A container of the lab: `state` in Docker's words (running, exited …)."""

    name: str
    machine: str
    stack: str
    state: str


def docker(*args: str) -> str:
    """What `docker ARGS` says. Raises MaillabError, with the remedy when the failure is known."""
    try:
        done = subprocess.run(
            ["docker", *args], capture_output=True, text=True, check=False, env=host_environment(), timeout=LIMIT
        )
    except FileNotFoundError as error:
        raise failed("no-docker-client") from error
    except subprocess.TimeoutExpired as error:
        raise failed("engine-silent", command=f"docker {' '.join(args[:3])}", seconds=LIMIT) from error
    if done.returncode == 0:
        return done.stdout
    words = done.stderr.strip()
    known = explain(words)
    if known:
        raise MaillabError(f"{known.what}: {words.split(': Get ', 1)[0]}", *known.remedy)
    raise failed("docker-failed", command=f"docker {' '.join(args[:3])}", words=words)


def containers(stack: str | None = None) -> list[Container]:
    """The containers of one stack, or of every lab."""
    # Not by the project's label: that is on the images too, and what somebody starts from them inherits it.
    label = f"{STACK_LABEL}={stack}" if stack else STACK_LABEL
    fields = {
        "name": ".Names",
        "machine": f'.Label "{MACHINE_LABEL}"',
        "stack": f'.Label "{STACK_LABEL}"',
        "state": ".State",
    }
    form = "[" + ",".join(f"{{{{json ({value})}}}}" for value in fields.values()) + "]"
    lines = docker("ps", "--all", "--filter", f"label={label}", "--format", form).splitlines()
    return [Container(**dict(zip(fields, json.loads(line), strict=True))) for line in lines]


def build_leftovers() -> list[str]:
    """Stopped containers in which an image of the project was built: the classic builder leaves them.

    They stand on an unnamed layer, run a build's step, carry the images' label, and belong to no stack.
    """
    form = f'{{{{.ID}}}} {{{{.Image}}}} {{{{.Label "{STACK_LABEL}"}}}}. {{{{.Command}}}}'
    stopped = ("--filter", "status=exited", "--filter", "status=created")
    lines = docker("ps", "--all", "--filter", f"label={PROJECT_LABEL}={PROJECT}", *stopped, "--format", form)
    step = re.compile(r'(\S+) (?:sha256:)?[0-9a-f]{12,64} \. "?/bin/sh -c ')
    return [found[1] for line in lines.splitlines() if (found := step.match(line))]


def remove(kind: str, names: Sequence[str]) -> None:
    """Remove containers (stopped at once, with their anonymous volumes), networks, volumes or images."""
    if names:
        options = {"container": ["--force", "--volumes"]}.get(kind, [])
        docker(kind, "rm", *options, *names)
