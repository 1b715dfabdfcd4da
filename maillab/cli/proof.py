"""`maillab verify` for people: what is not as configured, grouped, and the summary at the end."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import TypeVar

from rich.cells import cell_len

from maillab.cli.text import text
from maillab.cli.wrapped import Line
from maillab.trace.ending import Ending, How
from maillab.verify.cells import PORT_NAMES, Prediction, Source, Verdict
from maillab.verify.logins import ACCEPTED, NO_CONNECTION, NO_TRUST, REFUSED
from maillab.verify.relays import NO_ANSWER, Answer
from maillab.verify.run import CellResult, MessageResult, Proof

Item = TypeVar("Item")
SHOWN = 10  # groups of one kind; the others are shown with --all
FEW = 3  # sources or mailboxes that are named with their addresses
WORST = "bold red"
# What the prover says was predicted and seen, and its key in the catalogue; a status code stays what it is.
WORDS = {
    ACCEPTED: "accepted",
    REFUSED: "refused",
    NO_CONNECTION: "no-connection",
    NO_TRUST: "no-trust",
    NO_ANSWER: "no-answer",
}
KINDS = ("connections", "answers", "logins", "messages")


def differences(proof: Proof, *, everything: bool = False) -> Iterator[Line]:
    """What is not as configured: what it is about, what is configured and what was seen; then who asked, and why."""
    groups = {
        "connections": [*connection_groups(_wrong(proof.cells)), *connection_groups(_wrong(proof.forged))],
        "answers": list(_answers(_wrong(proof.answers))),
        "logins": list(_logins(proof)),
        "messages": list(_messages(_wrong(proof.messages))),
    }
    for kind, found in groups.items():
        if found:
            yield Line(text(f"differing-{kind}"), style=WORST)
        shown = found if everything else found[:SHOWN]
        for head, *details in shown:
            yield Line(head, indent=2)
            yield from (Line(detail, indent=6) for detail in details)
        if len(found) > len(shown):
            yield Line(text("groups-more", number=len(found) - len(shown)), indent=2)
        if found:
            yield Line()


def _wrong(results: Iterable[Item]) -> list[Item]:
    return [result for result in results if not getattr(result, "agrees")]  # noqa: B009 (every kind of result has it)


def grouped(items: Iterable[Item], key: Callable[[Item], object]) -> list[list[Item]]:
    """The items that have the same key, in the order of the first ones."""
    found: dict[object, list[Item]] = defaultdict(list)
    for item in items:
        found[key(item)].append(item)
    return list(found.values())


def versus(what: str, predicted: str, seen: str) -> str:
    """What it is about, what is configured, what was seen; only the last where they are the same."""
    if predicted == seen:
        return text("as-configured", what=what, seen=seen)
    return text("not-as-configured", what=what, predicted=predicted, seen=seen)


def connection_groups(results: Iterable[CellResult]) -> Iterator[list[str]]:
    """Connections (or datagrams) of one target with one fate: those ports share a group that the same sources have."""
    for same in grouped(results, lambda r: (r.cell.target, r.predicted.verdict, r.seen, r.predicted.reason)):
        by_port: dict[int, list[Source]] = defaultdict(list)
        for result in same:
            by_port[result.cell.port].append(result.cell.source)
        first = same[0]
        for shared in grouped(by_port.items(), lambda item: tuple(item[1])):
            ports = ", ".join(port_name(port) for port, _ in shared)
            what = text("ports-of", target=first.cell.target, ports=ports)
            yield [
                versus(what, verdict(first.predicted.verdict), verdict(first.seen)),
                text("sources", names=sources_named(shared[0][1])),
                reason(first.predicted),
            ]


def port_name(port: int) -> str:
    """The number and what is there; a port of nobody's is the datagrams' own."""
    return f"{port} {PORT_NAMES[port]}" if port in PORT_NAMES else text("datagrams", port=port)


def verdict(seen: Verdict) -> str:
    """In the reader's language."""
    return text(f"verdict-{seen}")


def word(found: str) -> str:
    """An answer or the end of a login, in the reader's language; a status code stays what it is."""
    return text(f"seen-{WORDS[found]}") if found in WORDS else found


def reason(predicted: Prediction) -> str:
    """Why it is predicted: the rule that decides."""
    if predicted.rule is not None:
        return text("by-rule", rule=predicted.reason)
    is_open = predicted.verdict is Verdict.ACCEPT
    return text("by-program" if is_open else "by-nobody", machine=predicted.machine)


def sources_named(sources: Iterable[Source]) -> str:
    """A few with their addresses, many by their names; one family of a name's is named."""
    all_ = list(dict.fromkeys(sources))
    if len(all_) <= FEW:
        return ", ".join(f"{source.name} {source.address}" for source in all_)
    families: Mapping[str, set[int]] = defaultdict(set)
    for source in all_:
        families[source.name].add(source.address.version)
    if len(of_all := {source.address.version for source in all_}) == 1:
        return f"IPv{of_all.pop()}: {', '.join(sorted(families))}"
    return ", ".join(
        name if len(versions) > 1 else f"{name} (IPv{min(versions)})" for name, versions in sorted(families.items())
    )


