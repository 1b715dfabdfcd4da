"""`maillab verify --all`: who reaches what, which server takes what, and the ways of all messages."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from maillab.cli.proof import connection_groups, grouped, reason, senders, sources_named, verdict, ways, word
from maillab.cli.text import text
from maillab.cli.wrapped import Line, padded, widths
from maillab.verify.cells import PORT_NAMES, Source, Verdict
from maillab.verify.run import CellResult, Proof

TITLE = "bold"


def matrices(proof: Proof, width: int) -> Iterator[Line]:
    """Everything that was seen, for a terminal of `width` columns."""
    for same in grouped(proof.cells, lambda result: result.cell.target):
        yield Line(text("matrix-to", target=same[0].cell.target), style=TITLE)
        yield from _matrix(same, width)
        yield Line()
    yield from _datagrams(proof)
    yield from _relays(proof)
    yield from _messages(proof)


def _matrix(results: list[CellResult], width: int) -> Iterator[Line]:
    """A row for the sources that see the same, their names below it; at last the rules that kept somebody out."""
    seen: dict[Source, dict[int, Verdict]] = defaultdict(dict)
    for result in results:
        seen[result.cell.source][result.cell.port] = result.seen
    ports = list(dict.fromkeys(result.cell.port for result in results))
    rows = [
        ([verdict(seen[same[0]][port]) for port in ports], same)
        for same in grouped(seen, lambda source: tuple(seen[source][port] for port in ports))
    ]
    heads = [[str(port) for port in ports], [PORT_NAMES[port] for port in ports]]
    verdicts = [words for words, _ in rows]
    if _length([*heads, *verdicts]) > width:
        heads.pop()  # without the ports' names
    room = widths([*heads, *verdicts])
    yield from (Line(_row(words, room), indent=2) for words in heads)
    for words, same in sorted(rows, key=lambda row: -len(row[1])):
        yield Line(_row(words, room), indent=2)
        yield Line(text("sources", names=sources_named(same)), indent=6)
    stopped = (r.predicted for r in results if r.predicted.verdict is not Verdict.ACCEPT and r.predicted.rule)
    yield from (Line(words, indent=2, style="dim") for words in dict.fromkeys(map(reason, stopped)))


def _length(rows: list[list[str]]) -> int:
    return 2 + sum(widths(rows)) + len(rows[0]) - 1


def _row(words: list[str], room: list[int]) -> str:
    return " ".join(padded(words, room)).rstrip()


def _datagrams(proof: Proof) -> Iterator[Line]:
    if proof.forged:
        yield Line(text("matrix-datagrams"), style=TITLE)
        for head, *details in connection_groups(proof.forged):
            yield Line(head, indent=2)
            yield from (Line(detail, indent=6) for detail in details)
        yield Line()


def _relays(proof: Proof) -> Iterator[Line]:
    """Who may send to strangers, server by server."""
    if proof.answers:
        yield Line(text("matrix-relays"), style=TITLE)
        for same in grouped(proof.answers, lambda answer: (answer.question.cell.target, answer.seen)):
            first = same[0]
            yield Line(f"{first.question.cell.target}: {word(first.seen)}", indent=2)
            yield Line(text("sources", names=sources_named(a.question.cell.source for a in same)), indent=6)
        yield Line()


def _messages(proof: Proof) -> Iterator[Line]:
    if proof.messages:
        yield Line(text("matrix-messages"), style=TITLE)
        for to in grouped(proof.messages, lambda result: result.message.recipient):
            yield Line(text("message-to", recipient=to[0].message.recipient), indent=2)
            for same in grouped(to, lambda result: result.seen):
                yield from (Line(way, indent=4) for way in ways(same[0].seen))
                names = ", ".join(senders(result.message.writer.address for result in same))
                yield Line(text("sources", names=names), indent=6)
        yield Line()
