"""One recipient's copy of a message from machine to machine, by the queue ids in the mail logs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from maillab.trace.maillog import Delivery, Entry

# What a machine's log has of a queue id: (machine, queue id) to entry; an empty one where there is nothing.
Look = Callable[[str, str], Entry]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """A message at one machine: its queue entry, and the delivery that led on (None: it is still there)."""

    machine: str
    entry: Entry
    delivery: Delivery | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorder:
    """Follows a copy by what `look` finds in the logs; `owners`: address to machine."""

    look: Look
    owners: Mapping[str, str]

    def hops(self, machine: str, queue_id: str, recipient: str, final: str | None = None) -> list[Hop]:
        """The hops from (`machine`, `queue_id`) on, as the logs have them now.

        `final` chooses one of the addresses that an alias leads to.
        """
        entry = self.look(machine, queue_id)
        sent = [one for one in entry.deliveries if one.is_for(recipient) and one.status == "sent"]
        if final:
            sent = [one for one in sent if one.to == final] or [one for one in sent if not one.in_mailbox]
        if not sent:
            return [Hop(machine=machine, entry=entry, delivery=None)]
        last = sent[-1]
        hop = Hop(machine=machine, entry=entry, delivery=last)
        if last.next_queue_id is None or self._is_elsewhere(last.address):
            return [hop]
        return [hop, *self.hops(self.next_machine(machine, last), last.next_queue_id, last.to, final)]

    def _is_elsewhere(self, address: str | None) -> bool:
        """Is it an address of nobody's here? A filter on the machine itself is reached by the loopback."""
        return address is not None and address not in self.owners and not address.startswith("127.")

    def next_machine(self, machine: str, delivery: Delivery) -> str:
        """Whom `machine` gave the copy to; itself when it delivered it, or when the address is nobody's."""
        return self.owners.get(delivery.address or "", machine)
