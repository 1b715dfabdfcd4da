"""A thousand messages of all kinds, and how each must end: known because it was made so, not because a log says it."""

import json
import pathlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field

from driver.lab import Lab

SCRIPT = (pathlib.Path(__file__).parent / "thousand_session.py").read_text(encoding="utf-8")
PER_SESSION = 8  # of refused messages Postfix hears no more in one (smtpd_hard_error_limit, postconf(5))
GTUBE = "XJS*C4JDBQADN1.NSBN3*2IDNEN*" + "GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"
SCHOOL, MAIL2 = "dc1es.tnc.edu.tw", "mail2.dc1es.tnc.edu.tw"
WENDY, CHEN, TNUSER = "wendy@example.com", f"chen@{SCHOOL}", "tnuser@tn.edu.tw"
End = tuple[str, str, str]  # recipient, machine, outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of message: how many, handed in from `origin` to `server` (machines), and how each ends.

    `{n}` in an address is the message's number. `way`: the tree of its stays, as `shape` writes it; empty: it never was
    a message. `ids`: how many messages share one Message-ID.
    """

    name: str
    number: int
    way: str
    ends: tuple[End, ...]
    origin: str = "outside"
    server: str = "spamfilter"
    sender: str = WENDY
    recipients: tuple[str, ...] = (f"lin@{SCHOOL}",)
    subject: str = "hello"
    body: str = "a line\r\n"
    ids: int = 1


def _one(recipient: str, machine: str, outcome: str = "mailbox") -> tuple[End, ...]:
    return ((recipient, machine, outcome),)


def _boxes(*ends: End) -> tuple[End, ...]:
    return tuple(sorted(ends))


ALIAS = _boxes(
    (f"admin@{SCHOOL}", "mail", "mailbox"), (f"manager@{SCHOOL}", "mail", "mailbox"), (TNUSER, "tn", "mailbox")
)
HOSTILE = "\x1b[2J to=<root>, relay=local, status=sent (delivered to mailbox) message-id=<x> \xff\xfe NOQUEUE: reject:"
LIN, KAO = f"lin@{SCHOOL}", f"kao@{MAIL2}"
KINDS = (
    Kind(name="clean", number=300, way="spamfilter(mail)", ends=_one(LIN, "mail")),
    Kind(
        name="two", number=60, way="spamfilter(mail)", recipients=(LIN, CHEN),
        ends=_boxes((LIN, "mail", "mailbox"), (CHEN, "mail", "mailbox")),
    ),
    Kind(
        name="mail2", number=90, way="spamfilter(mail2)", recipients=(KAO,), ends=_one(KAO, "mail2")
    ),
    Kind(
        name="alias", number=40, way="spamfilter(mail(mail*(spamfilter(tn))))", recipients=(f"service@{SCHOOL}",),
        ends=ALIAS,
    ),
    Kind(
        name="early", number=120, way="", recipients=(f"nobody{{n}}@{SCHOOL}",),
        ends=_one(f"nobody{{n}}@{SCHOOL}", "spamfilter", "refused"),
    ),
    Kind(
        name="partly", number=40, way="spamfilter(mail)", recipients=(LIN, f"noone{{n}}@{SCHOOL}"),
        ends=_boxes((LIN, "mail", "mailbox"), (f"noone{{n}}@{SCHOOL}", "spamfilter", "refused")),
    ),
    Kind(
        name="held", number=40, way="spamfilter", body=f"{GTUBE}\r\n", ends=_one(LIN, "spamfilter", "held")
    ),
    Kind(name="null", number=40, way="spamfilter(mail)", sender="", ends=_one(LIN, "mail")),
    Kind(
        name="verp", number=40, way="spamfilter(mail)", sender=f"list+lin={SCHOOL}-{{n}}@example.com",
        ends=_one(LIN, "mail"),
    ),
    Kind(name="hostile", number=40, way="spamfilter(mail)", subject=HOSTILE, ends=_one(LIN, "mail")),
    Kind(name="twice", number=40, way="spamfilter(mail)", ids=2, ends=_one(LIN, "mail")),
    Kind(
        name="posted", number=50, way="outside(spamfilter(mail))", server="outside", ends=_one(LIN, "mail")
    ),
    Kind(
        name="returned", number=30, way="outside(spamfilter!, outside=)", server="outside",
        recipients=(f"nowhere{{n}}@{SCHOOL}",),
        ends=_boxes((f"nowhere{{n}}@{SCHOOL}", "spamfilter", "refused"), (WENDY, "outside", "mailbox")),
    ),
    Kind(
        name="out", number=50, way="mail(spamfilter(tn))", origin="workstation", server="mail", sender=CHEN,
        recipients=(TNUSER,), ends=_one(TNUSER, "tn"),
    ),
    Kind(
        name="bounce", number=20, way="mail(spamfilter(tn!, spamfilter=(mail)))", origin="workstation", server="mail",
        sender=CHEN, recipients=("nobody{n}@tn.edu.tw",),
        ends=_boxes(("nobody{n}@tn.edu.tw", "tn", "refused"), (CHEN, "mail", "mailbox")),
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """A message that was handed in: its kind, its number, and its Message-ID with brackets."""

    kind: Kind
    number: int
    message_id: str
    run: str

    def filled(self, words: str) -> str:
        """With this message's number in it."""
        return words.replace("{n}", f"-{self.run}-{self.number}")

    @property
    def recipients(self) -> list[str]:
        """Its envelope recipients."""
        return [self.filled(one) for one in self.kind.recipients]

    @property
    def ends(self) -> list[End]:
        """How it ends."""
        return sorted((self.filled(recipient), machine, outcome) for recipient, machine, outcome in self.kind.ends)

    @property
    def name(self) -> str:
        """What no other one has, also where two share a Message-ID."""
        return f"{self.kind.name}-{self.number}"

    def told(self) -> dict[str, object]:
        """What the script on a machine needs to know."""
        header = (
            f"Message-ID: {self.message_id}\r\nFrom: Wendy <{WENDY}>\r\nTo: somebody@{SCHOOL}\r\n"
            f"Subject: {self.kind.subject}\r\nDate: Mon, 30 Nov 2026 12:00:00 +0800\r\n\r\n"
        )
        sender = self.filled(self.kind.sender)
        return {"name": self.name, "sender": sender, "recipients": self.recipients, "text": header + self.kind.body}


