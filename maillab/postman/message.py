"""A message to send, and the bytes that it is (RFC 5322, with Chinese by RFC 2047 and RFC 2231)."""

import email.utils
import mimetypes
import re
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8

# The test message for spam filters (https://spamassassin.apache.org/gtube/), and that for virus scanners
# (https://www.eicar.org/), each in two parts: this file is none.
GTUBE = "XJS*C4JDBQADN1.NSBN3*2IDNEN*" + "GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"
EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}" + b"$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
VIRUS, FILLING = "eicar.txt", "filling.txt"  # names of what is attached
TAIPEI = timezone(timedelta(hours=8))  # what the machines' clocks show
LONGEST = 998  # characters of a line (RFC 5322, section 2.1.1)
LINE = 76  # characters of a line that makes a message larger
DATED = re.compile(rb"(?i)\A(?:[^\r\n]+\r?\n)*?date:")  # among the headers
DOMAIN = "maillab.invalid"  # of the Message-IDs: nobody's (RFC 6761)


def new_message_id() -> str:
    """A Message-ID, with its brackets, that no other message has."""
    return f"<{secrets.token_hex(10)}@{DOMAIN}>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that goes with a message."""

    name: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message. `sender` is an address of the lab (empty: the null sender, as of a bounce), `recipient` anybody.

    `via`: the machine that it is handed to straight away, past the MX and the sender's own server. `helo`: what the
    client calls itself. `spam` and `virus`: with the test text of spam filters, and the test file of virus scanners.
    `size`: the message has at least so many bytes. `message_id` with its brackets. `rest`: further
    headers, an empty line and the text, as they are, instead of a subject, a body and what follows from them.
    """

    sender: str
    recipient: str
    subject: str = "maillab"
    body: str = ""
    attachments: tuple[Attachment, ...] = ()
    spam: bool = False
    virus: bool = False
    size: int = 0
    rest: bytes = field(default=b"", repr=False)
    via: str | None = None
    helo: str | None = None
    message_id: str = field(default_factory=new_message_id)
    date: str = field(default_factory=lambda: email.utils.format_datetime(datetime.now(TAIPEI)))

    @property
    def needs_smtputf8(self) -> bool:
        """Has one of its addresses other letters than ASCII's (RFC 6531)?"""
        return not (self.sender.isascii() and self.recipient.isascii())

    @property
    def raw(self) -> bytes:
        """The message as it goes over the wire, with CRLF at the ends of its lines."""
        if self.rest:
            return self._with_rest()
        made = self._with()
        if len(made) >= self.size:
            return made
        # What is missing comes in a file: a text of ASCII alone, whose bytes nobody encodes.
        made = self._with(Attachment(name=FILLING, content=b""))
        return self._with(Attachment(name=FILLING, content=_lines_of(self.size - len(made) + 2)))

    def _with_rest(self) -> bytes:
        dated = [] if DATED.search(self.rest) else [f"Date: {self.date}"]
        head = [f"From: <{self.sender}>", f"To: <{self.recipient}>", f"Message-ID: {self.message_id}", *dated]
        lines = [*(line.encode() for line in head), *self.rest.splitlines()]
        return b"".join(line + b"\r\n" for line in lines)

    def _with(self, *further: Attachment) -> bytes:
        message = EmailMessage(policy=SMTPUTF8 if self.needs_smtputf8 else SMTP)
        message["From"] = self.sender or f"MAILER-DAEMON@{DOMAIN}"
        message["To"] = self.recipient
        message["Subject"] = self.subject
        message["Date"] = self.date
        message["Message-ID"] = self.message_id
        texts = [self.body.rstrip("\n"), *([GTUBE] if self.spam else [])]
        text = "\n".join(filter(None, texts)) + "\n"
        message.set_content(text, cte=_encoding_of(text))
        if self.virus:
            message.add_attachment(EICAR, maintype="application", subtype="octet-stream", filename=VIRUS)
        for one in (*self.attachments, *further):
            _attach(message, one)
        return message.as_bytes()


def _attach(message: EmailMessage, file: Attachment) -> None:
    if file.name == FILLING:
        message.add_attachment(file.content.decode(), filename=file.name, cte="7bit")
        return
    kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    # Its bytes stay as they are: nobody knows which characters a text has.
    main, _, sub = kind.partition("/") if not kind.startswith("text/") else ("application", "", "octet-stream")
    message.add_attachment(file.content, maintype=main, subtype=sub, filename=file.name)


def _encoding_of(text: str) -> str | None:
    """Printed ASCII in lines that the wire carries is sent as it is; None: quoted-printable."""
    if not all(one in "\n\t" or (one.isascii() and one.isprintable()) for one in text):
        return "base64"
    return "7bit" if max(map(len, text.splitlines()), default=0) <= LONGEST else None


def _lines_of(size: int) -> bytes:
    """Lines of so many bytes together, each with a CRLF on the wire."""
    whole, rest = divmod(size, LINE + 2)
    return (b"x" * LINE + b"\n") * whole + (b"x" * max(rest - 2, 0) + b"\n" if rest else b"")
