"""Messages of every kind: null senders, bounces, character sets old and new, long lines, large and too large ones."""

import email.policy
import email.utils
import hashlib
import random
from collections.abc import Iterator
from email.message import EmailMessage

import pytest

from driver.lab import Lab
from driver.machine import wait_until
from driver.mail import (
    Message,
    Reply,
    crafted,
    data,
    envelope,
    mailbox,
    new_message,
    new_message_id,
    post,
    queue_ids_of,
    smtp,
    submit,
)
from tests.support.delivered import Delivered, arrived, deliver

WENDY = "wendy@example.com"
CHEN = "chen@dc1es.tnc.edu.tw"
LIN = "lin@dc1es.tnc.edu.tw"
WANG = "wang@dc1es.tnc.edu.tw"  # the large ones, so that no other mailbox has to be read with them
TNUSER = "tnuser@tn.edu.tw"
LIMIT = 20 * 1024 * 1024
COMMON = (b"From: wendy@example.com", b"To: chen@dc1es.tnc.edu.tw", b"Date: " + email.utils.formatdate().encode())


def hand_in(lab: Lab, mail: Message, sender: str = WENDY, options: str = "") -> Delivered:
    """Brings a message to the filter as it is, as a server outside does, and waits for it in chen's mailbox."""
    hello, _, *rest = envelope("mail.example.com", sender, CHEN)
    steps = [hello, f"MAIL FROM:<{sender}>{options}", *rest, data(mail), "QUIT"]
    queue_id = smtp(lab["outside"], lab["spamfilter"].ipv4, steps)[-2].queue_id
    return arrived(lab, mail, lab.wait_for_delivery("spamfilter", queue_id, CHEN))


