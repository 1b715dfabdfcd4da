"""RCPT from every source: what is asked, what should be answered, and how it is asked."""

import socketserver
import subprocess
import threading
from collections.abc import Iterator

import pytest

from maillab.verify.cells import cells
from maillab.verify.relay_probe import SCRIPT, ask_servers
from maillab.verify.relays import TAKEN, Question, predict_answers, questions
from tests.unit.labs import Model
from tests.unit.maillab.verify.fakes import FakeMachines

SERVERS = {"mail", "mail2", "spamfilter", "tn", "outside"}


@pytest.fixture(scope="module")
def asked(tutorial: Model) -> list[Question]:
    """Every question to the tutorial's lab."""
    return questions(tutorial.post, cells(tutorial.lab, tutorial.plans))


def test_every_server_is_asked_over_every_connection_to_its_port_25(tutorial: Model, asked: list[Question]) -> None:
    wanted = {cell for cell in cells(tutorial.lab, tutorial.plans) if cell.port == 25 and cell.target in SERVERS}
    assert {question.cell for question in asked} == wanted


def test_every_stranger_is_a_recipient_at_each_server(tutorial: Model, asked: list[Question]) -> None:
    domains = {sender.domain for sender in tutorial.lab.internet.senders} | {"tn.edu.tw"}
    for server in ("mail", "mail2", "spamfilter"):
        found = {q.recipient.partition("@")[2] for q in asked if q.cell.target == server and q.sender == "<>"}
        assert found == domains


def test_nobody_is_asked_about_his_own_people(asked: list[Question]) -> None:
    assert [
        q for q in asked if q.cell.target == "tn" and q.recipient.endswith("@tn.edu.tw") and "%" not in q.recipient
    ] == []


def test_senders_are_strangers_nobody_and_the_servers_own(asked: list[Question]) -> None:
    senders = {question.sender.partition("@")[0] for question in asked}
    assert senders == {"relay", "<>", "postmaster"}
    own = {q.sender for q in asked if q.cell.target == "mail2" and q.sender.startswith("postmaster")}
    assert own == {"postmaster@mail2.dc1es.tnc.edu.tw"}


@pytest.mark.parametrize(
    ("source", "server", "recipient", "answer"),
    [
        pytest.param("140.116.2.10", "mail", "", "5.7.1", id="who may connect is a stranger all the same"),
        pytest.param("198.51.100.66", "spamfilter", "", "5.7.1", id="a spammer at the filter"),
        pytest.param("163.26.182.100", "mail", "", TAKEN, id="the school"),
        pytest.param("163.26.182.249", "mail", "", "5.7.1", id="the filter at the server"),
        pytest.param("163.26.182.2", "spamfilter", "", TAKEN, id="the server at the filter"),
        pytest.param("163.26.182.2", "tn", "", "5.7.1", id="the school at the other domain"),
        pytest.param("140.116.2.10", "mail", "%", "5.7.1", id="by way of the server's address"),
        pytest.param("163.26.182.100", "mail", "%", TAKEN, id="the school, by way of the server's address"),
        pytest.param("163.26.182.2", "spamfilter", "%", "5.1.1", id="the server, by way of the filter's domain"),
    ],
)
def test_what_is_answered(tutorial: Model, source: str, server: str, recipient: str, answer: str) -> None:
    found = predict_answers(tutorial.post, questions(tutorial.post, cells(tutorial.lab, tutorial.plans)))
    chosen = {
        answer
        for q, answer in found.items()
        if (str(q.cell.source.address), q.cell.target) == (source, server) and ("%" in q.recipient) is bool(recipient)
    }
    assert chosen == {answer}


def test_questions_are_asked_by_their_sources(asked: list[Question]) -> None:
    machines = FakeMachines(
        answer=lambda given: "".join(f"{line.split()[0]} 5.7.1\n" for line in given.text.splitlines())
    )
    some = [question for question in asked if question.cell.source.machine in ("outside", "tn")]
    assert ask_servers(machines, some) == dict.fromkeys(some, "5.7.1")
    assert sorted(given.machine for given in machines.asked) == ["outside", "tn"]


def test_question_is_a_line(asked: list[Question]) -> None:
    machines = FakeMachines(answer=lambda _: "0 accepted\n")
    ask_servers(machines, [question for question in asked if question.sender == "<>"][:1])
    assert [given.text for given in machines.asked] == ["0 163.26.182.1 163.26.182.2 <> <tnuser@tn.edu.tw>\n"]


class Server(socketserver.StreamRequestHandler):
    """Takes a@b.tw, refuses c@d.tw, and says nothing more when it is asked for e@f.tw."""

    def handle(self) -> None:
        """One session."""
        self.say("220-here")
        self.say("220 ready")
        for line in self.rfile:
            words = line.decode().strip()
            if words == "RCPT TO:<e@f.tw>":
                self.rfile.read()
                return
            self.say("554 5.7.1 <c@d.tw>: no" if words == "RCPT TO:<c@d.tw>" else "250 2.1.5 Ok")

    def say(self, words: str) -> None:
        """One line."""
        self.wfile.write(f"{words}\r\n".encode())


@pytest.fixture(scope="module")
def script() -> Iterator[str]:
    """The script, with the port of a server of the test's own."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Server) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield SCRIPT.replace("PeerPort => 25", f"PeerPort => {server.server_address[1]}")
        server.shutdown()


def run(script: str, *lines: str, seconds: str = "30") -> list[str]:
    text = "".join(f"{number} 127.0.0.1 {line}\n" for number, line in enumerate(lines))
    done = subprocess.run(["perl", "-e", script, seconds], input=text, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def test_script_says_what_the_server_says(script: str) -> None:
    found = run(script, "127.0.0.1 <> <a@b.tw>", "127.0.0.1 <x@y.tw> <c@d.tw>", "127.0.0.1 <> <a@b.tw>")
    assert found == ["0 accepted", "1 5.7.1", "2 accepted"]


def test_script_asks_a_silent_server_nothing_more(script: str) -> None:
    found = run(script, "127.0.0.1 <> <e@f.tw>", "127.0.0.1 <> <a@b.tw>", seconds="1")
    assert found == ["0 no answer", "1 no answer"]


def test_script_goes_on_after_a_server_that_is_not_there(script: str) -> None:
    assert run(script, "127.0.0.2 <> <a@b.tw>", "127.0.0.1 <> <a@b.tw>")[1] == "1 accepted"
