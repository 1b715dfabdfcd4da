"""Which questions to name servers belong to a message's stay on a machine: by who asked, when, and about which names.

Postfix logs none of its questions: what is known is that smtpd(8) looks up its client before it logs the connection,
the filter what it likes until its verdict, and smtp(8) the next server between the queue manager's line and its own.
"""

import enum
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from ipaddress import ip_address

from maillab.trace.events import CONNECTED, QUEUED, SAID, UNREACHED, Event, Kind, stop_of, verdict_of
from maillab.trace.lines import Line, MachineLog
from maillab.trace.maillog import read_delivery
from maillab.trace.questions import SLOWEST, STEP, Question, QuestionLog

SOON = timedelta(seconds=2)  # from an answer to what is done with it
DELAYS = re.compile(r" delays=[\d.]+/[\d.]+/(\d{1,6}(?:\.\d{1,6})?)/(\d{1,6}(?:\.\d{1,6})?),")
ROUNDED = 1.1  # delays= has two digits
NO_ADDRESS = re.compile(r"\bname=(\S+) type=")  # "Name service error for name=…"
HOSTS = ("A", "AAAA")


class Phase(enum.Enum):
    """What a machine asks for."""

    CLIENT = enum.auto()
    FILTER = enum.auto()
    NEXT = enum.auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """When a machine asks something for a message, and about which names."""

    phase: Phase
    first: datetime
    last: datetime
    names: frozenset[str]

    def covers(self, question: Question) -> bool:
        """Is it asked then? Of a client: so that the answer was there just before the connection was logged."""
        if not self.first - STEP <= question.when <= self.last:
            return False
        return self.phase is not Phase.CLIENT or (question.answered or question.when) >= self.last - SOON

    def names_it(self, question: Question) -> bool:
        """Is it about one of the names? The filter asks block lists and policies of a domain too."""
        if question.name in self.names:
            return True
        return self.phase is Phase.FILTER and any(
            question.name.endswith(f".{name}") or question.name.startswith(f"{name.partition('.in-addr')[0]}.")
            for name in self.names
        )


def windows_of(lines: Sequence[Line]) -> list[Window]:
    """When the machine asks for this message, by its lines."""
    found: list[Window] = []
    taken: tuple[datetime, frozenset[str]] | None = None
    active = lines[0].when if lines else datetime.min
    names: set[str] = set()
    for line in lines:
        if line.program == "smtpd" and (match := CONNECTED.match(line.text)):
            client = _client(match["name"], match["address"])
            if line.text.startswith("connect from "):
                first = line.when - SLOWEST
                found.append(Window(phase=Phase.CLIENT, first=first, last=line.when, names=client))
            taken = line.when, client
        elif taken and verdict_of(line):
            about = taken[1] | _domains(_senders(lines))
            found.append(Window(phase=Phase.FILTER, first=taken[0], last=line.when, names=about))
        elif line.program == "qmgr" and QUEUED.match(line.text):
            active, names = line.when, set()
        elif line.program in ("smtp", "error"):
            names |= _next_names(line.text)
            if read_delivery(line.text):
                first = max(active, _connected(line))
                found.append(Window(phase=Phase.NEXT, first=first, last=line.when, names=frozenset(names)))
    return found


def _client(name: str, address: str) -> frozenset[str]:
    found = {ip_address(address).reverse_pointer} if _is_address(address) else set()
    return frozenset(found | ({name.lower()} - {"unknown"}))


def _is_address(words: str) -> bool:
    try:
        return bool(ip_address(words))
    except ValueError:
        return False


def _senders(lines: Iterable[Line]) -> Iterator[str]:
    for line in lines:
        if match := QUEUED.match(line.text):
            yield match["sender"]
        elif stop := stop_of(line):
            yield stop.values.get("sender", "")


def _domains(addresses: Iterable[str]) -> frozenset[str]:
    return frozenset(one.rpartition("@")[2].lower() for one in addresses if "@" in one)


def _next_names(text: str) -> set[str]:
    """Of a line of smtp(8): the recipient's domain, and the hosts it names."""
    found = set(NO_ADDRESS.findall(text))
    if delivery := read_delivery(text):
        found |= _domains([delivery.to]) | {delivery.relay.partition("[")[0]}
        text = delivery.response
    for pattern in (UNREACHED, SAID):
        if match := pattern.match(text):
            found.add(match["name"])
    return {name.lower().rstrip(".") for name in found if name and not _is_address(name)}


