"""What happens to messages while it happens: the lines of several mail logs, as they come."""

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import TypeVar

from maillab.trace.events import Event, Kind, events_of, name_peer
from maillab.trace.lines import FETCHING, LINE, MESSAGE_ID, NOQUEUE, Line, judged_by
from maillab.trace.logins import login_of, refused_login_of
from maillab.trace.sendmail import Translator

KEPT = 4096  # messages, and queue ids, that are remembered: a lab may be watched for days
Key = TypeVar("Key")
Value = TypeVar("Value")
LONGEST = 100  # events of one queue id that wait for its Message-ID


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message: its number since the start, and its Message-ID with brackets."""

    number: int
    message_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What happened on a machine; `message` None: there was none yet. `is_new`: the first of this message."""

    machine: str
    queue_id: str
    message: Message | None
    event: Event
    is_new: bool = False


@dataclass(slots=True, kw_only=True)
class Live:
    """Reads the logs of one lab line by line; `owners`: address to machine."""

    owners: Mapping[str, str]
    _count: Iterator[int] = field(default_factory=lambda: count(1))
    _by_name: OrderedDict[str, Message] = field(default_factory=OrderedDict)
    _by_id: OrderedDict[tuple[str, str], Message] = field(default_factory=OrderedDict)
    _waiting: OrderedDict[tuple[str, str], list[Event]] = field(default_factory=OrderedDict)
    _shown: int = 0
    _translators: dict[str, Translator] = field(default_factory=dict)

    def take(self, machine: str, text: str) -> Iterator[Heard]:
        """What a line of a machine's log says that happened; events before a message has its name come with it."""
        for line in self._translators.setdefault(machine, Translator()).lines(text):
            yield from self._take(machine, line)

    def _take(self, machine: str, text: str) -> Iterator[Heard]:
        if (match := LINE.match(text)) is None:
            return
        stamp, program, _, queue_id, said = match.groups()
        line = Line(stamp, program, said)
        if program in FETCHING or (program == "smtpd" and not queue_id):
            if event := login_of(line) or refused_login_of(line):
                name_peer(event, self.owners)
                yield Heard(machine=machine, queue_id="", message=None, event=event)
        elif queue_id == NOQUEUE:
            yield from self._of_none(machine, line)
        elif found := queue_id or judged_by(line):
            yield from self._of_entry(machine, found, line)

    def _of_none(self, machine: str, line: Line) -> Iterator[Heard]:
        for event in events_of([line]):
            name_peer(event, self.owners)
            yield Heard(machine=machine, queue_id="", message=None, event=event)

    def _of_entry(self, machine: str, queue_id: str, line: Line) -> Iterator[Heard]:
        key = machine, queue_id
        events = self._waiting.pop(key, [])
        for event in events_of([line]):
            name_peer(event, self.owners)
            events.append(event)
        if line.text.startswith(MESSAGE_ID):
            self._name(key, line.text.removeprefix(MESSAGE_ID).strip())
        message = self._by_id.get(key)
        refused = any(event.kind is Kind.REFUSED for event in events)
        if message is None and not refused and len(events) < LONGEST:
            if events:
                _remember(self._waiting, key, events)
            return
        for event in events:
            is_new = message is not None and message.number > self._shown
            self._shown = max(self._shown, message.number if message else 0)
            yield Heard(machine=machine, queue_id=queue_id, message=message, event=event, is_new=is_new)

    def _name(self, key: tuple[str, str], message_id: str) -> None:
        """Whose the queue id is: of a Message-ID that was seen before, of the same message."""
        is_useful = message_id not in ("", "<>")
        message = self._by_name.get(message_id) if is_useful else None
        if message is None:
            message = Message(number=next(self._count), message_id=message_id)
        if is_useful:
            _remember(self._by_name, message_id, message)
        _remember(self._by_id, key, message)


def _remember(kept: OrderedDict[Key, Value], key: Key, value: Value) -> None:
    """Keep it as the newest, and forget the oldest ones."""
    kept[key] = value
    kept.move_to_end(key)
    while len(kept) > KEPT:
        kept.popitem(last=False)
