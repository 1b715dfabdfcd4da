"""Results of runs that never were: predictions of the tutorial's lab, and what somebody saw."""

from dataclasses import replace

from maillab.trace.ending import Ending, How
from maillab.verify.cells import Cell, Verdict, cells, predict
from maillab.verify.forged import forged_cells, predict_forged
from maillab.verify.logins import LoginResult, logins, predict_logins
from maillab.verify.messages import Message
from maillab.verify.pairs import recipients, writers
from maillab.verify.relays import Answer, predict_answers, questions
from maillab.verify.run import CellResult, MessageResult, Proof
from tests.unit.labs import Model

WAITING = Ending(hops=("outside",), how=How.WAITS)


def cell_result(given: Model, cell: Cell, seen: Verdict | None = None) -> CellResult:
    """A cell's prediction, beside what was seen: the same when nothing else is given."""
    predicted = predict(given.policy, cell)
    return CellResult(cell=cell, predicted=predicted, seen=predicted.verdict if seen is None else seen)


def message_result(given: Model, number: int, *seen: Ending) -> MessageResult:
    """A message's prediction, beside what was seen: the same when nothing else is given."""
    pairs = [(writer, recipient) for writer in writers(given.lab) for recipient in recipients(given.lab)]
    writer, recipient = pairs[number]
    predicted = given.post.way(writer, recipient)
    message = Message(writer=writer, recipient=recipient, message_id=f"{number}.abc@verify.invalid")
    return MessageResult(message=message, predicted=predicted, seen=frozenset(seen) if seen else predicted)


def good_proof(given: Model) -> Proof:
    """All connections, answers and logins, and the first twenty messages, as predicted."""
    found = tuple(cell_result(given, cell) for cell in cells(given.lab, given.plans))
    asked = predict_answers(given.post, questions(given.post, (r.cell for r in found if r.seen is Verdict.ACCEPT)))
    entered = predict_logins(given.policy, logins(given.policy, "wrong"))
    return Proof(
        cells=found,
        answers=tuple(Answer(question=question, predicted=answer, seen=answer) for question, answer in asked.items()),
        logins=tuple(LoginResult(login=login, predicted=seen, seen=seen) for login, seen in entered.items()),
        messages=tuple(message_result(given, number) for number in range(20)),
        seconds={"predict": 0.05, "connections": 3.0, "all": 9.0},
    )


def asked(given: Model, source: str, target: str, port: int) -> Cell:
    """One of the prover's questions."""
    found = cells(given.lab, given.plans)
    (cell,) = [c for c in found if (str(c.source.address), c.target, c.port) == (source, target, port)]
    return cell


def whole_proof(given: Model) -> Proof:
    """A run in which all was as predicted, forged datagrams too."""
    predicted = predict_forged(given.policy, forged_cells(given.lab, given.plans))
    datagrams = tuple(CellResult(cell=c, predicted=p, seen=p.verdict) for c, p in predicted.items())
    return replace(good_proof(given), forged=datagrams, untried=("192.0.2.0/24",))


def bad_proof(given: Model, good: Proof) -> Proof:
    """A run in which a spammer came through, a forged datagram too, and two messages went wrong, all listed last."""
    through = cell_result(given, asked(given, "198.51.100.66", "mail", 25), Verdict.ACCEPT)
    others = tuple(result for result in good.cells if result.cell != through.cell)
    forged = replace(good.forged[-1], seen=Verdict.ACCEPT)
    messages = (replace(message_result(given, 1), seen=frozenset()), message_result(given, 0, WAITING))
    return replace(
        good,
        cells=(*others, through),
        forged=(*good.forged[:-1], forged),
        messages=(*good.messages[2:], *messages),
    )
