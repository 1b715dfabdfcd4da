"""Whose mailbox it is and where, and what POP3 says of it: the program runs against a server of the test's own."""

import socketserver
from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import ip_address

import pytest

from maillab.postman.mailboxes import MOST, SCRIPT, Fetched, Mailbox, Pop3Error, Stored, fetch, mailbox_of, users
from maillab.postman.problem import Fault, PostError
from tests.unit.labs import Model
from tests.unit.maillab.postman.here import Here, listening
from tests.unit.maillab.verify.fakes import FakeMachines

FIRST = b"Subject: one\n\nhello\n.\n..two dots\n"
SECOND = "Subject: 二\n\n".encode("big5") + bytes(range(128, 256)) + b"\n"


@pytest.mark.parametrize(
    ("name", "server", "client", "address"),
    [
        ("chen", "mail", "workstation", "163.26.182.2"),
        ("Chen@DC1es.tnc.edu.tw", "mail", "workstation", "163.26.182.2"),
        ("chen@dns.dc1es.tnc.edu.tw", "mail", "workstation", "163.26.182.2"),
        ("admin", "mail", "workstation", "163.26.182.2"),
        ("admin@mail2.dc1es.tnc.edu.tw", "mail2", "workstation", "163.26.182.8"),
        ("kao", "mail2", "workstation", "163.26.182.8"),
        ("tnuser", "tn", "tn", "127.0.0.1"),
    ],
)
def test_mailbox_of_a_user(tutorial: Model, name: str, server: str, client: str, address: str) -> None:
    found = mailbox_of(tutorial.plan, name)
    assert (found.server, found.client, str(found.address), found.port) == (server, client, address, 110)
    assert found.password.startswith(("lab-", "tn"))


def test_password_is_not_shown_by_accident(tutorial: Model) -> None:
    found = mailbox_of(tutorial.plan, "chen")
    assert found.password not in repr(found)


@pytest.mark.parametrize("name", ["chne", "chen@mail2.dc1es.tnc.edu.tw", "webmaster", "friend@example.com", ""])
def test_nobodys_mailbox_is_refused_with_those_that_there_are(tutorial: Model, name: str) -> None:
    with pytest.raises(PostError) as caught:
        mailbox_of(tutorial.plan, name)
    assert (caught.value.fault, caught.value.known) == (Fault.USER, tuple(users(tutorial.plan)))


def test_everybody_who_is_named_has_a_mailbox(tutorial: Model, onehost: Model) -> None:
    for given in (tutorial, onehost):
        assert users(given.plan)
        for name in users(given.plan):
            assert mailbox_of(given.plan, name).user == name.partition("@")[0]


@dataclass(slots=True)
class Drop:
    """A server with two messages, for `chen` with the password `good`; `fault`: its answer to that command instead."""

    port: int = 0
    fault: dict[str, str] = field(default_factory=dict)
    deleted: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)


class Talk(socketserver.StreamRequestHandler):
    """A session."""

    def handle(self) -> None:
        """Answers."""
        drop: Drop = self.server.played  # type: ignore[attr-defined]
        texts = {"1": FIRST, "2": SECOND}
        self.say(drop.fault.get("", "+OK ready"))
        for line in self.rfile:
            verb, *words = line.decode().split()
            if verb in drop.fault:
                self.say(drop.fault[verb])
            elif verb == "PASS":
                self.say("+OK" if words == ["good", "word"] else "-ERR [AUTH] Bad login")
            elif verb == "LIST":
                self.say("+OK\r\n" + "".join(f"{n} {len(text)}\r\n" for n, text in texts.items()) + ".")
            elif verb in ("TOP", "RETR"):
                text = texts[words[0]] if verb == "RETR" else texts[words[0]].partition(b"\n\n")[0] + b"\n\n"
                self.say("+OK")
                self.wfile.write(text.replace(b"\n.", b"\n..").replace(b"\n", b"\r\n") + b".\r\n")
            else:
                drop.deleted += words if verb == "DELE" else []
                drop.gone += drop.deleted if verb == "QUIT" else []
                self.say("+OK")

    def say(self, words: str) -> None:
        """One answer."""
        self.wfile.write(f"{words}\r\n".encode())


