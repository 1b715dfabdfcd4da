"""Messages by POP3: of any line length, removed when they have been fetched, their state and ids the server's alone."""

import email
import email.policy
from email.message import EmailMessage

import pytest

from driver.lab import Lab
from driver.mail import Message, crafted, data, envelope, post, smtp, submit
from tests.support.delivered import Delivered, arrived
from tests.support.pop3 import fetch

WENDY = "wendy@example.com"
WANG = "wang@dc1es.tnc.edu.tw"
COMMON = (b"From: wendy@example.com", b"To: wang@dc1es.tnc.edu.tw")


def receive(lab: Lab, *mails: Message) -> list[Delivered]:
    """Messages in wang's mailbox, as a mail client in the school sent them: lines stay as long as they are."""
    ids = [submit(lab, "mail", WENDY, WANG, mail) for mail in mails]
    hops = [lab.wait_for_delivery("mail", queue_id, WANG) for queue_id in ids]
    return [arrived(lab, mail, each) for mail, each in zip(mails, hops, strict=True)]


@pytest.fixture(autouse=True)
def _empty(lab: Lab) -> None:
    """Nobody else's messages in wang's mailbox."""
    lab["mail"].succeed("truncate --no-create --size 0 /var/mail/wang")


LONG = {
    "2049": b"x" * 2047 + b"\r\n",
    "a-hundred-thousand": b"first\r\n" + b"y" * 100_000 + b"\r\nlast\r\n",
    "two-million": b"z" * 2_000_000 + b"\r\n",
    "dots": (b"." * 5000 + b"\r\n") * 3,
    "utf-8": "長".encode() * 3000 + b"\r\n",
    "no-end": b"w" * 5000 + b"\r\n" + b"w" * 5000,
}


@pytest.mark.parametrize("body", LONG.values(), ids=LONG.keys())
def test_line_of_any_length_is_printed(lab: Lab, body: bytes) -> None:
    (delivered,) = receive(lab, crafted(body.removesuffix(b"\r\n") + b"\r\n", *COMMON))
    printed = fetch(lab["workstation"], lab["mail"], "wang")
    assert f"\n\n{delivered.body.decode()}" in printed


def test_long_header_is_printed(lab: Lab) -> None:
    mail = crafted(b"hello\r\n", *COMMON, b"X-Long: " + b"h" * 20_000)
    receive(lab, mail)
    assert f"X-Long: {'h' * 20_000}\n" in fetch(lab["workstation"], lab["mail"], "wang")
    assert mail.message_id in fetch(lab["workstation"], lab["mail"], "wang", "--list")


def some() -> list[Message]:
    """Three messages, one with a line that poplib by itself refuses, one with a POP3 id of the sender's."""
    return [
        crafted(b"first\r\n", *COMMON),
        crafted(b"x" * 3000 + b"\r\n", *COMMON),
        crafted(b"third\r\n", *COMMON, b"X-UIDL: always-the-same", b"Status: RO"),
    ]


def test_deleted_messages_are_printed_once(lab: Lab) -> None:
    mails = some()
    receive(lab, *mails)
    printed = fetch(lab["workstation"], lab["mail"], "wang", "--delete")
    assert [printed.count(f"Message-ID: {mail.message_id}\n") for mail in mails] == [1, 1, 1]
    assert fetch(lab["workstation"], lab["mail"], "wang", "--delete") == ""
    assert lab["mail"].get("/var/mail/wang") == b""


def test_undeleted_messages_are_printed_again(lab: Lab) -> None:
    mails = some()
    receive(lab, *mails)
    for _ in range(2):
        printed = fetch(lab["workstation"], lab["mail"], "wang")
        assert [printed.count(f"Message-ID: {mail.message_id}\n") for mail in mails] == [1, 1, 1]


def test_message_that_arrives_after_a_deletion_is_printed(lab: Lab) -> None:
    receive(lab, *some())
    fetch(lab["workstation"], lab["mail"], "wang", "--delete")
    receive(lab, crafted(b"later\r\n", *COMMON))
    assert fetch(lab["workstation"], lab["mail"], "wang", "--delete").count("From pop3-fetch\n") == 1


def test_what_could_not_be_printed_is_not_deleted(lab: Lab) -> None:
    """The reader goes away after the first message: that one is removed, the second stays."""
    first, second = crafted(b"first\r\n", *COMMON), crafted(b"x" * 1_000_000 + b"\r\n", *COMMON)
    receive(lab, first, second)
    lab["workstation"].execute(
        f"pop3-fetch --server {lab['mail'].ipv4} --delete wang lab-wang-2006 | head -c 100 >/dev/null"
    )
    listed = fetch(lab["workstation"], lab["mail"], "wang", "--list")
    assert (first.message_id in listed, second.message_id in listed) == (False, True)


