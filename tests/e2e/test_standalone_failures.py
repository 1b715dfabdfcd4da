"""The school that filters by itself, when something is killed, or a disk is full: nothing is lost, nothing comes twice.

clamd stands still meanwhile (SIGSTOP): so it is certain that messages are under way, two of them in amavis' hands.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from driver.connections import machines_of
from driver.lab import Lab
from driver.machine import Machine, wait_until
from driver.mail import Message, mailbox
from maillab.exercises.kept_mail import keep, put_back
from tests.support.bulk import bring, named
from tests.support.mailqueue import mail_queue, wait_until_gone
from tests.support.stacks import change_school

CHEN, NUMBER = "chen@yaes.example", 30
AT_WORK = r"^/usr/sbin/amavisd \(ch[0-9]+-[0-9]+-[0-9]+\)"
TEMPORARY = "/var/lib/amavis/tmp"
LOCK = "/var/mail/chen.lock"
# local(8) holds a lock on the file of a message that it delivers.
LOCAL_HAS_IT = (
    "find /var/spool/postfix/active -type f -printf ':%i \\n' | grep -F -f - /proc/locks | grep -qwf <(pgrep -x local)"
)
MEMORY = "/dev/shm"
FILLING = "/var/spool/postfix/core"
GIVEN_BACK = "status=deferred (host 127.0.0.1.* 452 4.3.1 Insufficient system storage"


@contextmanager
def scanner_frozen(mail: Machine) -> Iterator[None]:
    """Messages come as far as clamd, and no further."""
    mail.succeed("pkill -STOP -x clamd")
    try:
        yield
    finally:
        mail.succeed("pkill -CONT -x clamd")


def messages() -> dict[str, Message]:
    """As many as are under way."""
    return named({str(number): b"Subject: under way\r\n\r\nhello\r\n" for number in range(NUMBER)})


def under_way(lab: Lab) -> dict[str, Message]:
    """Messages that the server has taken and has not delivered; amavis works on two."""
    mails = messages()
    answers = bring(lab, CHEN, {name: mail.raw for name, mail in mails.items()}, "mail")
    assert {answer.code for answer in answers.values()} == {250}
    wait_until("amavis works on two", lambda: lab["mail"].execute(f"pgrep -fc '{AT_WORK}'").output.strip() == "2")
    assert len(mail_queue(lab["mail"])) == NUMBER
    return mails


def delivered(lab: Lab, mails: Mapping[str, Message]) -> dict[str, int]:
    """How often each is in the mailbox, when nothing waits any more."""
    lab["mail"].wait_until_succeeds("/usr/lib/maillab/roles/amavis health", 60)
    lab["mail"].succeed("postqueue -f")
    wait_until_gone([lab["mail"]], CHEN, timeout=120)
    found = [str(message["Message-ID"]) for message in mailbox(lab["mail"], "chen")]
    return {name: found.count(mail.message_id) for name, mail in mails.items()}


def test_killed_amavis_loses_nothing(standalone: Lab) -> None:
    """Its master alone: its children keep the port, until somebody restarts the service."""
    mail = standalone["mail"]
    with scanner_frozen(mail):
        mails = under_way(standalone)
        mail.succeed("pkill -KILL -f '^/usr/sbin/amavisd .master'")
        mail.succeed("service amavis restart")
    assert delivered(standalone, mails) == dict.fromkeys(mails, 1)


def test_exercise_that_ends_takes_back_what_amavis_has(standalone: Lab) -> None:
    """Two messages come out of it when the mailboxes are put back."""
    mail = standalone["mail"]
    machines = machines_of(standalone)
    kept = keep(machines, "mail")
    with scanner_frozen(mail):
        mails = under_way(standalone)
        mail.succeed("(sleep 1; pkill -CONT -x clamd) >/dev/null 2>&1 &")
        put_back(machines, {"mail": kept})
    assert delivered(standalone, mails) == dict.fromkeys(mails, 0)


def test_exercise_that_ends_takes_back_a_delivery_that_has_begun(standalone: Lab) -> None:
    """local(8) waits for the mailbox's lock (it looks each second), and would write behind what is put back."""
    mail = standalone["mail"]
    machines = machines_of(standalone)
    kept = keep(machines, "mail")
    message = named({"begun": b"Subject: begun\r\n\r\nhello\r\n"})
    mail.succeed(f"touch {LOCK}")
    try:
        bring(standalone, CHEN, {"begun": message["begun"].raw}, "mail")
        mail.wait_until_succeeds(LOCAL_HAS_IT, 60)
        mail.succeed(f"(sleep 2; rm {LOCK}) >/dev/null 2>&1 &")
        put_back(machines, {"mail": kept})
    finally:
        mail.succeed(f"rm -f {LOCK}")
    mail.wait_until_succeeds("! pgrep -x local", 150)  # one that waits for work ends after 100 s
    assert delivered(standalone, message) == {"begun": 0}


