"""Fixtures: a stack on either engine, always cleaned up; every test has its own names and subnet."""

from __future__ import annotations

import ipaddress
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import docker
import pytest

from tests.engine.stacks import DockerObject, OfflineStack, PulumiStack, Stack

# With MAILLAB_PULUMI=required a Pulumi that is missing is a failure: anyone who has it would else not see that all that
# compares the engines was left out.
REQUIRED = os.environ.get("MAILLAB_PULUMI") == "required"
needs_pulumi = pytest.mark.skipif(
    not REQUIRED and shutil.which("pulumi") is None, reason="pulumi is not on PATH (make pulumi)"
)
ENGINES = [pytest.param(OfflineStack, id="offline"), pytest.param(PulumiStack, id="pulumi", marks=needs_pulumi)]
CARRIERS = ipaddress.IPv4Network("198.19.128.0/17")


Kind = TypeVar("Kind", bound=Stack)


def free_subnet() -> str:
    """A /24 of the carrier range that no network of this engine has."""
    client: DockerObject = docker.from_env()
    pools = [pool for network in client.api.networks() for pool in network["IPAM"]["Config"] or []]
    taken = [ipaddress.IPv4Network(str(pool["Subnet"])) for pool in pools if ":" not in pool.get("Subnet", ":")]
    client.close()
    candidates = list(CARRIERS.subnets(new_prefix=24))
    return str(secrets.choice([one for one in candidates if not any(one.overlaps(other) for other in taken)]))


def make_stack(kind: type[Kind], folder: Path) -> Kind:
    """A stack with a prefix and a subnet of its own; the caller cleans it up."""
    return kind(folder, f"e{secrets.token_hex(3)}-", free_subnet())


@pytest.fixture(params=ENGINES)
def stack(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stack]:
    """An empty stack; the test runs once on each engine there is."""
    made = make_stack(request.param, tmp_path)
    yield made
    made.clean()


@pytest.fixture
def offline(tmp_path: Path) -> Iterator[OfflineStack]:
    """An empty stack on the offline engine."""
    made = make_stack(OfflineStack, tmp_path)
    yield made
    made.clean()


@pytest.fixture(scope="module", params=ENGINES)
def shared_stack(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack that the tests of one module share; on each engine there is."""
    made = make_stack(request.param, tmp_path_factory.mktemp("shared"))
    yield made
    made.clean()
