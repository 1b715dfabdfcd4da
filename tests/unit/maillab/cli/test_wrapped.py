"""Lines are broken between words: names, addresses and paths stay in one piece."""

import io

import pytest
from rich.cells import cell_len
from rich.console import Console

from maillab.cli.wrapped import Line, print_lines, wrapped

NAMES = "from dc2es.tnc.edu.tw, mail.mail34.moe.edu.tw, 2001:db8:163:ffff:ffff:ffff:ffff:fffd, bulk.example.net"
CHINESE = "來源：mail.dc2es.tnc.edu.tw、mail.mail34.moe.edu.tw，這幾台機器的服務都正常，檔案也沒有被手動修改。"


@pytest.mark.parametrize("words", [NAMES, CHINESE], ids=["english", "chinese"])
@pytest.mark.parametrize("width", [50, 60, 80])
def test_lines_fit(words: str, width: int) -> None:
    lines = list(wrapped(words, width, 6))
    assert len(lines) > 1
    assert max(map(cell_len, lines)) <= width


@pytest.mark.parametrize("width", [1, 40, 60, 80])
def test_no_name_is_broken(width: int) -> None:
    words = [word for line in wrapped(NAMES, width, 6) for word in line.split()]
    assert words == NAMES.split()


def test_no_line_begins_with_punctuation() -> None:
    for width in range(20, 80):
        assert not [line for line in wrapped(CHINESE, width) if line.lstrip()[0] in "、，。"]


def test_nothing_is_lost_of_chinese() -> None:
    assert "".join(line.strip() for line in wrapped(CHINESE, 30)) == CHINESE


def test_next_lines_are_further_to_the_right() -> None:
    first, *others = wrapped(NAMES, 60, 2)
    assert first.startswith("  from")
    assert {len(line) - len(line.lstrip()) for line in others} == {6}


def test_empty_line_stays() -> None:
    assert list(wrapped("", 80)) == [""]


def test_word_that_is_too_long_is_not_cut() -> None:
    console = Console(file=io.StringIO(), width=30)
    print_lines([Line("see /etc/bind/db.0.0.0.0.2.8.1.0.8.b.d.0.1.0.0.2.ip6.arpa", indent=2)], console)
    assert isinstance(console.file, io.StringIO)
    assert console.file.getvalue() == "  see\n      /etc/bind/db.0.0.0.0.2.8.1.0.8.b.d.0.1.0.0.2.ip6.arpa\n"


def test_what_a_machine_says_gives_a_terminal_no_orders() -> None:
    out = io.StringIO()
    print_lines([Line("mail said 550 \x1b[2J\x9b31m\u202e中文\u3000fine")], Console(file=out, width=80))
    assert out.getvalue() == "mail said 550 ?[2J?31m?中文\u3000fine\n"


def test_bracket_stays_with_what_it_opens() -> None:
    assert list(wrapped("一二三四五六七八九「十」", 20, hanging=0)) == ["一二三四五六七八九", "「十」"]
