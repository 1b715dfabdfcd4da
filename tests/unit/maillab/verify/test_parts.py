"""The prover asks the parts: what it predicts and tries is what they say, whatever their programs are."""

from dataclasses import replace
from ipaddress import IPv4Address, ip_address, ip_network

import pytest

from components.config.mynetworks import Networks
from components.part import MailService, Part
from maillab.verify.cells import cells
from maillab.verify.logins import logins, predict_logins
from maillab.verify.messages import Postman
from maillab.verify.pairs import pairs
from maillab.verify.relays import questions
from maillab.verify.sweep import sweep_queues
from tests.unit.labs import Model, with_part
from tests.unit.maillab.verify.fakes import FakeMachines

SENDER, CHEN = "verify+v4@example.com", "chen@dc1es.tnc.edu.tw"
SPAMMER = ip_address("198.51.100.66")
STRANGER = "tnuser@tn.edu.tw"


def part_of(given: Model, machine: str) -> Part:
    return given.plans[machine].part


def service_of(given: Model, machine: str) -> MailService:
    service = part_of(given, machine).mail
    assert service is not None
    return service


def with_service(given: Model, machine: str, service: MailService | None) -> Model:
    return with_part(given, machine, replace(part_of(given, machine), mail=service))


@pytest.fixture
def other_program(tutorial: Model) -> Model:
    """The mail server is of another program than Postfix."""
    part = part_of(tutorial, "mail")
    roles = tuple("exim" if role == "postfix" else role for role in part.roles)
    return with_part(tutorial, "mail", replace(part, roles=roles))


def asked_of(given: Model) -> set[str]:
    return {question.cell.target for question in questions(given.post, cells(given.lab, given.plans))}


def test_mail_server_of_another_program_is_asked(other_program: Model) -> None:
    assert asked_of(other_program) == {"mail", "mail2", "spamfilter", "tn", "outside"}
    assert any(writer.machine == "mail" and writer.client == "outside" for writer, _ in pairs(other_program.post))


def test_its_log_is_read(other_program: Model) -> None:
    postman = Postman(FakeMachines(), other_program.plans)
    with postman.at_work():
        assert set(postman.logs()) == {"mail", "mail2", "spamfilter", "tn", "outside"}


def test_machine_without_a_mail_server_is_not_asked(tutorial: Model) -> None:
    given = with_service(tutorial, "mail2", None)
    assert asked_of(given) == {"mail", "spamfilter", "tn", "outside"}


def test_clients_that_the_part_trusts_may_relay(tutorial: Model) -> None:
    assert tutorial.post.servers.refusal("mail", SPAMMER, STRANGER) == "5.7.1"
    everybody = Networks(((ip_network("0.0.0.0/0"), True),))
    given = with_service(tutorial, "mail", replace(service_of(tutorial, "mail"), trusts=everybody))
    assert given.post.servers.refusal("mail", SPAMMER, STRANGER) == ""


def test_domains_and_accounts_are_the_parts(tutorial: Model) -> None:
    service = replace(service_of(tutorial, "mail2"), domains=frozenset({"b.tw"}), accounts=frozenset({"wendy"}))
    servers = with_service(tutorial, "mail2", service).post.servers
    assert [servers.takes("mail2", f"{name}@b.tw") for name in ("wendy", "chen")] == [True, False]
    assert servers.takes("mail2", "wendy@mail2.dc1es.tnc.edu.tw") is None


def test_mail_goes_to_where_the_part_relays_it(tutorial: Model) -> None:
    assert tutorial.ways(SENDER, CHEN) == {"outside → spamfilter → mail: in the mailbox chen"}
    service = service_of(tutorial, "spamfilter")
    mail2 = IPv4Address(tutorial.plans["mail2"].host.first(4))
    moved = tuple(replace(relay, server="mail2", address=mail2) for relay in service.relays)
    given = with_service(tutorial, "spamfilter", replace(service, relays=moved))
    assert given.ways(SENDER, CHEN) == {"outside → spamfilter → mail2: refused (5.7.1)"}


def test_spam_is_held_where_the_part_holds_it(tutorial: Model) -> None:
    writer, recipient = next((w, r) for w, r in pairs(tutorial.post) if w.gtube)
    assert {str(end) for end in tutorial.post.way(writer, recipient)} == {"outside → spamfilter: on hold in the queue"}
    service = replace(service_of(tutorial, "spamfilter"), holds_spam=False)
    given = with_service(tutorial, "spamfilter", service)
    assert all("in the mailbox" in str(end) for end in given.post.way(writer, recipient))


def test_users_log_in_where_the_part_says(tutorial: Model) -> None:
    part = part_of(tutorial, "mail")
    (service,) = part.logins
    moved = replace(part, logins=(replace(service, port=1110),), listens_inside=frozenset({(1110, 4)}))
    given = with_part(tutorial, "mail", moved)
    found = {login.port for login in predict_logins(given.policy, logins(given.policy, "x")) if login.machine == "mail"}
    assert found == {1110}


def test_queue_is_swept_by_the_parts_command(tutorial: Model) -> None:
    service = replace(service_of(tutorial, "mail"), delete=("exim", "-Mrm"))
    given = with_service(tutorial, "mail", service)
    machines = FakeMachines()
    sweep_queues(machines, given.plans, {"mail": ["1abc"], "tn": ["4jA"]})
    assert [asked.command for asked in machines.asked] == [("exim", "-Mrm"), ("postsuper", "-d", "-")]
