"""A mail log's lines by what they belong to: a message in the queue, a refusal before there is one, a POP3 login."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

from maillab.trace.sendmail import in_postfix_words

LINE = re.compile(
    r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:[+-]\d\d:\d\d|Z)) \S+ (?:[\w.-]+/)*([\w.-]+)(?:\[(\d+)\])?: "
    r"(?:([0-9A-Za-z]{12,}|NOQUEUE): )?(.*)$"
)
# A filter's word on a message, with its queue id there: rspamd's, and that of an amavis on the machine itself.
VERDICTS = {
    "rspamd": re.compile(r"rspamd_task_write_log: id: <[^>]*>, qid: <(\w+)>"),
    "amavis": re.compile(r"^\([\w-]+\) (?:Passed|Blocked) .*?, Queue-ID: (\w+),"),
}
# Before the message's text: there may be no queue entry yet (NOQUEUE), or one for another recipient.
REFUSAL = re.compile(r"^(?:milter-)?reject: (?:CONNECT|HELO|EHLO|MAIL|RCPT|DATA) from ")
NOQUEUE = "NOQUEUE"
FETCHING = ("pop3d", "dovecot")  # the programs by which mail is fetched
MESSAGE_ID = "message-id="


class Line(NamedTuple):
    """A line: `program` without the instance before it (postfix/mail.example.com/smtp: smtp), `text` without its id.

    A tuple, and its time not yet read: there are tens of thousands of them, and of few somebody wants to know more.
    """

    stamp: str
    program: str
    text: str

    @property
    def when(self) -> datetime:
        """The time, with its zone; of one that there is not, the beginning of all times."""
        try:
            return datetime.fromisoformat(self.stamp)
        except ValueError:  # root on a machine writes what it likes into its log
            return datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """An answer before the message's text; `connect`: the session's first line, if nothing else came after it."""

    line: Line
    connect: Line | None


@dataclass(slots=True, kw_only=True)
class MachineLog:
    """One machine's mail log.

    `entries`: queue id to its lines, among them the session's first line (of its first message only: a session may have
    been there long before the next one), the filter's verdict and the connections that failed before a server was
    found. `logins`: lines of who let users fetch their mail.
    """

    entries: dict[str, list[Line]] = field(default_factory=dict)
    refusals: list[Refusal] = field(default_factory=list)
    logins: list[Line] = field(default_factory=list)
    _sessions: dict[str, Line] = field(default_factory=dict)  # smtpd's process to "connect from", before a message
    _failed: dict[str, list[Line]] = field(default_factory=dict)  # smtp's process to connections since its last line

    def take(self, line: Line, process: str, queue_id: str | None) -> None:
        """Put a line where it belongs."""
        if queue_id == NOQUEUE:
            self._take_refusal(line, process)
        elif queue_id:
            self._take_own(queue_id, line, process)
        elif line.program == "smtpd" and line.text.startswith("connect from "):
            self._sessions[process] = line
        elif line.program == "smtp" and line.text.startswith("connect to "):
            self._failed.setdefault(process, []).append(line)
        elif line.program in FETCHING:
            self.logins.append(line)
        elif judged := judged_by(line):
            self.entries.setdefault(judged, []).append(line)

    def _take_own(self, queue_id: str, line: Line, process: str) -> None:
        lines = self.entries.setdefault(queue_id, [])
        if line.program == "smtpd" and line.text.startswith("client=") and process in self._sessions:
            lines.append(self._sessions.pop(process))
        elif line.program == "smtp":
            lines += self._failed.pop(process, [])
        lines.append(line)
        self._take_refusal(line, process)

    def _take_refusal(self, line: Line, process: str) -> None:
        if REFUSAL.match(line.text):
            self.refusals.append(Refusal(line=line, connect=self._sessions.pop(process, None)))


def judged_by(line: Line) -> str:
    """The queue id of the message that a filter's line is the verdict on; "": it is no such line."""
    for filters, pattern in VERDICTS.items():
        if line.program.startswith(filters):
            match = pattern.search(line.text)
            return match[1] if match else ""
    return ""


def read_lines(text: str) -> MachineLog:
    """A machine's /var/log/mail.log; what isn't a line of a program, with a time and its zone, is left out."""
    log = MachineLog()
    for match in filter(None, map(LINE.match, in_postfix_words(text.splitlines()))):
        stamp, program, process, queue_id, said = match.groups()
        log.take(Line(stamp, program, said), process, queue_id)
    return log


def message_ids(lines: list[Line]) -> list[str]:
    """The Message-IDs of a queue entry, with their brackets: a message has one, and may have several."""
    return [line.text.removeprefix(MESSAGE_ID).strip() for line in lines if line.text.startswith(MESSAGE_ID)]
