"""Passwords: who is tried where, who should get in, and how it is tried."""

import socketserver
import subprocess
import threading
from collections.abc import Iterator

import pytest

from components.part import LoginProtocol
from maillab.verify.login_probe import SCRIPTS, try_logins
from maillab.verify.logins import ACCEPTED, NO_CONNECTION, REFUSED, USERS, Login, logins, predict_logins, untried_users
from tests.unit.labs import Model, machine, model, without_port
from tests.unit.maillab.verify.fakes import FakeMachines

SCRIPT = SCRIPTS[LoginProtocol.POP3]


def tried(given: Model) -> list[Login]:
    return logins(given.policy, "wrong")


def test_every_user_of_every_server_is_tried_with_his_password(tutorial: Model) -> None:
    found = {(login.machine, login.user): login.password for login in tried(tutorial) if login.is_right}
    assert {name for name, _ in found} == {"mail", "mail2", "tn"}
    assert found["mail", "chen"] == "lab-chen-2006"
    assert len(found) == 12


def test_one_user_of_every_server_is_tried_with_a_wrong_password(tutorial: Model) -> None:
    found = [(login.machine, login.password) for login in tried(tutorial) if not login.is_right]
    assert sorted(found) == [("mail", "wrong"), ("mail2", "wrong"), ("tn", "wrong")]


def test_password_is_in_no_words(tutorial: Model) -> None:
    assert "lab-" not in repr(tried(tutorial))


def test_right_passwords_get_in_and_wrong_ones_do_not(tutorial: Model) -> None:
    found = predict_logins(tutorial.policy, tried(tutorial))
    assert {(login.is_right, said) for login, said in found.items()} == {(True, ACCEPTED), (False, REFUSED)}


def test_server_without_pop3_is_not_tried(tutorial: Model) -> None:
    given = without_port(tutorial, "mail2", 110)
    assert {login.machine for login in tried(given)} == {"mail", "tn"}


def test_packet_filter_may_keep_everybody_out() -> None:
    rule = {"action": "DROP", "port": 110, "source": "127.0.0.0/8"}
    given = model(lambda data: data["schools"][0]["firewall"]["mail"].insert(0, rule))
    found = predict_logins(given.policy, tried(given))
    assert {said for login, said in found.items() if login.machine == "mail"} == {NO_CONNECTION}


def test_users_beyond_the_limit_are_named() -> None:
    users = [{"name": f"u{number}", "password": "x"} for number in range(USERS + 3)]
    given = model(lambda data: machine(data, "mail2")["mail"].update(users=users, aliases=[]))
    assert untried_users(given.policy) == ["the passwords of 3 further users of mail2"]
    assert len([login for login in tried(given) if login.machine == "mail2" and login.is_right]) == USERS


def test_passwords_come_by_stdin(tutorial: Model) -> None:
    machines = FakeMachines(answer=lambda asked: "".join(f"{n} refused\n" for n in range(len(asked.text.splitlines()))))
    found = try_logins(machines, tried(tutorial))
    assert set(found.values()) == {REFUSED}
    assert not [asked for asked in machines.asked if any("lab-" in word for word in asked.command)]
    assert [asked for asked in machines.asked if "0 admin lab-admin-2006\n" in asked.text]


class Server(socketserver.StreamRequestHandler):
    """chen's password is right; lin's mailbox is in use; wang's session ends; nobody else gets in."""

    def handle(self) -> None:
        """One session."""
        self.say("+OK ready")
        user = ""
        for line in self.rfile:
            word, _, rest = line.decode().strip().partition(" ")
            if word == "USER":
                user = rest
                self.say("+OK")
            elif user == "wang":
                return
            elif rest == "right words":
                self.say("-ERR [IN-USE] Mailbox in use" if user == "lin" else "+OK opened mailbox")
            else:
                self.say("-ERR [AUTH] Bad login")

    def say(self, words: str) -> None:
        """One line."""
        self.wfile.write(f"{words}\r\n".encode())


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """The port of a server of the test's own."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Server) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def run(port: int, *lines: str) -> list[str]:
    done = subprocess.run(
        ["perl", "-e", SCRIPT, "127.0.0.1", str(port), "30"],
        input="".join(lines),
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        pytest.param("chen right words", "accepted", id="right, with a space"),
        pytest.param("chen wrong", "refused", id="wrong"),
        pytest.param("lin right words", "accepted", id="in use"),
        pytest.param("lin wrong", "refused", id="in use and wrong"),
        pytest.param("wang right words", "no connection", id="hung up"),
    ],
)
def test_script_says_what_came_of_a_login(port: int, line: str, said: str) -> None:
    assert run(port, f"7 {line}\n") == [f"7 {said}"]


def test_script_tries_more_than_go_side_by_side(port: int) -> None:
    found = run(port, *(f"{number} chen right words\n" for number in range(45)))
    assert found == [f"{number} accepted" for number in range(45)]


def test_script_says_that_nobody_answers() -> None:
    assert run(9, "0 chen x\n") == ["0 no connection"]
