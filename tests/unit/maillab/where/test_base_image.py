"""The base image that a machine's disk carries."""

from pathlib import Path

import pytest

from maillab.where import power
from maillab.where.home import Home
from maillab.where.problem import WhereError
from tests.unit.conftest import Program


def test_it_is_imported_in_the_machine_when_it_is_not_there(home: Home, program: Program) -> None:
    calls = Path.cwd() / "ssh.calls"
    program("ssh", f'for word; do :; done; echo "$word" >>{calls}')
    assert power.base_image(home) == "debian:trixie-slim"
    (order,) = calls.read_text("utf-8").splitlines()
    assert order.startswith("docker image inspect debian:trixie-slim >/dev/null 2>&1 || docker import ")
    assert order.endswith("/var/lib/maillab/base.tar debian:trixie-slim >/dev/null")


def test_what_docker_says_there_is_reported(home: Home, program: Program) -> None:
    program("ssh", "echo 'write /var/lib/docker: no space left on device' >&2; exit 1")
    with pytest.raises(WhereError, match="no space left on device"):
        power.base_image(home)