def _answers(results: Iterable[Answer]) -> Iterator[list[str]]:
    for same in grouped(results, lambda a: (a.question.cell.target, a.predicted, a.seen)):
        first = same[0]
        mailboxes = list(dict.fromkeys((a.question.sender, a.question.recipient) for a in same))
        more = [text("edits-more", number=len(mailboxes) - FEW)] if len(mailboxes) > FEW else []
        yield [
            versus(text("asked-server", server=first.question.cell.target), word(first.predicted), word(first.seen)),
            text("sources", names=sources_named(a.question.cell.source for a in same)),
            *(text("mailboxes", sender=sender, recipient=to) for sender, to in islice(mailboxes, FEW)),
            *more,
        ]


def _logins(proof: Proof) -> Iterator[list[str]]:
    for same in grouped(
        _wrong(proof.logins), lambda x: (x.login.machine, x.login.protocol, x.login.is_right, x.predicted, x.seen)
    ):
        first = same[0]
        password = text("password-right" if first.login.is_right else "password-wrong")
        what = text("login-of", machine=first.login.machine, protocol=first.login.protocol, password=password)
        users = ", ".join(result.login.user for result in same)
        yield [versus(what, word(first.predicted), word(first.seen)), text("users", names=users)]


def _messages(results: Iterable[MessageResult]) -> Iterator[list[str]]:
    for same in grouped(results, lambda m: (m.message.recipient, m.predicted, m.seen)):
        first = same[0]
        yield [
            text("message-to", recipient=first.message.recipient),
            text("way-configured", ways="; ".join(ways(first.predicted))),
            text("way-seen", ways="; ".join(ways(first.seen))),
            text("sources", names=", ".join(senders(result.message.writer.address for result in same))),
        ]


def ways(ends: Iterable[Ending]) -> list[str]:
    """The ends of a message in the reader's language."""
    words = [f"{' → '.join(end.hops)}: {_end(end)}" for end in ends]
    return sorted(words) or [text("still-on-its-way")]


def _end(end: Ending) -> str:
    if end.how in (How.HELD, How.WAITS):
        return text(f"queue-{end.how}")
    return text(f"ending-{end.how}", what=word(end.what))


def senders(addresses: Iterable[str]) -> list[str]:
    """Both families of one domain are one word."""
    domains: dict[str, list[str]] = defaultdict(list)
    for address in addresses:
        local, _, domain = address.rpartition("@")
        domains[domain].append(local)
    return [domain if len(found) > 1 else f"{found[0]}@{domain}" for domain, found in domains.items()]


def remarks(proof: Proof) -> Iterator[Line]:
    """What was not tried or not predicted, and what is left of the run."""
    yield from (Line(text("not-predicted", setting=setting), style="yellow") for setting in proof.unknown)
    yield from (Line(text("could-not-try", why=failure), style=WORST) for failure in proof.failures)
    yield from (Line(text("left-behind", what=remark), style="yellow") for remark in proof.remarks)
    if proof.untried:
        yield Line(text("not-tried-from", ranges=", ".join(proof.untried)))
    if proof.skipped:
        yield Line(text("not-tried-long", what="; ".join(proof.skipped)), style="yellow")
    if proof.links and proof.wrong:
        yield Line(text("links-are-slow", machines=", ".join(proof.links)), style="yellow")


def summary(proof: Proof, stack: str) -> Iterator[Line]:
    """Five lines: each kind of try with its number, and what follows."""
    results = {
        "connections": (*proof.cells, *proof.forged),
        "answers": proof.answers,
        "logins": proof.logins,
        "messages": proof.messages,
    }
    names = {kind: text(f"trials-{kind}") for kind in KINDS}
    room = max(map(cell_len, names.values())) + 2
    for kind, name in names.items():
        found, wrong = len(results[kind]), len(_wrong(results[kind]))
        said = text("tried-wrong", wrong=wrong) if wrong else text("tried-well") if found else text("tried-nothing")
        gap = " " * (room - cell_len(name))
        yield Line(f"{name}{gap}{found:>6,}  {said}", style=WORST if wrong else "")
    yield _result(proof, stack)


def _result(proof: Proof, stack: str) -> Line:
    tried, seconds = f"{proof.tried:,}", f"{proof.seconds['all']:.1f}"
    if proof.wrong:
        wrong = f"{proof.wrong:,}"
        return Line(text("proof-differs", stack=stack, wrong=wrong, tried=tried, seconds=seconds), style=WORST)
    if not proof.tried:
        return Line(text("proof-of-nothing", stack=stack), style=WORST)
    if not proof.holds:
        return Line(text("proof-in-part", stack=stack, tried=tried, seconds=seconds), style=WORST)
    if proof.unknown:
        number = len(proof.unknown)
        return Line(
            text("proof-without", stack=stack, number=number, tried=tried, seconds=seconds), style="bold yellow"
        )
    return Line(text("proof-holds", stack=stack, tried=tried, seconds=seconds), style="bold green")
