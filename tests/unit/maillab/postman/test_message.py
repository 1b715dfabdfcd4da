"""A message's bytes: Chinese as the standards have it, test files, and as large as somebody wants it."""

import email
import email.policy
from email.message import EmailMessage

import pytest

from maillab.postman.message import EICAR, GTUBE, Attachment, Message

FRIEND, CHEN = "friend@example.com", "chen@dc1es.tnc.edu.tw"


def parsed(message: Message) -> EmailMessage:
    """As a mail program reads it."""
    found = email.message_from_bytes(message.raw, policy=email.policy.default)
    assert isinstance(found, EmailMessage)
    return found


def text_of(message: Message) -> str:
    """Its first text."""
    body = parsed(message).get_body(("plain",))
    assert body is not None
    content: str = body.get_content()
    return content


def test_envelope_is_in_the_header_too() -> None:
    message = Message(sender=FRIEND, recipient=CHEN)
    found = parsed(message)
    assert (found["From"], found["To"], found["Message-ID"]) == (FRIEND, CHEN, message.message_id)


def test_two_messages_have_two_message_ids() -> None:
    assert Message(sender=FRIEND, recipient=CHEN).message_id != Message(sender=FRIEND, recipient=CHEN).message_id


@pytest.mark.parametrize("subject", ["期末成績單", "期末成績單" * 40, "繳費 notice"])
def test_subject_is_read_as_it_was_written(subject: str) -> None:
    assert parsed(Message(sender=FRIEND, recipient=CHEN, subject=subject))["Subject"] == subject


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("各位老師好：\n\n明日停課。", id="Chinese"),
        pytest.param("first\n.\n..\n.last", id="dots"),
        pytest.param("x" * 3000, id="a long line"),
        pytest.param("bell \x07 escape \x1b[31m", id="controls"),
        pytest.param("😀 𠮷野家", id="beyond the first plane"),
    ],
)
def test_body_is_read_as_it_was_written(body: str) -> None:
    assert text_of(Message(sender=FRIEND, recipient=CHEN, body=body)).replace("\r\n", "\n") == f"{body}\n"


@pytest.mark.parametrize("name", ["成績單.pdf", "a b.txt", '"quoted".zip', "very-" * 60 + "long.pdf", "noextension"])
def test_attachment_has_its_name_and_its_bytes(name: str) -> None:
    content = bytes(range(256)) * 20
    message = Message(sender=FRIEND, recipient=CHEN, attachments=(Attachment(name=name, content=content),))
    (part,) = parsed(message).iter_attachments()
    assert (part.get_filename(), part.get_content()) == (name, content)


def test_wire_gets_ascii_in_short_lines_with_crlf() -> None:
    attachment = Attachment(name="成績單.txt", content="甲上\n".encode("big5"))
    message = Message(sender=FRIEND, recipient=CHEN, subject="成績" * 50, body="乙下" * 500, attachments=(attachment,))
    assert message.raw.isascii()
    assert message.raw.count(b"\n") == message.raw.count(b"\r\n")
    assert max(map(len, message.raw.split(b"\r\n"))) <= 998


def test_chinese_address_stays_what_it_is() -> None:
    """RFC 6532: a header in UTF-8, which only servers with SMTPUTF8 take."""
    message = Message(sender="陳@example.com", recipient=CHEN)
    assert message.needs_smtputf8
    assert "From: 陳@example.com\r\n".encode() in message.raw
    assert not Message(sender=FRIEND, recipient=CHEN, subject="中文").needs_smtputf8


def test_spam_and_virus_are_the_test_ones() -> None:
    found = parsed(Message(sender=FRIEND, recipient=CHEN, body="看看", spam=True, virus=True))
    body = found.get_body(("plain",))
    assert body is not None
    assert GTUBE in body.get_content()
    assert [part.get_content() for part in found.iter_attachments()] == [EICAR]


def test_message_without_them_has_neither() -> None:
    raw = Message(sender=FRIEND, recipient=CHEN, size=10_000).raw
    assert GTUBE.encode() not in raw
    assert EICAR not in raw


@pytest.mark.parametrize("size", [1_000, 1_001, 1_002, 77_777, 1_000_000])
@pytest.mark.parametrize("body", ["", "中文"])
def test_size_is_that_of_the_whole_message(size: int, body: str) -> None:
    assert size <= len(Message(sender=FRIEND, recipient=CHEN, body=body, size=size).raw) <= size + 2


def test_larger_message_than_wanted_stays_as_it_is() -> None:
    message = Message(sender=FRIEND, recipient=CHEN, body="x" * 5_000, size=100)
    assert list(parsed(message).iter_attachments()) == []


def test_null_senders_message_is_from_the_mail_system() -> None:
    assert parsed(Message(sender="", recipient=CHEN))["From"].startswith("MAILER-DAEMON@")


@pytest.mark.parametrize("head", ["Subject: 家長會", "Date: Mon, 02 Nov 2026 10:00:00 +0800\nSubject: 家長會"])
def test_what_is_given_as_it_is_stays_so(head: str) -> None:
    """Big5 without any encoding, as old programs sent it."""
    rest = f"{head}\n\nDate: 家長會\n".encode("big5")
    raw = Message(sender=FRIEND, recipient=CHEN, rest=rest, message_id="<1@x>").raw
    assert raw.endswith(rest.replace(b"\n", b"\r\n"))
    headers = raw.partition(b"\r\n\r\n")[0].split(b"\r\n")
    assert headers[:3] == [f"From: <{FRIEND}>".encode(), f"To: <{CHEN}>".encode(), b"Message-ID: <1@x>"]
    assert sum(line.startswith(b"Date: ") for line in headers) == 1
