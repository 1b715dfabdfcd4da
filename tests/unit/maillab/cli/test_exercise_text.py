"""The list of exercises is a table in both languages; a task is broken where Chinese may be."""

import pytest
from rich.cells import cell_len

from maillab.cli.exercise_text import paragraph, show_list
from maillab.cli.stack import ROOT, Stack
from tests.support.language import speaking


@pytest.mark.parametrize(("language", "second"), [("en", "level"), ("zh-TW", "難度")])
def test_head_stands_above_its_columns(
    language: str, second: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    with speaking(language):
        show_list(Stack(name="dc1es", root=ROOT), as_json=False)
    head, first, *_ = capsys.readouterr().out.splitlines()
    assert cell_len(head.partition(second)[0]) == first.index("*")


def test_lines_are_filled_with_chinese(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    paragraph("教室裡只有 IPv4 的舊電腦收不到信\n\n  bin/maillab exercise check new")
    assert capsys.readouterr().out.splitlines() == [
        "教室裡只有 IPv4 的舊",
        "電腦收不到信",
        "",
        "  bin/maillab exercise check new",
    ]
