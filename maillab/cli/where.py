"""Where a stack's lab is: its Docker engine is reached, and a lab is not moved by a changed configuration."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import cast

from components.config.place import LOCAL, VM
from maillab.cli import docker
from maillab.cli.engine import environment, forget
from maillab.cli.problem import MaillabError, failed
from maillab.cli.stack import Engine, Stack
from maillab.cli.text import names_stack, text
from maillab.where import power
from maillab.where.home import Home, Settings, settings_of
from maillab.where.problem import WhereError
from maillab.where.ssh import to_host
from maillab.where.tunnel import Tunnel, connect

# How the URNs of the resources end that say where the lab is (components/resources/place.py).
GUARD = "command:local:Command::where"
MACHINE = "command:local:Command::vm-machine"
READY = "command:local:Command::vm-engine"
PROVIDER = "pulumi:providers:docker::docker"


def say(line: str) -> None:
    """A line of progress, on stderr: stdout is for what was asked."""
    print(f"  {line}", file=sys.stderr, flush=True)


def as_maillab(error: WhereError) -> MaillabError:
    """The same words for the person at the terminal."""
    return MaillabError(str(error), *map(names_stack, error.remedy), id=error.id)


def home_of(stack: Stack) -> Home:
    """The folder of the stack's virtual machine, or of its connection."""
    return Home(stack.root / ".vm" / stack.name)


def place_of(stack: Stack) -> str:
    """Where the lab is, as its `where` Command says: `vm`, `ssh://…`, `local` and an engine; empty without a lab.

    A lab from before there was that Command is where its provider is.
    """
    environment = _inputs(stack, GUARD).get("environment")
    if isinstance(environment, Mapping):
        return str(environment.get("WHERE", ""))
    host = _inputs(stack, PROVIDER).get("host")
    return f"{LOCAL} {host}" if host and stack.makers() else ""


def is_made(stack: Stack) -> bool:
    """Is there more of a lab than the word where it shall be?"""
    return bool(_inputs(stack, PROVIDER) or _inputs(stack, MACHINE))


def is_ready(stack: Stack) -> bool:
    """Was the engine of the lab's virtual machine reached once?"""
    return bool(_inputs(stack, READY))


def refuse_moved(stack: Stack, *, look_only: bool = False) -> None:
    """A lab stays where it was made: what is there would be left behind, unknown to the state.

    One that came no further than its place (a misspelt host) is forgotten, unless `look_only`. Raises MaillabError
    with the way out.
    """
    place, wanted = place_of(stack), stack.setting("where") or LOCAL
    wanted = f"{LOCAL} {local_engine()}" if wanted == LOCAL else wanted
    if not place or place == wanted:
        return
    if not is_made(stack):
        if look_only:
            return
        say(text("goes-elsewhere", place=place, wanted=wanted))
        for engine in stack.makers():
            forget(engine, stack)
        return
    # A virtual machine is on this computer: it can't be gone for good, `down` removes it.
    key = "where-changed.vm" if place == VM else "where-changed.elsewhere"
    raise failed(key, stack=stack.name, place=place, wanted=wanted)


def reach_engine(stack: Stack, *, start: bool = False) -> None:
    """Have the lab's engine within reach, and let the docker command work on it; `start` a machine that is off.

    Without a lab it does nothing. Raises MaillabError: it can't be reached.
    """
    place, home = place_of(stack), home_of(stack)
    try:
        if place == VM and _inputs(stack, MACHINE):
            if start or home.pid() is None:
                _start(stack, home, start=start)
            if is_ready(stack):  # else the first `up` came no further, and the next one goes on there
                docker.use(power.reach(home, say))
        elif place.startswith("ssh://") and _inputs(stack, PROVIDER):
            reach_over_ssh(stack, place)
        elif place.startswith(f"{LOCAL} "):
            docker.use(place.removeprefix(f"{LOCAL} "))
    except WhereError as error:
        raise as_maillab(error) from error


def reach_over_ssh(stack: Stack, place: str) -> None:
    """Have the engine at `ssh://…` within reach; a way that stands is kept. Raises MaillabError."""
    ssh, home = to_host(place), home_of(stack)
    tunnel = Tunnel(home)
    try:
        if not tunnel.alive(ssh):
            connect(home, ssh)
    except WhereError as error:
        gone = text("computer-gone", stack=stack.name)
        raise MaillabError(str(error), *error.remedy, gone, id=error.id) from error
    docker.use(tunnel.docker_host)


def local_engine() -> str:
    """This computer's engine, as the docker command itself would find it."""
    return environment().get("DOCKER_HOST") or "unix:///var/run/docker.sock"


def _start(stack: Stack, home: Home, *, start: bool) -> None:
    if not home.disk.exists():
        raise failed("vm-gone", stack=stack.name, disk=home.disk)
    if not start:
        raise failed("vm-stopped", stack=stack.name)
    if home.pid() is None:
        say(text("vm-starting"))
    power.start(home, home.settings() or _made_with(stack), say)


def _made_with(stack: Stack) -> Settings:
    """What the machine's Command was told, when its own note of it was lost."""
    return settings_of(cast("Mapping[str, str]", _inputs(stack, MACHINE)["environment"]))


def _inputs(stack: Stack, urn_end: str) -> Mapping[str, object]:
    """The inputs of the resource whose URN ends so, in the state of whichever engine has it."""
    for engine in Engine:
        for resource in stack.resources(engine):
            inputs = resource.get("inputs")
            if str(resource.get("urn", "")).endswith(urn_end) and isinstance(inputs, Mapping):
                return inputs
    return {}


def remove_machine(stack: Stack, *, images: bool) -> list[str]:
    """The virtual machine, with all that is in it, and the state that knows of it; answers lines for people.

    Nothing in it needs to be removed one by one. Raises MaillabError.
    """
    home, lines = home_of(stack), list[str]()
    try:
        power.remove(home, lines.append)
    except WhereError as error:
        raise as_maillab(error) from error
    for engine in stack.makers():
        forget(engine, stack)
    if images and not any((stack.root / ".vm").glob("*/seed.img")):
        lines += _remove_cache(stack.root / ".cache" / "vm")
    return lines


def _remove_cache(folder: Path) -> list[str]:
    if not folder.exists():
        return []
    shutil.rmtree(folder)
    return [text("removed-disks", folder=folder)]


def disconnect(stack: Stack, place: str) -> None:
    """Close the way to another computer after the last thing was done there."""
    home = home_of(stack)
    Tunnel(home).close(to_host(place))
    if not home.disk.exists():  # of a virtual machine of that name, kept with the mail in it
        shutil.rmtree(home.folder, ignore_errors=True)
