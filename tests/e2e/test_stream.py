"""A steady stream of messages through edits and restarts: each is delivered, and none twice."""

import pathlib
import secrets
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from driver.lab import Lab
from driver.machine import Patience, wait_until
from driver.mail import mailbox
from tests.support.program import add_parameter, run, up

SCRIPT = pathlib.Path(__file__).parents[1] / "support" / "stream.py"
# In turn; aliases of an alias, so that each message needs the alias map. Both lead to the machine's own admin.
RECIPIENTS = {"mail": "webmaster@dc1es.tnc.edu.tw", "mail2": "postmaster@mail2.dc1es.tnc.edu.tw"}
PAUSE = 0.1  # and what sendmail needs: five to eight messages a second, or what a slow computer's share of them is
MOST = 900


@contextmanager
def stream(lab: Lab) -> Iterator[str]:
    """Messages from outside flow meanwhile; the run's name."""
    name, outside = f"stream-{secrets.token_hex(4)}", lab["outside"]
    outside.put(f"/tmp/{name}.py", SCRIPT.read_bytes())
    words = [name, PAUSE * Patience.factor, MOST, *RECIPIENTS.values()]
    outside.succeed(f"setsid python3 /tmp/{name}.py {' '.join(map(str, words))} >/dev/null 2>&1 </dev/null &")
    wait_for_more(lab, name)
    try:
        yield name
    finally:
        outside.succeed(f"touch /tmp/{name}.stop")
        outside.wait_until_succeeds(f"test -e /tmp/{name}.done")


def sent(lab: Lab, name: str) -> list[str]:
    """The messages that the outside's Postfix took so far."""
    return lab["outside"].read(f"/tmp/{name}.sent").split()


def wait_for_more(lab: Lab, name: str, messages: int = 5) -> None:
    """Until so many further messages were sent: what was done before them has been done to a stream."""
    enough = len(sent(lab, name)) + messages
    wait_until(f"{enough} messages of {name}", lambda: len(sent(lab, name)) >= enough)


def delivered(lab: Lab, name: str) -> Counter[str]:
    """Message-ID to how often it lies in the mailboxes of both."""
    ids = [str(message["Message-ID"]) for machine in RECIPIENTS for message in mailbox(lab[machine], "admin")]
    return Counter(message_id for message_id in ids if message_id.startswith(f"<{name}."))


def test_every_message_is_delivered_once(workshop: Lab) -> None:
    with stream(workshop) as name:
        workshop.edit('"service: admin, manager, tnuser@tn.edu.tw"', '"service: admin, manager"')
        assert up(workshop) == {"mail-config": "update"}
        wait_for_more(workshop, name)
        workshop.edit('- "@    MX    10  mail"', '- "@    MX    20  mail"')
        assert up(workshop) == {"dns-config": "update", "dc1es-flush": "update"}
        wait_for_more(workshop, name)
        add_parameter(workshop, "smtpd_banner: $myhostname ESMTP")
        assert up(workshop) == {"mail-config": "update"}
        wait_for_more(workshop, name)
        workshop.edit("            source: 140.116.2.0/24\n", "            source: 140.116.0.0/16\n")
        assert up(workshop) == {"mail-config": "update", "mail2-config": "update"}
        wait_for_more(workshop, name)
        for machine in ("dns", "spamfilter", "mail", "mail2"):
            workshop[machine].container.restart()
            wait_for_more(workshop, name)
    messages = sent(workshop, name)
    wait_until(
        f"all {len(messages)} messages delivered",
        lambda: set(messages) <= set(delivered(workshop, name)),
        timeout=120,
    )
    for machine in ("outside", "spamfilter", "mail", "mail2"):
        workshop[machine].wait_until_succeeds("postqueue -p | grep -q 'queue is empty'", timeout=60)
    assert delivered(workshop, name) == Counter(messages)
    assert len(messages) < MOST, "the stream ended before the edits did"


def test_no_message_is_lost_when_the_filter_is_removed(workshop: Lab) -> None:
    """`docker rm --force` kills it in the middle of its work: a message may come twice (RFC 1047), but it comes."""
    with stream(workshop) as name:
        workshop["spamfilter"].container.remove(force=True)
        wait_for_more(workshop, name)
        assert run(workshop, "up", "--yes", "--refresh").ok
        workshop.find_machines()
        wait_for_more(workshop, name)
    messages = sent(workshop, name)
    wait_until(
        f"all {len(messages)} messages delivered",
        lambda: set(messages) <= set(delivered(workshop, name)),
        timeout=120,
    )
    assert max(delivered(workshop, name).values()) <= 2
