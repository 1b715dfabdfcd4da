"""What a line of a mail log says that happened to a message."""

import enum
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from maillab.trace.lines import Line
from maillab.trace.maillog import Delivery, read_delivery


class Kind(enum.StrEnum):
    """What happened."""

    ASKED = "asked"  # a name server
    CONNECTED = "connected"
    HANDED_IN = "handed-in"
    VERDICT = "verdict"
    REFUSED = "refused"  # by this machine
    HELD = "held"
    RELEASED = "released"
    REQUEUED = "requeued"  # by hand: it gets a new queue id
    QUEUED = "queued"
    UNREACHED = "unreached"  # a server that was tried
    ANSWERED = "answered"  # by a server that did not take it; the next one is tried
    PASSED = "passed"
    ALIAS = "alias"
    MAILBOX = "mailbox"
    GONE = "gone"  # to a program, a file, or a server that does not say what it made of it
    DEFERRED = "deferred"
    BOUNCED = "bounced"
    NOTIFIED = "notified"  # the sender gets a message about it
    EXPIRED = "expired"
    DELETED = "deleted"  # by hand: postsuper(1)
    LOGGED_IN = "logged-in"  # somebody to the mailbox, by POP3
    AUTHENTICATED = "authenticated"  # who sends, by SMTP AUTH
    NOT_AUTHENTICATED = "not-authenticated"  # by a wrong password
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What rspamd made of a message: its action, points, those that it needs for spam, and symbols with their points.

    `forced`: why the action is not the one of the points.
    """

    action: str
    score: float
    required: float
    symbols: tuple[tuple[str, float], ...] = ()
    forced: str = ""


@dataclass(slots=True, kw_only=True)
class Event:
    """What happened at `when`; `values` by kind; `verdict` is rspamd's.

    `times` that it did, the last time at `last` (None: once).
    """

    when: datetime
    kind: Kind
    values: dict[str, str] = field(default_factory=dict)
    verdict: Verdict | None = None
    delivery: Delivery | None = None
    times: int = 1
    last: datetime | None = None

    @property
    def key(self) -> tuple[object, ...]:
        """What is the same of two events when a server tries again."""
        return (self.kind, *sorted(self.values.items()))

    @property
    def latest(self) -> datetime:
        """When it happened the last time."""
        return self.last or self.when


# "client=" tells of a session whose first line is not in the log.
CONNECTED = re.compile(r"^(?:connect from |client=)(?P<text>(?P<name>[^\s\[]*)\[(?P<address>[^\]]+)\].*)$")
UNREACHED = re.compile(r"^connect to (?P<text>(?P<name>[^\s\[]*)\[(?P<address>[^\]]+)\].*)$")
HANDED_IN = re.compile(r"^uid=(?P<uid>\d+) from=<(?P<sender>[^>]*)>(?: orig_id=(?P<before>\w+))?$")
QUEUED = re.compile(r"^from=<(?P<sender>[^>]*)>, size=(?P<size>\d+), nrcpt=(?P<recipients>\d+)")
EXPIRED = re.compile(r"^from=<(?P<sender>[^>]*)>, status=(?P<text>(?:force-)?expired.*)$")
STOPPED = re.compile(
    r"^(?P<how>(?:milter-)?(?:hold|reject)): (?P<stage>[\w-]+) from (?P<name>\S*)\[(?P<address>[^\]]+)\]: "
    r"(?P<text>.*?)(?:; from=<(?P<sender>[^>]*)>(?: to=<(?P<to>[^>]*)>)? proto=.*)?$"
)
SAID = re.compile(
    r"^host (?P<name>\S+?)\[(?P<address>[^\]]+)\] (?:said|refused to talk to me): "
    r"(?P<text>.*?)(?: \(in reply to (?P<command>.+?) command\))?$"
)
NOTIFIED = re.compile(r"^sender (?P<what>.*) notification: (?P<next>\w+)$")
RSPAMD = re.compile(
    r"\(\w+: [TFS] \((?P<action>[^)]*)\): \[(?P<score>[^/\]]+)/(?P<required>[^\]]+)\] \[(?P<symbols>.*)$"
)
SYMBOL = re.compile(r"(\w+)\((-?\d+(?:\.\d+)?)\)\{")
FORCED = re.compile(r"forced: [^\"]*\"(?P<why>.*)\"; score=")
AMAVIS = re.compile(r"^\([\w-]+\) (?P<text>(?:Passed|Blocked) [\w-]+(?: \(.*?\))?) \{.*, Hits: (?P<points>-?[\d.]*),")
QUARANTINE = re.compile(r", quarantine: (\S+?),")
AUTHENTICATED = re.compile(r"^client=.*, sasl_method=(?P<method>[^,]+), sasl_username=(?P<user>.+)$")
# Lines that say nothing of their own: another one does, or the next machine.
SILENT = ("message-id=", "removed", "resent-message-id=")
SAYINGS = (
    (CONNECTED, Kind.CONNECTED), (UNREACHED, Kind.UNREACHED), (HANDED_IN, Kind.HANDED_IN), (QUEUED, Kind.QUEUED),
    (EXPIRED, Kind.EXPIRED), (SAID, Kind.ANSWERED), (NOTIFIED, Kind.NOTIFIED),
)  # fmt: skip
BY_HAND = {
    "placed on hold": Kind.HELD,
    "released from hold": Kind.RELEASED,
    "requeued": Kind.REQUEUED,
    "removed": Kind.DELETED,
}


def events_of(lines: list[Line]) -> Iterator[Event]:
    """What happened to one queue entry, in the log's order; what happens again and again with one result comes once."""
    known: dict[tuple[object, ...], Event] = {}
    for event in (event for line in lines for event in (_event(line), _authenticated(line))):
        if event is None or (event.kind is Kind.CONNECTED and (Kind.CONNECTED,) in known):
            continue
        if event.kind is Kind.CONNECTED:
            known[Kind.CONNECTED,] = event
        before = known.get(event.key) if event.kind not in (Kind.HELD, Kind.RELEASED) else None
        if before is None:
            known[event.key] = event
            yield event
        else:
            before.times += 1
            before.last = event.when


