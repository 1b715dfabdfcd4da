"""The spamfilter: spam is held and can be released, viruses are rejected, without its scanners it takes nothing."""

import email.utils
import io
import zipfile
from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import SMTP

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
    queue_id_of,
    queue_ids_of,
    smtp,
    submit,
)
from tests.support.delivered import Delivered, arrived, deliver
from tests.support.mailqueue import queued, wait_for_queue, wait_until_gone

WENDY = "wendy@example.com"
ADMIN = "admin@dc1es.tnc.edu.tw"
LIN = "lin@dc1es.tnc.edu.tw"
TNUSER = "tnuser@tn.edu.tw"
# Both in pieces, so that a virus scanner or a filter lets this file live.
GTUBE = "XJS*C4JDBQADN1.NSBN3*2IDNEN*" + "GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"
EICAR = "X5O!P%@AP[4\\PZX54(P^)7CC)7}" + "$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


def spam(recipient: str = ADMIN) -> Message:
    """The test message for spam filters."""
    return new_message(WENDY, recipient, body=f"第一行\r\n{GTUBE}\r\n.\r\n")


def hand_in(lab: Lab, recipient: str, mail: Message) -> Reply:
    """The filter's reply to a message that a server outside brings."""
    steps = [*envelope("mail.example.com", WENDY, recipient), data(mail), "QUIT"]
    return smtp(lab["outside"], lab["spamfilter"].ipv4, steps)[-2]


@pytest.fixture
def held(lab: Lab) -> Iterator[tuple[Message, str]]:
    """A spam message and its queue id on the filter, where it is on hold."""
    mail = spam()
    queue_id = hand_in(lab, ADMIN, mail).queue_id
    wait_for_queue(lab["spamfilter"], queue_id, "hold")
    yield mail, queue_id
    lab["spamfilter"].execute(f"postsuper -d {queue_id}")


def test_spam_is_held(lab: Lab, held: tuple[Message, str]) -> None:
    mail, queue_id = held
    entry = lab.entry("spamfilter", queue_id)
    assert (entry.held, entry.deliveries) == (True, [])
    assert queue_ids_of(lab, "mail", mail.message_id) == []


def test_queue_listing_marks_what_is_held(lab: Lab, held: tuple[Message, str]) -> None:
    assert f"{held[1]}!" in lab["spamfilter"].succeed("postqueue -p")


def test_held_message_has_its_original_bytes(lab: Lab, held: tuple[Message, str]) -> None:
    """Anyone who looks at it before it is released sees what was sent, and beside it why it is held."""
    mail, queue_id = held
    header, _, body = lab["spamfilter"].succeed(f"postcat -bhq {queue_id}").encode().partition(b"\n\n")
    written = mail.raw.partition(b"\r\n\r\n")[0].split(b"\r\n")
    assert body == mail.stored_body
    assert [line for line in written if line not in header.split(b"\n")] == []


def test_queue_run_leaves_it_on_hold(lab: Lab, held: tuple[Message, str]) -> None:
    lab["spamfilter"].succeed("postqueue -f")
    deliver(lab, "outside", WENDY, ADMIN)  # a message that is sent later arrives
    entry = queued(lab["spamfilter"], held[1])
    assert entry is not None
    assert entry.queue == "hold"


def all_of_it(lab: Lab, mail: Message, queue_id: str) -> Delivered:
    """The message from the filter in admin's mailbox, counted when no further copy can come."""
    hops = lab.wait_for_delivery("spamfilter", queue_id, ADMIN)
    wait_until_gone([lab["spamfilter"], lab["mail"]], ADMIN)
    return arrived(lab, mail, hops)


def release(lab: Lab, queue_id: str) -> None:
    """Lets a held message go on, now."""
    lab["spamfilter"].succeed(f"postsuper -H {queue_id} && postqueue -i {queue_id}")


def test_released_message_is_delivered_once(lab: Lab, held: tuple[Message, str]) -> None:
    mail, queue_id = held
    release(lab, queue_id)
    assert all_of_it(lab, mail, queue_id).path == ["spamfilter", "mail"]


def test_released_message_is_not_scanned_again(lab: Lab, held: tuple[Message, str]) -> None:
    mail, queue_id = held
    release(lab, queue_id)
    lab.wait_for_delivery("spamfilter", queue_id, ADMIN)
    scans = lab["spamfilter"].succeed(f"grep -cF 'id: {mail.message_id}' /var/log/mail.log")
    assert scans.strip() == "1"


