"""A message's way on a terminal, 80 columns, as a tree with a time before each line; and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from rich.console import Console
from rich.text import Text

from maillab.cli.text import printable, text
from maillab.cli.trace_text import end_text, event_text
from maillab.trace.events import Event, Kind
from maillab.trace.journey import Journey, Link, Stay
from maillab.trace.outcome import End, Outcome, ends

TIME = 14  # columns of the time and the space behind it
NARROW = 20  # columns that a text has at least: beyond them a terminal is too narrow for the tree
GOOD, BAD, BETWEEN, QUIET, HEAD = "green", "red", "yellow", "dim", "bold cyan"
STYLES = {
    Kind.MAILBOX: GOOD, Kind.REFUSED: BAD, Kind.BOUNCED: BAD, Kind.EXPIRED: BAD, Kind.DELETED: BAD,
    Kind.NOT_AUTHENTICATED: BAD,
    Kind.ASKED: QUIET, Kind.HELD: BETWEEN, Kind.UNREACHED: BETWEEN, Kind.ANSWERED: BETWEEN, Kind.DEFERRED: BETWEEN,
}  # fmt: skip
MARKS = {Outcome.MAILBOX: ("✓", GOOD), Outcome.GONE: ("✓", GOOD)}
ENDED, WAITING = ("✗", BAD), ("…", BETWEEN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A line of the tree: `first` stands before its words, `further` before what does not fit into one line."""

    when: datetime
    first: str
    further: str
    words: Text


def show(journeys: Sequence[Journey], console: Console) -> None:
    """Each message: who wrote to whom, the tree, and where it is now."""
    for number, journey in enumerate(journeys):
        if number:
            console.print()
        _print(Text(printable(journey.message_id or text("trace-no-message")), style="bold"), console)
        _print(_envelope(journey), console)
        for root in journey.roots:
            for row in _rows(root, "", "", ""):
                _print_row(row, console)
        _print(Text(text("trace-ends"), style="bold"), console)
        for end in ends(journey):
            _print_end(end, console)


def _print(words: Text, console: Console) -> None:
    console.print(words, soft_wrap=True)


def _envelope(journey: Journey) -> Text:
    to = ", ".join(journey.recipients) or text("trace-unknown")
    sender = journey.sender if journey.sender is not None else text("trace-unknown")
    return Text(printable(f"{journey.began:%Y-%m-%d}  {sender or '<>'} → {to}"))


def _rows(stay: Stay, own: str, below: str, mark: str) -> Iterator[Row]:
    """The lines of a stay and of those after it: `own` and `mark` stand before its name, `below` before the rest."""
    heading = Text(stay.machine, style=HEAD)
    heading.append(f"  {stay.queue_id}" if stay.queue_id else "", style=QUIET)
    if about := note(stay):
        heading.append(f"  ({about})", style="not bold")
    line = below + "│ "
    yield Row(when=stay.events[0].when, first=own + mark, further=line, words=heading)
    for event in stay.events:
        words = Text(printable(event_text(event)), style=STYLES.get(event.kind, ""))
        ended = event is stay.events[-1] and not stay.following
        yield Row(when=event.when, first=line, further=below + "  " if ended else line, words=words)
    for following in stay.following:
        last = following is stay.following[-1]
        yield from _rows(following, below, below + ("  " if last else "│ "), "└─" if last else "├─")


def note(stay: Stay) -> str:
    """What is special about a stay; empty for most."""
    if stay.link is Link.REFUSAL or not stay.queue_id:
        return text("trace-link-refusal")
    return text(f"trace-link-{stay.link}") if stay.link in (Link.ALIAS, Link.NOTICE, Link.REQUEUED) else ""


def wrapped(words: Text, room: int, console: Console) -> Iterator[Text]:
    """In lines of so many columns, without the spaces between them."""
    for line in words.wrap(console, room):
        line.rstrip()
        yield line


def _print_row(row: Row, console: Console) -> None:
    room = max(console.width - TIME - len(row.first), NARROW)
    for number, words in enumerate(wrapped(row.words, room, console)):
        time = f"{row.when:%H:%M:%S}.{row.when.microsecond // 1000:03}" if number == 0 else ""
        line = Text()
        line.append(f"{time:{TIME}}{row.first if number == 0 else row.further}", style=QUIET)
        line.append_text(words)
        console.print(line, soft_wrap=True)


def _print_end(end: End, console: Console) -> None:
    mark, style = MARKS.get(end.outcome, ENDED if end.outcome.is_final else WAITING)
    room = max(console.width - 4, NARROW)
    for number, words in enumerate(wrapped(Text(printable(end_text(end)), style=style), room, console)):
        line = Text(f"  {mark if number == 0 else ' '} ", style=style)
        line.append_text(words)
        console.print(line, soft_wrap=True)


def journey_json(journey: Journey) -> dict[str, object]:
    """For programs: the same tree; what no log says is null or missing."""
    return {
        "message_id": journey.message_id or None,
        "sender": journey.sender,
        "recipients": journey.recipients,
        "began": journey.began.isoformat(),
        "stays": [_stay_json(root) for root in journey.roots],
        "ends": [_end_json(end) for end in ends(journey)],
    }


def _stay_json(stay: Stay) -> dict[str, object]:
    return {
        "machine": stay.machine,
        "queue_id": stay.queue_id or None,
        "link": stay.link,
        "in_queue": not stay.removed,
        "events": [event_json(event) for event in stay.events],
        "stays": [_stay_json(following) for following in stay.following],
    }


def event_json(event: Event) -> dict[str, object]:
    """What happened, for programs."""
    found: dict[str, object] = {"time": event.when.isoformat(), "kind": event.kind, **event.values}
    if event.times > 1:
        found |= {"times": event.times, "last": event.latest.isoformat()}
    if verdict := event.verdict:
        found |= {
            "action": verdict.action,
            "score": verdict.score,
            "required": verdict.required,
            "forced": verdict.forced or None,
            "symbols": dict(verdict.symbols),
        }
    return found


def _end_json(end: End) -> dict[str, object]:
    return {
        "recipient": end.recipient or None,
        "machine": end.machine,
        "outcome": end.outcome,
        "final": end.outcome.is_final,
        "since": end.since.isoformat(),
        "text": end.text or None,
        "tries": end.tries,
        "notice": end.notice,
    }
