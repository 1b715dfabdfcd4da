"""A proof in JSON: what disagrees comes before everything else."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from maillab.verify.logins import REFUSED
from maillab.verify.relays import TAKEN
from maillab.verify.report import as_json
from maillab.verify.run import Proof
from tests.unit.labs import Model
from tests.unit.maillab.verify.results import bad_proof, whole_proof

DROP_RULE = "$IPTABLES -A INPUT -p TCP ! -s 163.26.182.0/24 --dport 25 -j DROP"


@pytest.fixture(scope="module")
def good(tutorial: Model) -> Proof:
    """A run in which all was as predicted."""
    return whole_proof(tutorial)


@pytest.fixture(scope="module")
def bad(tutorial: Model, good: Proof) -> Proof:
    """A run in which a spammer came through, a forged datagram too, and two messages went wrong, all listed last."""
    return bad_proof(tutorial, good)


def entries(proof: Proof, key: str) -> Sequence[Mapping[str, object]]:
    found = json.loads(json.dumps(as_json(proof)))[key]
    assert isinstance(found, list)
    return found


@pytest.mark.parametrize(("key", "wrong"), [("cells", 1), ("forged", 1), ("messages", 2)])
def test_json_has_what_disagrees_first(bad: Proof, key: str, wrong: int) -> None:
    found = [entry["agrees"] for entry in entries(bad, key)]
    assert found == [*[False] * wrong, *[True] * (len(found) - wrong)]


def test_json_of_a_connection_says_everything_of_it(bad: Proof) -> None:
    assert entries(bad, "cells")[0] == {
        "source": "bulk.example.net",
        "from": "198.51.100.66",
        "target": "mail",
        "to": "163.26.182.2",
        "port": 25,
        "predicted": "drop",
        "seen": "accept",
        "agrees": False,
        "machine": "mail",
        "rule": DROP_RULE,
    }


def test_json_of_a_connection_without_a_rule_has_none(good: Proof) -> None:
    closed = [entry["rule"] for entry in entries(good, "cells") if (entry["target"], entry["port"]) == ("mail", 9)]
    assert set(closed) == {None}


def test_json_of_every_kept_out_connection_has_its_rule(good: Proof) -> None:
    dropped = [entry["rule"] for entry in entries(good, "cells") if entry["seen"] == "drop"]
    assert None not in dropped


def test_json_of_a_message_has_its_ends_in_words(bad: Proof) -> None:
    assert entries(bad, "messages")[1] == {
        "sender": "verify+v4@example.com",
        "recipient": "admin@dc1es.tnc.edu.tw",
        "predicted": ["outside → spamfilter → mail: in the mailbox admin"],
        "seen": ["outside: waits in the queue"],
        "agrees": False,
    }


@pytest.mark.parametrize(("name", "holds"), [("good", True), ("bad", False)])
def test_json_says_whether_all_holds(request: pytest.FixtureRequest, name: str, holds: bool) -> None:
    assert as_json(request.getfixturevalue(name))["holds"] is holds


def test_json_has_the_ranges_that_were_not_tried(good: Proof) -> None:
    assert as_json(good)["untried"] == ["192.0.2.0/24"]


@pytest.fixture(scope="module")
def opened(good: Proof) -> Proof:
    """A run in which the filter takes a stranger's message to a stranger, and a password is not the one that it was."""
    place = next(
        n for n, x in enumerate(good.answers) if (x.question.cell.target, x.predicted) == ("spamfilter", "5.7.1")
    )
    answers = [*good.answers]
    answers[place] = replace(answers[place], seen=TAKEN)
    logins = (*good.logins[:-1], replace(good.logins[-2], seen=REFUSED))
    return replace(good, answers=tuple(answers), logins=logins)


def test_json_of_an_answer_says_everything_of_it(opened: Proof) -> None:
    found = entries(opened, "answers")[0]
    assert (found["target"], found["predicted"], found["seen"], found["agrees"]) == (
        "spamfilter",
        "5.7.1",
        TAKEN,
        False,
    )
    assert set(found) == {"source", "from", "target", "to", "sender", "recipient", "predicted", "seen", "agrees"}


def test_json_has_the_machines_with_a_link(good: Proof) -> None:
    assert as_json(replace(good, links=("mail",)))["links"] == ["mail"]


def test_json_has_the_unknown_parameters(good: Proof) -> None:
    unknown = ("mail: transport_maps = inline:{x=y}",)
    assert as_json(replace(good, unknown=unknown))["unknown"] == list(unknown)


def test_json_shows_no_password(opened: Proof) -> None:
    passwords = {result.login.password for result in opened.logins if result.login.is_right}
    assert passwords
    assert [password for password in passwords if password in json.dumps(as_json(opened))] == []
