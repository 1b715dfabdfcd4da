"""SMTP sessions from a machine of the lab: what the server answered to each step."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from maillab.postman.message import Message
from maillab.postman.way import Way
from maillab.trace.machines import MachineError, Machines

SCRIPT = (Path(__file__).parent / "smtp_session.pl").read_text(encoding="utf-8")
SMTP = 25
SECONDS = 30  # for a connection, and for each answer
STATUS = re.compile(r"\d{3}[ -](\d\.\d{1,3}\.\d{1,3})\b")
REPLY = "reply "
END = "."  # the step that is a message's end


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What the server said to one step of a session ("connect": nothing was said yet; ".": the message's end).

    `code` 0: it did not answer, or could not be reached; the only line says why.
    """

    step: str
    code: int
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """Its lines, as one."""
        return " ".join(self.lines)

    @property
    def is_good(self) -> bool:
        """Did the server say yes?"""
        return 200 <= self.code < 400

    @property
    def status(self) -> str:
        """The enhanced status code (RFC 3463) that it begins with, or else its three digits."""
        match = STATUS.match(self.lines[-1]) if self.lines else None
        return match[1] if match else str(self.code)


Replies = tuple[Reply, ...]


def hand_in(machines: Machines, way: Way, messages: Sequence[Message], seconds: int = SECONDS) -> list[Replies]:
    """What the server answered to each message, all of them in one session.

    Raises:
        MachineError: the client's machine is not there, or says nothing of a message.
    """
    source = str(way.source) if way.source else "-"
    port = way.login.port if way.login else SMTP
    command = ["perl", "-e", SCRIPT, str(way.address), str(port), source, way.helo, str(seconds)]
    text = "".join(map(_written, messages))
    if way.login:
        command.append(way.login.host)
        # Passwords come by stdin: everybody can read a command line.
        text = f"{way.login.user} {way.login.password}\n{text}"
    printed = machines.run(way.client, command, text)
    found: list[list[Reply]] = [[] for _ in messages]
    for number, reply in _replies(printed):
        found[number].append(reply)
    if not all(found):
        raise MachineError(f"{way.client}: the SMTP session with {way.server} ended without a word")
    return [tuple(replies) for replies in found]


def _written(message: Message) -> str:
    """What the program reads."""
    raw = message.raw
    wants = "SMTPUTF8" if message.needs_smtputf8 else "-"
    return f"<{message.sender}> <{message.recipient}> {wants} {len(raw)}\n{raw.decode(errors='surrogateescape')}"


def _replies(printed: str) -> list[tuple[int, Reply]]:
    found: list[tuple[int, Reply]] = []
    for line in printed.split("\n"):
        if line.startswith(REPLY):
            _, number, code, step = line.split(" ", 3)
            found.append((int(number), Reply(step=step, code=int(code), lines=())))
        elif line.startswith(" ") and found:
            number_, reply = found[-1]
            found[-1] = (number_, Reply(step=reply.step, code=reply.code, lines=(*reply.lines, line[1:])))
    return found
