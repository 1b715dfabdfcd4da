"""A name server's log of questions and answers, as BIND writes it (categories queries and responses)."""

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

# Where the lab's name servers keep it (files/dns/logging.conf.j2); what they moved away last is `.0`.
LOG = "/var/log/named/query.log"
LINE = re.compile(
    r"^(?P<stamp>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}) client @0x[0-9a-f]+ (?P<client>[0-9a-fA-F.:]+)#(?P<port>\d+) "
    r"\(.*\): (?P<what>query|response): (?P<name>\S+) IN (?P<type>\S+) (?P<rest>.*)$"
)
OFFSET = re.compile(r"[+-](?:0\d|1[0-4])[0-5]\d")
ANSWER = re.compile(r"^(?P<rcode>[A-Z0-9]+) (?P<answers>\d{1,5}) \d+ \d+ ")
# named takes its time from a clock that stands still for so long (CLOCK_REALTIME_COARSE, clock_gettime(2)).
STEP = timedelta(milliseconds=10)
SLOWEST = timedelta(seconds=15)  # named answers SERVFAIL after ten seconds (resolver-query-timeout)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What `client` (an address) asked the machine `server`, and the answer.

    `name` in small letters, without its last dot. `rcode` is empty when the log has no answer; `answers`: how many
    records were in it (which ones, no log says).
    """

    when: datetime
    server: str
    client: str
    name: str
    type: str
    rcode: str = ""
    answers: int = 0
    answered: datetime | None = None


@dataclass(slots=True, kw_only=True)
class QuestionLog:
    """The log of the machine `server`; `offset` is the one of its clock (`date +%z`)."""

    server: str
    lines: list[str] = field(default_factory=list)
    offset: str = "+0000"

    def between(self, first: datetime, last: datetime) -> Iterator[Question]:
        """The questions of a time, each with its answer: no other line is read closely, there may be many."""
        zone = datetime.strptime(self.offset, "%z").tzinfo
        start, end = (when.astimezone(zone).replace(tzinfo=None) for when in (first - STEP, last + STEP))
        place = bisect_left(self.lines, _stamp(start))
        waiting: dict[tuple[str, ...], tuple[datetime, re.Match[str]]] = {}
        found: list[Question] = []
        limit, until = _stamp(end + SLOWEST), _stamp(end)
        for line in self.lines[place:]:
            if line > limit or (line > until and not waiting):
                break
            if (match := LINE.match(line)) is None:
                continue
            try:
                when = datetime.fromisoformat(match["stamp"]).replace(tzinfo=zone)
            except ValueError:  # root there writes what it likes
                continue
            key = match.group("client", "port", "name", "type")
            if match["what"] == "query":
                if line <= until:
                    waiting[key] = when, match
            elif key in waiting:
                found.append(self._question(*waiting.pop(key), match, when))
        found += [self._question(when, match) for when, match in waiting.values()]
        yield from sorted(found, key=lambda question: question.when)

    def _question(
        self,
        when: datetime,
        asked: re.Match[str],
        answer: re.Match[str] | None = None,
        answered: datetime | None = None,
    ) -> Question:
        said = ANSWER.match(answer["rest"]) if answer else None
        return Question(
            when=when,
            server=self.server,
            client=asked["client"],
            name=asked["name"].lower().rstrip("."),
            type=asked["type"],
            rcode=said["rcode"] if said else "",
            answers=int(said["answers"]) if said else 0,
            answered=answered,
        )


def _stamp(when: datetime) -> str:
    return when.isoformat(timespec="milliseconds")


def read_questions(server: str, text: str) -> QuestionLog:
    """The log of the machine `server`: its clock's offset in the first line (another one is taken for UTC)."""
    offset, _, log = text.partition("\n")
    lines = [line for line in log.split("\n") if line[4:5] == line[7:8] == "-" and line[10:11] == "T"]
    return QuestionLog(server=server, lines=lines, offset=offset if OFFSET.fullmatch(offset) else "+0000")
