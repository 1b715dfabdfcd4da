"""A message's way through the machines, pieced together from their logs."""

import pathlib

import pytest

from driver.lab import Lab
from driver.machine import wait_until
from tests.unit.support.fakes import fake_machine

SERVICE, ADMIN, TNUSER = "service@b.tw", "admin@b.tw", "tnuser@tn.edu.tw"
# (queue id, recipient, relay, status and response) as the machines log it.
LOGS = {
    "outside": [("4jAAAAAAAAAA", SERVICE, "filter[1.1.1.2]:25", "sent (250 Ok: queued as 4jBBBBBBBBBB)")],
    "filter": [
        ("4jBBBBBBBBBB", SERVICE, "none", "deferred (refused)"),
        ("4jBBBBBBBBBB", SERVICE, "1.1.1.3[1.1.1.3]:25", "sent (250 Ok: queued as 4jCCCCCCCCCC)"),
        ("4jEEEEEEEEEE", TNUSER, "mail.tn[fd00::4]:25", "sent (250 Ok: queued as 4jFFFFFFFFFF)"),
    ],
    "mail": [
        ("4jCCCCCCCCCC", f"{ADMIN}>, orig_to=<{SERVICE}", "local", "sent (delivered to mailbox)"),
        ("4jCCCCCCCCCC", SERVICE, "local", "sent (forwarded as 4jDDDDDDDDDD)"),
        (
            "4jDDDDDDDDDD",
            f"{TNUSER}>, orig_to=<{SERVICE}",
            "1.1.1.2[1.1.1.2]:25",
            "sent (250 Ok: queued as 4jEEEEEEEEEE)",
        ),
    ],
    "bouncer": [("4jGGGGGGGGGG", ADMIN, "filter[1.1.1.2]:25", "bounced (550 5.1.1 unknown)")],
    "tn": [("4jFFFFFFFFFF", TNUSER, "local", "sent (delivered to mailbox)")],
}


def log(machine: str) -> dict[str, bytes]:
    """What a search for each queue id finds in a machine's log."""
    found: dict[str, bytes] = {}
    for queue_id, recipient, relay, outcome in LOGS[machine]:
        rest = f"to=<{recipient}>, relay={relay}, delay=0, delays=0/0/0/0, dsn=2.0.0, status={outcome}"
        line = f"2026-11-22T14:23:48.1+00:00 {machine} postfix/x[1]: {queue_id}: {rest}\n"
        found[queue_id] = found.get(queue_id, b"") + line.encode()
    return found


@pytest.fixture
def lab() -> Lab:
    """Four machines with a message to an alias in their logs."""
    addresses = {"outside": "1.1.1.1", "filter": "1.1.1.2", "mail": "1.1.1.3", "tn": "1.1.1.4"}
    machines = {name: fake_machine(name, log(name), address) for name, address in addresses.items()}
    machines["tn"] = fake_machine("tn", log("tn"), "1.1.1.4", "fd00::4")
    return Lab(pathlib.Path(), "any", machines=machines)


@pytest.mark.parametrize(
    ("final", "machines"),
    [
        pytest.param(ADMIN, ["outside", "filter", "mail"], id="to-the-mailbox-here"),
        pytest.param(TNUSER, ["outside", "filter", "mail", "mail", "filter", "tn"], id="to-the-target-elsewhere"),
    ],
)
def test_hops_follows_one_target_of_an_alias(lab: Lab, final: str, machines: list[str]) -> None:
    hops = lab.wait_for_delivery("outside", "4jAAAAAAAAAA", SERVICE, final=final)
    assert [hop.machine for hop in hops] == machines


def test_hops_has_the_queue_ids(lab: Lab) -> None:
    hops = lab.hops("filter", "4jEEEEEEEEEE", TNUSER)
    assert [hop.entry.queue_id for hop in hops] == ["4jEEEEEEEEEE", "4jFFFFFFFFFF"]


def test_hops_ends_where_nothing_was_handed_on(lab: Lab) -> None:
    (hop,) = lab.hops("mail", "4jCCCCCCCCCC", "nobody@b.tw")
    assert hop.delivery is None


def test_undelivered_message_fails_with_where_it_is(lab: Lab) -> None:
    with pytest.raises(AssertionError, match="4jAAAAAAAAAA got as far as"):
        lab.wait_for_delivery("outside", "4jAAAAAAAAAA", SERVICE, timeout=0, final="manager@b.tw")


def test_bounced_message_fails_at_once(lab: Lab) -> None:
    found = log("bouncer")["4jGGGGGGGGGG"] + b"2026-11-22T14:23:49+00:00 tn postfix/qmgr[1]: 4jGGGGGGGGGG: removed\n"
    lab.machines["bouncer"] = fake_machine("bouncer", {"4jGGGGGGGGGG": found})
    with pytest.raises(AssertionError, match="4jGGGGGGGGGG was not delivered"):
        lab.wait_for_delivery("bouncer", "4jGGGGGGGGGG", ADMIN)


def test_wait_until_gives_what_was_found() -> None:
    found = iter([[], [], ["it"]])
    assert wait_until("it", lambda: next(found), timeout=5) == ["it"]


def test_wait_until_fails_with_what_it_waited_for() -> None:
    with pytest.raises(AssertionError, match="the moon: not in 0 s"):
        wait_until("the moon", lambda: None, timeout=0)
