"""A thousand messages of all kinds at once: not one hop and not one end of what `maillab trace` joins is wrong."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from driver.lab import Lab
from driver.machine import wait_until
from maillab.trace.found import Messages
from maillab.trace.journey import Journey, Link, Stay
from maillab.trace.lines import MachineLog, message_ids, read_lines
from maillab.trace.maillog import LOG
from maillab.trace.outcome import ends
from tests.support.thousand import Posted, Thousand
from tests.unit.maillab.trace.captured import shape

SERVERS = ("outside", "spamfilter", "mail", "mail2", "tn")
QUEUED = "find /var/spool/postfix/maildrop /var/spool/postfix/incoming /var/spool/postfix/active -type f"


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """What was sent, the logs, and of each Message-ID the messages that have it."""

    sent: Thousand
    messages: Messages
    by_name: dict[str, list[Posted]]

    def journeys(self) -> Iterator[tuple[list[Posted], Journey]]:
        """Each message that a server took, with what the logs have of it."""
        for name, posted in self.by_name.items():
            if posted[0].kind.way:
                (journey,) = self.messages.named(name)
                yield posted, journey


@pytest.fixture(scope="module")
def joined(lab: Lab) -> Iterator[Joined]:
    """All messages, when no queue has one on its way any more."""
    sent = Thousand()
    sent.send(lab)
    # Twice: an alias leads back to a server that was looked at before.
    wait_until("nothing on its way", lambda: not any(lab[name].succeed(QUEUED) for name in SERVERS * 2) or None, 60)
    owners = {address: name for name, one in lab.machines.items() for address in (one.ipv4, one.ipv6)}
    messages = Messages(logs={name: log(lab, name) for name in SERVERS}, owners=owners)
    by_name: dict[str, list[Posted]] = defaultdict(list)
    for one in sent.messages():
        by_name[one.message_id].append(one)
    yield Joined(sent=sent, messages=messages, by_name=by_name)
    held = [sent.queue_id(one) for one in sent.messages() if one.kind.name == "held"]
    lab["spamfilter"].succeed(f"printf '%s\\n' {' '.join(held)} | postsuper -d -")


def log(lab: Lab, name: str) -> MachineLog:
    return read_lines(lab[name].get(LOG).decode(errors="replace"))


def stays(stay: Stay) -> Iterator[Stay]:
    """Those of the message itself."""
    yield stay
    for following in stay.following:
        if following.link is not Link.NOTICE:
            yield from stays(following)


def test_a_thousand_were_answered_as_they_should_be(joined: Joined) -> None:
    """Else the logs would be about others."""
    sent = list(joined.sent.messages())
    assert len(sent) == 1000
    assert [one.name for one in sent if bool(joined.sent.queue_id(one)) is not bool(one.kind.way)] == []


def test_way_of_each_message(joined: Joined) -> None:
    wrong = {
        posted[0].message_id: found
        for posted, journey in joined.journeys()
        if (found := [shape(root) for root in journey.roots]) != [one.kind.way for one in posted]
    }
    assert wrong == {}


def test_each_stay_is_one_of_this_message(joined: Joined) -> None:
    wrong = {
        posted[0].message_id: (stay.machine, stay.queue_id)
        for posted, journey in joined.journeys()
        for root in journey.roots
        for stay in stays(root)
        if stay.queue_id
        and posted[0].message_id not in message_ids(joined.messages.logs[stay.machine].entries[stay.queue_id])
    }
    assert wrong == {}


def test_each_way_begins_where_the_message_was_handed_in(joined: Joined) -> None:
    wrong = {
        posted[0].message_id: found
        for posted, journey in joined.journeys()
        if (found := sorted((root.machine, root.queue_id) for root in journey.roots))
        != sorted((one.kind.server, joined.sent.queue_id(one)) for one in posted)
    }
    assert wrong == {}


def test_ends_of_each_message(joined: Joined) -> None:
    wrong = {
        posted[0].message_id: found
        for posted, journey in joined.journeys()
        if (found := sorted((end.recipient, end.machine, str(end.outcome)) for end in ends(journey)))
        != sorted(end for one in posted for end in one.ends)
    }
    assert wrong == {}


def test_what_was_refused_before_there_was_a_message(joined: Joined) -> None:
    early = [one for one in joined.sent.messages() if not one.kind.way]
    found = {one.name: joined.messages.to(one.recipients[0]) for one in early}
    wrong = {
        one.name: found[one.name]
        for one in early
        if [(end.recipient, end.machine, str(end.outcome)) for journey in found[one.name] for end in ends(journey)]
        != one.ends
    }
    assert wrong == {}
