"""Reads mail logs: what each hop says it did with a message."""

import re
from dataclasses import dataclass, field

LINE = re.compile(
    r"^(?P<stamp>\S+) (?P<host>\S+) postfix/(?P<daemon>[\w./-]+)\[\d+\]: (?P<queue_id>[0-9A-Za-z]{12,}): (?P<rest>.*)$"
)
DELIVERY = re.compile(
    r"^to=<(?P<to>[^>]*)>, (?:orig_to=<(?P<orig_to>[^>]*)>, )?relay=(?P<relay>[^,]+),.* dsn=(?P<dsn>[\d.]+), "
    r"status=(?P<status>\w+) \((?P<response>.*)\)$"
)
QUEUED_AS = re.compile(r"(?:queued|forwarded) as (\w+)")
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
        match = QUEUED_AS.search(self.response)
        return match.group(1) if match else None

    @property
    def in_mailbox(self) -> bool:
        """Whether the copy is where it wanted to be: local(8) or virtual(8) wrote it to a mailbox."""
        return self.status == "sent" and self.relay in ("local", "virtual") and self.next_queue_id is None

    @property
    def mailbox(self) -> str:
        """The file in /var/mail that a delivery to a mailbox wrote: the user's, or with virtual(8) the domain's."""
        user, _, domain = self.to.lower().rpartition("@")
        return domain if self.relay == "virtual" else user

    def is_for(self, recipient: str) -> bool:
        """Whether `recipient` is the address as given, or as it was rewritten."""
        return recipient in (self.to, self.orig_to)


@dataclass(slots=True, kw_only=True)
class Entry:
    """Everything one machine's log says of one queue id."""

    queue_id: str
    client: str = ""
    message_id: str = ""
    sender: str | None = None
    bounce: str = ""  # the queue id of the message that tells the sender
    held: bool = False
    removed: bool = False
    deliveries: list[Delivery] = field(default_factory=list)


def read_maillog(text: str) -> dict[str, Entry]:
    """Queue id to entry, of one machine's /var/log/mail.log."""
    entries: dict[str, Entry] = {}
    for line in text.splitlines():
        match = LINE.match(line)
        if match is None:
            continue
        queue_id, rest = match["queue_id"], match["rest"]
        entry = entries.setdefault(queue_id, Entry(queue_id=queue_id))
        if rest.startswith("client="):
            entry.client = rest.removeprefix("client=").split(",")[0]
        elif rest.startswith("message-id="):
            entry.message_id = rest.removeprefix("message-id=").strip()
        elif rest.startswith("from=<") and entry.sender is None:
            entry.sender = rest.removeprefix("from=<").split(">")[0]
        elif rest.startswith("sender non-delivery notification: "):
            entry.bounce = rest.rpartition(" ")[2]
        elif "milter-hold:" in rest or rest.startswith("placed on hold"):
            entry.held = True
        elif rest == "removed":
            entry.removed = True
        elif delivery := DELIVERY.match(rest):
            entry.deliveries.append(Delivery(**{k: v or "" for k, v in delivery.groupdict().items()}))
    return entries
