"""A proof as JSON. (What people see of it is the command line's: maillab/cli/proof.py.)"""

from collections.abc import Iterable
from typing import TypeVar

from components.firewall.render import rule_command
from maillab.verify.logins import LoginResult
from maillab.verify.relays import Answer
from maillab.verify.run import CellResult, MessageResult, Proof

Result = TypeVar("Result", CellResult, MessageResult, Answer, LoginResult)


def as_json(proof: Proof) -> dict[str, object]:
    """`holds`, `seconds` and the lists of a Proof; of what was tried, what disagrees comes first."""
    return {
        "holds": proof.holds,
        "seconds": {name: round(value, 3) for name, value in proof.seconds.items()},
        "unknown": list(proof.unknown),
        "untried": list(proof.untried),
        "skipped": list(proof.skipped),
        "failures": list(proof.failures),
        "remarks": list(proof.remarks),
        "links": list(proof.links),
        "cells": [_cell(result) for result in _worst_first(proof.cells)],
        "forged": [_cell(result) for result in _worst_first(proof.forged)],
        "answers": [_answer(result) for result in _worst_first(proof.answers)],
        "logins": [_login(result) for result in _worst_first(proof.logins)],
        "messages": [_message(result) for result in _worst_first(proof.messages)],
    }


def _worst_first(results: Iterable[Result]) -> list[Result]:
    return sorted(results, key=lambda result: result.agrees)


def _cell(result: CellResult) -> dict[str, object]:
    cell, predicted = result.cell, result.predicted
    return {
        "source": cell.source.name,
        "from": str(cell.source.address),
        "target": cell.target,
        "to": str(cell.address),
        "port": cell.port,
        "predicted": predicted.verdict,
        "seen": result.seen,
        "agrees": result.agrees,
        "machine": predicted.machine,
        "rule": rule_command(predicted.rule) if predicted.rule else None,
    }


def _message(result: MessageResult) -> dict[str, object]:
    return {
        "sender": result.message.writer.address,
        "recipient": result.message.recipient,
        "predicted": sorted(map(str, result.predicted)),
        "seen": sorted(map(str, result.seen)),
        "agrees": result.agrees,
    }


def _answer(result: Answer) -> dict[str, object]:
    cell = result.question.cell
    return {
        "source": cell.source.name,
        "from": str(cell.source.address),
        "target": cell.target,
        "to": str(cell.address),
        "sender": result.question.sender,
        "recipient": result.question.recipient,
        "predicted": result.predicted,
        "seen": result.seen,
        "agrees": result.agrees,
    }


def _login(result: LoginResult) -> dict[str, object]:
    return {
        "machine": result.login.machine,
        "protocol": result.login.protocol,
        "user": result.login.user,
        "password": password_of(result),
        "predicted": result.predicted,
        "seen": result.seen,
        "agrees": result.agrees,
    }


def password_of(result: LoginResult) -> str:
    """Which password was tried; no report shows one."""
    return "the configuration's" if result.login.is_right else "a wrong one"
