"""Reads mail logs: what each hop says it did with a message."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from components.log import Log
from maillab.trace.sendmail import in_postfix_words

# Where each machine keeps it.
LOG = "/var/log/mail.log"
LINE = re.compile(
    r"^(?P<stamp>\S+) (?P<host>\S+) postfix/(?P<daemon>[\w./-]+)\[\d+\]: (?P<queue_id>[0-9A-Za-z]{12,}): (?P<rest>.*)$"
)
DELIVERY = re.compile(
    r"^to=<(?P<to>[^>]*)>, (?:orig_to=<(?P<orig_to>[^>]*)>, )?relay=(?P<relay>[^,]+),.* dsn=(?P<dsn>[\d.]+), "
    r"status=(?P<status>\w+) \((?P<response>.*)\)$"
)
RECIPIENTS = re.compile(r"nrcpt=(\d+)")
IN_MAILBOX = ("delivered to mailbox", "delivered to maildir")  # local(8) and virtual(8); not to a file or a command
# Postfix' answer, and Sendmail's.
QUEUED_AS = re.compile(r"(?:queued|forwarded) as (?P<id>\w+)|\b(?P<sendmail>\w{14}) Message accepted for delivery")
RELAY_ADDRESS = re.compile(r"\[([^\]]+)\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One try to hand one recipient's copy on: `address` of the next hop, and its queue id when it took it.

    An alias with a target elsewhere is handed on within the machine: `address` is None, `next_queue_id` is not.
    """

    to: str
    orig_to: str
    relay: str
    dsn: str
    status: str
    response: str

    @property
    def address(self) -> str | None:
        """The next hop's address, None for a local delivery."""
        match = RELAY_ADDRESS.search(self.relay)
        return match.group(1) if match else None

    @property
    def next_queue_id(self) -> str | None:
        """The queue id that the next hop answered with."""
        return queued_as(self.response)

    @property
    def in_mailbox(self) -> bool:
        """Whether the copy is where it wanted to be: local(8) or virtual(8) wrote it to a mailbox.

        An alias can hand it to a program or append it to another file: that is no mailbox (aliases(5)).
        """
        return self.status == "sent" and self.relay in ("local", "virtual") and self.response in IN_MAILBOX

    @property
    def mailbox(self) -> str:
        """The file in /var/mail that a delivery to a mailbox wrote: the user's, or with virtual(8) the domain's.

        The log has the address with its extension (`recipient_delimiter`, postconf(5)), the file's name has none.
        """
        user, _, domain = self.to.lower().rpartition("@")
        return domain if self.relay == "virtual" else re.split(r"[^a-z0-9_-]", user, maxsplit=1)[0]

    def is_for(self, recipient: str) -> bool:
        """Whether `recipient` is the address as given, or as it was rewritten."""
        return recipient in (self.to, self.orig_to)


@dataclass(slots=True, kw_only=True)
class Entry:
    """Everything one machine's log says of one queue id.

    `recipients`: how many the queue manager had at its last look.
    """

    queue_id: str
    client: str = ""
    message_id: str = ""
    sender: str | None = None
    bounce: str = ""  # the queue id of the notification to the sender
    held: bool = False
    removed: bool = False
    recipients: int = 0
    deliveries: list[Delivery] = field(default_factory=list)


def queued_as(answer: str) -> str | None:
    """The queue id that a server gave a message which it took; None where it says none."""
    match = QUEUED_AS.search(answer)
    return match["id"] or match["sendmail"] if match else None


def read_maillog(text: str) -> dict[str, Entry]:
    """Queue id to entry, of one machine's /var/log/mail.log as Postfix writes it, or Sendmail."""
    entries: dict[str, Entry] = {}
    for line in in_postfix_words(text.splitlines()):
        match = LINE.match(line)
        if match is None:
            continue
        queue_id, rest = match["queue_id"], match["rest"]
        entry = entries.setdefault(queue_id, Entry(queue_id=queue_id))
        if rest.startswith("client="):
            entry.client = rest.removeprefix("client=").split(",")[0]
        elif rest.startswith("message-id="):
            entry.message_id = rest.removeprefix("message-id=").strip()
        elif rest.startswith("from=<"):
            if entry.sender is None:
                entry.sender = rest.removeprefix("from=<").split(">")[0]
            if count := RECIPIENTS.search(rest):
                entry.recipients = int(count.group(1))
        elif rest.startswith("sender non-delivery notification: "):
            entry.bounce = rest.rpartition(" ")[2]
        elif "milter-hold:" in rest or rest.startswith(("hold:", "placed on hold")):
            entry.held = True
        elif rest.startswith("released from hold"):
            entry.held = False
        elif rest == "removed":
            entry.removed = True
        elif delivery := read_delivery(rest):
            entry.deliveries.append(delivery)
    return entries


def read_delivery(text: str) -> Delivery | None:
    """The try that a line tells of, without the line's queue id; None when it tells of none."""
    match = DELIVERY.match(text)
    return Delivery(**{k: v or "" for k, v in match.groupdict().items()}) if match else None


READERS: Mapping[Log, Callable[[str], dict[str, Entry]]] = {
    Log.POSTFIX: read_maillog,
    Log.SENDMAIL: read_maillog,
}
