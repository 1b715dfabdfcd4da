"""What becomes of a message that was sent: looked at in the machines' mail logs, until nothing more comes for now."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

from components.part import owners
from components.plan import Plan
from maillab.trace.found import Messages
from maillab.trace.journey import Journey, Link, Stay
from maillab.trace.lines import MachineLog, read_lines
from maillab.trace.machines import MachineError, Machines
from maillab.trace.maillog import LOG
from maillab.trace.outcome import Outcome, ends
from maillab.trace.watch import watch

Found = TypeVar("Found")
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
    _offsets: Mapping[str, int] = field(default_factory=dict)

    def begin(self) -> None:
        """Note where every mail log ends; one that can't be asked is read from its beginning."""
        found = self._on_servers(lambda name: self.machines.run(name, ["stat", "-c", "%s", LOG]))
        self._offsets = {name: int(size) for name, size in found.items()}

    def messages(self) -> Messages:
        """What they have now."""
        logs = self._on_servers(self._read)
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

    def _read(self, name: str) -> MachineLog:
        return read_lines(self.machines.run(name, ["tail", "-c", f"+{self._offsets.get(name, 0) + 1}", LOG]))

    def _on_servers(self, look: Callable[[str], Found]) -> dict[str, Found]:
        """What `look` finds on each server that answers."""

        def tried(name: str) -> Found | None:
            try:
                return look(name)
            except MachineError:
                return None

        with ThreadPoolExecutor(len(self._servers)) as pool:
            found = dict(zip(self._servers, pool.map(tried, self._servers), strict=True))
        return {name: one for name, one in found.items() if one is not None}


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
