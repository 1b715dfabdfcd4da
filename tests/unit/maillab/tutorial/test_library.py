"""The map's file is read strictly: a mistake in it is named with its place."""

from pathlib import Path

import pytest

from maillab.tutorial.library import FILE, TutorialError, tutorial
from maillab.tutorial.row import Row, State, Verdict

GOOD = """
sections:
  dns:
    heading: 修改 DNS 記錄
    title: DNS records
    first: 58
    last: 80
    rows:
      - printed: {62: "$TTL 86400"}
        state: not-yet
"""


def project(folder: Path, text: str) -> Path:
    """A folder with this map."""
    path = folder / FILE
    path.parent.mkdir()
    path.write_text(text, encoding="utf-8")
    return folder


def test_rows_of_a_section(tmp_path: Path) -> None:
    (row,) = tutorial(project(tmp_path, GOOD)).sections["dns"].rows
    assert row == Row(printed={62: "$TTL 86400"}, state=State.NOT_YET)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        pytest.param("not-yet", "perhaps", "sections.dns.rows[0].state", id="unknown state"),
        pytest.param("state: not-yet", "stat: not-yet", "sections.dns.rows[0].stat", id="typing error"),
        pytest.param("62:", "sixty-two:", "sections.dns.rows[0].printed.sixty-two", id="no number"),
        pytest.param("    first: 58\n", "", "sections.dns.first", id="missing"),
        pytest.param("state: not-yet", "state: not-yet\n        state: gone", "duplicate key", id="twice"),
    ],
)
def test_mistake_is_named(tmp_path: Path, old: str, new: str, words: str) -> None:
    with pytest.raises(TutorialError) as error:
        tutorial(project(tmp_path, GOOD.replace(old, new)))
    assert words in str(error.value)


def test_missing_map_is_named(tmp_path: Path) -> None:
    with pytest.raises(TutorialError, match=r"docs/tutorial\.yaml: no such file"):
        tutorial(tmp_path)


@pytest.mark.parametrize(
    ("state", "today", "verdict"),
    [
        (State.WORKS, None, Verdict.AS_PRINTED),
        (State.WORKS, "x", Verdict.CHANGED),
        (State.NOT_YET, "x", Verdict.NOT_YET),
        (State.GONE, "x", Verdict.GONE),
    ],
)
def test_verdict(state: State, today: str | None, verdict: Verdict) -> None:
    assert Row(printed={1: "a"}, state=state, today=today).verdict is verdict
