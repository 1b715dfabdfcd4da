"""How a message ends, and by which machines it came there: what the prover predicts, and what the logs say."""

import enum
from dataclasses import dataclass


class How(enum.StrEnum):
    """How a message ends.

    In a mailbox, refused by a server, waiting in a queue for a server that answers, on hold there; or `GONE`, which no
    prediction says: to a program, a file, or a server that does not say what it made of it.
    """

    MAILBOX = "mailbox"
    REFUSED = "refused"
    WAITS = "waits"
    HELD = "held"
    GONE = "gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """One end of a message (an alias gives it several): the machines it came by, and what became of it at the last.

    `what`: the mailbox's name, or the refusal's enhanced status code (RFC 3463); `NO_CONNECTION`, of a mail client; of
    what is gone, the log's words.
    """

    hops: tuple[str, ...]
    how: How
    what: str = ""

    def __str__(self) -> str:
        how = {
            How.MAILBOX: f"in the mailbox {self.what}",
            How.REFUSED: f"refused ({self.what})",
            How.WAITS: "waits in the queue",
            How.HELD: "on hold in the queue",
            How.GONE: f"gone ({self.what})",
        }
        return f"{' → '.join(self.hops)}: {how[self.how]}"
