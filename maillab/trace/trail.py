"""What became of a message: its queue ids from machine to machine, as the mail logs have them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from components.part import Blueprint, owners
from maillab.trace.ending import Ending, How
from maillab.trace.hops import Recorder
from maillab.trace.maillog import Delivery, Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What the logs have of one message.

    `is_over`: nothing more can come of it. `is_at_rest`: nothing more comes of it for the moment; some server may try
    again later. `stays`: how many queue ids it has had so far, by which one sees that it moves.
    """

    ends: frozenset[Ending] = frozenset()
    is_over: bool = False
    is_at_rest: bool = False
    stays: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Trail:
    """`logs`: machine to queue id to what its log says; `owners`: address to machine."""

    logs: Mapping[str, Mapping[str, Entry]]
    owners: Mapping[str, str]

    @classmethod
    def of(cls, logs: Mapping[str, Mapping[str, Entry]], plans: Mapping[str, Blueprint]) -> "Trail":
        """The logs of the machines in `plans`."""
        return cls(logs=logs, owners={str(address): name for address, name in owners(plans).items()})

    def fate(self, machine: str, message_id: str, hops: tuple[str, ...]) -> Fate:
        """What became of the message that was handed in at `machine`, after these hops."""
        entries = self.logs.get(machine, {}).values()
        first = next((entry for entry in entries if entry.message_id == message_id), None)
        if first is None:
            return Fate()
        return Fate(
            ends=frozenset(self._of_entry(machine, first, hops)),
            is_over=self._is_over(machine, first.queue_id),
            is_at_rest=self._is_at_rest(machine, first.queue_id),
            stays=len(set(self._chain(machine, first.queue_id))),
        )

    @property
    def recorder(self) -> Recorder:
        """What follows single copies through these logs."""
        return Recorder(look=self._entry, owners=self.owners)

    def _entry(self, machine: str, queue_id: str) -> Entry:
        return self.logs.get(machine, {}).get(queue_id) or Entry(queue_id=queue_id)

    def bounces_under_way(self, mark: str) -> int:
        """How many bounces of the messages whose Message-ID has `mark` in it are still on their way."""
        return sum(not self._is_over(name, queue_id) for name, queue_id in self._bounces(mark))

    def left(self, mark: str) -> dict[str, list[str]]:
        """Machine to the queue ids of what is still in its queue: messages with `mark`, and their bounces."""
        found = {
            (name, entry.queue_id)
            for name, entries in self.logs.items()
            for entry in entries.values()
            if mark in entry.message_id
        }
        for name, queue_id in self._bounces(mark):
            found.update(self._chain(name, queue_id))
        left: dict[str, list[str]] = {}
        for name, queue_id in sorted(found):
            entry = self.logs.get(name, {}).get(queue_id)
            if entry is None or not entry.removed:
                left.setdefault(name, []).append(queue_id)
        return left

    def _bounces(self, mark: str) -> list[tuple[str, str]]:
        """(machine, queue id) of the bounces where they were written."""
        return [
            (name, entry.bounce)
            for name, entries in self.logs.items()
            for entry in entries.values()
            if entry.bounce and mark in entry.message_id
        ]

    def _chain(self, machine: str, queue_id: str) -> Iterator[tuple[str, str]]:
        """The queue ids of a message from here on."""
        yield machine, queue_id
        for name, following in self._handed_on(machine, queue_id):
            yield from self._chain(name, following)

    def _handed_on(self, machine: str, queue_id: str) -> list[tuple[str, str]]:
        entry = self.logs.get(machine, {}).get(queue_id)
        deliveries = entry.deliveries if entry else []
        return [(self.recorder.next_machine(machine, d), d.next_queue_id) for d in deliveries if d.next_queue_id]

    def _is_over(self, machine: str, queue_id: str) -> bool:
        """Has every server that got the message handed it on, laid it into a mailbox, or put it on hold?"""
        entry = self.logs.get(machine, {}).get(queue_id)
        if entry is None or not (entry.removed or entry.held):
            return False
        return all(self._is_over(name, following) for name, following in self._handed_on(machine, queue_id))

    def _is_at_rest(self, machine: str, queue_id: str) -> bool:
        """Has every server that has the message still tried it for each of its recipients?"""
        entry = self.logs.get(machine, {}).get(queue_id)
        if entry is None:
            return False
        if not (entry.removed or entry.held):
            tried = {(delivery.to, delivery.orig_to) for delivery in entry.deliveries}
            if len(tried) < max(entry.recipients, 1):
                return False
        return all(self._is_at_rest(name, following) for name, following in self._handed_on(machine, queue_id))

    def _of_entry(self, machine: str, entry: Entry, hops: tuple[str, ...]) -> Iterator[Ending]:
        if entry.held and not entry.removed and not entry.deliveries:
            yield Ending(hops=hops, how=How.HELD)
        # What was tried last counts; an alias gives one recipient several deliveries.
        latest = {(d.to, d.orig_to, _outcome(d)): d for d in entry.deliveries}
        tried = {(d.to, d.orig_to) for d in latest.values() if d.status != "deferred"}
        for delivery in latest.values():
            if delivery.status != "deferred" or (delivery.to, delivery.orig_to) not in tried:
                yield from self._of_delivery(machine, delivery, hops)

    def _of_delivery(self, machine: str, delivery: Delivery, hops: tuple[str, ...]) -> Iterator[Ending]:
        following = self.recorder.next_machine(machine, delivery)
        further = hops if following == machine else (*hops, following)
        if delivery.status == "deferred":
            yield Ending(hops=hops, how=How.WAITS)
        elif delivery.status == "bounced":
            yield Ending(hops=further, how=How.REFUSED, what=delivery.dsn)
        elif delivery.in_mailbox:
            yield Ending(hops=hops, how=How.MAILBOX, what=delivery.mailbox)
        elif delivery.next_queue_id is None:
            yield Ending(hops=further, how=How.GONE, what=delivery.response)
        elif entry := self.logs.get(following, {}).get(delivery.next_queue_id):
            yield from self._of_entry(following, entry, further)


def _outcome(delivery: Delivery) -> str:
    """What distinguishes two deliveries of one recipient: the next hop's queue id, or a program or file."""
    return delivery.next_queue_id or ("" if delivery.in_mailbox or delivery.status != "sent" else delivery.response)
