"""Real letters: sent by every writer to every recipient, and followed through the machines' mail logs."""

import json
import pathlib
import secrets
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

from components.part import Blueprint
from verify.machines import Machines
from verify.maillog import Entry, read_maillog
from verify.routes import NO_CONNECTION, Ending, How, Writer
from verify.trail import Trail

LOG = "/var/log/mail.log"
STILL = 40  # seconds without an end of any letter; a sender takes the next MX within that time
POLL = 0.5
DOMAIN = "verify.invalid"  # of the letters' Message-IDs
Found = TypeVar("Found")
SUBMIT = (pathlib.Path(__file__).parent / "submit.py").read_text(encoding="utf-8")
# Reads "sender recipient message-id" lines; each letter is given to the machine's own Postfix (sendmail(1)).
SENDMAIL = """
while read -r sender recipient id; do
  header="From: $sender\\nTo: $recipient\\nSubject: maillab verify\\nMessage-ID: <$id>"
  printf '%b\\n\\n%s\\n' "$header" "$id" | sendmail -i -f "$sender" -- "$recipient" || exit 1
done
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A letter of one run; `message_id` without brackets is nobody else's."""

    writer: Writer
    recipient: str
    message_id: str


@dataclass(slots=True)
class Postman:
    """Sends the letters of one run and finds out what became of them."""

    machines: Machines
    plans: Mapping[str, Blueprint]
    name: str = field(default_factory=lambda: secrets.token_hex(6))
    _offsets: dict[str, int] = field(default_factory=dict)
    _refused: dict[str, str] = field(default_factory=dict)

    @property
    def mark(self) -> str:
        """What all letters of this run have in their text, and no other."""
        return f".{self.name}@{DOMAIN}"

    def letters(self, pairs: Iterable[tuple[Writer, str]]) -> list[Letter]:
        """A letter for each pair."""
        return [
            Letter(writer=writer, recipient=recipient, message_id=f"{number}{self.mark}")
            for number, (writer, recipient) in enumerate(pairs)
        ]

    def begin(self) -> None:
        """Notes where every mail log ends: what `logs` answers begins there.

        Raises:
            MachineError: a mail server is not there.
        """
        self._offsets = self._on_servers(lambda name: int(self.machines.run(name, ["stat", "-c", "%s", LOG])))

    def send(self, letters: Iterable[Letter]) -> None:
        """Hands every letter in, on all machines at once.

        Raises:
            MachineError: a machine could not take its letters.
        """
        by_way: dict[tuple[str, str | None], list[Letter]] = defaultdict(list)
        for letter in letters:
            by_way[letter.writer.machine, letter.writer.client].append(letter)
        with ThreadPoolExecutor(max(len(by_way), 1)) as pool:
            list(pool.map(lambda way: self._hand_in(way[0], way[1], by_way[way]), by_way))

    def _hand_in(self, machine: str, client: str | None, letters: list[Letter]) -> None:
        lines = "".join(f"{letter.writer.address} {letter.recipient} {letter.message_id}\n" for letter in letters)
        if client is None:
            self.machines.run(machine, ["bash", "-c", SENDMAIL], lines)
            return
        server = self.plans[machine].host.first(4)
        self._refused.update(json.loads(self.machines.run(client, ["python3", "-c", SUBMIT, server], lines)))

    def seen(self, letters: list[Letter]) -> dict[Letter, frozenset[Ending]]:
        """What became of each letter, as the logs have it now."""
        trail = Trail.of(self.logs(), self.plans)
        return {letter: self._became(letter, trail) for letter in letters}

    def _became(self, letter: Letter, trail: Trail) -> frozenset[Ending]:
        writer = letter.writer
        hops = (writer.client, writer.machine) if writer.client else (writer.machine,)
        if status := self._refused.get(letter.message_id):
            came_to = hops[:1] if status == NO_CONNECTION else hops
            return frozenset({Ending(hops=came_to, how=How.REFUSED, what=status)})
        return frozenset(trail.ends(writer.machine, f"<{letter.message_id}>", hops))

    def follow(
        self, expected: Mapping[Letter, frozenset[Ending]], still: float = STILL
    ) -> dict[Letter, frozenset[Ending]]:
        """What became of each letter: looked at until it is what was expected, or for `still` seconds nothing new."""
        seen: dict[Letter, frozenset[Ending]] = {}

        def look() -> dict[Letter, frozenset[Ending]]:
            seen.update(self.seen([letter for letter in expected if seen.get(letter) != expected[letter]]))
            return dict(seen)

        return watch(look, lambda found: found == expected, still)

    def logs(self) -> dict[str, dict[str, Entry]]:
        """Machine to queue id to what its log says since `begin`."""
        return self._on_servers(self._entries)

    def _entries(self, name: str) -> dict[str, Entry]:
        return read_maillog(self.machines.run(name, ["tail", "-c", f"+{self._offsets[name] + 1}", LOG]))

    def _on_servers(self, look: Callable[[str], Found]) -> dict[str, Found]:
        names = [name for name, plan in self.plans.items() if "postfix" in plan.part.roles]
        with ThreadPoolExecutor(len(names)) as pool:
            return dict(zip(names, pool.map(look, names), strict=True))


def watch(look: Callable[[], Found], done: Callable[[Found], bool], still: float) -> Found:
    """What `look` finds: looked at until that is `done`, or has not changed for `still` seconds.

    Not until a fixed time: on an emulated processor everything takes ten times as long, but something happens.
    """
    found, changed = look(), time.monotonic()
    while not done(found) and time.monotonic() - changed < still:
        time.sleep(POLL)
        before, found = found, look()
        if found != before:
            changed = time.monotonic()
    return found
