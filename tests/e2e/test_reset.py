"""`maillab reset`: whatever a root shell has done, machines are as the last `up` made them, with all their mail."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from driver.lab import Lab
from driver.mail import new_message, post, queue_id_of, stored
from maillab.cli.configuration import stack_plan
from maillab.cli.stack import Stack
from maillab.cli.status import status_of
from maillab.verify.run import prove
from tests.e2e.test_verify import not_as_predicted
from tests.support.damage import damage, facts
from tests.support.delivered import Delivered, deliver
from tests.support.mailqueue import Queued, mail_queue, wait_for_queue
from tests.support.program import run

WENDY = "wendy@example.com"
ADMIN = "admin@dc1es.tnc.edu.tw"
MACHINES = ("dns", "internet", "mail", "mail2", "outside", "router", "spamfilter", "tn", "workstation")
GTUBE = "XJS*C4JDBQADN1.NSBN3*2IDNEN*" + "GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"
Facts = dict[str, dict[str, list[str]]]
# The first test makes the lab, and resets all its machines twice.
pytestmark = pytest.mark.timeout(600)


def reset(lab: Lab, *words: str) -> subprocess.CompletedProcess[str]:
    """The command as a person types it."""
    return subprocess.run(
        [sys.executable, "-m", "maillab", "--stack", lab.stack, "reset", *words],
        cwd=lab.folder, capture_output=True, text=True, check=False, env=lab.environment,
    )  # fmt: skip


def serial_of(lab: Lab) -> int:
    return int(lab["dns"].succeed("dig +short @127.0.0.1 dc1es.tnc.edu.tw SOA").split()[2])


def serve_by_hand(lab: Lab, serial: int) -> None:
    """`dns` serves, and the Internet's resolver remembers, what a hand wrote: the wrong MX, with a serial far ahead."""
    zone = "/etc/maillab/current/etc/bind/db.dc1es.tnc.edu.tw"
    lab["dns"].succeed(f"sed -i 's/ 20[0-9]* ;/ {serial} ;/; s/MX   0 spamfilter/MX   0 tn/' {zone} && rndc reload")
    lab["internet"].wait_until_succeeds("rndc flush; dig +short @127.0.0.1 dc1es.tnc.edu.tw MX | grep '0 tn'")


def mail_exchangers(lab: Lab) -> list[str]:
    """As the Internet's resolver says them, the first one first."""
    return sorted(lab["internet"].succeed("dig +short @127.0.0.1 dc1es.tnc.edu.tw MX").splitlines())


@dataclass(frozen=True, slots=True, kw_only=True)
class Repaired:
    """A lab before its machines were broken and after their reset, and what lay where in between."""

    lab: Lab
    before: Facts
    after: Facts
    serials: tuple[int, int]
    done: subprocess.CompletedProcess[str]
    kept: set[Path]
    lying: Delivered
    held: Queued
    waiting: Queued


@pytest.fixture(scope="module")
def repaired(workbench: Lab) -> Iterator[Repaired]:
    """All ten kinds of damage at once on all machines, with messages in mailboxes, queues and on hold."""
    lab = workbench
    # Others have edited things in this lab: from here on it is as configured, and without mailboxes of users who are no
    # more (once they are root's, nobody knows whose they were).
    assert reset(lab, "--mail").returncode == 0
    lab.find_machines()
    lying = deliver(lab, "outside", WENDY, ADMIN)
    spam = new_message(WENDY, ADMIN, body=f"{GTUBE}\r\n")
    post(lab, "outside", WENDY, ADMIN, spam)
    held = wait_for_queue(lab["spamfilter"], queue_id_of(lab, "spamfilter", spam.message_id), "hold")
    before = facts(lab)
    lab["mail"].succeed("service postfix stop")
    late = new_message(WENDY, ADMIN)
    post(lab, "outside", WENDY, ADMIN, late)
    waiting = wait_for_queue(lab["spamfilter"], queue_id_of(lab, "spamfilter", late.message_id), "deferred")
    serial = serial_of(lab)
    serve_by_hand(lab, 2020010101)
    damage(lab)
    folder = lab.folder / ".pulumi-state" / "kept"
    old = set(folder.rglob("*"))
    done = reset(lab)
    lab.find_machines()
    yield Repaired(
        lab=lab, before=before, after=facts(lab), serials=(serial, serial_of(lab)), done=done,
        kept={path.relative_to(folder / lab.stack) for path in set(folder.rglob("*")) - old},
        lying=lying, held=held, waiting=waiting,
    )  # fmt: skip
    # Others wait until the queues are empty.
    lab["spamfilter"].succeed(f"postsuper -d {held.queue_id}")


def test_says_of_each_machine_that_it_is_as_configured(repaired: Repaired) -> None:
    assert repaired.done.returncode == 0, repaired.done
    for name in MACHINES:
        assert f"{name:11}  as the last `up` configured it" in repaired.done.stdout


