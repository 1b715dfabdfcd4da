"""The packet filters at work: who gets to the mail servers directly, and what never crosses the router."""

import pytest

from driver.connections import connection
from driver.lab import Lab
from driver.machine import Machine
from driver.mail import envelope, new_message, post, queue_ids_of, smtp
from maillab.verify.cells import Verdict
from tests.support.delivered import Delivered, arrived, deliver
from tests.support.mailqueue import Queued, wait_for_queue, wait_until_gone
from tests.support.outage import postfix_stopped
from tests.support.program import run, up

DOMAIN = "dc1es.tnc.edu.tw"
ADMIN, CHEN = f"admin@{DOMAIN}", f"chen@{DOMAIN}"
SPAMMER, SPAMMER6 = "198.51.100.66", "2001:db8:198::66"
ALLOWED = {
    "moe.edu.tw": ("140.111.2.10", "2001:db8:140:2::10"),
    "mail8.moe.edu.tw": ("140.111.8.10", "2001:db8:140:8::10"),
    "mail34.moe.edu.tw": ("140.111.34.10", "2001:db8:140:34::10"),
    "ncku.edu.tw": ("140.116.2.10", "2001:db8:116:2::10"),
    "boe.tnc.edu.tw": ("203.68.102.10", "2001:db8:203::10"),
    "dc2es.tnc.edu.tw": ("163.26.1.10", "2001:db8:163:1::10"),
}
FAMILIES = [pytest.param(0, id="ipv4"), pytest.param(1, id="ipv6")]


def addresses(machine: Machine) -> tuple[str, str]:
    return machine.ipv4, machine.ipv6


@pytest.mark.parametrize("version", FAMILIES)
@pytest.mark.parametrize("server", ["mail", "mail2"])
def test_spammer_gets_no_answer_from_a_mail_server(lab: Lab, server: str, version: int) -> None:
    source = (SPAMMER, SPAMMER6)[version]
    assert connection(lab, "outside", source, addresses(lab[server])[version]) is Verdict.DROP


def test_same_spammers_message_by_the_mx_chain_comes_to_the_filter(lab: Lab) -> None:
    assert deliver(lab, "outside", "offers@example.net", CHEN).path == ["outside", "spamfilter", "mail"]


@pytest.mark.parametrize("version", FAMILIES)
@pytest.mark.parametrize("domain", ALLOWED)
@pytest.mark.parametrize(("server", "recipient"), [("mail", CHEN), ("mail2", f"kao@mail2.{DOMAIN}")])
def test_sender_in_an_allowed_range_is_served_directly(
    lab: Lab, server: str, recipient: str, domain: str, version: int
) -> None:
    steps = envelope(f"mail.{domain}", f"someone@{domain}", recipient)[:-1]
    replies = smtp(lab["outside"], addresses(lab[server])[version], steps, source=ALLOWED[domain][version])
    assert [reply.code for reply in replies] == [220, 250, 250, 250]


@pytest.mark.parametrize("version", FAMILIES)
@pytest.mark.parametrize("server", ["mail", "mail2"])
@pytest.mark.parametrize(
    ("machine", "verdict"),
    [
        ("spamfilter", Verdict.ACCEPT),
        ("workstation", Verdict.ACCEPT),
        ("dns", Verdict.DROP),
        ("outside", Verdict.DROP),
        ("tn", Verdict.DROP),
    ],
)
def test_ssh_is_for_the_filter_and_the_workstation(
    lab: Lab, machine: str, server: str, version: int, verdict: Verdict
) -> None:
    source, target = addresses(lab[machine])[version], addresses(lab[server])[version]
    assert connection(lab, machine, source, target, 22) is verdict


@pytest.mark.parametrize("target", ["dns", "workstation", "tn"])
def test_filter_goes_by_ssh_to_the_mail_servers_only(lab: Lab, target: str) -> None:
    """Nobody listens there: without the rule it would be refused."""
    assert connection(lab, "spamfilter", lab["spamfilter"].ipv4, lab[target].ipv4, 22) is Verdict.DROP
    assert connection(lab, "workstation", lab["workstation"].ipv4, lab["tn"].ipv4, 22) is Verdict.REFUSE


