"""A proof on a terminal: the differences first, grouped; the summary of five lines last."""

from collections.abc import Iterable
from dataclasses import replace

import pytest
from rich.cells import cell_len

from maillab.cli.matrices import matrices
from maillab.cli.proof import differences, remarks, summary
from maillab.cli.wrapped import Line, wrapped
from maillab.verify.cells import Verdict
from maillab.verify.logins import REFUSED
from maillab.verify.relays import TAKEN
from maillab.verify.run import Proof
from tests.unit.labs import Model, model
from tests.unit.maillab.verify.results import bad_proof, whole_proof

DROP_RULE = "rule on mail: $IPTABLES -A INPUT -p TCP ! -s 163.26.182.0/24 --dport 25 -j DROP"
DROPPED_25 = "mail, port 25 smtp: drop is configured, accept was seen"


@pytest.fixture(scope="module")
def tutorial() -> Model:
    """The tutorial's school."""
    return model()


@pytest.fixture(scope="module")
def good(tutorial: Model) -> Proof:
    """A run in which all was as predicted."""
    return whole_proof(tutorial)


@pytest.fixture(scope="module")
def bad(tutorial: Model, good: Proof) -> Proof:
    """A spammer came through, so did a forged datagram; two messages went wrong."""
    return bad_proof(tutorial, good)


@pytest.fixture(scope="module")
def flushed(good: Proof) -> Proof:
    """Nobody is kept out of anything."""
    return replace(good, cells=tuple(replace(result, seen=Verdict.ACCEPT) for result in good.cells))


@pytest.fixture(scope="module")
def opened(good: Proof) -> Proof:
    """The filter takes a stranger's message to a stranger, and a password is not the one that it was."""
    place = next(
        n for n, x in enumerate(good.answers) if (x.question.cell.target, x.predicted) == ("spamfilter", "5.7.1")
    )
    answers = [*good.answers]
    answers[place] = replace(answers[place], seen=TAKEN)
    return replace(good, answers=tuple(answers), logins=(*good.logins[:-1], replace(good.logins[-2], seen=REFUSED)))


def words(lines: Iterable[Line]) -> list[str]:
    return [line.words for line in lines]


def test_good_proof_has_no_differences(good: Proof) -> None:
    assert words(differences(good)) == []


def test_difference_has_what_is_configured_and_seen_and_its_rule(bad: Proof) -> None:
    assert words(differences(bad))[:4] == [
        "Connections that are not as configured",
        DROPPED_25,
        "from bulk.example.net 198.51.100.66",
        DROP_RULE,
    ]


def test_forged_datagram_is_a_difference_too(bad: Proof) -> None:
    assert "tn, port 20009 (datagrams): drop is configured, accept was seen" in words(differences(bad))


def test_message_that_did_not_come_is_on_its_way(bad: Proof) -> None:
    assert "seen: still on its way" in words(differences(bad))


def test_message_has_both_its_ways(bad: Proof) -> None:
    found = words(differences(bad))
    place = found.index("seen: outside: waits in the queue")
    assert found[place - 1] == "configured: outside → spamfilter → mail: in the mailbox admin"
    assert found[place - 2] == "to admin@dc1es.tnc.edu.tw"


def test_sources_of_the_same_difference_share_a_group(flushed: Proof) -> None:
    found = words(differences(flushed, everything=True))
    groups = [place for place, line in enumerate(found) if line == DROPPED_25]
    assert len(groups) == 2  # a rule of each family
    assert "bulk.example.net" in found[groups[0] + 1]
    assert "mail.example.com" in found[groups[0] + 1]


def test_many_groups_are_shown_only_with_all(flushed: Proof) -> None:
    short, long = (words(differences(flushed, everything=all_)) for all_ in (False, True))
    assert len(short) == 1 + 10 * 3 + 2
    assert len(long) > len(short)
    assert short[-2].startswith("and ")
    assert "verify --all" in short[-2]


def test_open_relay_is_a_difference(opened: Proof) -> None:
    found = words(differences(opened))
    place = found.index("spamfilter, asked to take a message for a stranger: 5.7.1 is configured, accepted was seen")
    question = next(answer for answer in opened.answers if not answer.agrees).question
    assert str(question.cell.source.address) in found[place + 1]
    assert found[place + 2] == f"from {question.sender} to {question.recipient}"


def test_changed_password_is_a_difference_without_the_password(opened: Proof) -> None:
    (result,) = [result for result in opened.logins if not result.agrees]
    found = words(differences(opened))
    place = found.index(
        f"{result.login.machine}, {result.login.protocol} with the configured password: "
        "accepted is configured, refused was seen"
    )
    assert found[place + 1] == f"users: {result.login.user}"
    assert result.login.password not in "".join(found)


