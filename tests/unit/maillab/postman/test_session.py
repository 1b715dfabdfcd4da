"""The program that speaks SMTP on the machines, with a server of the test's own; and what is read of its output."""

import socketserver
from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import ip_address

import pytest

from maillab.postman.message import Message
from maillab.postman.send import Answer, send
from maillab.postman.session import SCRIPT, Replies, Reply, hand_in
from maillab.postman.way import Way
from maillab.trace.machines import MachineError
from tests.unit.labs import Model
from tests.unit.maillab.postman.here import Here, listening
from tests.unit.maillab.verify.fakes import Asked, FakeMachines

CHEN = "chen@b.tw"
HELLO = ["220 b.tw ESMTP", "250-b.tw\r\n250-SIZE 1000\r\n250 SMTPUTF8"]
GOOD = [*HELLO, "250 2.1.0 Ok", "250 2.1.5 Ok", "354 go on", "250 2.0.0 Ok: queued as 4abcDEF1234"]


@dataclass(slots=True)
class Served:
    """What a server says, reply by reply in each session, and the lines that it heard."""

    port: int = 0
    sessions: list[list[str]] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)


class Talk(socketserver.StreamRequestHandler):
    """A session: each reply after one more line (after a message, its end); then it hangs up."""

    def handle(self) -> None:
        """Speaks."""
        served: Served = self.server.played  # type: ignore[attr-defined]
        for reply in served.sessions.pop(0):
            self.wfile.write(f"{reply}\r\n".encode())
            line = self.rfile.readline().decode()
            while reply.startswith("354") and line and line != ".\r\n":
                served.heard.append(line.removesuffix("\r\n"))
                line = self.rfile.readline().decode()
            served.heard.append(line.removesuffix("\r\n"))


@pytest.fixture
def served() -> Iterator[Served]:
    found = Served()
    with listening(Talk, found) as found.port:
        yield found


def messages(*recipients: str, sender: str = "a@b.tw", body: str = "hello") -> list[Message]:
    return [Message(sender=sender, recipient=one, body=body) for one in recipients]


def talk(port: int, *recipients: str, sender: str = "a@b.tw", seconds: int = 20, body: str = "hello") -> list[Replies]:
    address = ip_address("127.0.0.1")
    way = Way(client="here", source=address, server="there", address=address, helo="client.b.tw")
    asked = messages(*recipients, sender=sender, body=body)
    return hand_in(Here(prefix="", port=port), way, asked, seconds)


def test_every_step_has_its_reply(served: Served) -> None:
    served.sessions = [GOOD]
    ((*steps, last),) = talk(served.port, CHEN)
    assert [(one.step.partition(" ")[0], one.code) for one in steps] == [
        ("connect", 220),
        ("EHLO", 250),
        ("MAIL", 250),
        ("RCPT", 250),
        ("DATA", 354),
    ]
    assert last == Reply(step=".", code=250, lines=("250 2.0.0 Ok: queued as 4abcDEF1234",))


def test_server_hears_the_envelope_and_the_size(served: Served) -> None:
    served.sessions = [GOOD]
    talk(served.port, CHEN)
    assert served.heard[0] == "EHLO client.b.tw"
    assert served.heard[1].startswith("MAIL FROM:<a@b.tw> SIZE=")
    assert served.heard[2] == "RCPT TO:<chen@b.tw>"


def test_dots_at_the_beginning_of_lines_are_doubled(served: Served) -> None:
    served.sessions = [GOOD]
    talk(served.port, CHEN, body="first\n.\n.last")
    assert [line for line in served.heard if line.startswith(".")] == ["..", "..last", "."]


def test_refused_recipient_is_where_it_ends(served: Served) -> None:
    served.sessions = [[*GOOD[:3], "550-5.1.1 nobody\r\n550 5.1.1 here", "250 2.0.0 Ok"]]
    (replies,) = talk(served.port, "nobody@b.tw")
    assert replies[-1] == Reply(step="RCPT TO:<nobody@b.tw>", code=550, lines=("550-5.1.1 nobody", "550 5.1.1 here"))
    assert replies[-1].status == "5.1.1"


def test_further_message_goes_in_the_same_session(served: Served) -> None:
    served.sessions = [[*GOOD[:3], "550 5.1.1 nobody", "250 reset", *GOOD[2:]]]
    first, second = talk(served.port, "nobody@b.tw", CHEN)
    assert (first[-1].code, second[-1].code) == (550, 250)
    assert second[0].step.startswith("MAIL FROM")


def test_server_that_ends_the_session_is_connected_to_again(served: Served) -> None:
    served.sessions = [[*GOOD[:2], "421 4.7.0 too much"], GOOD]
    first, second = talk(served.port, CHEN, CHEN)
    assert (first[-1].code, second[0].step, second[-1].code) == (421, "connect", 250)