@pytest.mark.parametrize("name", MACHINES)
def test_every_fact_is_as_before(repaired: Repaired, name: str) -> None:
    before, after = repaired.before[name], repaired.after[name]
    differing = {section: set(lines) ^ set(after.get(section, [])) for section, lines in before.items()}
    assert {section: lines for section, lines in differing.items() if lines} == {}


def test_message_lies_in_its_mailbox_as_before(repaired: Repaired) -> None:
    assert stored(repaired.lab["mail"], "admin", repaired.lying.mail.message_id) == [repaired.lying.stored]


def test_message_on_hold_is_still_there(repaired: Repaired) -> None:
    assert repaired.held in mail_queue(repaired.lab["spamfilter"])


def test_message_that_waited_arrives(repaired: Repaired) -> None:
    repaired.lab["spamfilter"].succeed("postqueue -f")
    repaired.lab.wait_for_delivery("spamfilter", repaired.waiting.queue_id, ADMIN)


def test_serial_does_not_shrink_without_the_zones(repaired: Repaired) -> None:
    """The volume had none any more; the state knows the last one."""
    before, after = repaired.serials
    assert after >= before


def test_nobody_remembers_the_edited_zone(repaired: Repaired) -> None:
    assert mail_exchangers(repaired.lab)[0] == "0 spamfilter.dc1es.tnc.edu.tw."


def test_stack_says_the_serial_that_is_served(repaired: Repaired) -> None:
    outputs = Stack(name=repaired.lab.stack, root=repaired.lab.folder).outputs()
    assert f"dc1es.tnc.edu.tw {repaired.serials[1]}" in str(outputs["serials"])


def test_what_was_made_by_hand_is_kept_and_reported(repaired: Repaired) -> None:
    names = {(path.parts[0], "/".join(path.parts[2:])) for path in repaired.kept if len(path.parts) > 2}
    for name in ("dns", "mail", "spamfilter", "tn"):
        assert (name, "root/note") in names
        assert (name, "differences") in names
        assert f"{name}: what was made by hand in it is kept in " in repaired.done.stdout
        assert f"{name}: not as configured were: packet filter rules" in repaired.done.stdout


def test_engine_sees_nothing_to_do(repaired: Repaired) -> None:
    assert run(repaired.lab, "refresh").steps == {}
    assert run(repaired.lab, "preview", "--expect-no-changes").ok


def test_status_is_clean(repaired: Repaired) -> None:
    found = status_of(Stack(name=repaired.lab.stack, root=repaired.lab.folder))
    assert found.well, [(one.row.name, one.problems) for one in found.machines]
    assert len(found.machines) == len(MACHINES)


def test_prover_agrees(repaired: Repaired) -> None:
    plan = stack_plan(Stack(name=repaired.lab.stack, root=repaired.lab.folder))
    proof = prove(plan, mail=True, environment=repaired.lab.environment)
    assert proof.holds, not_as_predicted(proof)


def test_name_server_alone(repaired: Repaired) -> None:
    """Its serial is above the one that a hand wrote, and the resolver, which is not reset, forgets what it knew."""
    lab = repaired.lab
    serve_by_hand(lab, 2020010101)
    done = reset(lab, "dns")
    assert done.returncode == 0, done
    lab.find_machines()
    assert serial_of(lab) == 2020010102
    assert mail_exchangers(lab)[0] == "0 spamfilter.dc1es.tnc.edu.tw."
    assert run(lab, "preview", "--expect-no-changes").ok


def test_one_machine_and_its_mail(repaired: Repaired) -> None:
    """Only that one is another container; with --mail its mailboxes are empty, and others' are not."""
    lab = repaired.lab
    before = {name: machine.container.id for name, machine in lab.machines.items()}
    deliver(lab, "mail", "admin@dc1es.tnc.edu.tw", "admin@mail2.dc1es.tnc.edu.tw")
    done = reset(lab, "mail2", "--mail")
    assert done.returncode == 0, done
    lab.find_machines()
    after = {name: machine.container.id for name, machine in lab.machines.items()}
    assert {name for name in before if before[name] != after[name]} == {"mail2"}
    assert lab["mail2"].succeed("find /var/mail -type f") == ""
    assert lab["mail"].succeed("find /var/mail -type f -size +0") != ""
    deliver(lab, "mail", "admin@dc1es.tnc.edu.tw", "admin@mail2.dc1es.tnc.edu.tw")


def test_unknown_machine_is_named(repaired: Repaired) -> None:
    done = reset(repaired.lab, "mial")
    assert done.returncode == 1
    assert f"there is no machine mial in lab {repaired.lab.stack}" in done.stderr
    assert "spamfilter" in done.stderr
