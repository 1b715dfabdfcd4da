"""Fixtures: a stack on either engine, always cleaned up; every test has its own names and subnet."""

from __future__ import annotations

import ipaddress
import secrets
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import docker
import pytest

from tests.engine.stacks import OfflineStack, PulumiStack, Stack

HAS_PULUMI = shutil.which("pulumi") is not None
ENGINES = {"offline": OfflineStack, **({"pulumi": PulumiStack} if HAS_PULUMI else {})}
CARRIERS = ipaddress.ip_network("198.19.0.0/16")

# What proves that a lab can move between the engines needs both.
collect_ignore = [] if HAS_PULUMI else ["test_fidelity.py"]


def free_subnet() -> str:
    """A /24 of the carrier range that no network of this engine has."""
    client = docker.from_env()
    pools = [pool for network in client.networks.list() for pool in network.attrs["IPAM"]["Config"] or []]
    taken = [ipaddress.ip_network(pool["Subnet"]) for pool in pools if ":" not in pool.get("Subnet", ":")]
    client.close()
    candidates = list(CARRIERS.subnets(new_prefix=24))
    while any(ipaddress.ip_network(chosen := secrets.choice(candidates)).overlaps(other) for other in taken):
        pass
    return str(chosen)


def make_stack(kind: type[Stack], folder: Path) -> Stack:
    return kind(folder, f"e{secrets.token_hex(3)}-", free_subnet())


@pytest.fixture(params=ENGINES.values(), ids=ENGINES.keys())
def stack(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stack]:
    """An empty stack; the test runs once on each engine there is."""
    made = make_stack(request.param, tmp_path)
    yield made
    made.clean()


@pytest.fixture
def offline(tmp_path: Path) -> Iterator[OfflineStack]:
    """An empty stack on the offline engine."""
    made = OfflineStack(tmp_path, f"e{secrets.token_hex(3)}-", free_subnet())
    yield made
    made.clean()


@pytest.fixture(scope="module", params=ENGINES.values(), ids=ENGINES.keys())
def shared_stack(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack that the tests of one module share; on each engine there is."""
    made = make_stack(request.param, tmp_path_factory.mktemp("shared"))
    yield made
    made.clean()


StackMaker = Callable[[type[Stack]], Stack]