# Headers in which programs on the mailbox's own host keep what they know of a message.
STATE = [
    b"X-UIDL: always-the-same",
    b"x-uidl: always-the-same",
    b"X-UIDL : always-the-same",
    b"X-UIDL:\r\n always-the-same",
    b"X-UID: 77",
    b"X-IMAP: 1 78",
    b"X-IMAPbase: 1 78",
    b"X-Keywords: junk",
    b"Status: RD",
    b"STATUS: RD",
    b"X-Status: D",
    b"X-Expire-Timestamp: 1",
    b"Content-Length: 3",
    b"X-Mozilla-Status: 0009",
    b"X-Mozilla-Status2: 00000000",
    b"X-Mozilla-Keys: junk",
]
NAMES = {line.split(b":")[0].strip().lower().decode() for line in STATE}


@pytest.fixture(scope="module", params=["from-outside", "in-the-school", "on-the-server"])
def stateful(lab: Lab, request: pytest.FixtureRequest) -> Delivered:
    """A message whose sender says of everything what the receiving host alone knows, by each way in."""
    mail = crafted(b"hello\r\n", *COMMON, *STATE, b"X-Status-Report: mine")
    if request.param == "in-the-school":
        return receive(lab, mail)[0]
    machine = {"from-outside": "outside", "on-the-server": "mail"}[request.param]
    queue_id = post(lab, machine, WENDY, WANG, mail)
    return arrived(lab, mail, lab.wait_for_delivery(machine, queue_id, WANG))


def test_state_of_the_senders_is_removed(stateful: Delivered) -> None:
    assert NAMES & {name.lower() for name in stateful.message} == set()


def test_other_headers_stay(stateful: Delivered) -> None:
    assert (stateful.message["X-Status-Report"], stateful.message["From"]) == ("mine", "wendy@example.com")


def test_ids_are_the_servers(lab: Lab) -> None:
    """Different for each message, the same in each session (RFC 1939, section 7)."""
    receive(lab, *some(), *some())
    uidl = f"printf '%s\\r\\n' 'USER wang' 'PASS lab-wang-2006' UIDL QUIT | timeout 20 bash -c '{SPEAK}'"
    command = uidl.replace("SERVER", lab["mail"].ipv4)
    listed, again = (lab["workstation"].succeed(f"{command} | grep -E '^[0-9]+ '").splitlines() for _ in range(2))
    ids = [line.split()[1] for line in listed]
    assert len(set(ids)) == 6
    assert "always-the-same" not in ids
    assert again == listed


# QUIT ends the session, so that the server closes the connection.
SPEAK = "exec 3<>/dev/tcp/SERVER/110; cat >&3; cat <&3"


def test_message_cannot_say_that_it_is_deleted(lab: Lab) -> None:
    """At the end of a session pop3d removes what has a D in Status."""
    mail = crafted(b"stay\r\n", *COMMON, b"Status: ROD")
    receive(lab, mail)
    for _ in range(2):
        assert mail.message_id in fetch(lab["workstation"], lab["mail"], "wang", "--list")


def test_message_inside_a_message_keeps_its_headers(lab: Lab) -> None:
    """What somebody forwards as an attachment is evidence, and nobody's mailbox reads it."""
    inner = email.message_from_bytes(b"\r\n".join([*COMMON, b"X-UIDL: mine", b"Status: RO", b"", b"hello"]))
    outer = EmailMessage(policy=email.policy.SMTP)
    outer["From"], outer["To"] = WENDY, WANG
    outer.set_content("see the attachment")
    outer.add_attachment(email.message_from_bytes(bytes(inner), policy=email.policy.SMTP))
    header, _, body = outer.as_bytes().partition(b"\r\n\r\n")
    (delivered,) = receive(lab, crafted(body, *header.split(b"\r\n")))
    assert b"X-UIDL: mine" in delivered.body
    assert delivered.body == delivered.mail.stored_body


def test_relay_hands_on_what_it_got(lab: Lab) -> None:
    """The filter has no mailboxes: whose state this is, it can't know."""
    mail = crafted(b"hello\r\n", *COMMON, b"X-UIDL: mine", b"Status: RO")
    steps = [*envelope("workstation.dc1es.tnc.edu.tw", WENDY, "friend@example.com"), data(mail), "QUIT"]
    queue_id = smtp(lab["workstation"], lab["spamfilter"].ipv4, steps)[-2].queue_id
    delivered = arrived(lab, mail, lab.wait_for_delivery("spamfilter", queue_id, "friend@example.com"))
    assert (delivered.message["X-UIDL"], delivered.message["Status"]) == ("mine", "RO")
