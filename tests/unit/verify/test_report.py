"""A proof in JSON and on a terminal: what disagrees comes before everything else."""

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from rich.console import Console

from tests.unit.labs import Model
from tests.unit.verify.results import cell_result, good_proof, letter_result
from verify.cells import Cell, Verdict, cells
from verify.forged import forged_cells, predict_forged
from verify.report import ON_ITS_WAY, as_json, show
from verify.routes import Ending, How
from verify.run import CellResult, Proof

DROP_RULE = "$IPTABLES -A INPUT -p TCP ! -s 163.26.182.0/24 --dport 25 -j DROP"
WAITING = Ending(hops=("outside",), how=How.WAITS)


def asked(given: Model, source: str, target: str, port: int) -> Cell:
    """One of the prover's questions."""
    found = cells(given.lab, given.plans)
    (cell,) = [c for c in found if (str(c.source.address), c.target, c.port) == (source, target, port)]
    return cell


@pytest.fixture(scope="module")
def good(tutorial: Model) -> Proof:
    """A run in which all was as predicted."""
    predicted = predict_forged(tutorial.policy, forged_cells(tutorial.lab, tutorial.plans))
    datagrams = tuple(CellResult(cell=c, predicted=p, seen=p.verdict) for c, p in predicted.items())
    return replace(good_proof(tutorial), forged=datagrams, untried=("192.0.2.0/24",))


@pytest.fixture(scope="module")
def bad(tutorial: Model, good: Proof) -> Proof:
    """A run in which a spammer came through, a forged datagram too, and two letters went wrong, all listed last."""
    through = cell_result(tutorial, asked(tutorial, "198.51.100.66", "mail", 25), Verdict.ACCEPT)
    others = tuple(result for result in good.cells if result.cell != through.cell)
    forged = replace(good.forged[-1], seen=Verdict.ACCEPT)
    letters = (replace(letter_result(tutorial, 1), seen=frozenset()), letter_result(tutorial, 0, WAITING))
    return replace(
        good,
        cells=(*others, through),
        forged=(*good.forged[:-1], forged),
        letters=(*good.letters[2:], *letters),
    )


def entries(proof: Proof, key: str) -> Sequence[Mapping[str, object]]:
    found = json.loads(json.dumps(as_json(proof)))[key]
    assert isinstance(found, list)
    return found


@pytest.mark.parametrize(("key", "wrong"), [("cells", 1), ("forged", 1), ("letters", 2)])
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


def test_json_of_a_letter_has_its_ends_in_words(bad: Proof) -> None:
    assert entries(bad, "letters")[1] == {
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


def shown(proof: Proof, width: int = 250) -> list[str]:
    """The lines on a terminal, without those that are empty; on a wide one no cell of a table is folded."""
    console = Console(file=io.StringIO(), width=width, record=True)
    show(proof, console)
    return [line.rstrip() for line in console.export_text().splitlines() if line.strip()]


@pytest.fixture(scope="module")
def good_lines(good: Proof) -> list[str]:
    """A good proof on a terminal."""
    return shown(good)


@pytest.fixture(scope="module")
def bad_lines(bad: Proof) -> list[str]:
    """A bad proof on a terminal."""
    return shown(bad)


@pytest.mark.parametrize("width", [80, 160])
def test_disagreements_stand_before_everything_else(bad: Proof, width: int) -> None:
    titles = [line.rstrip() for line in shown(bad, width) if line.startswith(("Not as", "Letters", "To ", "Data"))]
    assert titles[:2] == ["Not as predicted", "Letters not as predicted"]
    assert not [title for title in titles[2:] if "predicted" in title]


@pytest.mark.parametrize("width", [80, 160])
def test_nothing_stands_before_the_disagreements(bad: Proof, width: int) -> None:
    assert shown(bad, width)[0] == "Not as predicted"


def test_disagreement_is_a_line_with_its_rule(bad_lines: list[str]) -> None:
    line = bad_lines[2]
    words = ["bulk.example.net", "198.51.100.66", "mail", "25 smtp", "drop", "accept", f"mail: {DROP_RULE}"]
    assert [word for word in words if word not in line] == []


def test_disagreeing_datagram_is_a_line_too(bad_lines: list[str]) -> None:
    assert "20009 datagram" in bad_lines[3]


def test_letter_that_did_not_come_is_on_its_way(bad_lines: list[str]) -> None:
    place = bad_lines.index("Letters not as predicted")
    assert bad_lines[place + 2].endswith(ON_ITS_WAY)


def counted(proof: Proof) -> str:
    return f"{len(proof.cells):,} connections, {len(proof.forged)} datagrams and {len(proof.letters)} letters"


def test_end_of_a_bad_proof_counts_them(bad: Proof, bad_lines: list[str]) -> None:
    assert bad_lines[-2].startswith(f"4 of {counted(bad)} are not as the configuration says")


def test_end_of_a_bad_proof_says_what_to_think(bad_lines: list[str]) -> None:
    assert (
        bad_lines[-1]
        == "Somebody changed a machine, or the configuration without `make up`; or the prover does not know a setting."
    )


def test_end_of_a_bad_proof_says_which_wires_may_be_the_reason(bad: Proof) -> None:
    line = shown(replace(bad, links=("mail", "outside")))[-1]
    assert line.startswith("The wires of mail, outside are slow or lossy (`links`)")


def test_good_proof_does_not_doubt_its_wires(good: Proof, good_lines: list[str]) -> None:
    assert shown(replace(good, links=("mail",))) == good_lines


def test_json_has_the_machines_with_a_link(good: Proof) -> None:
    assert as_json(replace(good, links=("mail",)))["links"] == ["mail"]


def test_good_proof_names_no_disagreement(good_lines: list[str]) -> None:
    assert not [line for line in good_lines if "not as predicted" in line.lower()]


def test_end_of_a_good_proof_says_so_and_how_long_it_took(good: Proof, good_lines: list[str]) -> None:
    seconds = "predicted in 0.05 s, tried in 9.0 s"
    assert good_lines[-1] == f"All {counted(good)} are as the configuration says ({seconds})."


def test_letters_that_were_not_sent_are_not_counted(good: Proof) -> None:
    assert "letters" not in shown(replace(good, letters=()))[-1]


def test_every_target_has_a_table(tutorial: Model, good_lines: list[str]) -> None:
    assert {line.removeprefix("To ") for line in good_lines if line.startswith("To ")} == set(tutorial.plans)


def test_sources_that_see_the_same_share_a_row(good_lines: list[str]) -> None:
    """What the ministry sees of mail, the region sees too."""
    table = good_lines[good_lines.index("To mail") : good_lines.index("To mail2")]
    (row,) = [line for line in table if "mail.moe.edu.tw" in line]
    assert "mail.ncku.edu.tw" in row


def test_rules_that_kept_somebody_out_stand_under_their_table(good_lines: list[str]) -> None:
    table = good_lines[good_lines.index("To mail") : good_lines.index("To mail2")]
    assert f"mail: {DROP_RULE}" in table


def test_ways_of_letters_are_grouped_by_recipient(good_lines: list[str]) -> None:
    (line,) = [line for line in good_lines if line.startswith("syncact@mail2.dc1es.tnc.edu.tw")]
    assert "outside → spamfilter → mail2: in the mailbox syncact" in line


def test_ranges_that_were_not_tried_are_named(good_lines: list[str]) -> None:
    assert "Not tried, because no sender has an address there: 192.0.2.0/24" in good_lines
