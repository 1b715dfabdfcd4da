"""The pictures of the networks are as they were when somebody last looked at them."""

from pathlib import Path

import pytest

from tests.golden.pictures import PICTURES, pictures
from tests.golden.test_golden import RENEW

NOW = pictures()


@pytest.mark.parametrize("path", NOW, ids=lambda path: str(path.relative_to(PICTURES)))
def test_picture_is_as_kept(path: Path) -> None:
    assert NOW[path].splitlines() == path.read_text(encoding="utf-8").splitlines(), RENEW


def test_every_kept_picture_is_drawn() -> None:
    assert {path for path in PICTURES.rglob("*") if path.is_file()} == set(NOW)