def test_server_that_hangs_up_has_no_reply(served: Served) -> None:
    served.sessions = [[*GOOD[:2]], GOOD]
    first, second = talk(served.port, CHEN, CHEN)
    assert first[-1] == Reply(step=first[-1].step, code=0, lines=("the server closed the connection",))
    assert first[-1].step.startswith("MAIL FROM")
    assert second[-1].code == 250


def test_nobody_there_is_an_answer_for_every_message(served: Served) -> None:
    with socketserver.TCPServer(("127.0.0.1", 0), Talk) as closed:
        port = closed.server_address[1]
    assert served.port != port
    first, second = talk(port, CHEN, CHEN)
    assert first == second
    assert (first[0].step, first[0].code) == ("connect", 0)
    assert "refused" in first[0].text.lower()


def test_server_that_says_nothing_is_given_up() -> None:
    with socketserver.TCPServer(("127.0.0.1", 0), Talk) as silent:  # it listens, and nobody accepts
        first, second = talk(silent.server_address[1], CHEN, CHEN, seconds=1)
    assert first == second == (Reply(step="connect", code=0, lines=("timed out",)),)


def test_greeting_that_refuses_is_the_answer(served: Served) -> None:
    served.sessions = [["554 5.7.1 not you"]]
    (replies,) = talk(served.port, CHEN)
    assert [(one.step, one.code) for one in replies] == [("connect", 554)]


def test_server_that_knows_no_ehlo_hears_helo(served: Served) -> None:
    served.sessions = [[HELLO[0], "502 what", "250 b.tw", *GOOD[2:]]]
    (replies,) = talk(served.port, CHEN)
    assert replies[2].step == "HELO client.b.tw"
    assert replies[-1].code == 250
    assert "MAIL FROM:<a@b.tw>" in served.heard, "it offers no SIZE"


def test_chinese_address_goes_with_smtputf8(served: Served) -> None:
    served.sessions = [GOOD]
    (replies,) = talk(served.port, "陳@b.tw")
    assert served.heard[1].endswith(" SMTPUTF8")
    assert replies[3].step == "RCPT TO:<陳@b.tw>"


def test_chinese_address_is_not_forced_upon_a_server_without_it(served: Served) -> None:
    served.sessions = [[HELLO[0], "250 b.tw", "250 bye"]]
    (replies,) = talk(served.port, "陳@b.tw")
    assert replies[-1].code == 0
    assert "does not offer SMTPUTF8" in replies[-1].text


@pytest.mark.parametrize(
    ("printed", "taken", "queue_id", "refused"),
    [
        pytest.param("reply 0 250 .\n 250 2.0.0 Ok: queued as 4abcDEF1234\n", True, "4abcDEF1234", None, id="taken"),
        pytest.param("reply 0 250 .\n 250 fine\n", True, None, None, id="by a server that names no queue"),
        pytest.param("reply 0 250 RCPT TO:<a@b.tw>\n 250 ok\n", False, None, 250, id="no end"),
        pytest.param("reply 0 552 .\n 552 5.3.4 large\n", False, None, 552, id="refused"),
        pytest.param("reply 0 0 connect\n timed out\n", False, None, 0, id="not reached"),
    ],
)
def test_answer_is_that_of_the_last_step(
    tutorial: Model, printed: str, taken: bool, queue_id: str | None, refused: int | None
) -> None:
    answer = sent(tutorial, printed)
    assert (answer.taken, answer.queue_id) == (taken, queue_id)
    assert (answer.refusal.code if answer.refusal else None) == refused


def sent(tutorial: Model, printed: str) -> Answer:
    message = Message(sender="friend@example.com", recipient=CHEN, via="mail")
    return send(FakeMachines(answer=lambda _: printed), tutorial.plan, message)


def test_message_is_handed_in_on_the_senders_machine(tutorial: Model) -> None:
    machines = FakeMachines(answer=lambda _: "reply 0 250 .\n 250 ok\n")
    message = Message(sender="friend@example.com", recipient=CHEN, via="mail")
    send(machines, tutorial.plan, message, seconds=7)
    asked: Asked
    (asked,) = machines.asked
    command = ("perl", "-e", SCRIPT, "163.26.182.2", "25", "198.51.100.10", "mail.example.com", "7")
    assert (asked.machine, asked.command) == ("outside", command)
    assert asked.text.startswith(f"<friend@example.com> <{CHEN}> - {len(message.raw)}\n")


def test_session_without_a_word_is_an_error(tutorial: Model) -> None:
    with pytest.raises(MachineError, match="ended without a word"):
        sent(tutorial, "")
