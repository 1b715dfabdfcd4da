"""The prover names what somebody changed on a mail server: an open relay, a filter that is off, aliases, passwords."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import pytest

from driver.lab import Lab
from driver.mail import envelope, smtp
from maillab.verify.logins import ACCEPTED, REFUSED
from maillab.verify.relays import TAKEN
from maillab.verify.run import Proof
from tests.e2e.test_verify import not_as_predicted, proof_of
from tests.support.outage import edited

MAIN = "/etc/postfix/main.cf"
RESTART = "service postfix restart"
FIRST = "verify+v4@example.com"


@contextmanager
def parameter(lab: Lab, machine: str, line: str) -> Iterator[None]:
    """A parameter of main.cf, set by hand and in effect for a while."""
    with edited(lab[machine], RESTART, MAIN):
        lab[machine].succeed(f"postconf -e '{line}' && {RESTART}")
        lab[machine].wait_for_open_port(25)
        yield
    lab[machine].wait_for_open_port(25)


@contextmanager
def alias(lab: Lab, machine: str, *lines: str) -> Iterator[None]:
    """Lines of /etc/aliases for a while."""
    with edited(lab[machine], "newaliases", "/etc/aliases"):
        lab[machine].succeed("".join(f"echo '{line}' >>/etc/aliases; " for line in lines) + "newaliases")
        yield


@contextmanager
def password(lab: Lab, machine: str, user: str, old: str) -> Iterator[None]:
    """Another password for a while."""
    lab[machine].succeed(f"echo {user}:other-word | chpasswd")
    try:
        yield
    finally:
        lab[machine].succeed(f"echo {user}:{old} | chpasswd")


def wrong_answers(proof: Proof) -> set[tuple[str, str, str]]:
    """(server, predicted, seen) of the answers to RCPT that were not as predicted."""
    return {(a.question.cell.target, a.predicted, a.seen) for a in proof.answers if not a.agrees}


def wrong_logins(proof: Proof) -> set[tuple[str, str, str]]:
    """(machine, user, seen) of the logins that were not as predicted."""
    return {(x.login.machine, x.login.user, x.seen) for x in proof.logins if not x.agrees}


def wrong_ends(proof: Proof) -> dict[tuple[str, str], set[str]]:
    """(sender, recipient) to the ends of the messages that were not as predicted."""
    return {
        (r.message.writer.address, r.message.recipient): {str(ending) for ending in r.seen}
        for r in proof.messages
        if not r.agrees
    }


@pytest.mark.parametrize("machine", ["spamfilter", "mail", "mail2"])
def test_open_relay_is_named_by_its_answers(workshop: Lab, machine: str) -> None:
    """Of one family; by each source that is not the school's."""
    with parameter(workshop, machine, "mynetworks = 0.0.0.0/0"):
        proof = proof_of(workshop, mail=False)
    opened = {a.question.cell.source.address for a in proof.answers if not a.agrees and a.seen == TAKEN}
    assert wrong_answers(proof) >= {(machine, "5.7.1", TAKEN)}
    assert {target for target, _, _ in wrong_answers(proof)} == {machine}
    assert "140.116.2.10" in map(str, opened)
    assert {address.version for address in opened} == {4}


