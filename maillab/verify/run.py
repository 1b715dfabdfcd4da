"""One run of the prover: predictions, and what was seen, side by side."""

import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from components.config.lab import LabConfig
from components.part import Blueprint
from components.plan import Plan
from maillab.trace.ending import Ending, How
from maillab.trace.machines import MachineError, Machines
from maillab.trace.watch import watch
from maillab.verify.cells import Cell, Policy, Prediction, Verdict, cells, predict_all, untried
from maillab.verify.directory import directory
from maillab.verify.forged import forged_cells, predict_forged, try_forged
from maillab.verify.login_probe import try_logins
from maillab.verify.logins import Login, LoginResult, logins, predict_logins, untried_users
from maillab.verify.messages import Message, Postman
from maillab.verify.pairs import pairs, unnamed
from maillab.verify.parameters import unknown_parameters
from maillab.verify.probe import probe
from maillab.verify.relay_probe import ask_servers
from maillab.verify.relays import NO_ANSWER, Answer, Question, predict_answers, questions
from maillab.verify.routes import Post
from maillab.verify.sweep import mailboxes, sweep_mailboxes, sweep_queues

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
class MessageResult:
    """A message, its predicted ends, and those it came to."""

    message: Message
    predicted: frozenset[Ending]
    seen: frozenset[Ending]

    @property
    def agrees(self) -> bool:
        """Was it as predicted? A message ends somewhere: no end is no prediction that came true."""
        return bool(self.seen) and self.seen == self.predicted


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """Everything that a run predicted and saw, and seconds of its parts.

    `untried`: ranges that nobody could ask from. `skipped`: what was left out because it is too much. `unknown`: what
    the configuration sets and no prediction knows. `failures`: what could not be tried, and why. `remarks`: what the
    run could not take away again. `links`: the machines whose wires are slow or lossy.
    """

    cells: tuple[CellResult, ...] = ()
    forged: tuple[CellResult, ...] = ()
    answers: tuple[Answer, ...] = ()
    logins: tuple[LoginResult, ...] = ()
    messages: tuple[MessageResult, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)
    untried: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    links: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Was everything tried, and is as the configuration says? What tried nothing proves nothing."""
        return self.tried > 0 and self.wrong == 0 and not self.failures

    @property
    def tried(self) -> int:
        """How many predictions were tried."""
        return sum(map(len, self._everything))

    @property
    def wrong(self) -> int:
        """How many are not as predicted."""
        return sum(not result.agrees for results in self._everything for result in results)

    @property
    def _everything(self) -> tuple[Sequence[CellResult | Answer | LoginResult | MessageResult], ...]:
        return (self.cells, self.forged, self.answers, self.logins, self.messages)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What a configuration says should happen."""

    cells: Mapping[Cell, Prediction]
    forged: Mapping[Cell, Prediction]
    answers: Mapping[Question, str]
    logins: Mapping[Login, str]
    messages: Mapping[Message, frozenset[Ending]]


def expect(lab: LabConfig, plans: Mapping[str, Blueprint], postman: Postman) -> Expectation:
    """Predicts everything; touches no machine."""
    policy = Policy(plans)
    post = Post(lab, policy, directory(lab, plans))
    messages = postman.messages(pairs(post))
    asked = cells(lab, plans)
    return Expectation(
        cells=predict_all(policy, asked),
        answers=predict_answers(post, questions(post, asked)),
        # The run's name is nobody's password.
        logins=predict_logins(policy, logins(policy, postman.name)),
        forged=predict_forged(policy, forged_cells(lab, plans)),
        messages={message: post.way(message.writer, message.recipient) for message in messages},
    )


