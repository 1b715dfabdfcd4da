"""`maillab new`: a stack file that begins as a copy of another one, with a prefix and a carrier of its own."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Network, ip_network
from itertools import count
from pathlib import Path

from components.config.network import NoCarrier
from components.network.carriers import CARRIER_PREFIX, free_carrier
from components.plan import what_it_takes
from maillab.cli.configuration import stack_plan
from maillab.cli.docker import containers
from maillab.cli.networks import networks
from maillab.cli.problem import MaillabError, failed
from maillab.cli.stack import PROJECT, Engine, Stack
from maillab.cli.stack_text import with_settings
from maillab.cli.stacks import names, unknown
from maillab.offline.stack_file import read_stack_file, stack_path
from maillab.offline.values import OfflineError
from maillab.where.ownership import wanted_of

# It begins names of containers, is a part of file names, and a word on command lines.
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,38}[a-z0-9]|[a-z0-9]")
SMALLEST = 22  # prefix length: room for a segment or two more


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """The new stack file; `asked`: the Docker engine said what it has already."""

    path: Path
    prefix: str
    carrier: IPv4Network
    asked: bool


def make(stack: Stack, source: Stack) -> Made:
    """Write the file of `stack`.

    Raises:
        MaillabError: its name is none, it is there already, the source is missing or bad, or no carrier is free.
    """
    if not NAME.fullmatch(stack.name):
        raise failed("bad-stack-name", name=stack.name)
    path, origin = stack_path(stack.root, stack.name), stack_path(source.root, source.name)
    if path.exists() or path.is_symlink():
        raise failed("stack-there", stack=stack.name, file=path.name)
    if any(stack.state_file(engine).exists() and stack.resources(engine) for engine in Engine):
        raise failed("stack-has-lab", stack=stack.name, file=path.name)
    if source.name not in names(source.root):
        raise unknown(source)
    length = _length(source)  # it says what is wrong with the source, if something is
    subnets, labels = _on_engine(source)
    prefix = _free_prefix(stack, labels or set())
    carrier = free_carrier([*(subnets or []), *_in_files(stack.root)], length)
    if carrier is None:
        raise failed("no-carrier-left", file=origin.name)
    text = origin.read_bytes().decode("utf-8")
    text = with_settings(text, PROJECT, {"prefix": prefix, "network.carrier": str(carrier)})
    _write(stack, path, text)
    return Made(path=path, prefix=prefix, carrier=carrier, asked=subnets is not None)


def _write(stack: Stack, path: Path, text: str) -> None:
    """Write it if it is not there, and only if it can be read."""
    try:
        with path.open("xb") as file:
            file.write(text.encode("utf-8"))
    except FileExistsError as error:
        raise failed("stack-there", stack=stack.name, file=path.name) from error
    good = False
    try:
        stack_plan(stack)
        good = True
    finally:
        if not good:
            path.unlink()


def _length(source: Stack) -> int:
    """The prefix length of a carrier with room for the source's networks, and for some more."""
    plan = stack_plan(source)
    _, subnets = wanted_of(what_it_takes(plan))
    # Without a carrier they are the segments' own, of which a carrier needs a part only.
    real = plan.config.network.carrier is NoCarrier.NONE
    sizes = [subnet.num_addresses for subnet in subnets.values()]
    needed = 2 * sum(min(size, 1 << 32 - CARRIER_PREFIX) if real else size for size in sizes)
    return min(SMALLEST, 32 - (needed - 1).bit_length())


def _on_engine(source: Stack) -> tuple[list[IPv4Network] | None, set[str] | None]:
    """The subnets and the labs' labels on this computer's engine; None when it can't be asked or is not the lab's."""
    if source.setting("where") not in ("", "local"):
        return [], set()
    try:
        found = networks()
        labels = {one.stack for one in containers()} | {one.lab for one in found}
    except MaillabError:
        return None, None
    return [subnet for one in found for subnet in one.subnets if isinstance(subnet, IPv4Network)], labels


def _free_prefix(stack: Stack, labels: set[str]) -> str:
    """The stack's name, with a number if a lab on the engine or another stack of the folder has it."""
    others = {Stack(name=name, root=stack.root).label for name in _readable(stack.root)} | labels
    candidates = (stack.name if number == 1 else f"{stack.name}{number}" for number in count(1))
    return next(f"{name}-" for name in candidates if name not in others)


def _readable(root: Path) -> Iterable[str]:
    """The stacks whose files can be read: of others nobody knows a setting."""
    for name in names(root):
        try:
            read_stack_file(stack_path(root, name), PROJECT)
        except OfflineError:
            continue
        yield name


def _in_files(root: Path) -> list[IPv4Network]:
    """The carriers that the folder's stack files name, whether there are labs of them now or not."""
    found = []
    for name in _readable(root):
        network = read_stack_file(stack_path(root, name), PROJECT).config.get(f"{PROJECT}:network")
        carrier = network.get("carrier") if isinstance(network, dict) else None
        try:
            block = ip_network(str(carrier), strict=False)
        except ValueError:
            continue
        if isinstance(block, IPv4Network):
            found.append(block)
    return found
