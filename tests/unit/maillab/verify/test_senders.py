"""A server whose users log in to send: what the prover predicts of it, and how its messages and logins go in."""

from ipaddress import ip_address

import pytest

from components.part import LoginProtocol
from maillab.postman.message import Message
from maillab.postman.way import Login, way_of
from maillab.verify.cells import PORTS, Verdict, cells, predict
from maillab.verify.logins import ACCEPTED, REFUSED, logins, predict_logins
from maillab.verify.messages import Postman
from maillab.verify.pairs import pairs
from maillab.verify.relays import predict_answers, questions
from maillab.verify.routes import Writer
from tests.unit.labs import Data, Model, machine, model
from tests.unit.maillab.verify.fakes import FakeMachines

CHEN, LIN, WENDY, TNUSER = "chen@yaes.example", "lin@yaes.example", "wendy@example.com", "tnuser@tn.edu.tw"
OUTSIDE, HERE = ip_address("198.51.100.10"), ip_address("127.0.0.1")
LOGIN = Login(port=587, host="mail.yaes.example", user="chen", password="lab-chen-2006")


@pytest.fixture(scope="module")
def given() -> Model:
    return model(stack="standalone")


def without_auth() -> Model:
    return model(lambda data: machine(data, "mail")["mail"].pop("auth"), "standalone")


@pytest.mark.parametrize(
    ("sender", "recipient", "code"),
    [
        pytest.param(WENDY, LIN, "", id="a stranger to a user"),
        pytest.param(WENDY, TNUSER, "5.7.1", id="a stranger to a stranger"),
        pytest.param(CHEN, LIN, "5.7.1", id="a user's name to a user"),
        pytest.param("CHEN@Yaes.Example", LIN, "5.7.1", id="in capitals"),
        pytest.param("nobody@mail.yaes.example", LIN, "5.7.1", id="nobody's name in the domain"),
        pytest.param("", LIN, "", id="a bounce"),
    ],
)
def test_nobody_sends_in_a_users_name(given: Model, sender: str, recipient: str, code: str) -> None:
    assert given.post.servers.refusal("mail", OUTSIDE, recipient, sender) == code


@pytest.mark.parametrize("recipient", [LIN, TNUSER])
def test_user_who_has_logged_in_does(given: Model, recipient: str) -> None:
    assert given.post.servers.refusal("mail", OUTSIDE, recipient, CHEN, login="chen") == ""


@pytest.mark.parametrize(
    ("login", "sender", "code"),
    [
        pytest.param("chen", LIN, "5.7.1", id="another user"),
        pytest.param("chen", WENDY, "5.7.1", id="a stranger"),
        pytest.param("chen", "service@yaes.example", "5.7.1", id="an alias of others"),
        pytest.param("admin", "service@yaes.example", "", id="an alias of his"),
        pytest.param("admin", "postmaster@yaes.example", "", id="an alias of an alias of his"),
        pytest.param("chen", "Chen@mail.Yaes.example", "", id="himself at the server"),
    ],
)
def test_who_has_logged_in_sends_as_himself_only(given: Model, login: str, sender: str, code: str) -> None:
    assert given.post.servers.refusal("mail", OUTSIDE, TNUSER, sender, login=login) == code


@pytest.mark.parametrize(
    ("name", "value"),
    [("mynetworks", "127.0.0.0/8, 163.32.182.0/24"), ("smtpd_sender_restrictions", "permit_mynetworks")],
)
def test_nor_does_he_where_others_need_no_login(name: str, value: str) -> None:
    """The ports for logins have restrictions of their own, whatever main.cf says."""
    given = model(lambda data: machine(data, "mail")["mail"].update(main_cf={name: value}), "standalone")
    workstation = ip_address("163.32.182.100")
    assert given.post.servers.refusal("mail", workstation, TNUSER, LIN, login="chen") == "5.7.1"
    assert given.post.servers.refusal("mail", workstation, TNUSER, CHEN, login="chen") == ""


def test_somebody_tries_to_send_as_others(given: Model) -> None:
    """And it is predicted that he can't, but for the aliases that are his."""
    tried = {
        writer.address: {end.what for end in given.post.way(writer, recipient)}
        for writer, recipient in pairs(given.post)
        if writer.login and writer.address.partition("@")[0] != writer.login.user
    }
    assert {address for address, ends in tried.items() if ends == {"5.7.1"}} >= {
        "verify@example.com",
        "manager@yaes.example",
    }
    assert tried["postmaster@yaes.example"] == {"tnuser"}


def test_server_itself_does(given: Model) -> None:
    assert given.post.servers.refusal("mail", HERE, TNUSER, CHEN) == ""


def test_other_servers_know_no_senders() -> None:
    assert without_auth().post.servers.refusal("mail", OUTSIDE, LIN, CHEN) == ""


def test_own_restrictions_count() -> None:
    def edit(data: Data) -> None:
        machine(data, "mail")["mail"]["main_cf"] = {"smtpd_sender_restrictions": "reject_unknown_sender_domain"}

    assert model(edit, "standalone").post.servers.refusal("mail", OUTSIDE, LIN, CHEN) == ""