def test_killed_machine_loses_nothing(standalone: Lab) -> None:
    """As when the power fails (docker kill)."""
    mail = standalone["mail"]
    mail.succeed("pkill -STOP -x clamd")
    mails = under_way(standalone)
    mail.container.kill()
    mail.container.start()
    mail.wait_for_open_port(25)
    assert delivered(standalone, mails) == dict.fromkeys(mails, 1)


def reasons(lab: Lab) -> set[str]:
    """Why messages wait, when all of them do."""

    def look() -> set[str]:
        waiting = [one for one in mail_queue(lab["mail"]) if one.queue == "deferred"]
        return {reason for one in waiting for reason in one.reasons} if len(waiting) == NUMBER else set()

    return wait_until("all wait", look, 120)


@contextmanager
def full_temporary_files(mail: Machine) -> Iterator[None]:
    """What amavis looks at, it writes to a disk without room: the container's /dev/shm."""
    mail.succeed(f"service amavis stop && mv {TEMPORARY} {TEMPORARY}.kept")
    mail.succeed(f"install -d -o amavis -g amavis -m 750 {MEMORY}/tmp && ln -s {MEMORY}/tmp {TEMPORARY}")
    mail.execute(f"head -c 1G /dev/zero >{MEMORY}/core")
    mail.succeed("service amavis start")
    try:
        yield
    finally:
        mail.succeed(f"service amavis stop; rm {TEMPORARY} && mv {TEMPORARY}.kept {TEMPORARY} && rm -r {MEMORY}/*")
        mail.succeed("service amavis start")


def test_mail_waits_while_the_filter_has_no_room(standalone: Lab) -> None:
    mails = messages()
    with full_temporary_files(standalone["mail"]):
        bring(standalone, CHEN, {name: one.raw for name, one in mails.items()}, "mail")
        found = reasons(standalone)
        assert all("No space left on device" in reason for reason in found), found
    assert delivered(standalone, mails) == dict.fromkeys(mails, 1)


@pytest.fixture
def small_spool(standalone: Lab) -> Iterator[Lab]:
    """The queue's disk has 40 MB: Postfix takes messages while 30 of them are free."""

    def change(volumes: dict[str, object]) -> None:
        def edit(school: dict[str, Any]) -> dict[str, Any]:
            (server,) = (machine for machine in school["machines"] if "mail" in machine)
            server["volumes"] = volumes
            return school

        change_school(standalone.stack_file, edit)
        standalone.up()

    change({"spool": {"size": "40m"}})
    try:
        yield standalone
    finally:
        change({})


def test_mail_waits_while_the_queue_has_no_room(small_spool: Lab) -> None:
    """What amavis gives back on port 10025 is not taken: the first message stays, and is tried again."""
    lab = small_spool
    with scanner_frozen(lab["mail"]):
        mails = under_way(lab)
        lab["mail"].execute(f"head -c 1G /dev/zero >{FILLING}")
    # There is no room for the queue's own notes either: the log alone says it.
    lab["mail"].wait_until_succeeds(f"[ $(grep -c '{GIVEN_BACK}' /var/log/mail.log) -ge 2 ]", 120)
    assert len(mail_queue(lab["mail"])) == NUMBER
    lab["mail"].succeed(f"rm {FILLING}")
    assert delivered(lab, mails) == dict.fromkeys(mails, 1)