@pytest.fixture
def drop() -> Iterator[Drop]:
    found = Drop()
    with listening(Talk, found) as found.port:
        yield found


def look(port: int, number: int | None = None, *, password: str = "good word", delete: bool = False) -> Fetched:
    address = ip_address("127.0.0.1")
    box = Mailbox(user="chen", password=password, client="here", server="there", address=address, port=port)
    return fetch(Here(prefix=""), box, number, delete=delete, seconds=20)


def test_list_has_the_headers_and_the_sizes(drop: Drop) -> None:
    first, second = (text.partition(b"\n\n")[0] + b"\n\n" for text in (FIRST, SECOND))
    messages = (
        Stored(number=1, size=len(FIRST), raw=first),
        Stored(number=2, size=len(SECOND), raw=second),
    )
    assert look(drop.port) == Fetched(total=2, messages=messages)


@pytest.mark.parametrize(("number", "text"), [(1, FIRST), (2, SECOND)])
def test_message_comes_byte_by_byte(drop: Drop, number: int, text: bytes) -> None:
    (message,) = look(drop.port, number).messages
    assert (message.number, message.raw) == (number, text)
    assert drop.gone == []


def test_deleted_message_is_shown_first_and_goes_with_the_end_of_the_session(drop: Drop) -> None:
    (message,) = look(drop.port, 2, delete=True).messages
    assert (message.raw, drop.gone) == (SECOND, ["2"])


@pytest.mark.parametrize(
    ("fault", "step", "words"),
    [
        pytest.param({"": "-ERR closed today"}, "greeting", "closed today", id="greeting"),
        pytest.param({"PASS": "-ERR [IN-USE] locked"}, "login", "[IN-USE] locked", id="in use"),
        pytest.param({"USER": "-ERR no"}, "user", "no", id="user"),
        pytest.param({"RETR": "-ERR [SYS/TEMP] disk"}, "get", "[SYS/TEMP] disk", id="message"),
        pytest.param({"QUIT": "-ERR not removed"}, "quit", "not removed", id="end"),
    ],
)
def test_server_that_refuses_is_quoted(drop: Drop, fault: dict[str, str], step: str, words: str) -> None:
    drop.fault = fault
    with pytest.raises(Pop3Error) as caught:
        look(drop.port, 1)
    assert (caught.value.step, caught.value.words) == (step, words)


def test_wrong_password(drop: Drop) -> None:
    with pytest.raises(Pop3Error, match=r"login: \[AUTH\] Bad login"):
        look(drop.port, password="bad")


def test_message_that_is_not_there(drop: Drop) -> None:
    with pytest.raises(Pop3Error, match="number: no such message"):
        look(drop.port, 3)


def test_nobody_answers() -> None:
    with socketserver.TCPServer(("127.0.0.1", 0), Talk) as closed:
        port = closed.server_address[1]
    with pytest.raises(Pop3Error, match=r"(?i)connect: .*refused"):
        look(port)


def test_session_that_broke_off_is_no_empty_mailbox(tutorial: Model) -> None:
    with pytest.raises(Pop3Error, match="ended early"):
        fetch(FakeMachines(answer=lambda _: "total 0\n"), mailbox_of(tutorial.plan, "chen"))


def test_password_is_on_no_command_line(tutorial: Model) -> None:
    machines = FakeMachines(answer=lambda _: "total 0\ndone\n")
    fetch(machines, mailbox_of(tutorial.plan, "chen"), seconds=7)
    (asked,) = machines.asked
    assert (asked.machine, asked.command) == ("workstation", ("perl", "-e", SCRIPT, "163.26.182.2", "110", "7"))
    assert asked.text == f"chen\nlab-chen-2006\nlist {MOST}\n"
