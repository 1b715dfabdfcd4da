"""Questions to name servers, and whose they are."""

from collections.abc import Sequence
from datetime import datetime

import pytest

from maillab.trace.events import Event, Kind
from maillab.trace.found import Messages
from maillab.trace.journey import Stay
from maillab.trace.lines import read_lines
from maillab.trace.questions import Question, QuestionLog, read_questions

OWNERS = {"10.0.0.1": "dns", "10.0.0.2": "mail", "10.0.0.9": "internet", "10.0.0.7": "tn"}
FIRST, SECOND = "BCDFGHJKLMNP", "QRSTVWXYZBCD"


def question(second: str, client: str, name: str, type_: str, answer: str = "") -> str:
    """A line of BIND's: a question, or the `answer` to it."""
    head = f"2026-11-30T08:00:{second} client @0x7fdd92ce0000 {client}#43324 ({name})"
    return f"{head}: {'response' if answer else 'query'}: {name} IN {type_} {answer} + (10.0.0.1)"


def both(second: str, client: str, name: str, type_: str, answer: str = "NOERROR 1 1 5") -> list[str]:
    """A question, and its answer at once."""
    return [question(second, client, name, type_), question(second, client, name, type_, answer)]


def server_log(name: str, *lines: str, offset: str = "+0800") -> QuestionLog:
    return read_questions(name, "\n".join([offset, *lines]))


def mail_line(second: str, program: str, words: str) -> str:
    return f"2026-11-30T08:00:{second}+08:00 mail postfix/{program}[7]: {words}"


def message(
    queue_id: str, recipient: str = "tnuser@tn.edu.tw", relay: str = "mail.tn.edu.tw[10.0.0.7]:25"
) -> list[str]:
    """A message that tn took: active at 10.1, with a connection after 0.2 s, taken at 10.4."""
    to = f"to=<{recipient}>, relay={relay}, delay=0.4, delays=0.1/0/0.2/0.1, dsn=2.0.0"
    return [
        mail_line("10.000000", "smtpd", "connect from tn.example[10.0.0.7]"),
        mail_line("10.010000", "smtpd", f"{queue_id}: client=tn.example[10.0.0.7]"),
        mail_line("10.020000", "cleanup", f"{queue_id}: message-id=<{queue_id}@test.invalid>"),
        mail_line("10.100000", "qmgr", f"{queue_id}: from=<a@tn.example>, size=9, nrcpt=1 (queue active)"),
        mail_line("10.400000", "smtp", f"{queue_id}: {to}, status=sent (250 ok: queued as ZZZZZZZZZZZZ)"),
        mail_line("10.410000", "qmgr", f"{queue_id}: removed"),
    ]


def stay(logs: Sequence[QuestionLog], lines: list[str], queue_id: str = FIRST) -> Stay:
    messages = Messages(logs={"mail": read_lines("\n".join(lines))}, owners=OWNERS, questions=logs)
    (journey,) = messages.named(queue_id)
    return journey.roots[0]


def asked(logs: Sequence[QuestionLog], lines: list[str] | None = None, queue_id: str = FIRST) -> list[Event]:
    events = stay(logs, lines or message(FIRST), queue_id).events
    return [event for event in events if event.kind is Kind.ASKED]


def names(events: list[Event]) -> list[str]:
    return [f"{event.values['type']} {event.values['name']}" for event in events]


def all_of(log: QuestionLog) -> list[Question]:
    day = datetime.fromisoformat("2026-11-30T00:00:00+08:00")
    return list(log.between(day, day.replace(hour=23)))


def test_question_with_its_answer() -> None:
    (found,) = all_of(server_log("dns", *both("10.100", "10.0.0.2", "TN.edu.tw", "MX", "NOERROR 2 1 5")))
    assert (found.name, found.type, found.rcode, found.answers) == ("tn.edu.tw", "MX", "NOERROR", 2)
    assert found.when == found.answered == datetime.fromisoformat("2026-11-30T00:00:10.100+00:00")


