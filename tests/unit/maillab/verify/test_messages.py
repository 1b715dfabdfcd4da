"""Messages are handed in where their writers are, and looked for in every mail log until they came to their ends."""

import base64
import math
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from ipaddress import ip_address

import pytest

from maillab.postman.message import GTUBE
from maillab.postman.session import SCRIPT
from maillab.trace import watch
from maillab.trace.ending import Ending, How
from maillab.trace.growing import FOLLOW
from maillab.trace.machines import MachineError
from maillab.verify.messages import SENDMAIL, Message, Postman
from maillab.verify.routes import NO_CONNECTION, Writer
from tests.unit.labs import ROOT, Model
from tests.unit.maillab.verify.fakes import Asked, FakeMachines

STRANGER = Writer(address="verify+v4@example.com", machine="outside", families=(4,))
TEACHER = Writer(address="admin@dc1es.tnc.edu.tw", machine="mail", client="workstation")
CHEN, NOBODY = "chen@dc1es.tnc.edu.tw", "no-such-user@dc1es.tnc.edu.tw"
SERVERS = {"mail", "mail2", "spamfilter", "tn", "outside"}
DELIVERED = Ending(hops=("outside",), how=How.MAILBOX, what="chen")
WAITING = Ending(hops=("outside",), how=How.WAITS)
FILTER_RULES = ROOT / "files/spamfilter/image/etc/rspamd/local.d/regexp.conf"


def log(message: Message, *outcomes: str) -> str:
    """A log in which a server took the message and tried to put it into its mailbox."""
    stamp, queue_id = "2026-11-22T14:23:48.1+00:00 outside", "4jXWXM5Zn7z8"
    rest = f"to=<{message.recipient}>, relay=local, delay=0, delays=0/0/0/0, dsn=2.0.0, status="
    lines = [f"postfix/cleanup[1]: {queue_id}: message-id=<{message.message_id}>"]
    lines += [f"postfix/local[1]: {queue_id}: {rest}{outcome}" for outcome in outcomes]
    return "".join(f"{stamp} {line}\n" for line in lines)


def log_line(words: str) -> str:
    """One more line of that log."""
    return f"2026-11-22T14:23:48.1+00:00 outside postfix/x[1]: 4jXWXM5Zn7z8: {words}\n"


REMOVED = log_line("removed")


def reply(message_id: str, refused: Mapping[str, str]) -> str:
    """What a server says last of a message."""
    return refused.get(message_id, "250 .\n 250 2.0.0 Ok")


def answering(look: Callable[[str], str] = lambda _: "", refused: Mapping[str, str] | None = None) -> FakeMachines:
    """`look`: machine to what its log has since the run began."""

    def answer(asked: Asked) -> str:
        match asked.command[0]:
            case "sh" if asked.command == FOLLOW:
                return look(asked.machine)
            case "perl":
                ids = re.findall(r"Message-ID: <(.*)>", asked.text)
                return "".join(f"reply {n} {reply(one, refused or {})}\n" for n, one in enumerate(ids))
        return ""

    return FakeMachines(answer=answer)


WORK = ExitStack()


@pytest.fixture(autouse=True)
def _work_ends() -> Iterator[None]:
    yield
    WORK.close()


def postman(tutorial: Model, machines: FakeMachines | None = None) -> Postman:
    """At work until the test's end."""
    found = Postman(machines or answering(), tutorial.plans)
    WORK.enter_context(found.at_work())
    return found


def given(sending: Postman, machine: str | None = None) -> list[Asked]:
    """What one machine was asked, or all of them."""
    assert isinstance(sending.machines, FakeMachines)
    return [asked for asked in sending.machines.asked if machine in (None, asked.machine)]


def test_every_pair_has_a_message(tutorial: Model) -> None:
    found = postman(tutorial).messages([(STRANGER, CHEN), (TEACHER, NOBODY)])
    assert [(message.writer, message.recipient) for message in found] == [(STRANGER, CHEN), (TEACHER, NOBODY)]


def test_messages_of_a_run_carry_its_mark_and_differ(tutorial: Model) -> None:
    one = postman(tutorial)
    first, second = one.messages([(STRANGER, CHEN)] * 2)
    assert first.message_id != second.message_id
    assert {message.message_id.endswith(one.mark) for message in (first, second)} == {True}


def test_two_runs_have_two_marks(tutorial: Model) -> None:
    assert postman(tutorial).mark != postman(tutorial).mark