BODIES = {
    "utf-8": "各位老師好：\r\n明日停課。\r\n".encode(),
    "big5": "各位老師好：\r\n明日停課，許功蓋。\r\n".encode("big5"),
    "every-byte-but-nul-cr-lf": bytes(set(range(1, 256)) - {10, 13}) + b"\r\n",
    "dots": b".\r\n..\r\n...\r\n.first\r\n",
    "from-line": b"\r\nFrom the county\r\n>From a friend\r\nfrom nobody\r\n",
    "long-line": b"x" * 998 + b"\r\n",
    "empty-lines": b"\r\n\r\n\r\nend\r\n\r\n",
    "empty": b"",
    "spaces-at-the-end": b"words  \r\n\t \r\n",
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_body_arrives_byte_for_byte(lab: Lab, body: bytes) -> None:
    mail = crafted(body, *COMMON, b"Subject: bytes", b"MIME-Version: 1.0", b"Content-Transfer-Encoding: 8bit")
    delivered = hand_in(lab, mail, options=" BODY=8BITMIME")
    assert delivered.body.replace(b"\n>From ", b"\nFrom ") == mail.stored_body.replace(b"\n>From ", b"\nFrom ")


SUBJECTS = {
    "utf-8-base64": b"=?utf-8?B?5Y+w5Y2X57ij5aSn5oiQ5ZyL5bCP?=",
    "utf-8-quoted-printable": b"=?utf-8?Q?=E5=8F=B0=E5=8D=97?=",
    "big5": b"=?big5?B?pXilbA==?=",
    "folded": b"=?utf-8?B?5Y+w5Y2X57ij5aSn5oiQ5ZyL5bCP?=\r\n =?utf-8?B?5Y+w5Y2X57ij5aSn5oiQ5ZyL5bCP?=",
    "raw-utf-8": "台南縣大成國小".encode(),
    "raw-big5": "台南縣大成國小".encode("big5"),
    "tab-folded": b"one\r\n\ttwo",
}


@pytest.mark.parametrize("subject", SUBJECTS.values(), ids=SUBJECTS.keys())
def test_subject_arrives_byte_for_byte(lab: Lab, subject: bytes) -> None:
    delivered = hand_in(lab, crafted(b"hello\r\n", *COMMON, b"Subject: " + subject))
    assert b"\nSubject: " + subject.replace(b"\r\n", b"\n") + b"\n" in delivered.stored


def test_long_chinese_subject_is_read_as_it_was_written(lab: Lab) -> None:
    subject = "臺南縣大成國小九十五學年度第一學期" * 6
    assert deliver(lab, "outside", WENDY, CHEN, new_message(WENDY, CHEN, subject)).message["Subject"] == subject


def test_sender_with_a_chinese_address_is_taken(lab: Lab) -> None:
    """SMTPUTF8 (RFC 6531), at both hops."""
    sender = "溫蒂@example.com"
    mail = crafted("你好\r\n".encode(), "From: 溫蒂 <溫蒂@example.com>".encode(), *COMMON[1:], b"Subject: hello")
    delivered = hand_in(lab, mail, sender, " SMTPUTF8")
    assert b"Return-Path: <" + sender.encode() + b">" in delivered.header


def test_null_sender_is_taken(lab: Lab) -> None:
    delivered = hand_in(lab, crafted(b"a notice\r\n", b"From: MAILER-DAEMON@example.com", *COMMON[1:]), sender="")
    assert delivered.message["Return-Path"] == "<>"


def test_null_sender_to_an_unknown_user_makes_no_bounce(lab: Lab) -> None:
    """Else two servers would tell each other of bounces for ever."""
    recipient = "nobody-has-this-name@dc1es.tnc.edu.tw"
    mail = new_message("MAILER-DAEMON@example.com", recipient)
    queue_id = post(lab, "outside", "", recipient, mail)
    wait_until("the end of it", lambda: lab.entry("outside", queue_id).removed)
    assert len(queue_ids_of(lab, "outside", mail.message_id)) == 1
    assert "non-delivery notification" not in lab["outside"].succeed(f"grep -F {queue_id} /var/log/mail.log")


def bounce_of(lab: Lab, machine: str, box: str, mail: Message) -> EmailMessage:
    """The bounce of a message, once it is in a mailbox: exactly one."""

    def look() -> list[EmailMessage]:
        reports = [m for m in mailbox(lab[machine], box) if m.get_content_type() == "multipart/report"]
        return [report for report in reports if mail.message_id in str(report)]

    (bounce,) = wait_until(f"a bounce of {mail.message_id} in {machine}:/var/mail/{box}", look)
    return bounce


@pytest.fixture
def account_missing(lab: Lab) -> Iterator[str]:
    """An account that the filter knows and the mail server does not: it refuses what the filter has taken."""
    mail = lab["mail"]
    before = mail.get("/etc/postfix/main.cf")
    mail.succeed("postconf -e 'local_recipient_maps = $alias_maps' && postfix reload")
    yield WANG
    mail.put("/etc/maillab/current/etc/postfix/main.cf", before)
    mail.succeed("postfix reload")


def test_bounce_of_the_filter_reaches_the_sender_outside(lab: Lab, account_missing: str) -> None:
    mail = new_message(WENDY, account_missing)
    queue_id = post(lab, "outside", WENDY, account_missing, mail)
    bounce = bounce_of(lab, "outside", "example.com", mail)
    assert lab.hops("outside", queue_id, account_missing)[-1].machine == "spamfilter"
    assert bounce["Return-Path"] == "<>"
    assert bounce["From"].endswith("<MAILER-DAEMON@dc1es.tnc.edu.tw>")
    assert bounce["Auto-Submitted"] == "auto-replied"
    assert "550 5.1.1" in str(bounce)


def test_bounce_travels_back_by_the_senders_mx(lab: Lab, account_missing: str) -> None:
    mail = new_message(WENDY, account_missing)
    post(lab, "outside", WENDY, account_missing, mail)
    bounce = bounce_of(lab, "outside", "example.com", mail)
    queue_id = queue_ids_of(lab, "spamfilter", str(bounce["Message-ID"]))[0]
    hops = lab.wait_for_delivery("spamfilter", queue_id, WENDY)
    assert [hop.machine for hop in hops] == ["spamfilter", "outside"]
    assert [hop.entry.sender for hop in hops] == ["", ""]


@pytest.mark.parametrize(
    ("recipient", "reason"),
    [
        pytest.param("nobody-has-this-name@tn.edu.tw", "550 5.1.1", id="unknown-user"),
        pytest.param("someone@no-such-domain.edu.tw", "Host or domain name not found", id="unknown-domain"),
    ],
)
def test_writer_in_the_school_gets_the_bounce(lab: Lab, recipient: str, reason: str) -> None:
    """His mail server and the filter have taken the message: the filter sends the bounce back to his mailbox."""
    mail = new_message(CHEN, recipient)
    submit(lab, "mail", CHEN, recipient, mail)
    bounce = bounce_of(lab, "mail", "chen", mail)
    assert bounce["Return-Path"] == "<>"
    assert reason in " ".join(str(bounce).split())


@pytest.fixture(scope="module")
def attachment() -> bytes:
    """10 MB that no compression makes smaller, always the same."""
    return random.Random(20060308).randbytes(10 * 1000 * 1000)


def with_attachment(content: bytes, recipient: str) -> Message:
    message_id = new_message_id()
    message = EmailMessage(policy=email.policy.SMTP)
    message["From"], message["To"], message["Subject"], message["Message-ID"] = WENDY, recipient, "照片", message_id
    message.set_content("運動會")
    message.add_attachment(content, maintype="image", subtype="jpeg", filename="運動會.jpg")
    return Message(message_id=message_id, raw=message.as_bytes())


@pytest.mark.parametrize(("via", "recipient"), [("outside", WANG), ("mail", TNUSER)], ids=["inward", "outward"])
def test_large_attachment_arrives_byte_for_byte(lab: Lab, attachment: bytes, via: str, recipient: str) -> None:
    user = recipient.partition("@")[0]
    try:
        delivered = deliver(
            lab, via, LIN if via == "mail" else WENDY, recipient, with_attachment(attachment, recipient)
        )
        (part,) = delivered.message.iter_attachments()
    finally:
        lab["tn" if via == "mail" else "mail"].succeed(f"truncate --no-create --size 0 /var/mail/{user}")
    assert len(delivered.path) == 3
    assert part.get_filename() == "運動會.jpg"
    assert hashlib.sha256(part.get_content()).digest() == hashlib.sha256(attachment).digest()


# Each server, and who asks it.
SERVERS = {
    "mail": "workstation",
    "mail2": "workstation",
    "spamfilter": "outside",
    "tn": "outside",
    "outside": "outside",
}


@pytest.mark.parametrize("server", SERVERS)
def test_every_server_has_the_same_limit(lab: Lab, server: str) -> None:
    reply = smtp(lab[SERVERS[server]], lab[server].ipv4, ["EHLO client.test", "QUIT"])[1]
    assert f"SIZE {LIMIT}" in reply.text


def announce(lab: Lab, server: str, size: int) -> Reply:
    """The reply to MAIL FROM with SIZE (RFC 1870)."""
    steps = ["EHLO client.test", f"MAIL FROM:<{CHEN}> SIZE={size}", "QUIT"]
    return smtp(lab[SERVERS[server]], lab[server].ipv4, steps)[2]


@pytest.mark.parametrize("server", ["mail", "spamfilter"])
def test_announced_size_of_the_limit_is_taken(lab: Lab, server: str) -> None:
    assert announce(lab, server, LIMIT).code == 250


@pytest.mark.parametrize("server", ["mail", "spamfilter"])
def test_announced_size_beyond_the_limit_is_refused(lab: Lab, server: str) -> None:
    reply = announce(lab, server, LIMIT + 1)
    assert (reply.code, reply.text[:9]) == (552, "552 5.3.4"), reply


@pytest.mark.parametrize("server", ["mail", "spamfilter"])
def test_oversized_message_that_was_not_announced_is_refused(lab: Lab, server: str) -> None:
    mail = crafted((b"x" * 70 + b"\r\n") * (LIMIT // 72 + 1000), *COMMON)
    steps = [*envelope("client.test", WANG, WANG), data(mail), "NOOP"]
    refused, after = smtp(lab[SERVERS[server]], lab[server].ipv4, steps)[-2:]
    assert (refused.code, refused.text[:9]) == (552, "552 5.3.4"), refused
    assert after.code == 250  # the session goes on


@pytest.mark.parametrize("via", ["outside", "mail"])
def test_own_server_refuses_what_is_too_large(lab: Lab, via: str) -> None:
    """sendmail(1) on the machine itself: "message file too big", before it is queued."""
    script = f"head -c {LIMIT} /dev/zero | tr '\\0' x | fold -w 70 | sendmail -i -f {WENDY} -- {WANG}"
    assert "message file too big" in lab[via].fail(f"set -o pipefail; {script}")
