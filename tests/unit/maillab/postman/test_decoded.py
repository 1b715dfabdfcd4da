"""Messages as people read them, whoever wrote them and however."""

import random

import pytest

from maillab.postman.decoded import File, decoded, read
from maillab.postman.message import Attachment, Message

CHINESE = "各位老師好：\n明日停課一天。\n"


def raw(*lines: bytes | str) -> bytes:
    return b"".join((one if isinstance(one, bytes) else one.encode()) + b"\n" for one in lines)


@pytest.mark.parametrize("sender", ["a@b.tw", "陳@b.tw"])
def test_what_maillab_sends_is_read_as_it_was_written(sender: str) -> None:
    message = Message(
        sender=sender,
        recipient="c@d.tw",
        subject="期末成績單",
        body=CHINESE,
        attachments=(Attachment(name="成績單.pdf", content=b"12345"),),
    )
    found = read(message.raw)
    assert (found.header("from"), found.header("subject")) == (sender, "期末成績單")
    assert found.text.replace("\r\n", "\n") == CHINESE
    assert found.files == (File(name="成績單.pdf", kind="application/pdf", size=5),)
    assert found.date is not None


@pytest.mark.parametrize("charset", ["utf-8", "big5", "utf-16", "gb18030"])
def test_text_in_its_own_characters(charset: str) -> None:
    header = raw(f"Content-Type: text/plain; charset={charset}", "Content-Transfer-Encoding: 8bit", "")
    assert read(header + CHINESE.encode(charset)).text == CHINESE


@pytest.mark.parametrize("charset", ["utf-8", "big5"])
def test_text_that_says_nothing_of_its_characters(charset: str) -> None:
    found = read(b"Subject: " + "停課".encode(charset) + b"\n\n" + CHINESE.encode(charset))
    assert (found.header("subject"), found.text) == ("停課", CHINESE)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("=?big5?B?pOmkQQ==?=", "日乙"),
        ("=?utf-8?q?=E5=81=9C?=\n =?utf-8?q?=E8=AA=B2?=", "停課"),
        ("=?utf-8?b?5YGc6A==?= =?utf-8?b?qrI=?=", "停課"),
        ("=?nonsense?b?5YGc?=", "=?nonsense?b?5YGc?="),
        ("=?utf-8?b?5?=", "=?utf-8?b?5?="),
        ("plain\n\tfolded", "plain\tfolded"),
    ],
)
def test_headers(value: str, words: str) -> None:
    assert decoded(value) == words


@pytest.mark.parametrize("charset", ["utf-8", "big5"])
def test_name_of_a_file_in_bytes_that_say_nothing(charset: str) -> None:
    lines = raw(
        "Content-Type: multipart/mixed; boundary=x", "", "--x", "Content-Type: application/pdf",
        b'Content-Disposition: attachment; filename="' + "成績單.pdf".encode(charset) + b'"', "", "x", "--x--",
    )  # fmt: skip
    assert [file.name for file in read(lines).files] == ["成績單.pdf"]


def test_page_without_a_text_beside_it() -> None:
    page = b"<html><style>p {x: y}</style><p>A &amp; B</p></html>"
    assert read(raw("Content-Type: text/html; charset=utf-8", "") + page).text.strip() == "A & B"


def test_text_comes_before_a_page() -> None:
    lines = raw(
        "Content-Type: multipart/alternative; boundary=x", "", "--x", "Content-Type: text/html", "", "<p>page</p>",
        "--x", "Content-Type: text/plain", "", "text", "--x--",
    )  # fmt: skip
    found = read(lines)
    assert found.text == "text"
    assert [file.kind for file in found.files] == ["text/html"]


def test_message_in_a_message_stays_whole() -> None:
    lines = raw(
        "Content-Type: multipart/report; boundary=x", "", "--x", "", "refused", "--x",
        "Content-Type: message/rfc822", "", "Subject: inner", "", "hello", "--x--",
    )  # fmt: skip
    found = read(lines)
    assert found.text == "refused"
    assert [file.kind for file in found.files] == ["message/rfc822"]


def test_verdicts_are_the_filters_headers_but_for_the_long_list() -> None:
    found = read(raw("X-Virus: clean", "X-Spam-Status: No, score=1", "X-Spamd-Result: " + "X(1.0);" * 100, "", "hello"))
    assert found.verdicts == [("X-Virus", "clean"), ("X-Spam-Status", "No, score=1")]


@pytest.mark.parametrize("date", ["", "yesterday", "Mon, 99 Foo 2026 99:99:99 +9999"])
def test_date_that_is_none(date: str) -> None:
    assert read(raw(f"Date: {date}", "", "x")).date is None


@pytest.mark.parametrize("seed", range(300))
def test_damaged_message_is_read(seed: int) -> None:
    """Whatever comes is shown somehow."""
    chance = random.Random(seed)
    sample = raw(
        "From: =?utf-8?b?6Zmz?= <a@b.tw>", "Subject: =?big5?q?=A4=E9?= x", "Date: Mon, 30 Nov 2026 11:58:46 +0800",
        'Content-Type: multipart/mixed; boundary="x"', "", "--x", "Content-Type: text/plain; charset=big5",
        "Content-Transfer-Encoding: base64", "", "pOk=", "--x",
        "Content-Type: application/pdf; name*0*=utf-8''%E6; name*1=a", "Content-Disposition: attachment;",
        " filename*=utf-8''%E6%88%90.pdf", "Content-Transfer-Encoding: quoted-printable", "", "=41=", "--x--",
    )  # fmt: skip
    content = bytearray(sample)
    for _ in range(chance.randint(1, 20)):
        content[chance.randrange(len(content))] = chance.randrange(256)
    found = read(bytes(content))
    assert found.date is None or found.date.year
    assert isinstance(found.text, str)
