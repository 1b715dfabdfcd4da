"""The way of a message through the picture: its hops in their order, and what became of it at each machine."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import datetime

from maillab.graph.scene import Hop, Way
from maillab.graph.words import text
from maillab.trace.events import Event, Kind
from maillab.trace.journey import Journey, Link, Stay
from maillab.trace.outcome import End, Outcome, ends

LONGEST = 60  # characters of a reason in a box: all of it stands in the timeline
CODE = re.compile(r"[245]\d\d[ -][245]\.\d+\.\d+")  # RFC 5321, RFC 3463
GOOD = (Outcome.MAILBOX, Outcome.GONE)
SILENT = (Outcome.QUEUED, Outcome.DELETED, Outcome.UNSEEN)  # no log gives a reason
TRIED = (Kind.UNREACHED, Kind.ANSWERED, Kind.DEFERRED)

Step = tuple[datetime, Hop]


def way_of(journey: Journey, machines: Collection[str]) -> Way:
    """The way of the message, as far as it went by `machines`."""
    steps = [step for root in journey.roots for step in (*_first(root), *_steps(root, notice=False))]
    known = [step for step in steps if {step[1].source, step[1].target} <= {*machines}]
    hops = (hop for _, hop in sorted(known, key=lambda step: step[0]))
    notes: dict[str, list[tuple[str, str]]] = {}
    for end in ends(journey):
        note = (tone_of(end), note_of(end))
        if note not in notes.setdefault(end.machine, []):
            notes[end.machine].append(note)
    return Way(hops=[replace(hop, number=number) for number, hop in enumerate(hops, 1)], notes=notes)


def tone_of(end: End) -> str:
    """How a copy ended."""
    if end.notice and end.outcome in GOOD:
        return "notice"
    return "good" if end.outcome in GOOD else "bad" if end.outcome.is_final else "wait"


def note_of(end: End) -> str:
    """The same in words, short enough for a machine's box."""
    code = CODE.search(end.text)
    what = code[0] if code else end.text if len(end.text) <= LONGEST else f"{end.text[: LONGEST - 1]}…"
    words = text(f"ended-{end.outcome}") if end.outcome in SILENT else text(f"note-{end.outcome}", what=what)
    return text("notice-ended", words=words) if end.notice else words


def _first(root: Stay) -> Iterator[Step]:
    """From the machine that connected to the first server, if that was not one that has a log of it."""
    connected = root.first(Kind.CONNECTED)
    peer = connected.values.get("peer", "") if connected else ""
    if peer and peer != root.machine:
        is_refused = root.first(Kind.REFUSED) and root.removed
        yield root.began, _hop(peer, root.machine, "bad" if is_refused else "good")


def _steps(stay: Stay, *, notice: bool) -> Iterator[Step]:
    """The hops from this machine on."""
    reached = {following.machine for following in stay.following}
    for event in stay.events:
        tone = _tried(event, stay)
        if tone and event.values["peer"] not in reached:
            yield event.when, _hop(stay.machine, event.values["peer"], tone)
    for following in stay.following:
        is_notice = notice or following.link is Link.NOTICE
        if following.machine != stay.machine:
            good = "notice" if is_notice else "good"
            yield (
                following.began,
                _hop(stay.machine, following.machine, "bad" if following.link is Link.REFUSAL else good),
            )
        yield from _steps(following, notice=is_notice)


def _tried(event: Event, stay: Stay) -> str:
    """How a try went of which no other log has anything; empty for every other event."""
    if event.values.get("peer", stay.machine) == stay.machine:
        return ""
    if event.kind in TRIED:
        return "wait"
    if event.kind is Kind.BOUNCED:
        return "bad"
    return "good" if event.kind is Kind.PASSED and event.values.get("next") in stay.unseen else ""


def _hop(source: str, target: str, tone: str) -> Hop:
    return Hop(number=0, source=source, target=target, tone=tone)