def test_released_message_has_its_original_body(lab: Lab, held: tuple[Message, str]) -> None:
    mail, queue_id = held
    release(lab, queue_id)
    delivered = arrived(lab, mail, lab.wait_for_delivery("spamfilter", queue_id, ADMIN))
    assert delivered.body == mail.stored_body


def test_two_releases_at_once_deliver_once(lab: Lab, held: tuple[Message, str]) -> None:
    mail, queue_id = held
    lab["spamfilter"].succeed(f"postsuper -H {queue_id} & postsuper -H {queue_id}; wait; postqueue -i {queue_id}")
    assert all_of_it(lab, mail, queue_id).path == ["spamfilter", "mail"]


def test_deleted_message_is_gone(lab: Lab, held: tuple[Message, str]) -> None:
    mail, queue_id = held
    lab["spamfilter"].succeed(f"postsuper -d {queue_id}")
    assert queued(lab["spamfilter"], queue_id) is None
    assert queue_ids_of(lab, "mail", mail.message_id) == []


def test_spam_for_two_is_held_as_one(lab: Lab) -> None:
    """No recipient's copy finds its way round the filter to the next MX."""
    mail = spam()
    raw = mail.raw.replace(b"\r\n", b"\n").decode()
    lab["outside"].succeed(f"sendmail -i -f {WENDY} -- {ADMIN} {LIN} <<'MAILLAB'\n{raw}\nMAILLAB")
    queue_id = queue_id_of(lab, "spamfilter", mail.message_id)
    entry = wait_for_queue(lab["spamfilter"], queue_id, "hold")
    lab["spamfilter"].succeed(f"postsuper -d {queue_id}")
    assert sorted(entry.recipients) == [ADMIN, LIN]
    assert queue_ids_of(lab, "spamfilter", mail.message_id) == [queue_id]
    assert queue_ids_of(lab, "mail", mail.message_id) == []


def test_outgoing_spam_is_held_too(lab: Lab) -> None:
    mail = spam(TNUSER)
    submit(lab, "mail", "chen@dc1es.tnc.edu.tw", TNUSER, mail)
    queue_id = queue_id_of(lab, "spamfilter", mail.message_id)
    wait_for_queue(lab["spamfilter"], queue_id, "hold")
    lab["spamfilter"].succeed(f"postsuper -d {queue_id}")


def infected(form: str) -> Message:
    """A message with EICAR in it."""
    message_id = new_message_id()
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"], message["Subject"], message["Message-ID"] = WENDY, ADMIN, "發票", message_id
    if form == "text":
        message.set_content(EICAR)
        return Message(message_id=message_id, raw=message.as_bytes())
    message.set_content("see the attachment")
    content = EICAR.encode()
    if form == "zip":
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as file:
            file.writestr("invoice.com", content)
        content = archive.getvalue()
    names = {"attachment": "invoice.com", "zip": "invoice.zip"}
    message.add_attachment(content, maintype="application", subtype="octet-stream", filename=names.get(form))
    return Message(message_id=message_id, raw=message.as_bytes())


@pytest.mark.parametrize("form", ["text", "attachment", "nameless", "zip"])
def test_virus_is_rejected(lab: Lab, form: str) -> None:
    mail = infected(form)
    reply = hand_in(lab, ADMIN, mail)
    assert (reply.code, reply.text[:9]) == (554, "554 5.7.1"), reply
    assert "Eicar" in reply.text
    (queue_id,) = queue_ids_of(lab, "spamfilter", mail.message_id)
    assert queued(lab["spamfilter"], queue_id) is None
    assert queue_ids_of(lab, "mail", mail.message_id) == []


def test_sender_of_a_virus_is_told(lab: Lab) -> None:
    mail = infected("attachment")
    post(lab, "outside", WENDY, ADMIN, mail)

    def bounces() -> list[str]:
        return [str(m) for m in mailbox(lab["outside"], "example.com") if mail.message_id in str(m)]

    (text,) = wait_until("the bounce", bounces)
    assert "virus found" in text


def test_virus_from_within_the_school_comes_back(lab: Lab) -> None:
    """The mail server has taken it from the client; the filter refuses it; the writer gets the bounce."""
    mail = infected("attachment")
    queue_id = submit(lab, "mail", "chen@dc1es.tnc.edu.tw", TNUSER, mail)
    wait_until("the end of it", lambda: lab.entry("mail", queue_id).removed)
    assert [d.status for d in lab.entry("mail", queue_id).deliveries] == ["bounced"]
    assert queue_ids_of(lab, "tn", mail.message_id) == []


