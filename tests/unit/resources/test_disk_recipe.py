"""The recipe of the virtual machine's disk is what lies in files/vm."""

from pathlib import PurePath

from components.resources.disk_recipe import FOLDER, disk_recipe

TREE = FOLDER / "disk"


def test_the_recipe_holds_every_file() -> None:
    found = {f"/{path.relative_to(TREE)}": path.read_text("utf-8") for path in TREE.rglob("*") if path.is_file()}
    assert dict(disk_recipe().files) == found


def test_the_seed_is_read_at_boot() -> None:
    assert {"/usr/local/sbin/lab-seed", "/etc/systemd/system/lab-seed.service"} <= disk_recipe().files.keys()


def test_packages_and_script_are_there() -> None:
    recipe = disk_recipe()
    assert "docker.io" in recipe.packages.splitlines()
    assert recipe.script.startswith("#!/bin/bash\n")


def test_twice_is_the_same_in_the_same_order() -> None:
    """A resource's inputs: another order would be a change of the machine."""
    files = disk_recipe().files
    assert list(files.items()) == list(disk_recipe().files.items())
    assert list(files) == sorted(files, key=PurePath)


def test_no_key_is_in_the_recipe() -> None:
    """Every machine of every computer starts from the same disk."""
    assert "PRIVATE KEY" not in "".join(disk_recipe().files.values())
