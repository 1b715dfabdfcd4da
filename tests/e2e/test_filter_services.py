"""The filter's programs as a student restarts them, and viruses in more disguises than an attachment."""

import base64
import binascii
import quopri

import pytest

from tests.support.lab import Lab
from tests.support.mail import Letter, crafted, data, envelope, letter, queue_id_of, smtp

SENDER = "wendy@example.com"
RECIPIENT = "lin@dc1es.tnc.edu.tw"
# In pieces, so that a virus scanner lets this file live.
EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}" + b"$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


def verdict(lab: Lab, mail: Letter) -> int:
    """The code of the filter's reply to the message itself."""
    steps = [*envelope("mail.example.com", SENDER, RECIPIENT), data(mail), "QUIT"]
    return smtp(lab["outside"], lab["spamfilter"].ipv4, steps)[-2].code


@pytest.mark.parametrize(
    ("machine", "service", "process"),
    [
        pytest.param("spamfilter", "redis-server", "redis-server", id="redis"),
        pytest.param("spamfilter", "clamav-daemon", "clamd", id="clamd"),
        pytest.param("spamfilter", "rspamd", "rspamd", id="rspamd"),
        pytest.param("dns", "named", "named", id="named"),
    ],
)
def test_restart_leaves_no_old_process(lab: Lab, machine: str, service: str, process: str) -> None:
    """These run as users of their own: root needs a capability to signal them, and a name to find them by."""
    before = set(lab[machine].succeed(f"pgrep -x {process}").split())
    lab[machine].succeed(f"service {service} restart")
    after = set(lab[machine].wait_until_succeeds(f"pgrep -x {process}").split())
    assert not before & after
    role = {"named": "bind", "clamd": "clamav", "redis-server": "redis"}.get(process, process)
    lab[machine].succeed(f"/usr/lib/maillab/roles/{role} probe")
    assert verdict(lab, letter(SENDER, RECIPIENT)) == 250


def part(kind: str, encoding: str, content: bytes) -> Letter:
    """A letter of one part."""
    about = [f"Content-Type: {kind}", f"Content-Transfer-Encoding: {encoding}", "MIME-Version: 1.0"]
    headers = [line.encode() for line in about]
    return crafted(content.replace(b"\n", b"\r\n") + b"\r\n", b"Subject: invoice", *headers)


def uuencoded() -> bytes:
    lines = [binascii.b2a_uu(EICAR[start : start + 45]) for start in range(0, len(EICAR), 45)]
    return b"see below\n\nbegin 644 invoice.com\n" + b"".join(lines) + b"`\nend"


def forwarded() -> bytes:
    inner = b"Subject: invoice\nMIME-Version: 1.0\nContent-Type: application/octet-stream\n"
    return inner + b"Content-Transfer-Encoding: base64\n\n" + base64.encodebytes(EICAR)


@pytest.mark.parametrize(
    "mail",
    [
        pytest.param(part("text/plain", "7bit", b"Dear all,\n\n" + EICAR + b"\n\nregards"), id="amid a text"),
        pytest.param(part("text/plain", "base64", base64.encodebytes(EICAR + b"\r\n")), id="text in base64"),
        pytest.param(part("text/plain", "quoted-printable", quopri.encodestring(EICAR)), id="quoted-printable"),
        pytest.param(part("text/html", "7bit", b"<html><body><p>" + EICAR + b"</p></body></html>"), id="html"),
        pytest.param(part("image/png", "base64", base64.encodebytes(EICAR)), id="claims to be an image"),
        pytest.param(part("message/rfc822", "7bit", forwarded()), id="mail inside mail"),
        pytest.param(part("text/plain", "7bit", uuencoded()), id="uuencode"),
    ],
)
def test_disguised_virus_is_rejected(lab: Lab, mail: Letter) -> None:
    assert verdict(lab, mail) == 554


def test_letter_for_three_is_one_letter(lab: Lab) -> None:
    """The filter takes all recipients of a message at once (RFC 5321, section 4.5.3.1.8: at least 100)."""
    mail = letter(SENDER, RECIPIENT)
    raw = mail.raw.replace(b"\r\n", b"\n").decode()
    three = [f"{name}@dc1es.tnc.edu.tw" for name in ("chen", "lin", "wang")]
    command = f"sendmail -i -f {SENDER} -- {' '.join(three)} <<'MAILLAB'\n{raw}\nMAILLAB"
    lab["outside"].succeed(command)
    queue_id = queue_id_of(lab, "outside", mail.message_id)
    for recipient in three:
        lab.wait_for_delivery("outside", queue_id, recipient)
    deliveries = lab.entry("outside", queue_id).deliveries
    assert {d.status for d in deliveries} == {"sent"}
    assert len({d.next_queue_id for d in deliveries}) == 1
