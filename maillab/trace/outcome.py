"""Where a message has come to, as the logs have it now: one end for each copy of it."""

import enum
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from maillab.trace.events import Event, Kind, answer_of
from maillab.trace.journey import Journey, Link, Stay

DELIVERIES = (Kind.PASSED, Kind.ALIAS, Kind.MAILBOX, Kind.GONE, Kind.BOUNCED, Kind.DEFERRED)

STATES = (Kind.HELD, Kind.RELEASED, Kind.REQUEUED, Kind.DELETED, Kind.EXPIRED)


class Outcome(enum.StrEnum):
    """What became of a copy.

    `BLOCKED`: a filter took it, and gives it to nobody. `UNSEEN`: it was handed on, and no log has it after that.
    """

    MAILBOX = "mailbox"
    REFUSED = "refused"
    DEFERRED = "deferred"
    QUEUED = "queued"
    HELD = "held"
    DELETED = "deleted"
    EXPIRED = "expired"
    GONE = "gone"
    BLOCKED = "blocked"
    UNSEEN = "unseen"

    @property
    def is_final(self) -> bool:
        """Can nothing more come of it?"""
        return self not in (*IN_QUEUE, Outcome.UNSEEN)


IN_QUEUE = (Outcome.DEFERRED, Outcome.QUEUED, Outcome.HELD)


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """One end, on `machine` (or by it, when it refused the copy); `text` is the log's reason, or the mailbox.

    `since`: when it came to its end; while it is still in a queue, when it came there.
    `recipient` is empty where no log says it. `notice`: not of the message, but of a message to its sender about it.
    `tries`, the last one at `last`.
    """

    recipient: str
    machine: str
    outcome: Outcome
    since: datetime
    last: datetime
    text: str = ""
    tries: int = 1
    notice: bool = False


def ends(journey: Journey) -> list[End]:
    """All ends, in the order of the tree."""
    return [end for root in journey.roots for end in _of_stay(root, notice=False)]


def _of_stay(stay: Stay, *, notice: bool) -> Iterator[End]:
    if stay.link is Link.REFUSAL:  # the machine that was refused tells of it
        return
    yield from _own(stay, notice=notice)
    for following in stay.following:
        yield from _of_stay(following, notice=notice or following.link is Link.NOTICE)


def _own(stay: Stay, *, notice: bool) -> Iterator[End]:
    """The ends in this stay itself."""
    tried = [event for event in stay.events if event.kind in DELIVERIES]
    done = {_copy(event) for event in tried if event.kind is not Kind.DEFERRED}
    waiting = {_copy(event): event for event in tried if event.kind is Kind.DEFERRED and _copy(event) not in done}
    for event in tried:
        outcome = _outcome(stay, event)
        if outcome is Outcome.GONE and (blocked := _blocked(stay)):
            yield replace(_end(stay, event, Outcome.BLOCKED, notice=notice), text=blocked)
        elif outcome is not None:
            yield _end(stay, event, outcome, notice=notice)
    if stay.link is Link.FIRST:
        for event in stay.events:
            if event.kind is Kind.REFUSED:
                yield _end(stay, event, Outcome.REFUSED, notice=notice)
    if not stay.queue_id:
        return
    for event in waiting.values() if not stay.removed else ():
        yield _end(stay, event, Outcome.DEFERRED, notice=notice)
    yield from _whole(stay, {_copy(event) for event in tried}, waiting, notice=notice)


def _whole(
    stay: Stay, tried: set[tuple[str, ...]], waiting: dict[tuple[str, ...], Event], *, notice: bool
) -> Iterator[End]:
    """The end of what has had no delivery: it is held, deleted, given up, or has not been tried."""
    state = [event for event in stay.events if event.kind in STATES]
    last = state[-1] if state else None
    if any(following.link is Link.REQUEUED for following in stay.following):
        return
    if last and last.kind is Kind.EXPIRED:
        yield _end(stay, last, Outcome.EXPIRED, notice=notice)
    elif last and last.kind is Kind.DELETED:
        yield _end(stay, last, Outcome.DELETED, notice=notice)
    elif stay.removed:
        if not tried and not stay.first(Kind.REFUSED):
            yield _end(stay, stay.events[-1], Outcome.GONE, notice=notice)
    elif last and last.kind is Kind.HELD:
        yield _end(stay, last, Outcome.HELD, notice=notice)
    elif not waiting:
        queued = stay.first(Kind.QUEUED)
        if not tried or (queued and len(tried) < int(queued.values["recipients"])):
            yield _end(stay, queued or stay.events[0], Outcome.QUEUED, notice=notice)


def _copy(event: Event) -> tuple[str, ...]:
    return (event.values["to"], event.values.get("orig_to", ""))


def _outcome(stay: Stay, event: Event) -> Outcome | None:
    """What a delivery means for its copy; None when the copy went on, or is still here."""
    if event.kind in (Kind.PASSED, Kind.ALIAS):
        return Outcome.UNSEEN if event.values["next"] in stay.unseen else None
    return {Kind.MAILBOX: Outcome.MAILBOX, Kind.GONE: Outcome.GONE, Kind.BOUNCED: Outcome.REFUSED}.get(event.kind)


def _blocked(stay: Stay) -> str:
    """What the filter on the machine itself found in a message that it keeps; a delivery of such a one is "sent"."""
    verdicts = [event.values.get("text", "") for event in stay.events if event.kind is Kind.VERDICT]
    return next((words for words in verdicts if words.startswith("Blocked")), "")


def _end(stay: Stay, event: Event, outcome: Outcome, *, notice: bool) -> End:
    said = answer_of(event.delivery) if event.delivery and outcome is Outcome.REFUSED else {}
    text = event.values.get("mailbox") if outcome is Outcome.MAILBOX else said.get("text") or event.values.get("text")
    return End(
        recipient=event.values.get("to", "") if event.kind is not Kind.CONNECTED else "",
        machine=event.values.get("peer", stay.machine) if said else stay.machine,
        outcome=outcome,
        since=stay.began if outcome in IN_QUEUE else event.when,
        last=event.latest,
        text=text or "",
        tries=event.times,
        notice=notice,
    )
