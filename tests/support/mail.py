"""Letters with a Message-ID of their own, ways to send them, and mailboxes to find them in."""

import email
import email.message
import email.policy
import json
import pathlib
import re
import secrets
import time
from dataclasses import dataclass

from tests.support.lab import Lab
from tests.support.machine import POLL, Machine

SMTP_SCRIPT = (pathlib.Path(__file__).parent / "smtp_session.py").read_text(encoding="utf-8")
FROM_LINE = b"From "


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A message as it goes over the wire: `raw` with CRLF line ends."""

    message_id: str
    raw: bytes

    @property
    def body(self) -> bytes:
        """What follows the header."""
        return self.raw.partition(b"\r\n\r\n")[2]


def new_message_id() -> str:
    """A Message-ID that no other test has."""
    return f"<{secrets.token_hex(12)}@test.invalid>"


def letter(sender: str, recipient: str, subject: str = "哈囉", body: str = "第一行\r\n.\r\nlast line\r\n") -> Letter:
    """A plain UTF-8 letter."""
    message_id = new_message_id()
    message = email.message.EmailMessage(policy=email.policy.SMTP.clone(cte_type="8bit"))
    message["From"], message["To"], message["Subject"], message["Message-ID"] = sender, recipient, subject, message_id
    message["Date"] = "Sun, 22 Nov 2026 08:00:00 +0800"
    message.set_content(body.replace("\r\n", "\n"), cte="8bit")
    return Letter(message_id=message_id, raw=message.as_bytes())


def post(lab: Lab, machine: str, sender: str, recipient: str, mail: Letter) -> str:
    """Gives `mail` to the machine's own Postfix (sendmail(1)), which looks the recipient's MX up; its queue id."""
    path = f"/tmp/{mail.message_id.strip('<>')}"
    lab[machine].put(path, mail.raw.replace(b"\r\n", b"\n"))
    lab[machine].succeed(f"sendmail -i -f '{sender}' '{recipient}' < {path}; status=$?; rm {path}; exit $status")
    return queue_id_of(lab, machine, mail.message_id)


def queue_id_of(lab: Lab, machine: str, message_id: str, timeout: float = 15) -> str:
    """The queue id under which `machine` first logged a message."""
    deadline = time.monotonic() + timeout
    while True:
        ids = [entry.queue_id for entry in lab.log(machine).values() if entry.message_id == message_id]
        if ids:
            return ids[0]
        assert time.monotonic() < deadline, f"{machine}'s log has no message {message_id}"
        time.sleep(POLL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A server's answer to one step of an SMTP session; code 0: the connection broke off."""

    step: str
    code: int
    text: str


def smtp(machine: Machine, server: str, steps: list[str | bytes], *, source: str | None = None) -> list[Reply]:
    """One SMTP session from `machine` (bound to `source`) to `server`, a reply for each step.

    A step is a command without its line end, or bytes that are sent as they are (what follows DATA).
    The first reply is the greeting's.
    """
    wire = [step if isinstance(step, str) else step.decode("latin-1") for step in steps]
    kinds = ["command" if isinstance(step, str) else "bytes" for step in steps]
    plan = {"server": server, "source": source, "steps": list(zip(kinds, wire, strict=True))}
    path = f"/tmp/{secrets.token_hex(8)}.json"
    machine.put(path, json.dumps(plan).encode())
    replies = json.loads(machine.python(SMTP_SCRIPT, path))
    return [Reply(**reply) for reply in replies]


def data(mail: Letter) -> bytes:
    """What follows DATA: dots stuffed, and the end (RFC 5321, section 4.5.2)."""
    return mail.raw.replace(b"\r\n.", b"\r\n..") + b".\r\n"


def mailbox(machine: Machine, user: str) -> list[email.message.EmailMessage]:
    """The messages in /var/mail/USER (mbox(5)), oldest first."""
    # An empty line stands before each From line, and one at the very end.
    raw = b"\n\n" + machine.get(f"/var/mail/{user}")
    parts = raw.removesuffix(b"\n\n").split(b"\n\n" + FROM_LINE)[1:]
    texts = [part.partition(b"\n")[2].replace(b"\n>From ", b"\nFrom ") + b"\n" for part in parts]
    return [email.message_from_bytes(text, policy=email.policy.default) for text in texts]


def find(machine: Machine, user: str, message_id: str) -> list[email.message.EmailMessage]:
    """The messages with this Message-ID in a user's mailbox."""
    return [message for message in mailbox(machine, user) if message["Message-ID"] == message_id]


def received_by(message: email.message.EmailMessage) -> list[str]:
    """The hosts that wrote a Received header, first hop first (RFC 5321, section 4.4)."""
    lines = [" ".join(str(line).split()) for line in reversed(message.get_all("Received", []))]
    return [match.group(1) for line in lines if (match := re.search(r"\bby (\S+)", line))]
