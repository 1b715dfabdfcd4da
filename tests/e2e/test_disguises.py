"""What the filter makes of viruses in disguise, of what can't be scanned, of programs, and of ordinary messages."""

from collections.abc import Iterator

import pytest

from driver.lab import Lab
from driver.machine import wait_until
from driver.mail import Message, mailbox, queue_ids_of
from tests.support.attachments import ordinary, programs, unscannable
from tests.support.bulk import Answer, bring, named
from tests.support.disguises import GROUPS, viruses
from tests.support.forms import EICAR, attached
from tests.support.mailqueue import mail_queue, wait_until_gone

WANG = "wang@dc1es.tnc.edu.tw"
LIN = "lin@dc1es.tnc.edu.tw"  # for what stays in the filter's queue
# In pieces, so that a filter lets this file live.
GTUBE = b"XJS*C4JDBQADN1.NSBN3*2IDNEN*" + b"GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"


@pytest.mark.parametrize("group", GROUPS)
def test_virus_is_rejected_in_every_disguise(lab: Lab, group: str) -> None:
    answers = bring(lab, LIN, viruses(group))
    assert len(answers) > 10
    rejected = "5.7.1 virus found: Eicar-Test-Signature"
    assert {name: answer for name, answer in answers.items() if not answer.text.startswith(rejected)} == {}
    assert {answer.code for answer in answers.values()} == {554}


@pytest.fixture(scope="module")
def unscanned(lab: Lab) -> Iterator[tuple[dict[str, Message], dict[str, Answer]]]:
    """Messages that the scanner can't look into, and the filter's replies."""
    mails = named(unscannable())
    answers = bring(lab, LIN, {name: mail.raw for name, mail in mails.items()})
    yield mails, answers
    lab["spamfilter"].succeed(f"postsuper -d {' -d '.join(answer.queue_id for answer in answers.values())}")


def test_what_cannot_be_scanned_is_held(lab: Lab, unscanned: tuple[dict[str, Message], dict[str, Answer]]) -> None:
    _, answers = unscanned
    held = {entry.queue_id for entry in mail_queue(lab["spamfilter"]) if entry.queue == "hold"}
    assert {name: answer for name, answer in answers.items() if answer.queue_id not in held} == {}


def test_what_cannot_be_scanned_is_not_passed(
    lab: Lab, unscanned: tuple[dict[str, Message], dict[str, Answer]]
) -> None:
    mails, _ = unscanned
    assert [name for name, mail in mails.items() if queue_ids_of(lab, "mail", mail.message_id)] == []


def headers(lab: Lab, mails: dict[str, Message], name: str) -> dict[str, list[str]]:
    """The values of the header `name` in each of the messages, once all are in wang's mailbox."""
    wait_until_gone([lab["spamfilter"], lab["mail"]], WANG)
    found = {str(message["Message-ID"]): message for message in mailbox(lab["mail"], "wang")}
    return {title: found[mail.message_id].get_all(name, []) for title, mail in mails.items()}


@pytest.fixture(scope="module")
def running(lab: Lab) -> dict[str, Message]:
    """Messages with programs, all taken."""
    mails = named(programs())
    answers = bring(lab, WANG, {name: mail.raw for name, mail in mails.items()})
    assert {name: answer for name, answer in answers.items() if answer.code != 250} == {}
    return mails


def test_program_is_marked(lab: Lab, running: dict[str, Message]) -> None:
    marks = headers(lab, running, "X-Spam")
    assert {name: mark for name, mark in marks.items() if mark != ["Yes"]} == {}


def test_mark_says_what_was_found(lab: Lab, running: dict[str, Message]) -> None:
    results = headers(lab, running, "X-Spamd-Result")
    assert {name for name, (result,) in results.items() if "PROGRAM_ATTACHED" not in result} == set()


@pytest.fixture(scope="module")
def usual(lab: Lab) -> dict[str, Message]:
    """Messages as people send them, all taken."""
    mails = named(ordinary())
    answers = bring(lab, WANG, {name: mail.raw for name, mail in mails.items()})
    assert {name: answer for name, answer in answers.items() if answer.code != 250} == {}
    return mails


def test_ordinary_message_is_clean(lab: Lab, usual: dict[str, Message]) -> None:
    states = headers(lab, usual, "X-Virus")
    assert {name: state for name, state in states.items() if state != ["clean"]} == {}


def test_ordinary_attachment_is_no_program(lab: Lab, usual: dict[str, Message]) -> None:
    results = headers(lab, usual, "X-Spamd-Result")
    assert {name for name, (result,) in results.items() if "PROGRAM_ATTACHED" in result} == set()


def test_spam_with_a_program_is_held_as_spam(lab: Lab) -> None:
    """The mark is the least that happens."""
    spam = attached(b"hello", "game.exe").replace(b"see the attachment", GTUBE)
    (answer,) = bring(lab, LIN, {"spam": spam}).values()
    assert answer.queue_id in {entry.queue_id for entry in mail_queue(lab["spamfilter"]) if entry.queue == "hold"}
    lab["spamfilter"].succeed(f"postsuper -d {answer.queue_id}")


@pytest.fixture
def no_verdict(lab: Lab) -> Iterator[None]:
    """rspamd's rule for clamd is gone: nobody asks the scanner, and nobody says that it failed."""
    filter_, rule, rspamd = lab["spamfilter"], "/etc/rspamd/lua.local.d/clamd.lua", "/usr/lib/maillab/roles/rspamd"
    filter_.succeed(f"mv {rule} /tmp && {rspamd} stop && {rspamd} start")
    try:
        yield
    finally:
        filter_.succeed(f"mv /tmp/clamd.lua {rule} && {rspamd} stop && {rspamd} start && {rspamd} probe")


@pytest.mark.usefixtures("no_verdict")
def test_without_a_verdict_nothing_is_taken(lab: Lab) -> None:
    messages = {"clean": attached(b"hello", "letter.txt"), "infected": attached(EICAR)}
    words = "4.7.1 the filter can't scan this message now, try again later"

    def answers() -> bool:  # until rspamd is there, Postfix has words of its own
        return [answer.text for answer in bring(lab, LIN, messages).values()] == [words, words]

    wait_until("rspamd's refusal of both", answers)
