"""SMTP smuggling (CVE-2023-51764): no end of a message but CR LF dot CR LF, at any hop."""

import pytest

from driver.lab import Lab
from driver.mail import Message, Reply, crafted, envelope, find, queue_ids_of, smtp

# What follows the first message's text, before the commands of a second one.
SEQUENCES = {
    "LF.LF": b"\n.\n",
    "LF.CRLF": b"\n.\r\n",
    "CRLF.LF": b"\r\n.\n",
    "CR.CR": b"\r.\r",
    "CR.CRLF": b"\r.\r\n",
    "CRLF.CR": b"\r\n.\r",
    "CR.LF": b"\r.\n",
    "LF.CR": b"\n.\r",
    "LFLF.CRLF": b"\n\n.\r\n",
    "CRLF.CRCRLF": b"\r\n.\r\r\n",
    "CRCRLF.CRCRLF": b"\r\r\n.\r\r\n",
    "CRCRLF.LF": b"\r\r\n.\n",
    "CRLF-NUL.CRLF": b"\r\n\0.\r\n",
    "CRLF.NUL-CRLF": b"\r\n.\0\r\n",
    "CRLF..CRLF": b"\r\n..\r\n",
    "CRLF.SPACE-CRLF": b"\r\n. \r\n",
}
END = b"\r\n.\r\n"
CHEN, LIN = "chen@dc1es.tnc.edu.tw", "lin@dc1es.tnc.edu.tw"
# Where the messages come in: the client, its name, its sender.
HOPS = {
    "spamfilter": ("outside", "mail.example.com", "wendy@example.com"),
    "mail": ("workstation", "workstation.dc1es.tnc.edu.tw", "admin@dc1es.tnc.edu.tw"),
    "mail2": ("workstation", "workstation.dc1es.tnc.edu.tw", "admin@dc1es.tnc.edu.tw"),
}


def header(sender: str, recipient: str) -> list[bytes]:
    return [f"From: {sender}".encode(), f"To: {recipient}".encode(), b"Subject: smuggling"]


def two_in_one(sender: str, sequence: bytes) -> tuple[Message, Message, bytes]:
    """A message, another one hidden behind `sequence` in it, and the bytes on the wire."""
    outer = crafted(b"the first message", *header(sender, CHEN))
    inner = crafted(b"the smuggled message", *header("principal@dc1es.tnc.edu.tw", LIN))
    commands = f"MAIL FROM:<principal@dc1es.tnc.edu.tw>\r\nRCPT TO:<{LIN}>\r\nDATA\r\n".encode()
    return outer, inner, outer.raw + sequence + commands + inner.raw + END


def hand_in(lab: Lab, hop: str, wire: bytes) -> list[Reply]:
    """The replies to DATA's content and to two NOOPs: a second message's replies would come in their place."""
    client, name, sender = HOPS[hop]
    steps = [*envelope(name, sender, CHEN), wire, "NOOP", "NOOP"]
    return smtp(lab[client], lab[hop].ipv4, steps)[5:]


@pytest.mark.parametrize("hop", HOPS)
@pytest.mark.parametrize("sequence", SEQUENCES.values(), ids=SEQUENCES.keys())
def test_message_is_not_split(lab: Lab, hop: str, sequence: bytes) -> None:
    outer, inner, wire = two_in_one(HOPS[hop][2], sequence)
    taken, *after = hand_in(lab, hop, wire)
    assert queue_ids_of(lab, hop, inner.message_id) == []
    if taken.code != 250:  # refused as a whole
        assert taken.code in (0, 521, 550, 554), taken
        return
    assert [reply.text for reply in after] == ["250 2.0.0 Ok", "250 2.0.0 Ok"]
    lab.wait_for_delivery(hop, taken.queue_id, CHEN)
    (message,) = find(lab["mail"], "chen", outer.message_id)
    assert inner.message_id in message.get_content()
    assert find(lab["mail"], "lin", inner.message_id) == []


@pytest.mark.parametrize("hop", HOPS)
def test_commands_after_the_proper_end_are_commands(lab: Lab, hop: str) -> None:
    """What the test above must be able to see: the replies to a second MAIL FROM in place of those to NOOP.

    The second message has no luck even so: its text comes before the reply to DATA (RFC 2920, section 3.1).
    """
    outer, inner, wire = two_in_one(HOPS[hop][2], END)
    taken, *after = hand_in(lab, hop, wire)
    assert after[0].text == "250 2.1.0 Ok"
    assert queue_ids_of(lab, hop, inner.message_id) == []
    lab.wait_for_delivery(hop, taken.queue_id, CHEN)
    (message,) = find(lab["mail"], "chen", outer.message_id)
    assert message.get_content() == "the first message\n"
