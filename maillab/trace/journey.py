"""One message over all machines: a tree of its stays in their queues, joined by what their logs say."""

import enum
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from maillab.trace.asked import Asked
from maillab.trace.events import Event, Kind, answer_of, events_of, name_peer, stop_of
from maillab.trace.hops import Recorder
from maillab.trace.lines import Line, MachineLog, Refusal, message_ids
from maillab.trace.logins import login_of
from maillab.trace.maillog import Entry
from maillab.trace.questions import QuestionLog

Key = tuple[str, str]  # machine, queue id
HERE, REMOVED = "removed", "removed (canceled)"


class Link(enum.StrEnum):
    """How a stay follows from the one above it in the tree."""

    FIRST = "first"
    PASSED = "passed"
    ALIAS = "alias"
    REQUEUED = "requeued"
    NOTICE = "notice"  # another message: to the sender, about this one
    REFUSAL = "refusal"  # it never came to this machine's queue


@dataclass(slots=True, kw_only=True)
class Stay:
    """A message at one machine: its queue id there (empty: refused before it had one), and what happened to it.

    `removed`: it is not in that queue any more. `unseen`: queue ids of stays after it that no log has.
    """

    machine: str
    queue_id: str
    link: Link
    events: list[Event]
    removed: bool = True
    following: list["Stay"] = field(default_factory=list)
    unseen: set[str] = field(default_factory=set)

    @property
    def began(self) -> datetime:
        """When its first line was written; name servers may have been asked before."""
        return next((one.when for one in self.events if one.kind is not Kind.ASKED), self.events[0].when)

    def first(self, *kinds: Kind) -> Event | None:
        """Its first event of these kinds."""
        return next((event for event in self.events if event.kind in kinds), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Journey:
    """A message: `message_id` with its brackets (empty: refused before it was sent), and where it stayed first."""

    message_id: str
    roots: tuple[Stay, ...]

    @property
    def began(self) -> datetime:
        """When a log first has it."""
        return self.roots[0].began

    @property
    def sender(self) -> str | None:
        """Its envelope sender; empty: a bounce. None: no log says it."""
        event = self.roots[0].first(Kind.QUEUED, Kind.HANDED_IN, Kind.HELD, Kind.REFUSED)
        return event.values.get("sender", "") if event else None

    @property
    def recipients(self) -> list[str]:
        """The recipients that it was handed in with, as far as a log says them."""
        found = [event.values for root in self.roots for event in root.events if event.kind is not Kind.CONNECTED]
        return list(dict.fromkeys(v.get("orig_to") or v["to"] for v in found if "to" in v))


@dataclass(slots=True, kw_only=True)
class Joiner:
    """Joins one lab's logs (by machine); `owners`: address to machine. Each stay and each refusal comes once."""

    logs: Mapping[str, MachineLog]
    owners: Mapping[str, str]
    questions: Sequence[QuestionLog] = ()
    _met: set[Key] = field(default_factory=set)
    _claimed: set[int] = field(default_factory=set)  # refusals that belong to a stay: their id()

    def journey(self, message_id: str, keys: list[Key]) -> Journey:
        """The message that `keys` are stays of, whichever they are."""
        roots: list[Stay] = []
        for key in sorted(keys, key=lambda key: self._lines(key)[0].when):
            if key in self._met:  # reached from an earlier one
                continue
            stay = self._stay(key, Link.FIRST)
            if not _hang(stay, roots):
                roots.append(stay)
        return Journey(message_id=message_id, roots=tuple(roots))

    def refused(self, recipient: str) -> Iterator[Journey]:
        """What was refused to `recipient` (in lower case) before there was a message, and belongs to no stay so far."""
        for machine, log in self.logs.items():
            for refusal in log.refusals:
                if id(refusal) not in self._claimed and f"to=<{recipient}>" in refusal.line.text.lower():
                    stay = self._refused(machine, refusal, Link.FIRST)
                    yield Journey(message_id="", roots=(stay,))

    def _lines(self, key: Key) -> list[Line]:
        log = self.logs.get(key[0])
        return log.entries.get(key[1], []) if log else []

    def _stay(self, key: Key, link: Link) -> Stay:
        self._met.add(key)
        machine, queue_id = key
        lines = self._lines(key)
        self._claimed.update(id(one) for one in self.logs[machine].refusals if one.line in lines)
        removed = any(line.text in (HERE, REMOVED) for line in lines)
        stay = Stay(machine=machine, queue_id=queue_id, link=link, events=self._events(machine, lines), removed=removed)
        for event in stay.events:
            name_peer(event, self.owners)
        for line in lines:  # not the events: what was tried again had answers of its own
            self._follow(stay, line)
        stay.events += self._logins(stay)
        return stay

    def _events(self, machine: str, lines: list[Line]) -> list[Event]:
        asked = Asked(logs=self.logs, owners=self.owners, questions=self.questions)
        return asked.add(machine, lines, [*events_of(lines)])

    def _follow(self, stay: Stay, line: Line) -> None:
        """Hang what follows from a line below its stay."""
        for event in events_of([line]):
            if following := event.values.get("next"):
                key = self._next(stay, event, following)
                if key is None:
                    stay.unseen.add(following)
                elif key not in self._met:
                    stay.following.append(self._stay(key, _link(event.kind)))
            elif event.kind is Kind.REQUEUED:
                stay.following += self._requeued(stay)
            elif event.kind in (Kind.ANSWERED, Kind.BOUNCED, Kind.DEFERRED):
                self._refusal_of(stay, event)

    def _next(self, stay: Stay, event: Event, queue_id: str) -> Key | None:
        """Where the message is under the id that the next server gave it: where that server is, if its log has it.

        Else wherever the id stands for the same message: somebody may have changed an address by hand.
        """
        there = self._recorder.next_machine(stay.machine, event.delivery) if event.delivery else stay.machine
        if self._lines((there, queue_id)):
            return there, queue_id
        wanted = set(message_ids(self._lines((stay.machine, stay.queue_id))))
        for machine in self.logs:
            if wanted.intersection(message_ids(self._lines((machine, queue_id)))):
                return machine, queue_id
        return None

    def _requeued(self, stay: Stay) -> Iterator[Stay]:
        """What the stay is after it was put into the queue once more: pickup(8) notes the id before."""
        for queue_id, lines in self.logs[stay.machine].entries.items():
            key = (stay.machine, queue_id)
            if lines[0].text.endswith(f" orig_id={stay.queue_id}") and key not in self._met:
                yield self._stay(key, Link.REQUEUED)

    @property
    def _recorder(self) -> Recorder:
        return Recorder(look=lambda _, queue_id: Entry(queue_id=queue_id), owners=self.owners)

    def _refusal_of(self, stay: Stay, event: Event) -> None:
        """Hang what the server noted of the refusal that `event` is below the stay: that of the first try."""
        said = answer_of(event.delivery) if event.delivery else event.values
        machine = self.owners.get(said.get("address", ""), "")
        if machine not in self.logs:
            return
        found = self._noted(machine, stay, event, said) or self._dropped(machine, stay, event)
        if found and not any((one.machine, one.link) == (machine, Link.REFUSAL) for one in stay.following):
            stay.following.append(found)

    def _noted(self, machine: str, stay: Stay, event: Event, said: Mapping[str, str]) -> Stay | None:
        """The refusal before the message's text with these words, to this machine, nearest before the event."""
        to = event.values.get("to", "")
        queued = stay.first(Kind.QUEUED)
        sender = queued.values.get("sender", "") if queued else ""
        for refusal in reversed(self.logs[machine].refusals):
            stop = stop_of(refusal.line)
            if stop is None or id(refusal) in self._claimed or refusal.line.when > event.when:
                continue
            values = stop.values
            from_here = self.owners.get(values.get("address", "")) == stay.machine
            ours = (values.get("sender", sender), values.get("to", to)) == (sender, to or values.get("to", ""))
            if from_here and ours and values["text"] == said["text"]:
                self._claimed.add(id(refusal))
                return self._refused(machine, refusal, Link.REFUSAL)
        return None

    def _refused(self, machine: str, refusal: Refusal, link: Link) -> Stay:
        lines = [refusal.connect, refusal.line] if refusal.connect else [refusal.line]
        stay = Stay(machine=machine, queue_id="", link=link, events=self._events(machine, lines))
        for event in stay.events:
            name_peer(event, self.owners)
        return stay

    def _dropped(self, machine: str, stay: Stay, event: Event) -> Stay | None:
        """The stay that ended with the refusal of the message's text: the same message, from this machine."""
        wanted = set(message_ids(self._lines((stay.machine, stay.queue_id))))
        found = None
        for queue_id, lines in self.logs[machine].entries.items():
            if (machine, queue_id) in self._met or wanted.isdisjoint(message_ids(lines)):
                continue
            stops = [stop for line in lines if (stop := stop_of(line)) and stop.kind is Kind.REFUSED]
            from_here = any(self.owners.get(stop.values.get("address", "")) == stay.machine for stop in stops)
            if from_here and stops[-1].when <= event.when:
                found = queue_id
        return self._stay((machine, found), Link.REFUSAL) if found else None

    def _logins(self, stay: Stay) -> Iterator[Event]:
        """Of each mailbox that the stay wrote, the first login with messages in it after that."""
        for user in {event.values["mailbox"]: event for event in stay.events if event.kind is Kind.MAILBOX}.items():
            for event in filter(None, map(login_of, self.logs[stay.machine].logins)):
                named = event.values["user"] == user[0] and event.values["messages"] != "0"
                if named and event.when >= user[1].when:
                    yield event
                    break


def _hang(stay: Stay, roots: Sequence[Stay]) -> bool:
    """Hang a stay below the one that its client has of the same message: the client has not noted an answer yet.

    Or it lost the connection before the answer came.
    """
    connected = stay.first(Kind.CONNECTED)
    peer = connected.values.get("peer") if connected else None
    senders = [one for root in roots for one in _all(root) if one.machine == peer and one.link is not Link.NOTICE]
    if not senders:
        return False
    stay.link = Link.REFUSAL if stay.first(Kind.REFUSED) and stay.removed else Link.PASSED
    max(senders, key=lambda one: (not one.removed, one.began)).following.append(stay)
    return True


def _all(stay: Stay) -> Iterator[Stay]:
    yield stay
    for following in stay.following:
        yield from _all(following)


def _link(kind: Kind) -> Link:
    return {Kind.ALIAS: Link.ALIAS, Kind.NOTIFIED: Link.NOTICE}.get(kind, Link.PASSED)
