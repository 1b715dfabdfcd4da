"""Results of runs that never were: predictions of the tutorial's lab, and what somebody saw."""

from tests.unit.labs import Model
from verify.cells import Cell, Verdict, cells, predict
from verify.letters import Letter
from verify.pairs import recipients, writers
from verify.routes import Ending
from verify.run import CellResult, LetterResult, Proof


def cell_result(given: Model, cell: Cell, seen: Verdict | None = None) -> CellResult:
    """A cell's prediction, beside what was seen: the same when nothing else is said."""
    predicted = predict(given.policy, cell)
    return CellResult(cell=cell, predicted=predicted, seen=predicted.verdict if seen is None else seen)


def letter_result(given: Model, number: int, *seen: Ending) -> LetterResult:
    """A letter's prediction, beside what was seen: the same when nothing else is said."""
    pairs = [(writer, recipient) for writer in writers(given.lab) for recipient in recipients(given.lab)]
    writer, recipient = pairs[number]
    predicted = given.post.way(writer, recipient)
    letter = Letter(writer=writer, recipient=recipient, message_id=f"{number}.abc@verify.invalid")
    return LetterResult(letter=letter, predicted=predicted, seen=frozenset(seen) if seen else predicted)


def good_proof(given: Model) -> Proof:
    """All connections and the first twenty letters, as predicted."""
    found = tuple(cell_result(given, cell) for cell in cells(given.lab, given.plans))
    letters = tuple(letter_result(given, number) for number in range(20))
    return Proof(cells=found, letters=letters, seconds={"predict": 0.05, "connections": 3.0, "all": 9.0})