def test_user_at_the_workstation_logs_in(given: Model) -> None:
    found = {writer.login for writer, _ in pairs(given.post) if writer.client == "workstation"}
    assert {login and (login.port, login.host, login.user) for login in found} == {(587, "mail.yaes.example", "admin")}
    assert {writer.login for writer, _ in pairs(given.post) if writer.client != "workstation"} == {None}


def test_nobody_logs_in_where_nobody_is_asked() -> None:
    assert {writer.login for writer, _ in pairs(without_auth().post)} == {None}


@pytest.mark.parametrize(
    ("login", "end"),
    [
        (LOGIN, "workstation → mail → tn: in the mailbox tnuser"),
        (None, "workstation → mail: refused (5.7.1)"),
    ],
)
def test_way_of_a_users_message(given: Model, login: Login | None, end: str) -> None:
    writer = Writer(address=CHEN, machine="mail", client="workstation", login=login)
    assert {str(found) for found in given.post.way(writer, TNUSER)} == {end}


def test_message_in_a_users_name_comes_from_nowhere_else(given: Model) -> None:
    writer = Writer(address=CHEN, machine="tn")
    assert {str(found) for found in given.post.way(writer, LIN)} == {"tn → mail: refused (5.7.1)"}


def test_own_name_from_outside_is_asked_and_refused(given: Model) -> None:
    asked = [q for q in questions(given.post, cells(given.lab, given.plans)) if q.cell.target == "mail"]
    own = "postmaster@yaes.example"
    found = {
        (question.cell.source.machine, question.cell.address.version, code)
        for question, code in predict_answers(given.post, asked).items()
        if (question.sender, question.recipient) == (own, own)
    }
    assert {code for source, _, code in found if source in ("outside", "workstation", "tn")} == {"5.7.1"}
    assert {(version, code) for source, version, code in found if source == "mail"} == {(4, "accepted"), (6, "5.7.1")}


def test_it_is_asked_of_no_other_server() -> None:
    other = without_auth()
    asked = [(q.sender, q.recipient) for q in questions(other.post, cells(other.lab, other.plans))]
    assert asked
    assert [sender for sender, recipient in asked if sender == recipient] == []


def test_passwords_are_tried_by_smtp(given: Model) -> None:
    asked = [login for login in logins(given.policy, "wrong") if login.protocol is LoginProtocol.SMTP]
    assert {(login.machine, login.port, login.host) for login in asked} == {("mail", 587, "mail.yaes.example")}
    assert [login.user for login in asked if login.is_right] == ["admin", "manager", "service", "chen", "lin"]
    assert set(predict_logins(given.policy, asked).values()) == {ACCEPTED, REFUSED}


def test_submission_ports_are_asked() -> None:
    assert {25, 465, 587} <= PORTS.keys()


def test_password_goes_in_by_stdin(given: Model) -> None:
    machines = FakeMachines(answer=lambda _: "reply 0 250 .\n 250 2.0.0 Ok\n")
    postman = Postman(machines, given.plans)
    writer = Writer(address=CHEN, machine="mail", client="workstation", login=LOGIN)
    postman.send(postman.messages([(writer, TNUSER)]))
    (asked,) = machines.asked
    assert asked.command[3:] == (
        *("163.32.182.2", "587", "163.32.182.100", "workstation.yaes.example"),
        *("30", "mail.yaes.example"),
    )
    assert asked.text.startswith("chen lab-chen-2006\n")


@pytest.mark.parametrize(
    ("sender", "via", "user"),
    [
        pytest.param(CHEN, None, "chen", id="a user"),
        pytest.param("CHEN@yaes.example", None, "chen", id="in capitals"),
        pytest.param("postmaster@yaes.example", None, None, id="an alias"),
        pytest.param(CHEN, "tn", None, id="to another server"),
        pytest.param(WENDY, None, None, id="somebody outside"),
    ],
)
def test_who_logs_in(given: Model, sender: str, via: str | None, user: str | None) -> None:
    way = way_of(given.plan, Message(sender=sender, recipient=TNUSER, subject="x", body="x", via=via))
    assert (way.login.user if way.login else None) == user


def test_password_is_in_no_words(given: Model) -> None:
    assert "lab-chen" not in repr(way_of(given.plan, Message(sender=CHEN, recipient=TNUSER, subject="x", body="x")))


def test_what_the_filter_gives_back_is_taken_from_the_machine_itself_only(given: Model) -> None:
    """Port 10025 sends on whatever comes, unseen."""
    asked = [cell for cell in cells(given.lab, given.plans) if (cell.target, cell.port) == ("mail", 10025)]
    taken = [cell.source for cell in asked if predict(given.policy, cell).verdict is Verdict.ACCEPT]
    assert [(source.machine, str(source.address)) for source in taken] == [("mail", "127.0.0.1")]
    assert len(asked) > 20


def test_where_nobody_filters_nobody_asks_for_its_ports() -> None:
    tutorial = model()
    assert {cell.port for cell in cells(tutorial.lab, tutorial.plans)} == set(PORTS)
