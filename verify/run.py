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
from verify.letters import Letter, Postman, watch
from verify.machines import MachineError, Machines
from verify.pairs import recipients, writers
from verify.probe import probe
from verify.routes import Ending, Post
from verify.sweep import sweep_mailboxes, sweep_queues
from verify.trail import Trail

BOUNCES = 10  # seconds without the arrival of any bounce


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
    """Everything that a run predicted and saw, and seconds of its parts.

    `untried`: ranges that nobody could ask from. `failures`: what could not be tried, and why. `remarks`: what the
    run could not take away again. `links`: the machines whose wires are slow or lossy.
    """

    cells: tuple[CellResult, ...] = ()
    forged: tuple[CellResult, ...] = ()
    letters: tuple[LetterResult, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)
    untried: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    links: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Was everything tried, and is as the configuration says?"""
        return self.wrong == 0 and not self.failures

    @property
    def wrong(self) -> int:
        """How many are not as predicted."""
        return sum(not result.agrees for results in (self.cells, self.forged, self.letters) for result in results)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What a configuration says should happen."""

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
        cells=predict_all(policy, cells(lab, plans)),
        forged=predict_forged(policy, forged_cells(lab, plans)),
        letters={letter: post.way(letter.writer, letter.recipient) for letter in letters},
    )


def prove(lab: LabConfig, *, mail: bool = True, environment: Mapping[str, str] | None = None) -> Proof:
    """Predicts, tries everything on the running machines, and takes away the letters again.

    `environment` is the docker client's (DOCKER_HOST); unset, this process' own. What can't be tried is told in
    `failures`, and all else is tried.

    Raises:
        MachineError: no machine could be asked.
    """
    plans = blueprints(lab)
    machines = Machines(prefix=lab.prefix, environment=environment)
    postman = Postman(machines, plans)
    started = time.monotonic()
    expected = expect(lab, plans, postman)
    seconds = {"predict": time.monotonic() - started}
    failures: list[str] = []
    remarks: list[str] = []
    with ThreadPoolExecutor(2) as pool:
        # All at once: connections and datagrams mostly wait, the letters mostly work.
        forging = pool.submit(_try_forged, machines, expected, failures)
        probing = pool.submit(_timed_probe, machines, expected, failures)
        letters = _try_letters(postman, expected, failures, remarks) if mail else ()
        results, seconds["connections"] = probing.result()
        forged = forging.result()
    seconds["all"] = time.monotonic() - started
    return Proof(
        cells=results,
        forged=forged,
        letters=letters,
        seconds=seconds,
        untried=tuple(untried(lab, plans)),
        failures=tuple(dict.fromkeys(failures)),
        remarks=tuple(remarks),
        links=tuple(sorted(lab.links)),
    )


def _timed_probe(
    machines: Machines, expected: Expectation, failures: list[str]
) -> tuple[tuple[CellResult, ...], float]:
    started = time.monotonic()
    seen = probe(machines, expected.cells, failures=failures)
    return _results(expected.cells, seen), time.monotonic() - started


def _results(expected: Mapping[Cell, Prediction], seen: Mapping[Cell, Verdict]) -> tuple[CellResult, ...]:
    return tuple(CellResult(cell=cell, predicted=found, seen=seen[cell]) for cell, found in expected.items())


def _try_forged(machines: Machines, expected: Expectation, failures: list[str]) -> tuple[CellResult, ...]:
    try:
        return _results(expected.forged, try_forged(machines, expected.forged))
    except MachineError as error:
        failures.append(f"datagrams: {error}")
        return ()


def _try_letters(
    postman: Postman, expected: Expectation, failures: list[str], remarks: list[str]
) -> tuple[LetterResult, ...]:
    try:
        postman.begin()
        try:
            postman.send(list(expected.letters))
            seen = postman.follow(expected.letters)
            _wait_for_bounces(postman)
        finally:
            sweep_queues(postman.machines, postman.logs(), postman.mark)
            remarks += sweep_mailboxes(postman.plans, postman.machines, postman.mark)
    except MachineError as error:
        failures.append(f"letters: {error}")
        return ()
    return tuple(LetterResult(letter=x, predicted=p, seen=seen[x]) for x, p in expected.letters.items())


def _wait_for_bounces(postman: Postman) -> None:
    """Those that come after the sweep would stay in their mailboxes."""
    watch(
        lambda: Trail.of(postman.logs(), postman.plans).bounces_under_way(postman.mark),
        lambda under_way: under_way == 0,
        BOUNCES,
    )
