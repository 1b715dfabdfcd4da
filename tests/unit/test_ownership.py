"""Whose a lab is: the id of the folder, and what its Command gets."""

from __future__ import annotations

import shutil
from pathlib import Path

from components.load import parse
from components.plan import plan_of, what_it_takes
from components.resources.ownership import OWNER_FILE, owner_of
from tests.support.stacks import stack_data


def test_the_id_is_made_once_and_moves_with_the_folder(tmp_path: Path) -> None:
    one = tmp_path / "one"
    one.mkdir()
    owner = owner_of(one)
    assert len(owner) == 16
    assert owner_of(one) == owner
    shutil.move(one, tmp_path / "moved")
    assert owner_of(tmp_path / "moved") == owner
    assert [path.name for path in (tmp_path / "moved" / ".pulumi-state").iterdir()] == ["owner"]


def test_each_folder_has_its_own(tmp_path: Path) -> None:
    assert owner_of(tmp_path) != owner_of(tmp_path / "..")


def test_an_empty_one_is_made_again(tmp_path: Path) -> None:
    owner_of(tmp_path)
    (tmp_path / OWNER_FILE).write_text("\n", "ascii")
    assert len(owner_of(tmp_path)) == 16


def test_the_command_gets_each_name_and_subnet() -> None:
    config = parse(stack_data(Path(__file__).parents[2], "dc1es"), "dc1es")
    takes = what_it_takes(plan_of(config))
    names = takes["NAMES"].splitlines()
    assert {"container dc1es-mail", "network dc1es-internet", "volume dc1es-mail-mailboxes"} <= {*names}
    assert len(names) == len({*names})
    assert [line.split()[0] for line in takes["SUBNETS"].splitlines()] == ["dc1es-internet", "dc1es-dc1es"]
