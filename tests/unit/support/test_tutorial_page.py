"""What a program sees in a line of the county's page: these lines are not the page's."""

import pytest

from tests.support.tutorial_page import Kind, digest, essence, kind_of, page


@pytest.mark.parametrize(
    ("line", "kind", "text"),
    [
        ("", Kind.EMPTY, ""),
        ("    * 說明", Kind.WORDS, "說明"),
        ("          ◎.名稱: mail9", Kind.WORDS, "名稱: mail9"),
        ("   2. 連線至 https://filter.example:1 再登入", Kind.WORDS, "https://filter.example:1"),
        ("   1. root@dns:~# postfix check", Kind.PROMPT, "postfix check"),
        ("    * 做法root@dns:~# postfix check (檢查一下)", Kind.PROMPT, "postfix check"),
        ("root@dns:~# vi /etc/motd(在檔尾新增)", Kind.PROMPT, "vi /etc/motd"),
        ("root@dns:~# vi /etc/motd 確認一下", Kind.PROMPT, "vi /etc/motd"),
        ("root@dns:~# ntsysv → 打勾", Kind.PROMPT, "ntsysv"),
        ("a  = 1;", Kind.PLAIN, "a = 1;"),
        ("a = 1; # 註解", Kind.PLAIN, "a = 1;"),
        ("a = 1; # a remark", Kind.PLAIN, "a = 1; # a remark"),
        ("   7 ; 序號, 要加 1", Kind.PLAIN, "7"),
        ("Question (空白)", Kind.PLAIN, "Question"),
        ("        -◎.a=b", Kind.PLAIN, "-◎.a=b"),
        ("127.0.0.1:25 inet", Kind.PLAIN, "127.0.0.1:25 inet"),
        ("  # 註解", Kind.COMMENT, "# 註解"),
        ("#account  required", Kind.COMMENT, "#account required"),
    ],
)
def test_line(line: str, kind: Kind, text: str) -> None:
    assert (kind_of(line), essence(line)) == (kind, text)


def test_page_has_all_kinds_of_lines() -> None:
    assert {kind for kind, _ in page()} == set(Kind)
    assert digest("newaliases") in {found for _, found in page()}