@pytest.fixture(scope="module")
def filter_down(lab: Lab) -> tuple[Queued, int, Delivered, Delivered]:
    """While the filter is down: a foreign sender's message, and one of a sender in an allowed range.

    The first one's queue entry, how often it had come to the mail server, and both in their mailboxes.
    """
    foreign, neighbour = new_message("wendy@example.com", CHEN), new_message("someone@moe.edu.tw", CHEN)
    with postfix_stopped(lab["spamfilter"]):
        waits = post(lab, "outside", "wendy@example.com", CHEN, foreign)
        served = post(lab, "outside", "someone@moe.edu.tw", CHEN, neighbour)
        at_once = arrived(lab, neighbour, lab.wait_for_delivery("outside", served, CHEN))
        waiting = wait_for_queue(lab["outside"], waits, "deferred", timeout=60)
        seen = len(queue_ids_of(lab, "mail", foreign.message_id))
    lab["outside"].succeed("postqueue -f")
    hops = lab.wait_for_delivery("outside", waits, CHEN)
    wait_until_gone([lab[name] for name in ("outside", "spamfilter", "mail")], CHEN)
    return waiting, seen, at_once, arrived(lab, foreign, hops)


def test_foreign_senders_second_mx_is_closed(filter_down: tuple[Queued, int, Delivered, Delivered]) -> None:
    waiting, seen, _, _ = filter_down
    assert waiting.recipients == (CHEN,)
    assert f"connect to mail.{DOMAIN}" in waiting.reasons[0]
    assert "timed out" in waiting.reasons[0]
    assert seen == 0


def test_foreign_message_arrives_when_the_filter_is_back(filter_down: tuple[Queued, int, Delivered, Delivered]) -> None:
    """`arrived` has found it exactly once in the mailbox, when nothing was on its way any more."""
    assert filter_down[3].path == ["outside", "spamfilter", "mail"]


def test_sender_in_an_allowed_range_is_served_by_the_second_mx(
    filter_down: tuple[Queued, int, Delivered, Delivered],
) -> None:
    assert filter_down[2].path == ["outside", "mail"]


@pytest.fixture(scope="module")
def as_printed(workbench: Lab) -> tuple[Lab, str]:
    """A lab with `firewall.ipv6: tutorial`, and what `up` said."""
    workbench.edit("        ipv6: closed\n", "        ipv6: tutorial\n")
    done = run(workbench, "up", "--yes")
    assert done.ok, done.words
    assert done.steps == {"mail-config": "update", "mail2-config": "update"}
    return workbench, done.words


def test_up_warns_that_ipv6_is_open(as_printed: tuple[Lab, str]) -> None:
    assert "open to everybody on IPv6" in as_printed[1]


def test_spammer_gets_in_by_ipv6_past_the_filter(as_printed: tuple[Lab, str]) -> None:
    lab, _ = as_printed
    mail = new_message("offers@example.net", CHEN)
    steps = [*envelope("bulk.example.net", "offers@example.net", CHEN), mail.raw + b"\r\n.\r\n", "QUIT"]
    taken = smtp(lab["outside"], lab["mail"].ipv6, steps, source=SPAMMER6)[-2]
    assert [hop.machine for hop in lab.wait_for_delivery("mail", taken.queue_id, CHEN)] == ["mail"]


def test_ipv4_stays_closed(as_printed: tuple[Lab, str]) -> None:
    lab, _ = as_printed
    assert connection(lab, "outside", SPAMMER, lab["mail"].ipv4) is Verdict.DROP


def test_ipv6_is_as_printed(as_printed: tuple[Lab, str]) -> None:
    """Flush, port 21; beside that what is not the page's subject: SSH, and the host's link-local address."""
    lab, _ = as_printed
    rules = lab["mail"].succeed("ip6tables -S INPUT").splitlines()
    ports = [rule for rule in rules if "--dport" in rule and "--dport 22 " not in rule]
    assert ports == ["-A INPUT -p tcp -m tcp --dport 21 -j DROP"]


def test_edit_of_a_rule_restarts_nothing_and_takes_effect(workshop: Lab) -> None:
    foreign = ("outside", "198.51.100.10", workshop["mail"].ipv4)
    assert connection(workshop, *foreign) is Verdict.DROP
    workshop.edit("            source: 140.116.2.0/24\n", "            source: 198.51.100.0/24\n")
    assert up(workshop) == {"mail-config": "update", "mail2-config": "update"}
    assert connection(workshop, *foreign) is Verdict.ACCEPT
    assert connection(workshop, "outside", "140.116.2.10", workshop["mail"].ipv4) is Verdict.DROP