@pytest.fixture(scope="module")
def clean(lab: Lab) -> Delivered:
    """An ordinary message from outside."""
    return deliver(lab, "outside", WENDY, LIN)


@pytest.fixture(scope="module")
def marked(lab: Lab) -> Delivered:
    """A message without From, To, Subject and Date: 6.9 points by rspamd's rules, where 6 are marked and 15 held."""
    mail = crafted(b"BUY NOW\r\n")
    return arrived(lab, mail, lab.wait_for_delivery("spamfilter", hand_in(lab, LIN, mail).queue_id, LIN))


def test_suspicious_message_is_delivered_with_a_mark(marked: Delivered) -> None:
    assert marked.message["X-Spam"] == "Yes"
    assert marked.message["X-Spam-Status"].startswith("Yes, score=")


def test_clean_message_has_no_mark(clean: Delivered) -> None:
    assert clean.message["X-Spam"] is None
    assert clean.message["X-Spam-Status"].startswith("No, score=")


@pytest.mark.parametrize("which", ["clean", "marked"])
def test_message_says_that_it_was_scanned_for_viruses(request: pytest.FixtureRequest, which: str) -> None:
    delivered: Delivered = request.getfixturevalue(which)
    assert delivered.message["X-Virus"] == "clean"


def test_marking_changes_no_byte_of_the_body(marked: Delivered) -> None:
    assert marked.body == marked.mail.stored_body


def test_senders_own_mark_counts_for_nothing(lab: Lab) -> None:
    """A spammer writes X-Spam-Status: No himself; a prankster X-Spam: Yes."""
    headers = [
        b"From: wendy@example.com",
        b"To: " + LIN.encode(),
        b"Subject: hello",
        b"Date: " + email.utils.formatdate().encode(),
    ]
    mail = crafted(b"hello\r\n", *headers, b"X-Spam: Yes", b"X-Spam-Status: Yes, score=99", b"X-Virus: infected")
    delivered = arrived(lab, mail, lab.wait_for_delivery("spamfilter", hand_in(lab, LIN, mail).queue_id, LIN))
    assert delivered.message.get_all("X-Spam-Status", [])[-1].startswith("No, ")
    assert delivered.message.get_all("X-Virus") == ["clean"]


SCANNERS = ["rspamd", "redis", "clamav"]


def start(lab: Lab, role: str) -> None:
    """Starts one of the filter's programs, and waits until the filter judges messages again."""
    roles = "/usr/lib/maillab/roles"
    lab["spamfilter"].succeed(f"{roles}/{role} start && {roles}/{role} probe && {roles}/rspamd probe")


@pytest.fixture
def stopped(lab: Lab, request: pytest.FixtureRequest) -> Iterator[str]:
    """One of the filter's programs, stopped by its role and started again."""
    role = f"/usr/lib/maillab/roles/{request.param}"
    lab["spamfilter"].succeed(f"{role} stop")
    try:
        yield request.param
    finally:
        start(lab, request.param)


@pytest.mark.parametrize("stopped", SCANNERS, indirect=True)
def test_without_a_scanner_nothing_is_taken(lab: Lab, stopped: str) -> None:
    mail = new_message(WENDY, ADMIN, body=f"{stopped} is down\r\n")
    steps = [*envelope("mail.example.com", WENDY, ADMIN), data(mail), "QUIT"]
    codes = [reply.code for reply in smtp(lab["outside"], lab["spamfilter"].ipv4, steps)]
    assert 451 in codes, codes
    assert queue_ids_of(lab, "mail", mail.message_id) == []


@pytest.mark.parametrize("role", SCANNERS)
def test_outgoing_message_waits_for_the_scanner(lab: Lab, role: str) -> None:
    """The mail server, which knows no other way out, keeps it until the scanner is back."""
    mail = new_message(ADMIN, TNUSER, body=f"{role} was down\r\n")
    script = f"/usr/lib/maillab/roles/{role}"
    lab["spamfilter"].succeed(f"{script} stop")
    try:
        queue_id = submit(lab, "mail", ADMIN, TNUSER, mail)
        entry = wait_for_queue(lab["mail"], queue_id, "deferred")
    finally:
        start(lab, role)
    assert " said: 451 4.7.1 " in entry.reasons[0]
    lab["mail"].succeed("postqueue -f")
    assert arrived(lab, mail, lab.wait_for_delivery("mail", queue_id, TNUSER)).path == ["mail", "spamfilter", "tn"]