def _event(line: Line) -> Event | None:
    """What one line says; None when that is nothing of its own."""
    if line.program == "postsuper" and line.text in BY_HAND:
        return Event(when=line.when, kind=BY_HAND[line.text], values={"text": line.text})
    if line.program.startswith("rspamd"):
        return verdict_of(line)
    if line.program.startswith("amavis"):
        return amavis_verdict_of(line)
    if line.text.startswith(SILENT):
        return None
    return _delivered(line) or stop_of(line) or _said(line)


def _delivered(line: Line) -> Event | None:
    if (delivery := read_delivery(line.text)) is None:
        return None
    return Event(when=line.when, kind=_kind(delivery), values=_values(delivery), delivery=delivery)


def _said(line: Line) -> Event:
    for pattern, kind in SAYINGS:
        if match := pattern.match(line.text):
            return Event(when=line.when, kind=kind, values=_given(match.groupdict()))
    return Event(when=line.when, kind=Kind.OTHER, values={"program": line.program, "text": line.text})


def stop_of(line: Line) -> Event | None:
    """The event of a line that says that this machine refused a message, or put it on hold."""
    if (match := STOPPED.match(line.text)) is None:
        return None
    values = _given(match.groupdict())
    kind = Kind.HELD if values.pop("how").endswith("hold") else Kind.REFUSED
    return Event(when=line.when, kind=kind, values=values)


def verdict_of(line: Line) -> Event | None:
    """The event of rspamd's line about a message; None when it has another form."""
    if (match := RSPAMD.search(line.text)) is None:
        return None
    symbols, _, rest = match["symbols"].partition("]), len: ")
    forced = FORCED.search(rest)
    try:
        score, required = float(match["score"]), float(match["required"])
    except ValueError:
        return None
    verdict = Verdict(
        action=match["action"],
        score=score,
        required=required,
        symbols=tuple((name, float(points)) for name, points in SYMBOL.findall(symbols)),
        forced=forced["why"] if forced else "",
    )
    return Event(when=line.when, kind=Kind.VERDICT, verdict=verdict)


def amavis_verdict_of(line: Line) -> Event | None:
    """The event of amavis' line about a message: `text`, `points` if there are any, and `quarantine`, a file's name."""
    if (match := AMAVIS.match(line.text)) is None:
        return None
    kept = QUARANTINE.search(line.text)
    points = match["points"].strip("-") and match["points"]
    values = {"text": match["text"], "points": points, "quarantine": kept[1] if kept else ""}
    return Event(when=line.when, kind=Kind.VERDICT, values=_given(values))


def _authenticated(line: Line) -> Event | None:
    """Who logged in before he sent: smtpd says it beside its client."""
    match = AUTHENTICATED.match(line.text)
    return Event(when=line.when, kind=Kind.AUTHENTICATED, values=match.groupdict()) if match else None


def answer_of(delivery: Delivery) -> Mapping[str, str]:
    """`name`, `address`, `text` and `command` of the server that refused; empty when it was this machine itself."""
    match = SAID.match(delivery.response)
    return _given(match.groupdict()) if match else {}


def name_peer(event: Event, owners: Mapping[str, str]) -> None:
    """Note which machine of the lab was at the other end, if it was one; `owners`: address to machine."""
    address = event.values.get("address", "")
    if event.delivery:
        address = answer_of(event.delivery).get("address") or event.delivery.address or ""
    if peer := owners.get(address):
        event.values["peer"] = peer


def _kind(delivery: Delivery) -> Kind:
    if delivery.status == "sent":
        if delivery.in_mailbox:
            return Kind.MAILBOX
        if delivery.next_queue_id is None:
            return Kind.GONE
        return Kind.PASSED if delivery.address else Kind.ALIAS
    return {"deferred": Kind.DEFERRED, "bounced": Kind.BOUNCED}.get(delivery.status, Kind.OTHER)


def _values(delivery: Delivery) -> dict[str, str]:
    """What is the same of each try with the same result."""
    values = {"to": delivery.to, "orig_to": delivery.orig_to, "dsn": delivery.dsn, "text": delivery.response}
    if delivery.in_mailbox:
        values["mailbox"] = delivery.mailbox
    if delivery.next_queue_id:
        values["next"] = delivery.next_queue_id
    return _given(values | {"relay": delivery.relay if delivery.address else ""})


def _given(values: Mapping[str, str | None]) -> dict[str, str]:
    return {key: value for key, value in values.items() if value}
