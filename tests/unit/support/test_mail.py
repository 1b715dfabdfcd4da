"""Messages, the bytes that go over the wire, and mailboxes."""

import pytest

from driver.mail import (
    Reply,
    crafted,
    data,
    envelope,
    find,
    mailbox,
    new_message,
    received_by,
    received_ids,
    stored,
)
from tests.unit.support.fakes import fake_machine

MBOX = b"""\
From wendy@example.com  Sun Nov 22 14:23:48 2026
Message-ID: <one@test.invalid>
Received: from b (b [2.2.2.2])
\tby c.tw (Postfix) with ESMTP id 4jXWXN1CGcz8Yp4; Sun, 22 Nov 2026 14:23:48 +0000 (UTC)
Received: by b.tw (Postfix, from userid 0)
\tid 4jXWXM2Plcz8YnQ; Sun, 22 Nov 2026 14:23:47 +0000 (UTC)
Subject: one

first

>From here on
last

From MAILER-DAEMON  Sun Nov 22 14:23:49 2026
Message-Id: <two@test.invalid>
Subject: two

about <one@test.invalid>

"""
MACHINE = fake_machine("mail", {"/var/mail/admin": MBOX, "/var/mail/empty": b""})


def test_message_has_crlf_line_ends_only() -> None:
    raw = new_message("a@b.tw", "c@d.tw").raw
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert b"\r" not in raw.replace(b"\r\n", b"")


def test_message_keeps_its_body() -> None:
    assert new_message("a@b.tw", "c@d.tw", body="一\r\n.\r\n").body == "一\r\n.\r\n".encode()


def test_two_messages_have_two_message_ids() -> None:
    assert new_message("a@b.tw", "c@d.tw").message_id != new_message("a@b.tw", "c@d.tw").message_id


def test_crafted_message_is_exactly_its_parts() -> None:
    mail = crafted(b"body", b"Subject: x", b"X: y")
    assert mail.raw == f"Message-ID: {mail.message_id}\r\nSubject: x\r\nX: y\r\n\r\nbody".encode()


def test_stored_body_has_the_mailboxs_line_ends() -> None:
    assert crafted(b"a\r\nb\r\n").stored_body == b"a\nb\n"


@pytest.mark.parametrize(
    ("body", "wire"),
    [
        pytest.param(b"a\r\n", b"a\r\n.\r\n", id="plain"),
        pytest.param(b".\r\n", b"..\r\n.\r\n", id="dot"),
        pytest.param(b"..a\r\n.b\r\n", b"...a\r\n..b\r\n.\r\n", id="dots"),
    ],
)
def test_dots_are_stuffed(body: bytes, wire: bytes) -> None:
    assert data(crafted(body)).partition(b"\r\n\r\n")[2] == wire


def test_envelope_ends_with_data() -> None:
    words = envelope("me", "", "a@b", "c@d")
    assert words == ["EHLO me", "MAIL FROM:<>", "RCPT TO:<a@b>", "RCPT TO:<c@d>", "DATA"]


def test_mailbox_has_its_messages_in_order() -> None:
    assert [message["Subject"] for message in mailbox(MACHINE, "admin")] == ["one", "two"]


@pytest.mark.parametrize("user", ["empty", "missing"])
def test_mailbox_may_be_empty(user: str) -> None:
    machine = fake_machine("mail", {f"/var/mail/{user}": b""})
    assert mailbox(machine, user) == []


def test_quoted_from_line_is_no_message() -> None:
    (text,) = stored(MACHINE, "admin", "<one@test.invalid>")
    assert text.partition(b"\n\n")[2] == b"first\n\nFrom here on\nlast\n"


def test_message_that_only_speaks_of_an_id_is_not_found() -> None:
    assert [message["Subject"] for message in find(MACHINE, "admin", "<one@test.invalid>")] == ["one"]


def test_message_id_header_is_found_in_any_case() -> None:
    assert len(find(MACHINE, "admin", "<two@test.invalid>")) == 1


def test_received_headers_first_hop_first() -> None:
    (message,) = find(MACHINE, "admin", "<one@test.invalid>")
    assert received_by(message) == ["b.tw", "c.tw"]
    assert received_ids(message) == ["4jXWXM2Plcz8YnQ", "4jXWXN1CGcz8Yp4"]


def test_queue_id_of_a_reply() -> None:
    assert Reply(step="", code=250, text="250 2.0.0 Ok: queued as 4jXWXM5Zn7z8Yp6").queue_id == "4jXWXM5Zn7z8Yp6"


@pytest.mark.parametrize(("code", "text"), [(554, "554 5.7.1 virus"), (250, "250 2.1.5 Ok")])
def test_reply_without_a_queue_id_fails(code: int, text: str) -> None:
    reply = Reply(step="", code=code, text=text)
    with pytest.raises(AssertionError, match="not taken"):
        _ = reply.queue_id
