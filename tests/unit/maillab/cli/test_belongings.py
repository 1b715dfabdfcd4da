"""What on the engine is the lab's."""

from __future__ import annotations

import pytest

from maillab.cli.belongings import Belongings, belongings_of
from maillab.cli.stack import Engine, Stack
from tests.unit.conftest import Program
from tests.unit.maillab.cli.conftest import save_state

DOCKER = r"""
case "$1 $2" in
  "ps --all") printf 'c1\tlab-mail\tmine\tlab\nc2\tlab-two\ttheirs\tlab\nc3\tother\t\t\n';;
  "network ls") printf 'n1\tlab-school\tmine\tlab\n';;
  "volume ls") printf 'lab-spool\tlab-spool\tmine\tlab\nold-spool\told-spool\t\told\n'
    printf 'lab-gone\tlab-gone\tmine\tlab\nx-spool\tx-spool\tmine\tx\n';;
esac
"""


@pytest.fixture
def lab(stack: Stack, program: Program) -> Belongings:
    """A lab with a volume that has another prefix, beside another folder's of the same name."""
    program("docker", DOCKER)
    volumes = [
        {"urn": f"u::{name}", "type": "docker:index/volume:Volume", "custom": True, "id": name}
        for name in ("lab-spool", "old-spool")
    ]
    save_state(stack, Engine.OFFLINE, {}, more=volumes)
    (stack.root / ".pulumi-state" / "owner").write_text("mine\n", "ascii")
    return belongings_of(stack)


def test_its_own_are_told_by_the_mark_or_the_state(lab: Belongings) -> None:
    assert [lab.of(kind) for kind in ("container", "network", "volume")] == [
        ["lab-mail"],
        ["lab-school"],
        ["lab-gone", "lab-spool", "old-spool"],
    ]


def test_another_folders_are_named(lab: Belongings) -> None:
    assert list(map(str, lab.of_others())) == ["container lab-two"]


def test_mail_that_no_machine_has_is_told(lab: Belongings) -> None:
    assert lab.unused_mail() == ["lab-gone"]
