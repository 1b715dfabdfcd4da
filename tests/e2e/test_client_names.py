"""A receiver that checks the names of its clients (`checks_client_names`): who has none waits, and arrives later."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from driver.lab import ROOT, Lab
from driver.machine import wait_until
from driver.mail import new_message, submit
from maillab.cli.configuration import stack_plan
from maillab.cli.stack import Stack
from maillab.trace.hops import Hop
from maillab.verify.run import prove
from tests.e2e.test_verify import not_as_predicted
from tests.support.delivered import arrived
from tests.support.mailqueue import wait_for_queue
from tests.support.program import up
from tests.support.stacks import stack_data

SENDER, RECIPIENT = "chen@dc1es.tnc.edu.tw", "tnuser@tn.edu.tw"


@pytest.fixture(scope="module")
def strict(workbench: Lab) -> Lab:
    """The lab whose `tn` checks them."""
    internet = stack_data(ROOT, "dc1es")["internet"]
    assert isinstance(internet, dict)
    internet["mail"]["checks_client_names"] = True
    workbench.edit("config:\n", f"config:\n  maillab:internet: {json.dumps(internet)}\n")
    up(workbench)
    return workbench


@contextmanager
def filter_called(lab: Lab, name: str) -> Iterator[None]:
    """The reverse zones have the filter by another name, of both families, and the Internet asks again."""

    def rename(old: str, new: str) -> None:
        lab["dns"].succeed(
            rf"sed -i --follow-symlinks 's/PTR   {old}\./PTR   {new}./' /etc/bind/db.*.arpa && rndc reload"
        )
        lab["dns"].wait_until_succeeds(f"dig +short @127.0.0.1 -x 163.26.182.249 | grep '^{new}[.]'")
        lab["internet"].succeed("rndc flush")

    rename("spamfilter", name)
    try:
        yield
    finally:
        rename(name, "spamfilter")


def test_mail_of_a_client_without_a_name_waits_until_it_has_one(strict: Lab) -> None:
    spamfilter, mail = strict["spamfilter"], new_message(SENDER, RECIPIENT)
    with filter_called(strict, "filter"):
        first = submit(strict, "mail", SENDER, RECIPIENT, mail)
        wait_until("it is at the filter", lambda: last_hop(strict, first).machine == "spamfilter")
        waiting = wait_for_queue(spamfilter, last_hop(strict, first).entry.queue_id, "deferred")
    assert "450 4.7.25 Client host rejected: cannot find your hostname" in waiting.reasons[0]
    spamfilter.succeed("postqueue -f")
    delivered = arrived(strict, mail, strict.wait_for_delivery("mail", first, RECIPIENT))
    assert delivered.path == ["mail", "spamfilter", "tn"]


def last_hop(lab: Lab, queue_id: str) -> Hop:
    """Where the message is that `mail` took under this id."""
    return lab.hops("mail", queue_id, RECIPIENT)[-1]


def test_prover_knows_who_is_let_in(strict: Lab) -> None:
    proof = prove(stack_plan(Stack(name=strict.stack, root=strict.folder)), environment=strict.environment)
    assert proof.unknown == ()
    assert proof.holds, not_as_predicted(proof)
