"""Many messages brought to a server at once, and what became of each."""

import email.utils
import json
import pathlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from driver.lab import Lab
from driver.mail import Message, new_message_id

SESSION_SCRIPT = (pathlib.Path(__file__).parent / "bulk_session.py").read_text(encoding="utf-8")
SENDER = "wendy@example.com"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The server's reply to a message."""

    code: int
    text: str

    @property
    def queue_id(self) -> str:
        """The queue id under which the filter took it ("2.0.0 Ok: queued as ID")."""
        assert self.code == 250, f"not taken: {self}"
        return self.text.rpartition(" ")[2]


def named(messages: Mapping[str, bytes]) -> dict[str, Message]:
    """Each with the header of an ordinary message behind its first line, which stays the first."""
    found = {}
    for name, raw in messages.items():
        message_id = new_message_id()
        about = {"Message-ID": message_id, "From": f"Wendy <{SENDER}>", "To": "everybody@dc1es.tnc.edu.tw"}
        about["Date"] = email.utils.formatdate()
        first, _, rest = raw.partition(b"\r\n")
        header = "".join(f"{title}: {value}\r\n" for title, value in about.items()).encode()
        found[name] = Message(message_id=message_id, raw=first + b"\r\n" + header + rest)
    return found


def bring(lab: Lab, recipient: str, messages: Mapping[str, bytes], server: str = "spamfilter") -> dict[str, Answer]:
    """Brings all messages to the server, as another one outside does; the reply to each, by its name."""
    texts = {name: raw.decode("latin-1") for name, raw in messages.items()}
    plan = {"server": lab[server].ipv4, "sender": SENDER, "recipient": recipient, "messages": texts}
    path = f"/tmp/{secrets.token_hex(8)}.json"
    lab["outside"].put(path, json.dumps(plan).encode())
    replies = json.loads(lab["outside"].python(SESSION_SCRIPT, path))
    return {name: Answer(code=code, text=text) for name, (code, text) in replies.items()}
