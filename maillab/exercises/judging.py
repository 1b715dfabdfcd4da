"""Is what was seen what an effect wants? And both in words for people."""

from collections.abc import Iterable, Sequence

from maillab.exercises.exercise import Mail, Question
from maillab.exercises.text import text
from maillab.trace.ending import Ending, How
from maillab.verify.cells import Cell, Verdict


def is_met(kind: str, mail: Mail, ends: Iterable[Ending], wanted: frozenset[Ending]) -> bool:
    """Are these ends, all that there are, what the effect wants? `wanted`: by the good configuration."""
    found = list(ends)
    if not found:
        return False
    if kind == "gone":
        return all(end.how is How.GONE and end.hops[-1] == (mail.at or end.hops[-1]) for end in found)
    if kind == "waits":
        return any(end.how is How.WAITS and end.hops[-1] == (mail.at or end.hops[-1]) for end in found)
    if kind in ("refused", "held"):
        how = How.REFUSED if kind == "refused" else How.HELD
        return all(
            end.how is how and end.hops[-1] == (mail.at or end.hops[-1]) and end.what.startswith(mail.code or "")
            for end in found
        )
    if mail.ends is None:
        return frozenset(found) == wanted
    there = {f"{end.what}@{end.hops[-1]}" for end in found}
    by_way = all(set(mail.through) <= set(end.hops) for end in found)
    return all(end.how is How.MAILBOX for end in found) and there == set(mail.ends) and by_way


def expected_words(kind: str, mail: Mail, wanted: Iterable[Ending]) -> str:
    """What the effect wants, for people."""
    at = mail.at or text("a-server")
    if kind == "waits":
        return text("end-waits", machine=at)
    if kind == "held":
        return text("end-held", machine=at)
    if kind == "gone":
        return text("end-discarded", machine=at)
    if kind == "refused":
        return text("end-refused", machine=at, code=mail.code or "5xx")
    if mail.ends is not None:
        words = in_boxes(mail.ends)
        return text("by-way", words=words, machines=", ".join(mail.through)) if mail.through else words
    return listed(sorted(map(in_words, wanted)))


def in_words(end: Ending) -> str:
    """An end of a message, and the machines that it came by."""
    words = text(f"end-{end.how}", machine=end.hops[-1], what=end.what, code=end.what)
    return text("end-by", words=words, hops=" -> ".join(end.hops))


def listed(words: Iterable[str]) -> str:
    """All of them, one after the other."""
    return text("one-more").join(words)


def in_boxes(boxes: Iterable[str]) -> str:
    """The mailboxes that have a message."""
    return text("in-mailboxes", boxes=", ".join(sorted(boxes))) if boxes else text("in-no-mailbox")


def of_cell(cell: Cell, verdict: Verdict) -> str:
    """A connection, and what its client sees."""
    return text(f"verdict-{verdict}", source=cell.source.name, target=cell.target, port=cell.port, address=cell.address)


def of_answer(question: Question, records: Sequence[str]) -> str:
    """What DNS answers."""
    words = ", ".join(sorted(records)) or text("no-record")
    return f"{question.name} {question.type}: {words}"
