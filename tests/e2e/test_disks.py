"""A mail server whose disk is full: senders keep their messages, and each arrives once when there is room again."""

from dataclasses import dataclass

import pytest

from driver.lab import Lab
from driver.machine import wait_until
from driver.mail import Message, find, hand_in, new_message, post, queue_id_of, stored
from tests.support.delivered import deliver
from tests.support.mailqueue import mail_queue, wait_for_queue
from tests.support.program import up
from tests.support.status import Said, status_of

WENDY, CHEN = "wendy@example.com", "chen@dc1es.tnc.edu.tw"
ADDRESS = "          ipv6: 2001:db8:182::2\n"
VOLUMES = "          volumes: {spool: {size: 40m, full: true}, mailboxes: {size: 4m}}\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """A full disk and its repair: what was said at each point, and messages by when they were sent.

    `full`: why a message waited, as the configuration made the disk, and after a restart; `said`: the status then.
    `small`: how often each message lay in the mailbox on the small disk; `whole`: in that of the volume, after the key
    was removed; `left`: what was still in queues. `steps`: what removing the key did to resources.
    """

    full: tuple[str, str]
    said: Said
    small: dict[str, int]
    whole: dict[str, int]
    steps: dict[str, str]
    left: list[str]


def waiting(lab: Lab, message: Message) -> str:
    """Why a message from outside waits at the filter, which has it once."""
    (reason,) = wait_for_queue(
        lab["spamfilter"], queue_id_of(lab, "spamfilter", message.message_id), "deferred"
    ).reasons
    return reason


def sent(lab: Lab) -> Message:
    message = new_message(WENDY, CHEN)
    post(lab, "outside", WENDY, CHEN, message)
    return message


def counted(lab: Lab, messages: dict[str, Message]) -> dict[str, int]:
    """How often each lies in Ms Chen's mailbox."""
    return {name: len(stored(lab["mail"], "chen", one.message_id)) for name, one in messages.items()}


def arrive(lab: Lab, message: Message) -> None:
    """Until it has arrived; whoever has it is asked to send it now."""

    def look() -> bool:
        lab["spamfilter"].succeed("postqueue -f")
        return bool(find(lab["mail"], "chen", message.message_id))

    wait_until(f"{message.message_id} in the mailbox", look)


@pytest.fixture(scope="module")
def story(workbench: Lab) -> Story:
    """Full by the configuration, still full after a restart, room made by hand, full again by hand, and repaired."""
    lab = workbench
    messages = {"before": deliver(lab, "outside", WENDY, CHEN).mail}
    lab.edit(ADDRESS, ADDRESS + VOLUMES)
    up(lab)
    messages["full"] = sent(lab)
    first = waiting(lab, messages["full"])
    said = status_of(lab)
    lab["mail"].container.restart(timeout=10)
    lab["mail"].wait_for_open_port(25)
    messages["restarted"] = sent(lab)
    second = waiting(lab, messages["restarted"])

    lab["mail"].succeed("rm /var/spool/postfix/core")
    arrive(lab, messages["full"])
    arrive(lab, messages["restarted"])
    small = counted(lab, messages)
    lab["mail"].succeed("service postfix stop")
    messages["not yet taken"] = new_message(CHEN, CHEN)
    hand_in(lab["mail"], CHEN, CHEN, messages["not yet taken"])
    messages["waiting elsewhere"] = sent(lab)
    waiting(lab, messages["waiting elsewhere"])

    lab.edit(VOLUMES, "")
    steps = up(lab)
    arrive(lab, messages["waiting elsewhere"])
    arrive(lab, messages["not yet taken"])
    left = [one.queue_id for name in ("outside", "spamfilter", "mail") for one in mail_queue(lab[name])]
    whole = counted(lab, messages)
    return Story(full=(first, second), said=said, small=small, whole=whole, steps=steps, left=left)


def test_senders_keep_messages_for_a_full_queue(story: Story) -> None:
    assert all("452 4.3.1 Insufficient system storage" in reason for reason in story.full)


def test_status_shows_the_full_disk(story: Story) -> None:
    assert story.said["mail"]["disk"] == {"used_percent": 100, "free_kib": 0, "where": "/var/spool/postfix"}
    assert any("the disk is full" in what for what in story.said.repairs("mail"))


def test_who_makes_room_gets_what_waited(story: Story) -> None:
    """And the volume is untouched meanwhile: what was there before is not on the small disk."""
    assert story.small == {"before": 0, "full": 1, "restarted": 1}


def test_all_messages_are_there_once_when_the_volume_is_back(story: Story) -> None:
    assert story.whole == dict.fromkeys(("before", "full", "restarted", "not yet taken", "waiting elsewhere"), 1)
    assert story.left == []


def test_no_volume_is_replaced(story: Story) -> None:
    assert "mail" in story.steps
    assert [
        name for name in story.steps if name.startswith("mail-") and name not in ("mail-config", "mail-by-hand")
    ] == []