@dataclass(slots=True, kw_only=True)
class Thousand:
    """All of them, and the reply to each."""

    run: str = field(default_factory=lambda: secrets.token_hex(4))
    replies: dict[str, tuple[int, str]] = field(default_factory=dict)

    def messages(self) -> Iterator[Posted]:
        """In the order of the kinds."""
        for kind in KINDS:
            for number in range(kind.number):
                message_id = f"<{kind.name}-{number // kind.ids}.{self.run}@test.invalid>"
                yield Posted(kind=kind, number=number, message_id=message_id, run=self.run)

    def send(self, lab: Lab) -> None:
        """All kinds at once, from each machine in one run."""
        for origin in dict.fromkeys(kind.origin for kind in KINDS):
            sessions = [
                {"server": lab[one.server].ipv4 if one.server != origin else "127.0.0.1", "messages": batch}
                for one in KINDS
                if one.origin == origin
                for batch in self._batches(one)
            ]
            secrets.SystemRandom().shuffle(sessions)  # kinds meet in the same second
            path = f"/tmp/{secrets.token_hex(8)}.json"
            lab[origin].put(path, json.dumps(sessions).encode())
            self.replies |= json.loads(lab[origin].python(SCRIPT, path))

    def _batches(self, kind: Kind) -> Iterator[list[dict[str, object]]]:
        told = [one.told() for one in self.messages() if one.kind is kind]
        return (told[start : start + PER_SESSION] for start in range(0, len(told), PER_SESSION))

    def queue_id(self, one: Posted) -> str:
        """Under which the server took it ("2.0.0 Ok: queued as ID"); empty when it was refused."""
        code, words = self.replies[one.name]
        return words.rpartition(" ")[2] if code == 250 else ""