def prove(plan: Plan, *, mail: bool = True, environment: Mapping[str, str] | None = None) -> Proof:
    """Predicts, tries everything on the running machines, and takes away the messages again.

    `environment` is the docker client's (DOCKER_HOST); unset, this process' own. What can't be tried is reported in
    `failures`, and all else is tried.

    Raises:
        MachineError: no machine could be asked.
    """
    lab, plans = plan.config, plan.machines
    machines = Machines(prefix=lab.prefix, environment=environment)
    postman = Postman(machines, plans)
    started = time.monotonic()
    expected = expect(lab, plans, postman)
    seconds = {"predict": time.monotonic() - started}
    failures: list[str] = []
    before = mailboxes(plans, machines)
    remarks: list[str] = []
    try:
        with ThreadPoolExecutor(3) as pool:
            # All at once: connections, datagrams and wrong passwords mostly wait, the messages mostly work.
            forging = pool.submit(_try_forged, machines, expected, failures)
            entering = pool.submit(_try_logins, machines, expected, failures)
            probing = pool.submit(_timed_probe, machines, expected, failures)
            messages = _try_messages(postman, expected, failures) if mail else ()
            results, answers, seconds["connections"] = probing.result()
            forged, entered = forging.result(), entering.result()
    finally:
        remarks += sweep_mailboxes(machines, before, postman.mark)
    seconds["all"] = time.monotonic() - started
    return Proof(
        cells=results,
        forged=forged,
        answers=answers,
        logins=entered,
        messages=messages,
        seconds=seconds,
        untried=tuple(untried(lab, plans)),
        skipped=(*(unnamed(lab) if mail else ()), *untried_users(Policy(plans))),
        unknown=unknown_parameters(lab),
        failures=tuple(dict.fromkeys(failures)),
        remarks=(*remarks, *_gone(messages)),
        links=tuple(sorted(lab.links)),
    )


def _timed_probe(
    machines: Machines, expected: Expectation, failures: list[str]
) -> tuple[tuple[CellResult, ...], tuple[Answer, ...], float]:
    started = time.monotonic()
    seen = probe(machines, expected.cells, failures=failures)
    answers = _ask_servers(machines, expected, seen, failures)
    return _results(expected.cells, seen), answers, time.monotonic() - started


def _ask_servers(
    machines: Machines, expected: Expectation, seen: Mapping[Cell, Verdict], failures: list[str]
) -> tuple[Answer, ...]:
    """Over every connection that came about, whether it should have or not."""
    asked = [question for question in expected.answers if seen[question.cell] is Verdict.ACCEPT]
    try:
        answers = ask_servers(machines, asked)
    except MachineError as error:
        failures.append(f"RCPT: {error}")
        return ()
    return tuple(
        Answer(question=question, predicted=expected.answers[question], seen=answers.get(question, NO_ANSWER))
        for question in asked
    )


def _try_logins(machines: Machines, expected: Expectation, failures: list[str]) -> tuple[LoginResult, ...]:
    try:
        seen = try_logins(machines, expected.logins)
    except MachineError as error:
        failures.append(f"passwords: {error}")
        return ()
    return tuple(LoginResult(login=x, predicted=p, seen=seen[x]) for x, p in expected.logins.items())


def _results(expected: Mapping[Cell, Prediction], seen: Mapping[Cell, Verdict]) -> tuple[CellResult, ...]:
    return tuple(CellResult(cell=cell, predicted=found, seen=seen[cell]) for cell, found in expected.items())


def _try_forged(machines: Machines, expected: Expectation, failures: list[str]) -> tuple[CellResult, ...]:
    try:
        return _results(expected.forged, try_forged(machines, expected.forged))
    except MachineError as error:
        failures.append(f"datagrams: {error}")
        return ()


def _try_messages(postman: Postman, expected: Expectation, failures: list[str]) -> tuple[MessageResult, ...]:
    try:
        with postman.at_work():
            try:
                postman.send(list(expected.messages))
                postman.follow(expected.messages)
                _wait_for_bounces(postman)
                # Once more: what came to one of its ends may have come to another one since.
                seen = postman.seen(list(expected.messages))
            finally:
                sweep_queues(postman.machines, postman.plans, postman.left())
    except MachineError as error:
        failures.append(f"messages: {error}")
        return ()
    return tuple(MessageResult(message=x, predicted=p, seen=seen[x]) for x, p in expected.messages.items())


def _gone(messages: Iterable[MessageResult]) -> list[str]:
    """What a program or a file got: nobody knows where that is now."""
    gone = {ending for result in messages for ending in result.seen if ending.how is How.GONE}
    ends = [ending for ending in gone if ending.what.startswith("delivered to ")]
    return sorted({f"a copy of a message on {ending.hops[-1]}: {ending.what}" for ending in ends})


def _wait_for_bounces(postman: Postman) -> None:
    """Those that come after the sweep would stay in their mailboxes."""
    watch(
        lambda: postman.trail().bounces_under_way(postman.mark),
        lambda under_way: under_way == 0,
        BOUNCES,
    )
