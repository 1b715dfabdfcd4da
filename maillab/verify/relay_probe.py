"""The questions of `relays.py`, asked: what each server answers to RCPT."""

import pathlib
from collections import defaultdict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from maillab.trace.machines import Machines
from maillab.verify.relays import Question

SCRIPT = (pathlib.Path(__file__).parent / "relay_probe.pl").read_text(encoding="utf-8")
SECONDS = 60  # for one server's answers to one question, on an emulated processor under load


def ask_servers(machines: Machines, asked: Iterable[Question]) -> dict[Question, str]:
    """The answer to each question, by all machines at once and one session after the other on each.

    Raises:
        MachineError: a machine could not be asked.
    """
    by_machine: dict[str, list[Question]] = defaultdict(list)
    for question in asked:
        by_machine[question.cell.source.machine].append(question)
    with ThreadPoolExecutor(max(len(by_machine), 1)) as pool:
        answers = pool.map(lambda name: _ask(machines, name, by_machine[name]), by_machine)
        return {question: answer for found in answers for question, answer in found.items()}


def _ask(machines: Machines, name: str, asked: list[Question]) -> dict[Question, str]:
    text = "".join(
        f"{number} {question.cell.source.address} {question.cell.address} {_path(question.sender)} "
        f"{_path(question.recipient)}\n"
        for number, question in enumerate(asked)
    )
    printed = machines.run(name, ["perl", "-e", SCRIPT, str(SECONDS)], text)
    answers = (line.split(maxsplit=1) for line in printed.splitlines())
    return {asked[int(number)]: words for number, words in answers}


def _path(address: str) -> str:
    return f"<{address.strip('<>')}>"
