"""Messages as a page with the network's picture: what the tree in the terminal says, with its words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from components.plan import Plan
from maillab.cli.trace_text import end_text, event_text
from maillab.cli.trace_tree import note
from maillab.graph.network import picture_of
from maillab.graph.page import Message, Row, page
from maillab.graph.way import tone_of
from maillab.trace.events import Event, Kind
from maillab.trace.journey import Journey, Stay
from maillab.trace.outcome import ends

MARKS = {"good": "✓", "notice": "✓", "bad": "✗", "wait": "…"}
TONES = {
    Kind.MAILBOX: "good", Kind.REFUSED: "bad", Kind.BOUNCED: "bad", Kind.EXPIRED: "bad", Kind.DELETED: "bad",
    Kind.NOT_AUTHENTICATED: "bad",
    Kind.HELD: "wait", Kind.UNREACHED: "wait", Kind.ANSWERED: "wait", Kind.DEFERRED: "wait",
}  # fmt: skip


def page_of(plan: Plan, journeys: Sequence[Journey], unread: Sequence[str] = ()) -> str:
    """The page about these messages, in the lab of the plan. `unread`: machines whose logs could not be read."""
    return page(picture_of(plan), [_message(journey) for journey in journeys], unread)


def _message(journey: Journey) -> Message:
    return Message(
        journey=journey,
        ends=[(tone_of(end), f"{MARKS[tone_of(end)]} {end_text(end)}") for end in ends(journey)],
        rows=[row for root in journey.roots for row in _rows(root, 0)],
    )


def _rows(stay: Stay, depth: int) -> Iterator[Row]:
    """The lines of a stay, and of those after it."""
    heading = " ".join(filter(None, (stay.machine, stay.queue_id)))
    about = note(stay)
    yield Row(time=_time(stay.events[0]), heading=heading, words=f"({about})" if about else "", depth=depth)
    for event in stay.events:
        symbols = [(name, f"{points:g}") for name, points in event.verdict.symbols] if event.verdict else []
        tone = TONES.get(event.kind, "")
        words = f"{MARKS[tone]} {event_text(event)}" if tone else event_text(event)
        yield Row(time=_time(event), words=words, depth=depth + 1, tone=tone, symbols=symbols)
    for following in stay.following:
        yield from _rows(following, depth + 1)


def _time(event: Event) -> str:
    return f"{event.when:%H:%M:%S}.{event.when.microsecond // 1000:03}"
