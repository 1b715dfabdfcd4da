"""What becomes of a message that was sent: looked at in the machines' mail logs, until nothing more comes for now."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from components.part import owners
from components.plan import Plan
from maillab.trace.found import Messages
from maillab.trace.growing import GrowingLogs
from maillab.trace.journey import Journey, Link, Stay
from maillab.trace.lines import MachineLog, read_lines
from maillab.trace.machines import MachineError, Machines
from maillab.trace.outcome import Outcome, ends
from maillab.trace.watch import watch

STILL = 15  # seconds without news: a server that tries four addresses in vain needs 12
RESTING = (Outcome.HELD, Outcome.DEFERRED)


@dataclass(slots=True, kw_only=True)
class Logs:
    """What the mail logs of a lab have from now on.

    `unread`: the machines whose log could not be read at the last look.
    """

    machines: Machines
    plan: Plan
    unread: frozenset[str] = frozenset()
    _growing: GrowingLogs = field(init=False)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """All that the mail servers log from now on is read, until the `with` block's end. Raises MachineError."""
        with GrowingLogs(machines=self.machines, names=self._servers) as self._growing:
            yield

    def messages(self) -> Messages:
        """What they have now."""
        logs = {name: log for name in self._servers if (log := self._read(name)) is not None}
        self.unread = frozenset(self._servers) - frozenset(logs)
        addresses = {str(address): name for address, name in owners(self.plan.machines).items()}
        return Messages(logs=logs, owners=addresses)

    def follow(self, message_id: str, still: float = STILL) -> Journey | None:
        """The message, once it rests everywhere, or there were no news of it for `still` seconds."""

        def look() -> list[Journey]:
            return self.messages().named(message_id)

        def done(found: list[Journey]) -> bool:
            return bool(found) and all(map(is_at_rest, found))

        found = watch(look, done, still)
        return found[0] if found else None

    @property
    def _servers(self) -> list[str]:
        return [name for name, machine in self.plan.machines.items() if machine.part.mail is not None]

    def _read(self, name: str) -> MachineLog | None:
        try:
            return read_lines(self._growing.read(name))
        except MachineError:
            return None


def is_at_rest(journey: Journey) -> bool:
    """Does nothing more come of it for now? What waits in a queue was tried there, or is on hold."""
    found = ends(journey)
    waiting = {end.machine for end in found if end.outcome in RESTING}
    # A server that has bounced a message removes it once the notice to the sender is written.
    left = {stay.machine for root in journey.roots for stay in _stays(root) if stay.queue_id and not stay.removed}
    return bool(found) and left <= waiting and all(end.outcome.is_final or end.outcome in RESTING for end in found)


def _stays(stay: Stay) -> Iterator[Stay]:
    """It and those after it that were taken."""
    if stay.link is not Link.REFUSAL:
        yield stay
        for following in stay.following:
            yield from _stays(following)
