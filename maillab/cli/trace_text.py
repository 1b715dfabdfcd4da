"""What happened to a message, and where it is now, in the reader's language; a server's own words stay as they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from ipaddress import IPv6Address
from string import hexdigits

from maillab.cli.text import joined, text
from maillab.trace.events import Event, Kind, Verdict
from maillab.trace.outcome import End, Outcome

SYMBOLS = 6  # of a verdict: those with the most points
REPEATED = (Kind.ASKED, Kind.UNREACHED, Kind.ANSWERED, Kind.DEFERRED)  # what a server tries again

Values = Mapping[str, str]
EVENTS: Mapping[Kind, Callable[[Values], str]] = {
    Kind.ASKED: lambda v: _asked(v),  # noqa: PLW0108 (it stands below)
    Kind.CONNECTED: lambda v: text("trace-connected", who=joined(v.get("peer", ""), v["text"])),
    Kind.HANDED_IN: lambda v: text("trace-handed-in", uid=v["uid"]),
    Kind.VERDICT: lambda v: _amavis(v),  # noqa: PLW0108 (it stands below)
    Kind.REFUSED: lambda v: text("trace-refused", stage=v["stage"], text=v["text"]),
    Kind.HELD: lambda v: text("trace-held", text=v["text"]),
    Kind.RELEASED: lambda _: text("trace-released"),
    Kind.REQUEUED: lambda _: text("trace-requeued"),
    Kind.QUEUED: lambda v: text("trace-queued", size=v["size"], recipients=v["recipients"]),
    Kind.UNREACHED: lambda v: text("trace-unreached", text=v["text"]),
    Kind.ANSWERED: lambda v: text("trace-answered", peer=v.get("peer", v["name"]), text=v["text"]),
    Kind.PASSED: lambda v: text("trace-passed", to=_recipient(v), peer=v.get("peer", v["relay"]), text=v["text"]),
    Kind.ALIAS: lambda v: text("trace-alias", to=_recipient(v), text=v["text"]),
    Kind.MAILBOX: lambda v: text("trace-mailbox", to=_recipient(v), mailbox=v["mailbox"]),
    Kind.GONE: lambda v: joined(_recipient(v), v["text"]),
    Kind.DEFERRED: lambda v: text("trace-deferred", to=_recipient(v), text=v["text"]),
    Kind.BOUNCED: lambda v: text("trace-bounced", to=_recipient(v), text=v["text"]),
    Kind.NOTIFIED: lambda v: text("trace-notified", what=v["what"], next=v["next"]),
    Kind.EXPIRED: lambda v: text("trace-expired", text=v["text"]),
    Kind.DELETED: lambda _: text("trace-deleted"),
    Kind.LOGGED_IN: lambda v: text("trace-logged-in", user=v["user"], messages=v["messages"]),
    Kind.AUTHENTICATED: lambda v: text("trace-authenticated", user=v["user"], method=v["method"]),
    Kind.NOT_AUTHENTICATED: lambda v: joined(
        text("trace-not-authenticated", user=v["user"], method=v["method"]), v.get("peer", ""), v.get("text", "")
    ),
    Kind.OTHER: lambda v: joined(v["program"], v["text"]),
}
ENDS: Mapping[Outcome, Callable[[End], str]] = {
    Outcome.MAILBOX: lambda end: text("trace-end-mailbox", machine=end.machine, mailbox=end.text),
    Outcome.REFUSED: lambda end: text("trace-end-refused", machine=end.machine, since=_time(end.since), text=end.text),
    Outcome.DEFERRED: lambda end: text(
        "trace-end-deferred", machine=end.machine, since=_time(end.since), text=end.text
    ),
    Outcome.QUEUED: lambda end: text("trace-end-queued", machine=end.machine, since=_time(end.since)),
    Outcome.HELD: lambda end: text("trace-end-held", machine=end.machine, since=_time(end.since), text=end.text),
    Outcome.DELETED: lambda end: text("trace-end-deleted", machine=end.machine, since=_time(end.since)),
    Outcome.EXPIRED: lambda end: text("trace-end-expired", machine=end.machine, since=_time(end.since), text=end.text),
    Outcome.GONE: lambda end: text("trace-end-gone", machine=end.machine, since=_time(end.since), text=end.text),
    Outcome.BLOCKED: lambda end: text("trace-end-blocked", machine=end.machine, since=_time(end.since), text=end.text),
    Outcome.UNSEEN: lambda end: text("trace-end-unseen", machine=end.machine, since=_time(end.since), text=end.text),
}


def event_text(event: Event) -> str:
    """What happened."""
    words = _verdict(event.verdict) if event.verdict else EVENTS[event.kind](event.values)
    return _times(words, event.times, event.latest) if event.times > 1 and event.kind in REPEATED else words


def end_text(end: End) -> str:
    """Where a copy is now."""
    whose = end.recipient or text("trace-whole")
    words = joined(text("trace-notice", recipient=whose) if end.notice else whose, ENDS[end.outcome](end))
    return _times(words, end.tries, end.last) if end.tries > 1 else words


def _amavis(values: Values) -> str:
    points = text("trace-filter-points", points=values["points"]) if "points" in values else ""
    kept = text("trace-filter-kept", name=values["quarantine"]) if "quarantine" in values else ""
    return text("trace-filter", text=values["text"], points=points, kept=kept)


def _times(words: str, times: int, last: datetime) -> str:
    return text("trace-times", words=words, times=times, last=_time(last))


def _time(when: datetime) -> str:
    return f"{when:%H:%M:%S}"


def _recipient(values: Values) -> str:
    """The address, and the one that it was before an alias."""
    to, before = values.get("to", ""), values.get("orig_to", "")
    return f"{to} ({before})" if before and before != to else to


def _asked(values: Values) -> str:
    """A question to a name server, its answer, and whom that server asked in its turn."""
    server = values["server"]
    if upstream := values.get("upstream"):
        server = text("trace-asked-upstream", server=server, upstream=upstream)
    words = text(
        "trace-asked", type=values["type"], name=_asked_name(values["name"]), answer=_answer(values), server=server
    )
    return text("trace-asked-shared", words=words) if "shared" in values else words


def _asked_name(name: str) -> str:
    """The name; of an IPv6 address' 32 digits the address."""
    digits = name.removesuffix(".ip6.arpa").split(".")
    if len(digits) != 32 or not all(len(one) == 1 and one in hexdigits for one in digits):
        return name
    return str(IPv6Address(int("".join(reversed(digits)), 16)))


def _answer(values: Values) -> str:
    match values.get("rcode"):
        case None:
            return text("trace-asked-silent")
        case "NXDOMAIN":
            return text("trace-asked-nxdomain")
        case "NOERROR" if values["answers"] == "0":
            return text("trace-asked-none")
        case "NOERROR":
            return text("trace-asked-records", number=values["answers"])
        case rcode:
            return rcode


def _verdict(verdict: Verdict) -> str:
    weighty = sorted((one for one in verdict.symbols if one[1]), key=lambda one: -abs(one[1]))
    names = [f"{name} {points:g}" for name, points in weighty[:SYMBOLS]]
    if len(weighty) > SYMBOLS:
        names.append("…")
    score, required = f"{verdict.score:g}", f"{verdict.required:g}"
    words = text("trace-verdict", action=verdict.action, score=score, required=required)
    return joined(words, verdict.forced, ", ".join(names))
