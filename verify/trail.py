"""What became of a message: its queue ids from machine to machine, as the mail logs have them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from components.part import Blueprint
from verify.cells import owners
from verify.maillog import Delivery, Entry
from verify.routes import Ending, How


@dataclass(frozen=True, slots=True, kw_only=True)
class Trail:
    """`logs`: machine to queue id to what its log says; `owners`: address to machine."""

    logs: Mapping[str, Mapping[str, Entry]]
    owners: Mapping[str, str]

    @classmethod
    def of(cls, logs: Mapping[str, Mapping[str, Entry]], plans: Mapping[str, Blueprint]) -> "Trail":
        """The logs of the machines in `plans`."""
        return cls(logs=logs, owners={str(address): name for address, name in owners(plans).items()})

    def ends(self, machine: str, message_id: str, hops: tuple[str, ...]) -> Iterator[Ending]:
        """The ends that the message, handed in at `machine`, has come to; none while it is on its way."""
        entries = self.logs.get(machine, {}).values()
        first = next((entry for entry in entries if entry.message_id == message_id), None)
        if first is not None:
            yield from self._of_entry(machine, first, hops)

    def bounces_under_way(self, mark: str) -> int:
        """How many bounces of the messages whose Message-ID has `mark` in it are still on their way."""
        bounced = (
            (name, entry.bounce)
            for name, entries in self.logs.items()
            for entry in entries.values()
            if entry.bounce and mark in entry.message_id
        )
        return sum(not self._is_over(name, queue_id) for name, queue_id in bounced)

    def _is_over(self, machine: str, queue_id: str) -> bool:
        """Has every server that got the message handed it on, or laid it into a mailbox?"""
        entry = self.logs.get(machine, {}).get(queue_id)
        if entry is None or not entry.removed:
            return False
        handed = [(self.owners.get(d.address or "", machine), d.next_queue_id) for d in entry.deliveries]
        return all(self._is_over(name, following) for name, following in handed if following)

    def _of_entry(self, machine: str, entry: Entry, hops: tuple[str, ...]) -> Iterator[Ending]:
        # What was tried last counts; an alias gives one recipient several deliveries.
        latest = {(d.to, d.orig_to, d.next_queue_id or ""): d for d in entry.deliveries}
        tried = {(d.to, d.orig_to) for d in latest.values() if d.status != "deferred"}
        for delivery in latest.values():
            if delivery.status != "deferred" or (delivery.to, delivery.orig_to) not in tried:
                yield from self._of_delivery(machine, delivery, hops)

    def _of_delivery(self, machine: str, delivery: Delivery, hops: tuple[str, ...]) -> Iterator[Ending]:
        following = self.owners.get(delivery.address or "", machine)
        further = hops if following == machine else (*hops, following)
        if delivery.status == "deferred":
            yield Ending(hops=hops, how=How.WAITS)
        elif delivery.status == "bounced":
            yield Ending(hops=further, how=How.REFUSED, what=delivery.dsn)
        elif delivery.in_mailbox:
            yield Ending(hops=hops, how=How.MAILBOX, what=delivery.mailbox)
        elif entry := self.logs.get(following, {}).get(delivery.next_queue_id or ""):
            yield from self._of_entry(following, entry, further)
