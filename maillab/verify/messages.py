"""Real messages: handed in where their writers are, and followed through the machines' mail logs."""

import base64
import secrets
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from ipaddress import ip_address

from components.part import Blueprint
from maillab.postman import message as sent
from maillab.postman.session import END, hand_in
from maillab.postman.way import Way
from maillab.trace.ending import Ending, How
from maillab.trace.growing import GrowingLogs
from maillab.trace.machines import MachineError, Machines
from maillab.trace.maillog import READERS, Entry
from maillab.trace.trail import Fate, Trail
from maillab.trace.watch import watch
from maillab.verify.routes import NO_CONNECTION, Writer

STILL = 40  # seconds without news of messages that are not over; a sender takes the next MX within that time
DOMAIN = "verify.invalid"  # of the messages' Message-IDs
# Reads lines "sender recipient message", the message in base64; each is given to the machine's own mail server, by the
# program that all of them bring (sendmail(1)).
SENDMAIL = """
while read -r sender recipient message; do
  printf %s "$message" | base64 -d | sendmail -i -f "$sender" -- "$recipient" || exit 1
done
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message of one run; `message_id` without brackets is nobody else's.

    `body`: further words of its text. `rest`: instead of it, and of the subject (postman.message.Message).
    """

    writer: Writer
    recipient: str
    message_id: str
    body: str = ""
    rest: bytes = field(default=b"", repr=False)

    @property
    def line(self) -> str:
        """What the program SENDMAIL reads."""
        raw = self.sent.raw.replace(b"\r\n", b"\n")
        return f"{self.writer.address} {self.recipient} {base64.b64encode(raw).decode()}\n"

    @property
    def sent(self) -> sent.Message:
        """What a mail client hands in."""
        return sent.Message(
            sender=self.writer.address,
            recipient=self.recipient,
            subject="maillab verify",
            body=f"{self.message_id} {self.body}".rstrip(),
            spam=self.writer.gtube,
            rest=self.rest,
            message_id=f"<{self.message_id}>",
        )


@dataclass(slots=True)
class Postman:
    """Sends the messages of one run and finds out what became of them."""

    machines: Machines
    plans: Mapping[str, Blueprint]
    name: str = field(default_factory=lambda: secrets.token_hex(6))
    domain: str = DOMAIN
    _logs: GrowingLogs = field(init=False)
    _refused: dict[str, str] = field(default_factory=dict)

    @property
    def mark(self) -> str:
        """What all messages of this run have in their text, and no other."""
        return f".{self.name}@{self.domain}"

    def messages(self, pairs: Iterable[tuple[Writer, str]]) -> list[Message]:
        """A message for each pair."""
        return [
            Message(writer=writer, recipient=recipient, message_id=f"{number}{self.mark}")
            for number, (writer, recipient) in enumerate(pairs)
        ]

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """All that the mail servers log from now on is read, until the `with` block's end.

        Raises:
            MachineError: a mail server is not there.
        """
        names = [name for name, plan in self.plans.items() if plan.part.mail is not None]
        with GrowingLogs(machines=self.machines, names=names) as self._logs:
            for error in self._logs.failed.values():
                raise error
            yield

    def send(self, messages: Iterable[Message]) -> None:
        """Hands every message in, on all machines at once.

        Raises:
            MachineError: a machine could not take its messages.
        """
        by_way: dict[tuple[object, ...], list[Message]] = defaultdict(list)
        for message in messages:
            writer = message.writer
            by_way[writer.machine, writer.client, writer.source, writer.login].append(message)
        with ThreadPoolExecutor(max(len(by_way), 1)) as pool:
            list(pool.map(self._hand_in, by_way.values()))

    def _hand_in(self, messages: list[Message]) -> None:
        """Messages of one way."""
        writer, lines = messages[0].writer, "".join(message.line for message in messages)
        if writer.client is None:
            self.machines.run(writer.machine, ["bash", "-c", SENDMAIL], lines)
            return
        own = writer.source or ip_address(self.plans[writer.client].host.first(4))
        way = Way(
            client=writer.client,
            source=own,
            server=writer.machine,
            address=ip_address(self.plans[writer.machine].host.first(own.version)),
            helo=self.plans[writer.client].host.fqdn,
            login=writer.login,
        )
        answers = hand_in(self.machines, way, [message.sent for message in messages])
        for message, (*_, last) in zip(messages, answers, strict=True):
            if not (last.step == END and last.is_good):
                self._refused[message.message_id] = last.status if last.code else NO_CONNECTION

    def seen(self, messages: list[Message]) -> dict[Message, frozenset[Ending]]:
        """What became of each message, as the logs have it now."""
        return {message: fate.ends for message, fate in self.fates(messages).items()}

    def fates(self, messages: Iterable[Message]) -> dict[Message, Fate]:
        """What became of each message, and whether more can come of it."""
        trail = self.trail()
        return {message: self._fate(message, trail) for message in messages}

    def _fate(self, message: Message, trail: Trail) -> Fate:
        writer = message.writer
        hops = (writer.client, writer.machine) if writer.client else (writer.machine,)
        if status := self._refused.get(message.message_id):
            came_to = hops[:1] if status == NO_CONNECTION else hops
            ends = frozenset({Ending(hops=came_to, how=How.REFUSED, what=status)})
            return Fate(ends=ends, is_over=True, is_at_rest=True)
        return trail.fate(writer.machine, f"<{message.message_id}>", hops)

    def follow(
        self, expected: Mapping[Message, frozenset[Ending]], still: float = STILL
    ) -> dict[Message, frozenset[Ending]]:
        """What became of each message.

        Looked at until nothing more can come of it, or nothing more than was expected comes for the moment; what is
        neither, until there is nothing new of any message for `still` seconds.
        """
        seen: dict[Message, Fate] = {}

        def needs_no_look(message: Message) -> bool:
            fate = seen.get(message, Fate())
            return fate.is_over or (fate.is_at_rest and fate.ends == expected[message])

        def look() -> dict[Message, Fate]:
            seen.update(self.fates([message for message in expected if not needs_no_look(message)]))
            return dict(seen)

        found = watch(look, lambda _: all(map(needs_no_look, expected)), still)
        return {message: fate.ends for message, fate in found.items()}

    def trail(self) -> Trail:
        """What the logs have of this run now."""
        return Trail.of(self.logs(), self.plans)

    def left(self) -> dict[str, list[str]]:
        """Machine to the queue ids of what is still in its queue, of the machines whose log can be read."""
        entries = {}
        for name in self._logs.names:
            with suppress(MachineError):
                entries[name] = self._entries(name)
        return Trail.of(entries, self.plans).left(self.mark)

    def logs(self) -> dict[str, dict[str, Entry]]:
        """Machine to queue id to what its log says since the `with` block of `at_work` began.

        Raises:
            MachineError: a mail server is not there any more.
        """
        return {name: self._entries(name) for name in self._logs.names}

    def _entries(self, name: str) -> dict[str, Entry]:
        service = self.plans[name].part.mail
        assert service is not None
        return READERS[service.log](self._logs.read(name))