def test_answer_to_another_port_is_not_its_own() -> None:
    ask, answer = both("10.100", "10.0.0.2", "tn.edu.tw", "MX")
    (found,) = all_of(server_log("dns", ask, answer.replace("#43324", "#43325")))
    assert (found.rcode, found.answered) == ("", None)


@pytest.mark.parametrize(
    "junk",
    ["", "2026", "2026-11-30T08:00:10.100 client @0x1 nobody: query", "\x1b[2J", "99999", "2026-99-30T08:00:10.100"],
)
def test_what_is_no_line_of_named_is_left_out(junk: str) -> None:
    assert len(all_of(server_log("dns", *both("10.100", "10.0.0.2", "tn.edu.tw", "MX"), junk))) == 1


@pytest.mark.parametrize("offset", ["", "Taipei", "+9999"])
def test_clock_without_an_offset_is_utc(offset: str) -> None:
    log = server_log("dns", question("10.100", "10.0.0.2", "a.tw", "A"), offset=offset)
    assert all_of(log)[0].when.isoformat() == "2026-11-30T08:00:10.100000+00:00"


def test_times_and_numbers_that_there_are_not() -> None:
    """Root on a machine writes what it likes."""
    wrong = question("10.200", "10.0.0.2", "tn.edu.tw", "MX").replace("-11-30T", "-99-30T")
    lines = [one.replace("delays=0.1/0/0.2/0.1", "delays=../0/1.2.3/9") for one in message(FIRST)]
    strange = mail_line("10.000000", "qmgr", f"{FIRST}: removed").replace("-11-30T", "-99-30T")
    log = server_log("dns", *both("10.200", "10.0.0.2", "tn.edu.tw", "MX", f"NOERROR {'9' * 5000} 1 5"), wrong)
    assert names(asked([log], [*lines, strange])) == ["MX tn.edu.tw"]


def test_names_of_the_hop() -> None:
    log = server_log(
        "dns",
        *both("09.990", "10.0.0.2", "7.0.0.10.in-addr.arpa", "PTR"),
        *both("09.991", "10.0.0.2", "tn.example", "A"),
        *both("10.200", "10.0.0.2", "tn.edu.tw", "MX"),
        *both("10.210", "10.0.0.2", "mail.tn.edu.tw", "A"),
    )
    assert names(asked([log])) == ["PTR 7.0.0.10.in-addr.arpa", "A tn.example", "MX tn.edu.tw", "A mail.tn.edu.tw"]


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(question("10.200", "10.0.0.7", "tn.edu.tw", "MX"), id="of another machine"),
        pytest.param(question("10.200", "10.0.0.2", "else.edu.tw", "MX"), id="about another name"),
        pytest.param(question("09.000", "10.0.0.2", "tn.edu.tw", "MX"), id="before the hop"),
        pytest.param(question("10.500", "10.0.0.2", "tn.edu.tw", "MX"), id="after the hop"),
        pytest.param(question("10.030", "10.0.0.2", "tn.edu.tw", "MX"), id="before the queue manager had it"),
    ],
)
def test_question_that_does_not_belong(line: str) -> None:
    assert asked([server_log("dns", line)]) == []
    assert names(asked([server_log("dns", question("10.200", "10.0.0.2", "tn.edu.tw", "MX"))])) == ["MX tn.edu.tw"]


def test_hosts_of_an_answer_belong_where_nobody_else_asks() -> None:
    lines = [*both("10.200", "10.0.0.2", "tn.edu.tw", "MX"), *both("10.210", "10.0.0.2", "second.tn.edu.tw", "A")]
    assert names(asked([server_log("dns", *lines)])) == ["MX tn.edu.tw", "A second.tn.edu.tw"]
    beside = [*message(FIRST), *message(SECOND, "x@example.com", "mx.example.com[10.0.0.7]:25")]
    assert names(asked([server_log("dns", *lines)], beside)) == ["MX tn.edu.tw"]