def _connected(line: Line) -> datetime:
    """When smtp(8) began with this: `delays=` has the time for names and connection, and that for the rest."""
    if (match := DELAYS.search(line.text)) is None:
        return line.when - SLOWEST
    return line.when - timedelta(seconds=ROUNDED * (float(match[1]) + float(match[2]))) - 2 * STEP


@dataclass(slots=True, kw_only=True)
class Asked:
    """The questions of one lab's machines; `owners`: address to machine."""

    logs: Mapping[str, MachineLog]
    owners: Mapping[str, str]
    questions: Sequence[QuestionLog]
    _windows: dict[tuple[str, str], list[Window]] = field(default_factory=dict)

    def add(self, machine: str, lines: Sequence[Line], events: list[Event]) -> list[Event]:
        """The events of a stay with its questions between them; one that is asked again and again comes once."""
        known: dict[tuple[object, ...], Event] = {}
        found = list(events)
        for window in windows_of(lines) if self.questions else ():
            others = self._others(machine, lines, window)
            for question in self._of_window(machine, window, others):
                event = self._event(question, others)
                before = known.setdefault((event.values["name"], event.values["type"], event.values["server"],
                                           event.values.get("rcode"), event.values.get("answers")), event)  # fmt: skip
                if before is event:
                    self._insert(found, event, max(event.when, window.first))
                elif event.when > before.latest:
                    before.times, before.last = before.times + 1, event.when
        return found

    @staticmethod
    def _insert(events: list[Event], event: Event, when: datetime) -> None:
        """Before what comes later: the clock of a name server is a little slow."""
        later = (place for place, one in enumerate(events) if one.kind is not Kind.ASKED and one.when > when)
        events.insert(next(later, len(events)), event)

    def _of_window(self, machine: str, window: Window, others: Sequence[Window]) -> list[Question]:
        """What the machine asked then: about the window's names; and, if nobody else's, about those in an answer."""
        asked = [
            question
            for log in self.questions
            for question in log.between(window.first, window.last)
            if self.owners.get(question.client) == machine and window.covers(question)
        ]
        asked.sort(key=lambda question: question.when)
        found: dict[object, Question] = {}
        for question in asked:
            led_here = any(one.type in ("MX", "PTR") and one.answers for one in found.values())
            alone = not any(other.covers(question) for other in others)
            if window.names_it(question) or (led_here and alone and question.type in HOSTS):
                # Of a client's the last ones: those before were another connection's.
                key: object = (question.name, question.type) if window.phase is Phase.CLIENT else len(found)
                found[key] = question
        return list(found.values())

    def _others(self, machine: str, lines: Sequence[Line], window: Window) -> list[Window]:
        """When the machine asks in the same phase for other messages, about that time."""
        first, last = (when.isoformat(timespec="microseconds") for when in (window.first, window.last + SLOWEST))
        found = []
        log = self.logs.get(machine)
        for queue_id, other in log.entries.items() if log else ():
            if other is not lines and other[0].stamp <= last and other[-1].stamp >= first:
                key = machine, queue_id
                if key not in self._windows:
                    self._windows[key] = windows_of(other)
                found += [one for one in self._windows[key] if one.phase is window.phase]
        return found

    def _event(self, question: Question, others: Iterable[Window]) -> Event:
        """The question as it is shown; `shared`: how many other messages it may belong to as well."""
        steps = list(self._steps(question))
        shared = sum(other.covers(question) and other.names_it(question) for other in others)
        values = {
            "name": question.name,
            "type": question.type,
            "server": question.server,
            "rcode": question.rcode,
            "answers": str(question.answers) if question.rcode else "",
            "upstream": ", ".join(dict.fromkeys(step.server for step in steps)),
            "steps": str(len(steps) or ""),
            "shared": str(shared or ""),
        }
        return Event(when=question.when, kind=Kind.ASKED, values={key: value for key, value in values.items() if value})

    def _steps(self, question: Question) -> Iterator[Question]:
        """What the name server asked others for its answer: for the name, or for what is above it."""
        if question.answered is None:
            return
        for log in self.questions:
            if log.server == question.server:
                continue
            for step in log.between(question.when, question.answered):
                above = question.name == step.name or question.name.endswith(f".{step.name}") or not step.name
                if above and self.owners.get(step.client) == question.server and step.when <= question.answered:
                    yield step