def test_relay_for_one_domain_is_named(workshop: Lab) -> None:
    with parameter(workshop, "mail", "relay_domains = ncku.edu.tw"):
        proof = proof_of(workshop, mail=False)
    assert wrong_answers(proof) == {("mail", "5.7.1", TAKEN)}
    assert {a.question.recipient for a in proof.answers if not a.agrees} <= {
        "verify@ncku.edu.tw",
        "verify%ncku.edu.tw@mail.dc1es.tnc.edu.tw",
        "verify%ncku.edu.tw@dc1es.tnc.edu.tw",
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """The proof of a lab with a fault of each kind, on a server each; and queues and mailboxes before and after it."""

    proof: Proof
    before: str
    after: str


@pytest.fixture(scope="module")
def faults(workbench: Lab) -> Faults:
    """An open relay, a filter that is off, three aliases and two passwords."""
    with ExitStack() as stack:
        stack.enter_context(parameter(workbench, "mail2", "mynetworks = 0.0.0.0/0, [::]/0"))
        stack.enter_context(parameter(workbench, "spamfilter", "smtpd_milters ="))
        stack.enter_context(
            alias(workbench, "mail", "lin: admin", "wang: wang, admin", 'chen: chen, "|cat >/dev/null"')
        )
        stack.enter_context(password(workbench, "mail", "wang", "lab-wang-2006"))
        stack.enter_context(password(workbench, "tn", "tnuser", "tn-lab-3141"))
        before = left(workbench)
        return Faults(proof=proof_of(workbench), before=before, after=left(workbench))


def left(lab: Lab) -> str:
    """Every mailbox with its size, and every queue."""
    sizes = "find /var/mail -type f -printf '%f %s\\n' | sort"
    boxes = [lab[name].succeed(sizes) for name in ("mail", "mail2", "tn", "outside")]
    return "".join([*boxes, *(lab[name].succeed("postqueue -p") for name in ("mail", "mail2", "spamfilter", "tn"))])


def test_everything_could_be_tried(faults: Faults) -> None:
    assert faults.proof.failures == ()
    assert not faults.proof.holds


def test_open_relay_is_named_by_what_came_through(faults: Faults) -> None:
    found = {key: ends for key, ends in wrong_ends(faults.proof).items() if key[0].startswith("relay+")}
    end = {"outside → mail2 → spamfilter → tn: in the mailbox tnuser"}
    assert found == {(f"relay+v{version}@moe.edu.tw", "tnuser@tn.edu.tw"): end for version in (4, 6)}
    assert {target for target, _, _ in wrong_answers(faults.proof)} == {"mail2"}


def test_filter_that_holds_nothing_is_named(faults: Faults) -> None:
    (result,) = [r for r in faults.proof.messages if r.message.writer.gtube]
    assert [str(ending) for ending in result.predicted] == ["outside → spamfilter: on hold in the queue"]
    assert [str(ending) for ending in result.seen] == ["outside → spamfilter → mail: in the mailbox admin"]


@pytest.mark.parametrize(
    ("user", "ends"),
    [
        pytest.param("lin", {"in the mailbox admin"}, id="taken"),
        pytest.param("wang", {"in the mailbox wang", "in the mailbox admin"}, id="copied"),
        pytest.param("chen", {"in the mailbox chen", "gone (delivered to command: cat >/dev/null)"}, id="to a program"),
    ],
)
def test_alias_is_named(faults: Faults, user: str, ends: set[str]) -> None:
    found = wrong_ends(faults.proof)[FIRST, f"{user}@dc1es.tnc.edu.tw"]
    assert found == {f"outside → spamfilter → mail: {end}" for end in ends}


def test_changed_passwords_are_named(faults: Faults) -> None:
    assert wrong_logins(faults.proof) == {("mail", "wang", REFUSED), ("tn", "tnuser", REFUSED)}


def test_nothing_else_is_named(faults: Faults) -> None:
    named = {f"{user}@dc1es.tnc.edu.tw" for user in ("lin", "wang", "chen")}
    others = {key for key in wrong_ends(faults.proof) if key[1] not in named and not key[0].startswith("relay+")}
    assert others == {(FIRST, "admin@dc1es.tnc.edu.tw")}  # the message that the filter should have held
    assert [r for r in (*faults.proof.cells, *faults.proof.forged) if not r.agrees] == []


def test_nothing_is_left_behind(faults: Faults) -> None:
    assert faults.after == faults.before


def test_program_is_named_as_what_could_not_be_taken_away(faults: Faults) -> None:
    assert faults.proof.remarks == ("a copy of a message on mail: delivered to command: cat >/dev/null",)


def test_lab_without_a_fault_agrees(workshop: Lab) -> None:
    """What was broken above was repaired: the control of all of it."""
    proof = proof_of(workshop)
    assert proof.holds, not_as_predicted(proof)
    assert {(a.question.cell.target, a.seen) for a in proof.answers} >= {("spamfilter", "5.7.1"), ("spamfilter", TAKEN)}
    assert {x.seen for x in proof.logins} == {ACCEPTED, REFUSED}
    assert any("on hold" in str(ending) for r in proof.messages for ending in r.seen)


def test_relay_that_the_configuration_opens_is_as_predicted(workshop: Lab) -> None:
    workshop.edit(
        "            relayhost: ",
        '            main_cf: {mynetworks: "0.0.0.0/0", always_bcc: admin}\n            relayhost: ',
    )
    workshop.up()
    steps = envelope("mail.ncku.edu.tw", "a@ncku.edu.tw", "tnuser@tn.edu.tw")[:-1]
    replies = smtp(workshop["outside"], workshop["mail"].ipv4, [*steps, "QUIT"], source="140.116.2.10")
    assert replies[-2].code == 250, "the relay is open"
    proof = proof_of(workshop)
    assert proof.holds, not_as_predicted(proof)
