"""Queues as postqueue -j prints them."""

import pytest

from tests.support.mailqueue import mail_queue, queued, wait_until_gone
from tests.unit.support.fakes import fake_machine

QUEUE = b"""\
{"queue_name": "hold", "queue_id": "4jXWXM5m1Xz8Yp2", "sender": "w@example.com", "recipients": [{"address": "a@b.tw"}]}
{"queue_name": "deferred", "queue_id": "4jXWXM5m1Xz8Yp3", "sender": "", "recipients": \
[{"address": "a@b.tw", "delay_reason": "refused"}, {"address": "c@d.tw"}]}
"""
MACHINE = fake_machine("filter", {"postqueue -j": QUEUE})


def test_entries_have_their_queue() -> None:
    assert [entry.queue for entry in mail_queue(MACHINE)] == ["hold", "deferred"]


def test_each_recipient_has_a_reason_or_none() -> None:
    entry = mail_queue(MACHINE)[1]
    assert (entry.recipients, entry.reasons) == (("a@b.tw", "c@d.tw"), ("refused", ""))


def test_entry_is_found_by_its_id() -> None:
    entry = queued(MACHINE, "4jXWXM5m1Xz8Yp3")
    assert entry is not None
    assert entry.sender == ""


def test_absent_entry_is_none() -> None:
    assert queued(MACHINE, "4jXWXM5m1Xz8Yp4") is None


def test_message_in_a_queue_is_not_gone_for_any_of_its_recipients() -> None:
    with pytest.raises(AssertionError, match=r"no message for c@d\.tw in the queue of filter"):
        wait_until_gone([fake_machine("outside", {"postqueue -j": b""}), MACHINE], "c@d.tw", timeout=0)


def test_messages_for_others_are_not_waited_for() -> None:
    wait_until_gone([MACHINE], "nobody@b.tw", timeout=0)


def test_empty_queue_has_no_entries() -> None:
    assert mail_queue(fake_machine("filter", {"postqueue -j": b""})) == []