def test_strangers_message_is_given_to_his_own_machine(tutorial: Model) -> None:
    sending = postman(tutorial)
    (message,) = sending.messages([(STRANGER, CHEN)])
    sending.send([message])
    asked = given(sending, "outside")[-1]
    assert (asked.machine, asked.command) == ("outside", ("bash", "-c", SENDMAIL))
    *envelope, written = asked.text.split(" ")
    assert envelope == [STRANGER.address, CHEN]
    assert base64.b64decode(written).replace(b"\n", b"\r\n") == message.sent.raw


def test_test_message_for_spam_filters_is_one(tutorial: Model) -> None:
    (message,) = postman(tutorial).messages([(replace(STRANGER, gtube=True), CHEN)])
    (rule,) = re.findall(r"re = '/(.*)/\{mime\}'", FILTER_RULES.read_text(encoding="utf-8"))
    assert re.search(rule, message.sent.raw.decode())


def test_teachers_message_is_submitted_from_the_workstation(tutorial: Model) -> None:
    sending = postman(tutorial)
    (message,) = sending.messages([(TEACHER, CHEN)])
    sending.send([message])
    (asked,) = given(sending, "workstation")
    fqdn = "workstation.dc1es.tnc.edu.tw"
    assert asked.command == ("perl", "-e", SCRIPT, "163.26.182.2", "25", "163.26.182.100", fqdn, "30")
    assert asked.text.startswith(f"<{TEACHER.address}> <{CHEN}> - ")
    assert f"\r\n\r\n{message.message_id}\r\n" in asked.text, "by which it is swept away"


def test_teachers_spam_is_the_test_message(tutorial: Model) -> None:
    sending = postman(tutorial)
    sending.send(sending.messages([(replace(TEACHER, gtube=True), CHEN)]))
    assert GTUBE in given(sending, "workstation")[0].text


def test_strangers_message_is_submitted_from_his_address(tutorial: Model) -> None:
    sending = postman(tutorial)
    own = ip_address("2001:db8:140:2::10")
    stranger = Writer(address="relay@moe.edu.tw", machine="mail", client="outside", source=own)
    sending.send(sending.messages([(stranger, CHEN)]))
    (asked,) = [asked for asked in given(sending, "outside") if asked.command[0] == "perl"]
    assert asked.command[3:6] == ("2001:db8:182::2", "25", str(own))


def test_messages_of_one_way_go_together(tutorial: Model) -> None:
    sending = postman(tutorial)
    sending.send(sending.messages([(STRANGER, CHEN), (STRANGER, NOBODY)]))
    assert len(given(sending, "outside")[-1].text.splitlines()) == 2


def test_logs_of_all_servers_are_read(tutorial: Model) -> None:
    sending = postman(tutorial)
    sending.logs()
    assert [asked.machine for asked in given(sending) if asked.command == FOLLOW] == sorted(
        SERVERS, key=list(tutorial.plans).index
    )


def test_message_is_found_by_its_message_id(tutorial: Model) -> None:
    texts: dict[str, str] = {}
    sending = postman(tutorial, answering(lambda machine: texts.get(machine, "")))
    message, other = sending.messages([(STRANGER, CHEN)] * 2)
    sending.send([message, other])
    texts["outside"] = log(message, "sent (delivered to mailbox)")
    assert sending.seen([message, other]) == {message: {DELIVERED}, other: frozenset()}


def test_refusal_at_the_mail_client_is_an_end(tutorial: Model) -> None:
    refused: dict[str, str] = {}
    sending = postman(tutorial, answering(refused=refused))
    (message,) = sending.messages([(TEACHER, NOBODY)])
    refused[message.message_id] = "550 RCPT TO:<x>\n 550 5.1.1 <x>: no"
    sending.send([message])
    assert sending.seen([message]) == {message: {Ending(hops=("workstation", "mail"), how=How.REFUSED, what="5.1.1")}}


def test_message_that_the_mail_client_could_not_hand_in_ends_with_it(tutorial: Model) -> None:
    refused: dict[str, str] = {}
    sending = postman(tutorial, answering(refused=refused))
    (message,) = sending.messages([(TEACHER, CHEN)])
    refused[message.message_id] = "0 connect\n timed out"
    sending.send([message])
    assert sending.seen([message]) == {message: {Ending(hops=("workstation",), how=How.REFUSED, what=NO_CONNECTION)}}


