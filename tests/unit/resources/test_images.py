"""An image is a chain of recipes, named by what is in them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from components.part import RECIPES, Part, merge_parts
from components.resources import images
from components.resources.images import image_name, image_tag

FILES = Path(__file__).parents[3] / "files"


def part(*recipes: str) -> Part:
    return Part(recipes=recipes, about="")


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three recipes, each a Dockerfile with its name in it."""
    for recipe in ("machine", "sendmail", "dovecot"):
        folder = tmp_path / recipe / "image"
        folder.mkdir(parents=True)
        (folder / "Dockerfile").write_text(recipe, "utf-8")
    monkeypatch.setattr(images, "FILES", tmp_path)
    images._content.cache_clear()
    return tmp_path


def changed(before: str) -> bool:
    images._content.cache_clear()
    return image_tag(("machine", "sendmail")) != before


def test_the_recipes_are_those_that_there_are() -> None:
    assert sorted(RECIPES) == sorted(path.parent.name for path in FILES.glob("*/image"))


def test_a_machine_has_the_recipes_of_all_its_parts_in_one_order() -> None:
    sums = [
        merge_parts([part("machine"), *more]).recipes for more in ([part("mail"), part("dns")], [part("dns", "mail")])
    ]
    assert sums == [("machine", "dns", "mail")] * 2
    both = merge_parts([part("spamfilter"), part("machine", "workstation")])
    assert both.recipes == ("machine", "workstation", "spamfilter")


def test_any_set_of_recipes_has_a_name_and_a_tag(files: Path) -> None:
    assert files
    chain = ("machine", "sendmail", "dovecot")
    assert image_name(chain) == "sendmail-dovecot"
    assert image_name(chain[:1]) == "machine"
    assert re.fullmatch(r"maillab/sendmail-dovecot:[0-9a-f]{12}", image_tag(chain))
    assert len({image_tag(chain), image_tag(chain[:2]), image_tag(("machine", "dovecot"))}) == 3


def test_a_tag_changes_with_each_thing_that_is_in_the_image(files: Path) -> None:
    before = image_tag(("machine", "sendmail"))
    assert not changed(before)
    (files / "dovecot" / "image" / "Dockerfile").write_text("another", "utf-8")
    assert not changed(before)
    dockerfile = files / "machine" / "image" / "Dockerfile"
    dockerfile.write_text("another", "utf-8")
    assert changed(before)
    dockerfile.write_text("machine", "utf-8")
    assert not changed(before)
    dockerfile.chmod(0o755)
    assert changed(before)
    dockerfile.chmod(0o664)
    assert not changed(before)
    (files / "sendmail" / "image" / "more").touch()
    assert changed(before)