def test_summary_has_five_lines(good: Proof, bad: Proof) -> None:
    empty = Proof(seconds={"predict": 0.05, "connections": 0.0, "all": 0.1})
    for proof in (
        good,
        bad,
        empty,
        replace(good, messages=()),
        replace(good, unknown=("x",)),
        replace(good, failures=("x",)),
    ):
        assert len(list(summary(proof, "dc1es"))) == 5


def test_summary_of_a_good_proof(good: Proof) -> None:
    connections = len(good.cells) + len(good.forged)
    tried = connections + len(good.answers) + len(good.logins) + 20
    assert words(summary(good, "dc1es")) == [
        f"Connections and datagrams  {connections:>6,}  as configured",
        f"Answers to RCPT            {len(good.answers):>6,}  as configured",
        f"Logins                     {len(good.logins):>6,}  as configured",
        "Messages                       20  as configured",
        f"dc1es: all {tried:,} are as configured (9.0 s)",
    ]


def test_summary_of_a_bad_proof_counts_what_differs(bad: Proof) -> None:
    found = words(summary(bad, "dc1es"))
    assert found[0].endswith("  2 not as configured")
    assert found[3].endswith("  2 not as configured")
    assert found[4] == f"dc1es: 4 of {bad.tried:,} are not as configured (9.0 s)"


def test_messages_that_were_not_sent_are_not_as_configured(good: Proof) -> None:
    assert words(summary(replace(good, messages=()), "dc1es"))[3].endswith(" 0  not tried")


def test_a_proof_of_nothing_is_reported() -> None:
    proof = Proof(seconds={"predict": 0.05, "connections": 0.0, "all": 0.1})
    assert words(summary(proof, "dc1es"))[-1] == "dc1es: nothing was tried, which proves nothing"


def test_what_could_not_be_tried_is_not_all(good: Proof) -> None:
    proof = replace(good, failures=("datagrams: the port is taken",))
    assert "Could not be tried: datagrams: the port is taken" in words(remarks(proof))
    assert "the rest could not be tried" in words(summary(proof, "dc1es"))[-1]


def test_unknown_parameters_are_named(good: Proof) -> None:
    proof = replace(good, unknown=("mail: transport_maps = inline:{x=y}",))
    assert "Not predicted: the effect of mail: transport_maps = inline:{x=y}" in words(remarks(proof))
    assert "without 1 settings" in words(summary(proof, "dc1es"))[-1]


def test_what_was_left_out_is_named(good: Proof) -> None:
    found = words(remarks(replace(good, skipped=("the passwords of 3 further users of mail",))))
    assert "Not tried, because it would take too long: the passwords of 3 further users of mail" in found
    assert "Not tried, because no sender has an address there: 192.0.2.0/24" in found


def test_wires_are_doubted_only_beside_a_difference(good: Proof, bad: Proof) -> None:
    assert "The wires of mail, outside are slow" in " ".join(words(remarks(replace(bad, links=("mail", "outside")))))
    assert "wires" not in " ".join(words(remarks(replace(good, links=("mail",)))))


def test_every_target_has_a_matrix(tutorial: Model, good: Proof) -> None:
    found = words(matrices(good, 80))
    assert {line.removeprefix("To ") for line in found if line.startswith("To ")} == set(tutorial.plans)


def part(good: Proof, begin: str, end: str) -> list[str]:
    found = words(matrices(good, 80))
    return found[found.index(begin) : found.index(end)]


def test_sources_that_see_the_same_share_a_row(good: Proof) -> None:
    """What the ministry sees of mail, the region sees too."""
    (names,) = [line for line in part(good, "To mail", "To mail2") if "mail.moe.edu.tw" in line]
    assert "mail.ncku.edu.tw" in names


def test_rules_that_kept_somebody_out_stand_under_their_matrix(good: Proof) -> None:
    assert DROP_RULE in part(good, "To mail", "To mail2")


def test_ways_of_messages_are_grouped_by_recipient(good: Proof) -> None:
    found = words(matrices(good, 80))
    place = found.index("to kao@mail2.dc1es.tnc.edu.tw")
    assert found[place + 1] == "outside → spamfilter → mail2: in the mailbox kao"


@pytest.mark.parametrize("language", ["en", "zh-TW"])
@pytest.mark.parametrize("width", [60, 80, 120])
def test_everything_fits_and_no_word_is_broken(
    good: Proof, flushed: Proof, monkeypatch: pytest.MonkeyPatch, width: int, language: str
) -> None:
    monkeypatch.setenv("MAILLAB_LANG", language)
    for line in (*differences(flushed, everything=True), *matrices(good, width), *remarks(good), *summary(good, "x")):
        parts = list(wrapped(line.words, width, line.indent))
        assert max(map(cell_len, parts)) <= width
        assert "".join("".join(parts).split()) == "".join(line.words.split())


def test_everything_is_said_in_chinese(flushed: Proof, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILLAB_LANG", "zh-TW")
    assert "mail 的 port 25 smtp：設定是「丟棄」，實際是「接受」" in words(differences(flushed, everything=True))