def test_question_that_may_be_anothers_is_marked() -> None:
    log = server_log("dns", *both("10.200", "10.0.0.2", "tn.edu.tw", "MX"))
    (event,) = asked([log], [*message(FIRST), *message(SECOND)])
    assert event.values["shared"] == "1"
    (event,) = asked([log])
    assert "shared" not in event.values


def test_what_the_name_server_asked_in_its_turn() -> None:
    ask, answer = both("10.200", "10.0.0.2", "tn.edu.tw", "MX")
    inside = server_log("dns", ask, answer.replace("10.200", "10.220"))
    lines = [question("10.204", "10.0.0.1", "edu.tw", "NS"), question("10.208", "10.0.0.1", "tn.edu.tw", "MX")]
    others = [question("10.208", "10.0.0.1", "com", "NS"), question("10.208", "10.0.0.7", "tn.edu.tw", "MX")]
    (event,) = asked([inside, server_log("internet", *lines, *others)])
    assert (event.values["upstream"], event.values["steps"]) == ("internet", "2")


def test_asked_again_at_each_try_comes_once() -> None:
    to = "to=<tnuser@tn.edu.tw>, relay=none, delay=1, delays=0/0/0.1/0, dsn=4.4.3, status=deferred (Host not found)"
    tries = [
        mail_line("10.020000", "cleanup", f"{FIRST}: message-id=<a@test.invalid>"),
        mail_line("10.100000", "qmgr", f"{FIRST}: from=<>, size=9, nrcpt=1 (queue active)"),
        mail_line("10.200000", "smtp", f"{FIRST}: {to}"),
        mail_line("20.100000", "qmgr", f"{FIRST}: from=<>, size=9, nrcpt=1 (queue active)"),
        mail_line("20.200000", "smtp", f"{FIRST}: {to}"),
    ]
    answers = [both(at, "10.0.0.2", "tn.edu.tw", "MX", "SERVFAIL 0 0 1") for at in ("10.150", "20.150")]
    (event,) = asked([server_log("dns", *answers[0], *answers[1])], tries)
    assert (event.times, f"{event.latest:%S}", event.values["rcode"]) == (2, "20", "SERVFAIL")


def test_of_two_connections_it_is_the_last_question() -> None:
    pointer = "7.0.0.10.in-addr.arpa"
    first, last = (both(at, "10.0.0.2", pointer, "PTR") for at in ("09.000", "09.900"))
    (event,) = asked([server_log("dns", *first, *last)])
    assert (event.when.microsecond, event.times) == (900_000, 1)


def test_stands_before_what_it_was_for() -> None:
    log = server_log(
        "dns", *both("09.990", "10.0.0.2", "tn.example", "A"), *both("10.099", "10.0.0.2", "tn.edu.tw", "MX")
    )
    one = stay([log], message(FIRST))
    kinds = [event.kind for event in one.events]
    assert kinds == [Kind.ASKED, Kind.CONNECTED, Kind.QUEUED, Kind.ASKED, Kind.PASSED]
    assert f"{one.began:%S.%f}" == "10.000000"  # its own first line


def test_filter_asks_about_sender_and_client() -> None:
    verdict = "rspamd_task_write_log: id: <a@test.invalid>, qid: <%s>, ip: 10.0.0.7, (default: F (no action): [0/15] []"
    held = [*message(FIRST)[:3], mail_line("10.050000", "rspamd_proxy", verdict % FIRST), *message(FIRST)[3:]]
    wanted = ["_dmarc.tn.example", "7.0.0.10.zen.spamhaus.org"]
    lines = [question("10.030", "10.0.0.2", name, "TXT") for name in (*wanted, "else.example")]
    assert names(asked([server_log("dns", *lines)], held)) == [f"TXT {name}" for name in wanted]