def test_message_that_the_mail_client_handed_in_has_it_as_first_hop(tutorial: Model) -> None:
    texts: dict[str, str] = {}
    sending = postman(tutorial, answering(lambda machine: texts.get(machine, "")))
    (message,) = sending.messages([(TEACHER, CHEN)])
    sending.send([message])
    texts["mail"] = log(message, "sent (delivered to mailbox)")
    assert sending.seen([message]) == {message: {Ending(hops=("workstation", "mail"), how=How.MAILBOX, what="chen")}}


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch, tutorial: Model) -> tuple[Postman, Message, list[str]]:
    """A message that is deferred at the first two looks and then delivered; what was looked at."""
    monkeypatch.setattr(watch, "POLL", 0)
    seen: list[str] = []

    def look(machine: str) -> str:
        if machine != "outside":
            return ""
        seen.append(machine)
        return log(message, "deferred (not yet)", *(["sent (delivered to mailbox)"] if len(seen) > 2 else []))

    sending = postman(tutorial, answering(look))
    (message,) = sending.messages([(STRANGER, CHEN)])
    sending.send([message])
    return sending, message, seen


def test_message_is_followed_until_it_is_where_it_was_expected(looks: tuple[Postman, Message, list[str]]) -> None:
    sending, message, seen = looks
    assert sending.follow({message: frozenset({DELIVERED})}) == {message: {DELIVERED}}
    assert len(seen) == 3


def test_message_that_waits_as_expected_is_not_followed_further(looks: tuple[Postman, Message, list[str]]) -> None:
    sending, message, seen = looks
    assert sending.follow({message: frozenset({WAITING})}) == {message: {WAITING}}
    assert len(seen) == 1


def test_wrong_end_that_is_final_ends_the_wait(tutorial: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a limit of time: it would be waited for, for ever."""
    monkeypatch.setattr(watch, "POLL", 0)
    sending = postman(tutorial, answering(lambda machine: text if machine == "outside" else ""))
    (message,) = sending.messages([(STRANGER, NOBODY)])
    text = log(message, "sent (delivered to mailbox)") + REMOVED
    found = sending.follow({message: frozenset({WAITING})}, still=math.inf)
    assert found == {message: {Ending(hops=("outside",), how=How.MAILBOX, what="no-such-user")}}


def test_further_end_is_waited_for(tutorial: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    """The expected end alone is not all: the server has one recipient more."""
    monkeypatch.setattr(watch, "POLL", 0)
    lines = [
        "",
        "",
        log_line("to=<spy@b.tw>, relay=local, delay=0, delays=0/0/0/0, dsn=2.0.0, status=sent (delivered to mailbox)")
        + REMOVED,
    ]
    looks = iter(lines)
    sending = postman(tutorial, answering(lambda machine: text + next(looks) if machine == "outside" else ""))
    (message,) = sending.messages([(STRANGER, CHEN)])
    text = log_line("from=<a@b.tw>, size=300, nrcpt=2 (queue active)") + log(message, "sent (delivered to mailbox)")
    found = sending.follow({message: frozenset({DELIVERED})}, still=math.inf)
    assert {ending.what for ending in found[message]} == {"chen", "spy"}


def test_message_that_never_comes_is_given_up(looks: tuple[Postman, Message, list[str]]) -> None:
    sending, message, _ = looks
    assert sending.follow({message: frozenset({DELIVERED})}, still=0) == {message: {WAITING}}


@pytest.mark.parametrize(
    ("finds", "last"),
    [
        pytest.param("aaabbbcccdddX", "X", id="something new every three seconds"),
        pytest.param("aaabbbbbbbbbX", "b", id="nothing new for five seconds"),
    ],
)
def test_what_moves_is_watched_on(monkeypatch: pytest.MonkeyPatch, finds: str, last: str) -> None:
    """A look takes no time here, and the pause after it a second."""
    clock = [0.0]

    def pause(_: float) -> None:
        clock[0] += 1

    monkeypatch.setattr("maillab.trace.watch.time.monotonic", lambda: clock[0])
    monkeypatch.setattr("maillab.trace.watch.time.sleep", pause)
    looks = iter(finds)
    assert watch.watch(lambda: next(looks), lambda found: found == "X", 5) == last


def test_machine_that_takes_no_messages_is_an_error(tutorial: Model) -> None:
    def full(asked: Asked) -> str:
        if asked.command[0] == "bash":
            raise MachineError("outside: `bash` failed: no space left")
        return "100\n"

    sending = Postman(FakeMachines(answer=full), tutorial.plans)
    with pytest.raises(MachineError, match="no space left"):
        sending.send(sending.messages([(STRANGER, CHEN)]))


@pytest.mark.parametrize("writer", [STRANGER, TEACHER])
def test_message_has_its_body_on_both_ways(writer: Writer) -> None:
    message = Message(writer=writer, recipient="chen@dc1es.tnc.edu.tw", message_id="1@x", body="x" * 100)
    handed_in = message.sent.raw if writer.client else base64.b64decode(message.line.split()[-1])
    assert handed_in.split()[-2:] == [b"1@x", b"x" * 100]
