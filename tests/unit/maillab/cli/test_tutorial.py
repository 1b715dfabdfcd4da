"""`maillab tutorial`: the map in the terminal, in both languages; no lab and no engine are needed."""

import json
import re

import pytest
from rich.cells import cell_len
from typer.testing import CliRunner

from maillab.cli.app import app
from maillab.cli.problem import MaillabError
from maillab.cli.tutorial import numbers, where
from maillab.exercises.exercise import Text
from maillab.tutorial.library import tutorial
from maillab.tutorial.row import Row, State
from tests.support.documents import ROOT

SECTIONS = tutorial(ROOT).sections
ROW = Row(printed={62: "$TTL 86400"}, state=State.WORKS, machines=("dns", "mail"), tests=("tests/a.py::test_b",))
LANGUAGES = ("en", "zh-TW")


@pytest.fixture(autouse=True)
def _no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILLAB_LANG", "en")
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere.sock")
    monkeypatch.setenv("COLUMNS", "80")


def said(*words: str) -> str:
    return CliRunner().invoke(app, ["tutorial", *words]).stdout


def pieces(output: str) -> str:
    """What is shown, without the ends of lines that only the width has made."""
    return "".join(output.split())


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", [None, *SECTIONS])
def test_no_line_is_wider_than_80_columns(monkeypatch: pytest.MonkeyPatch, language: str, name: str | None) -> None:
    monkeypatch.setenv("MAILLAB_LANG", language)
    lines = said(*([name] if name else [])).splitlines()
    assert lines
    assert [line for line in lines if cell_len(line) > 80] == []


def test_terminal_that_is_wider_is_not_filled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert max(map(len, said("amavis-install").splitlines())) <= 80


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", [name for name, section in SECTIONS.items() if section.rows])
def test_nothing_is_cut(monkeypatch: pytest.MonkeyPatch, language: str, name: str) -> None:
    monkeypatch.setenv("MAILLAB_LANG", language)
    output = pieces(said(name))
    for row in SECTIONS[name].rows:
        assert all(pieces(words) in output for words in row.printed.values())
        assert all(pieces(line) in output for line in (row.today or "").splitlines())
        assert all(pieces(test.partition("::")[2]) in output for test in row.tests)
        assert not row.note or pieces(row.note.zh if language == "zh-TW" else row.note.en) in output


def test_sections_and_how_many_lines_of_each_are_how() -> None:
    lines = said().splitlines()
    assert [line.split()[0] for line in lines[1 : 1 + len(SECTIONS)]] == list(SECTIONS)
    assert re.fullmatch(r"tools +5 +- +- +- +Commands", lines[1 + list(SECTIONS).index("tools")])


def test_section_in_chinese(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILLAB_LANG", "zh-TW")
    assert "第 121 行  照原文  在 mail、mail2 上輸入" in said("firewall")
    assert "修改防火牆設定" in said()


def test_section_in_which_nothing_is_typed() -> None:
    assert "Nothing is typed in this section." in said("service")


def test_unknown_section_is_named() -> None:
    error = CliRunner().invoke(app, ["tutorial", "firewal"]).exception
    assert isinstance(error, MaillabError)
    assert error.id == "no-tutorial-section"
    assert "firewall" in error.remedy[0]


def test_json_has_every_row() -> None:
    rows = json.loads(said("--json"))
    assert len(rows) == sum(len(section.rows) for section in SECTIONS.values())
    assert {row["section"] for row in rows} <= set(SECTIONS)


def test_json_of_a_section() -> None:
    (row,) = (row for row in json.loads(said("firewall", "--json")) if row["printed"][0]["line"] == 116)
    assert row["state"] == "changed"
    assert (row["machines"], row["file"], row["key"]) == (["mail", "mail2"], "/etc/rc.local", "firewall")
    assert row["today"] == ["$IPTABLES -A INPUT -p TCP ! -s 163.26.182.0/24 --dport 25 -j DROP"]


def test_json_of_what_is_not_there_yet_names_no_place() -> None:
    rows = [row for row in json.loads(said("--json")) if row["state"] == "not-yet"]
    assert all((row["machines"], row["file"], row["key"], row["tests"]) == ([], None, None, []) for row in rows)


@pytest.mark.parametrize(
    ("lines", "shown"), [([7], "7"), ([7, 8], "7-8"), ([7, 8, 9, 11], "7-9, 11"), ([1, 3, 5], "1, 3, 5")]
)
def test_numbers_of_lines(lines: list[int], shown: str) -> None:
    assert numbers(Row(printed=dict.fromkeys(lines, "x"), state=State.GONE)) == shown


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({}, "on dns, mail"),
        ({"file": "/etc/a"}, "dns, mail: /etc/a"),
        ({"file": "/etc/a", "key": "zone"}, "dns, mail: /etc/a; stack file: zone"),
        ({"machines": (), "key": "zone"}, "stack file: zone"),
        ({"stack": "onehost"}, "on dns, mail (stack onehost)"),
        ({"state": State.NOT_YET}, ""),
        ({"state": State.GONE, "machines": (), "note": Text(en="a", zh="b")}, ""),
    ],
)
def test_where_a_line_is(changes: dict[str, object], shown: str) -> None:
    values = {"printed": ROW.printed, "state": ROW.state, "machines": ROW.machines} | changes
    assert where(Row(**values)) == shown  # type: ignore[arg-type]
