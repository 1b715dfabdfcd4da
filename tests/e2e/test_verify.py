"""The prover on running labs: it agrees with a good one, and names exactly what somebody broke."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from driver.lab import Lab
from driver.machine import Machine
from maillab.cli.configuration import stack_plan
from maillab.cli.stack import Stack
from maillab.cli.verify import verify
from maillab.verify.cells import Verdict
from maillab.verify.run import CellResult, Proof, prove
from tests.support.delivered import deliver
from tests.support.outage import machine_stopped

MOSTLY = 2000  # connections that the tutorial's lab has at least


def proof_of(lab: Lab, *, mail: bool = True) -> Proof:
    return prove(stack_plan(stack_of(lab)), mail=mail, environment=lab.environment)


def stack_of(lab: Lab) -> Stack:
    return Stack(name=lab.stack, root=lab.folder)


def wrong(proof: Proof) -> set[tuple[str, str, int, str, str]]:
    """(source's address, target, port, predicted, seen) of the connections that were not as predicted."""
    return {
        (str(r.cell.source.address), r.cell.target, r.cell.port, str(r.predicted.verdict), str(r.seen))
        for r in proof.cells
        if not r.agrees
    }


def not_as_predicted(proof: Proof) -> list[object]:
    """All that was otherwise, or could not be tried: the words of a failing test."""
    kinds = (proof.cells, proof.forged, proof.answers, proof.logins, proof.messages)
    return [*(result for results in kinds for result in results if not result.agrees), *proof.failures]


def messages(mailbox: bytes) -> list[bytes]:
    """The messages of an mbox(5), without the line in front of each and the POP3 server's own headers."""
    noted = re.compile(rb"^(X-UIDL|X-IMAPbase|X-UID|Status|X-Status):[^\n]*\n", re.IGNORECASE | re.MULTILINE)
    found = re.split(rb"^From ", mailbox, flags=re.MULTILINE)[1:]
    return [noted.sub(b"", message.partition(b"\n")[2]) for message in found]


@dataclass(frozen=True, slots=True, kw_only=True)
class Good:
    """The proof of the tutorial's lab, and admin's mailbox before and after it."""

    proof: Proof
    before: bytes
    after: bytes


@pytest.fixture(scope="module")
def run(lab: Lab) -> Good:
    """A proof of a lab where admin has had a message."""
    deliver(lab, "outside", "wendy@example.com", "admin@dc1es.tnc.edu.tw")
    before = lab["mail"].get("/var/mail/admin")
    proof = proof_of(lab)
    return Good(proof=proof, before=before, after=lab["mail"].get("/var/mail/admin"))


@pytest.fixture(scope="module")
def good(run: Good) -> Proof:
    """The proof of the tutorial's lab."""
    return run.proof


def test_nothing_could_not_be_tried_or_taken_away(good: Proof) -> None:
    assert (good.failures, good.remarks) == ((), ())


def test_messages_of_others_stay_as_they_are(run: Good) -> None:
    """All but what the POP3 server notes in a mailbox at each login."""
    assert messages(run.before)
    assert messages(run.after) == messages(run.before)


def test_every_connection_is_as_predicted(good: Proof) -> None:
    assert wrong(good) == set()
    assert len(good.cells) > MOSTLY


def test_every_message_is_as_predicted(good: Proof) -> None:
    assert [(r.message, r.predicted, r.seen) for r in good.messages if not r.agrees] == []
    assert len(good.messages) > 200


def test_every_datagram_is_as_predicted(good: Proof) -> None:
    assert [r for r in good.forged if not r.agrees] == []
    assert {r.seen for r in good.forged} == {Verdict.ACCEPT, Verdict.DROP}


@pytest.mark.parametrize("verdict", [Verdict.ACCEPT, Verdict.DROP, Verdict.REFUSE])
def test_all_three_verdicts_are_seen(good: Proof, verdict: Verdict) -> None:
    assert any(result.seen is verdict for result in good.cells)


def test_proof_leaves_no_message_behind(lab: Lab, good: Proof) -> None:
    assert good.messages
    for name in ("mail", "mail2", "tn", "outside"):
        assert lab[name].succeed("cat /var/mail/* 2>/dev/null | grep -c '@verify.invalid' || true") == "0\n"
    for name in ("mail", "mail2", "tn", "outside", "spamfilter"):
        assert "@verify" not in lab[name].succeed("postqueue -p")


def test_onehost_is_as_predicted(onehost: Lab) -> None:
    proof = proof_of(onehost)
    assert wrong(proof) == set()
    assert proof.holds, not_as_predicted(proof)


@contextmanager
def broken(machine: Machine, command: str, repair: str = "service rc.local start") -> Iterator[None]:
    """Something is changed behind the program's back for a while."""
    machine.succeed(command)
    try:
        yield
    finally:
        machine.succeed(repair)


@pytest.fixture(scope="module")
def without_ncku(workbench: Lab) -> Proof:
    """The proof of a lab whose mail server has lost its rule for the regional network centre."""
    with broken(workbench["mail"], "iptables -D INPUT -s 140.116.2.0/24 -p tcp --dport 25 -j ACCEPT"):
        return proof_of(workbench)


def test_missing_rule_is_named_with_its_connections(without_ncku: Proof) -> None:
    assert wrong(without_ncku) == {("140.116.2.10", "mail", 25, "accept", "drop")}
    (result,) = [r for r in without_ncku.cells if not r.agrees]
    assert result.predicted.reason == "mail: $IPTABLES -A INPUT -p TCP -s 140.116.2.0/24 --dport 25 -j ACCEPT"


def test_missing_rule_is_named_with_its_messages(without_ncku: Proof) -> None:
    """mail.dc1es has no MX record: anyone who writes there connects to the mail server itself."""
    messages = [r.message for r in without_ncku.messages if not r.agrees]
    assert [(x.writer.address, x.recipient) for x in messages] == [
        ("verify+v4@ncku.edu.tw", "admin@mail.dc1es.tnc.edu.tw")
    ]


def test_flushed_filter_is_named_with_every_connection_that_it_kept_out(workshop: Lab) -> None:
    with broken(workshop["mail2"], "ip6tables -F INPUT"):
        proof = proof_of(workshop, mail=False)
    kept_out = {_key(r) for r in proof.cells if _is_kept_out(r, "mail2", 6)}
    assert {_key(r) for r in proof.cells if not r.agrees} == kept_out
    assert len(kept_out) > 10


def _key(result: CellResult) -> tuple[str, str, int]:
    return str(result.cell.source.address), result.cell.target, result.cell.port


def _is_kept_out(result: CellResult, machine: str, version: int) -> bool:
    is_there = result.predicted.machine == machine and result.cell.address.version == version
    return is_there and result.predicted.verdict is Verdict.DROP


def test_open_router_is_named_with_every_forged_datagram(workshop: Lab) -> None:
    """And with nothing else: who says the truth came through before."""
    with broken(workshop["router"], "iptables -F FORWARD; ip6tables -F FORWARD"):
        proof = proof_of(workshop, mail=False)
    assert wrong(proof) == set()
    assert {str(r.cell.source.address) for r in proof.forged if not r.agrees} == {
        *("163.26.182.3", "2001:db8:182::3", "10.0.0.1", "fc00::1"),
        *("163.26.255.253", "2001:db8:163:ffff:ffff:ffff:ffff:fffd"),
    }


def test_router_that_drops_a_range_is_found(workshop: Lab) -> None:
    with broken(workshop["router"], "iptables -I FORWARD -s 140.111.8.0/24 -j DROP"):
        found = {(source, seen) for source, _, _, _, seen in wrong(proof_of(workshop, mail=False))}
    assert found == {("140.111.8.10", "drop")}


def test_stopped_server_is_found(workshop: Lab) -> None:
    with broken(workshop["mail2"], "service xinetd stop", "service xinetd start"):
        found = {(target, port, seen) for _, target, port, _, seen in wrong(proof_of(workshop, mail=False))}
    assert found == {("mail2", 110, "refuse")}


def test_machine_that_is_down_is_told_and_the_others_are_tried(workshop: Lab) -> None:
    with machine_stopped(workshop, "mail2"):
        proof = proof_of(workshop, mail=False)
    assert proof.failures
    assert [failure for failure in proof.failures if "mail2" not in failure] == []
    assert not proof.holds
    assert {r.cell.target for r in proof.cells if not r.agrees and r.cell.source.machine != "mail2"} == {"mail2"}


def test_ipv6_as_printed_is_as_predicted(workshop: Lab) -> None:
    workshop.edit("        ipv6: closed\n", "        ipv6: tutorial\n")
    workshop.up()
    proof = proof_of(workshop)
    assert wrong(proof) == set()
    assert proof.holds, not_as_predicted(proof)
    opened = [r for r in proof.cells if str(r.cell.source.address) == "2001:db8:198::66" and r.cell.port == 25]
    assert all(r.seen is Verdict.ACCEPT for r in opened if r.cell.target in ("mail", "mail2"))


def test_command_says_so_in_json(lab: Lab, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("maillab.cli.docker._host", lab.host)  # as `maillab` does before it works on a lab
    assert verify(stack_of(lab), as_json=True, mail=False)
    said = json.loads(capsys.readouterr().out)
    assert said["holds"] is True
    assert len(said["cells"]) > MOSTLY
