"""One run of the prover: predictions and what was seen, side by side."""

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from components.blueprints import blueprints
from components.config import LabConfig
from components.part import Blueprint
from verify.cells import Cell, Policy, Prediction, Verdict, cells, predict_all, untried
from verify.directory import directory
from verify.forged import forged_cells, predict_forged, try_forged
from verify.letters import Letter, Postman
from verify.machines import Machines
from verify.pairs import recipients, writers
from verify.probe import probe
from verify.routes import Ending, Post
from verify.sweep import sweep_mailboxes, sweep_queues


@dataclass(frozen=True, slots=True, kw_only=True)
class CellResult:
    """A cell, its prediction, and what was seen."""

    cell: Cell
    predicted: Prediction
    seen: Verdict

    @property
    def agrees(self) -> bool:
        """Was it as predicted?"""
        return self.seen is self.predicted.verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterResult:
    """A letter, its predicted ends, and those it came to."""

    letter: Letter
    predicted: frozenset[Ending]
    seen: frozenset[Ending]

    @property
    def agrees(self) -> bool:
        """Was it as predicted?"""
        return self.seen == self.predicted


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """Everything that a run predicted and saw, seconds of its parts, and ranges that nobody could ask from."""

    cells: tuple[CellResult, ...] = ()
    forged: tuple[CellResult, ...] = ()
    letters: tuple[LetterResult, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)
    untried: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Is everything as the configuration says?"""
        return self.wrong == 0

    @property
    def wrong(self) -> int:
        """How many are not as predicted."""
        return sum(not result.agrees for results in (self.cells, self.forged, self.letters) for result in results)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What a configuration says should happen."""

    plans: Mapping[str, Blueprint]
    cells: Mapping[Cell, Prediction]
    forged: Mapping[Cell, Prediction]
    letters: Mapping[Letter, frozenset[Ending]]


def expect(lab: LabConfig, plans: Mapping[str, Blueprint], postman: Postman) -> Expectation:
    """Predicts everything; touches no machine."""
    policy = Policy(plans)
    post = Post(lab, policy, directory(lab, plans))
    pairs = [(writer, recipient) for writer in writers(lab) for recipient in recipients(lab)]
    letters = postman.letters(pairs)
    return Expectation(
        plans=plans,
        cells=predict_all(policy, cells(lab, plans)),
        forged=predict_forged(policy, forged_cells(lab, plans)),
        letters={letter: post.way(letter.writer, letter.recipient) for letter in letters},
    )


def prove(lab: LabConfig, *, mail: bool = True, environment: Mapping[str, str] | None = None) -> Proof:
    """Predicts, tries everything on the running machines, and takes away the letters again.

    `environment` is the docker client's (DOCKER_HOST); unset, this process' own.

    Raises:
        MachineError: a machine is not there, or could not be asked.
    """
    plans = blueprints(lab)
    machines = Machines(prefix=lab.prefix, environment=environment)
    postman = Postman(machines, plans)
    started = time.monotonic()
    expected = expect(lab, plans, postman)
    seconds = {"predict": time.monotonic() - started}
    with ThreadPoolExecutor(2) as pool:
        # All at once: connections and datagrams mostly wait, the letters mostly work.
        forging = pool.submit(try_forged, machines, expected.forged)
        probing = pool.submit(_timed_probe, machines, expected)
        letters = _try_letters(lab, postman, expected) if mail else ()
        results, seconds["connections"] = probing.result()
        came = forging.result()
    seconds["all"] = time.monotonic() - started
    forged = tuple(CellResult(cell=c, predicted=p, seen=came[c]) for c, p in expected.forged.items())
    return Proof(cells=results, forged=forged, letters=letters, seconds=seconds, untried=tuple(untried(lab, plans)))


def _timed_probe(machines: Machines, expected: Expectation) -> tuple[tuple[CellResult, ...], float]:
    started = time.monotonic()
    seen = probe(machines, expected.cells)
    results = tuple(CellResult(cell=c, predicted=p, seen=seen[c]) for c, p in expected.cells.items())
    return results, time.monotonic() - started


def _try_letters(lab: LabConfig, postman: Postman, expected: Expectation) -> tuple[LetterResult, ...]:
    postman.begin()
    try:
        postman.send(list(expected.letters))
        seen = postman.follow(expected.letters)
    finally:
        sweep_queues(postman.machines, postman.logs(), postman.mark)
        sweep_mailboxes(lab, expected.plans, postman.machines, postman.mark)
    return tuple(LetterResult(letter=x, predicted=p, seen=seen[x]) for x, p in expected.letters.items())
