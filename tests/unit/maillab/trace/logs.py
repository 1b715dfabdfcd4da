"""Lines of mail logs as Postfix writes them, and the trail that they are."""

from maillab.trace.maillog import read_maillog
from maillab.trace.trail import Trail

ID = "<1.abc@verify.invalid>"
OWNERS = {"1.1.1.2": "filter", "1.1.1.3": "mail", "1.1.1.4": "tn", "fd00::2": "filter"}
USER, SERVICE, TNUSER = "chen@b.tw", "service@b.tw", "tnuser@tn.edu.tw"
FIRST, SECOND, THIRD, FOURTH, FIFTH = (letter * 12 for letter in "BCDFG")
TO_FILTER, TO_MAIL = "filter[1.1.1.2]:25", "1.1.1.3[1.1.1.3]:25"
MAILBOX = "sent (delivered to mailbox)"


def received(queue_id: str, message_id: str = ID) -> str:
    """The line that a message's text gives (cleanup(8))."""
    return f"postfix/cleanup[1]: {queue_id}: message-id={message_id}"


def tried(queue_id: str, to: str, relay: str, outcome: str, *, dsn: str = "2.0.0", orig_to: str = "") -> str:
    """The line of one try: local(8), smtp(8) and virtual(8) write it alike."""
    rewritten = f"orig_to=<{orig_to}>, " if orig_to else ""
    times = "delay=0.1, delays=0/0/0/0.1"
    return f"postfix/x[1]: {queue_id}: to=<{to}>, {rewritten}relay={relay}, {times}, dsn={dsn}, status={outcome}"


def passed(queue_id: str, to: str, relay: str, taken_as: str) -> str:
    """The line of a try that the next hop took."""
    return tried(queue_id, to, relay, f"sent (250 2.0.0 Ok: queued as {taken_as})")


def removed(queue_id: str) -> str:
    """The line that ends a message's stay on a machine (qmgr(8))."""
    return f"postfix/qmgr[1]: {queue_id}: removed"


def trail(**logs: list[str]) -> Trail:
    """What the machines' logs tell; a machine's lines by its name."""
    stamp = "2026-11-22T14:23:47.787259+00:00"
    read = {name: read_maillog("".join(f"{stamp} {name} {line}\n" for line in lines)) for name, lines in logs.items()}
    return Trail(logs=read, owners=OWNERS)
