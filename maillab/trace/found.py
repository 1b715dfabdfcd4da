"""Which messages the logs have: by Message-ID, by queue id, by recipient, the last ones."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from maillab.trace.hops import Recorder
from maillab.trace.journey import Joiner, Journey, Key
from maillab.trace.lines import Line, MachineLog, message_ids
from maillab.trace.maillog import Entry, queued_as, read_delivery
from maillab.trace.questions import QuestionLog

NOTICE = " notification: "


@dataclass(kw_only=True)
class Messages:
    """The messages in one lab's logs (by machine); `owners`: address to machine; `questions`: of its name servers."""

    logs: Mapping[str, MachineLog]
    owners: Mapping[str, str]
    questions: Sequence[QuestionLog] = ()

    def named(self, name: str) -> list[Journey]:
        """The message with this Message-ID, with or without its brackets, or with this queue id on some machine."""
        message_id = name if name.startswith("<") else f"<{name}>"
        if message_id in self._keys:
            return [self._journey(message_id, self._joiner())]
        return self._journeys([key for key in self._entries if key[1] == name], self._joiner())

    def last(self, number: int) -> list[Journey]:
        """The last messages that a machine took, the latest at the end."""
        return self._journeys(reversed(self._by_time), self._joiner(), number)[::-1]

    def to(self, address: str, number: int | None = None) -> list[Journey]:
        """The last messages to this address, sent or refused, the latest at the end; None: all of them."""
        wanted = f"to=<{address.lower()}>"
        keys = [key for key in self._by_time if any(wanted in line.text.lower() for line in self._entries[key])]
        joiner = self._joiner()
        journeys = self._journeys(reversed(keys), joiner, number)
        # What was refused to one of the older ones was not refused to nobody.
        self._journeys([key for key in keys if self._was_refused(key)], joiner)
        journeys += joiner.refused(address.lower())
        journeys.sort(key=lambda journey: journey.began)
        return journeys if number is None else journeys[-number:]

    def _was_refused(self, key: Key) -> bool:
        return any(" said: " in line.text for line in self._entries[key])

    def _joiner(self) -> Joiner:
        return Joiner(logs=self.logs, owners=self.owners, questions=self.questions)

    def _journeys(self, keys: Iterable[Key], joiner: Joiner, number: int | None = None) -> list[Journey]:
        """The messages that stayed there, each once, `number` of them at most."""
        names: dict[str, None] = {}
        found: list[Journey] = []
        for key in keys:
            if len(found) == number:
                break
            name = self._name(self._top(key))
            if name not in names:
                names[name] = None
                journey = self._journey(name, joiner)
                found += [journey] if journey.roots else []  # else one of those before it has led here
        return found

    def _name(self, key: Key) -> str:
        """A message's Message-ID; of one that has none, or a useless one, where it stayed first."""
        own = [one for one in message_ids(self._entries[key]) if one not in ("", "<>")]
        return own[-1] if own else " ".join(key)

    def _journey(self, name: str, joiner: Joiner) -> Journey:
        keys = self._keys.get(name)
        if keys is None:
            machine, _, queue_id = name.partition(" ")
            return joiner.journey("", [(machine, queue_id)])
        return joiner.journey(name, keys)

    @cached_property
    def _entries(self) -> dict[Key, list[Line]]:
        """What is a message: not what a server's own check begins, and leaves."""
        return {
            (machine, queue_id): lines
            for machine, log in self.logs.items()
            for queue_id, lines in log.entries.items()
            if message_ids(lines)
        }

    @cached_property
    def _keys(self) -> dict[str, list[Key]]:
        """Message-ID to where it stayed."""
        found: dict[str, list[Key]] = defaultdict(list)
        for key, lines in self._entries.items():
            for message_id in message_ids(lines):
                if message_id not in ("", "<>"):
                    found[message_id].append(key)
        return found

    @cached_property
    def _by_time(self) -> list[Key]:
        return sorted(self._entries, key=lambda key: self._entries[key][0].when)

    def _top(self, key: Key) -> Key:
        """Where the message stayed first that this is, or that this is a notice of."""
        met = {key}
        while (above := self._above.get(key)) and above not in met:
            met.add(above)
            key = above
        return key

    @cached_property
    def _above(self) -> dict[Key, Key]:
        """A stay to the one before it."""
        recorder = Recorder(look=lambda _, queue_id: Entry(queue_id=queue_id), owners=self.owners)
        found: dict[Key, Key] = {}
        for (machine, queue_id), lines in self._entries.items():
            for line in lines:
                if following := _following(line.text):
                    delivery = read_delivery(line.text)
                    there = recorder.next_machine(machine, delivery) if delivery else machine
                    found.setdefault((there, following), (machine, queue_id))
        return found


def _following(text: str) -> str | None:
    """The queue id that a line says the message, or a notice about it, has next."""
    return text.rpartition(NOTICE)[2] if NOTICE in text else queued_as(text)
