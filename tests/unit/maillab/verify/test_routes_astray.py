"""Messages that can't come to anybody: they go round, or nobody knows the way; Postfix says which it was."""

import pytest

from maillab.verify.routes import MAX_RECEIVED
from tests.unit.labs import Data, Edit, Model, machine, model, school

FOREIGN, TEACHER, SECOND = "verify+v4@example.com", "admin@dc1es.tnc.edu.tw", "kao@mail2.dc1es.tnc.edu.tw"


def with_aliases(**lines: str) -> Model:
    """The tutorial's school with one more alias on each of some servers."""

    def edit(data: Data) -> None:
        for name, line in lines.items():
            machine(data, name)["mail"]["aliases"].append(line)

    return model(edit)


def with_relayhost(name: str, relayhost: str) -> Edit:
    return lambda data: machine(data, name)["mail"].update(relayhost=relayhost)


def test_filter_that_is_first_mx_of_a_domain_outside_its_table_gets_it_back() -> None:
    """smtp(8): `mail for dns.dc1es… loops back to myself`, no matter who else is behind it."""
    given = model(lambda data: machine(data, "spamfilter")["spamfilter"]["domains"].pop(1))
    assert given.ways(SECOND, "admin@dns.dc1es.tnc.edu.tw") == {"mail2 → spamfilter: refused (5.4.6)"}


def test_server_tries_only_those_that_are_better_than_itself() -> None:
    def edit(data: Data) -> None:
        school(data)["zone"]["records"] += ["lost MX 5 workstation", "lost MX 10 mail", "lost MX 20 mail2"]
        del machine(data, "mail")["mail"]["relayhost"]

    assert model(edit).ways(TEACHER, "chen@lost.dc1es.tnc.edu.tw") == {"workstation → mail: waits in the queue"}


def test_name_whose_address_is_the_servers_own_comes_back() -> None:
    def edit(data: Data) -> None:
        machine(data, "mail")["mail"]["mydestination"].remove("mail.$mydomain")
        machine(data, "mail")["mail"]["mydestination"].remove("$myhostname")
        del machine(data, "mail")["mail"]["relayhost"]

    assert model(edit).ways(TEACHER, "chen@mail.dc1es.tnc.edu.tw") == {"workstation → mail: refused (5.4.6)"}


@pytest.fixture(scope="module")
def round_relays() -> Model:
    """Two mail servers, each the other's relayhost."""

    def edit(data: Data) -> None:
        with_relayhost("mail", "[163.26.182.8]")(data)
        with_relayhost("mail2", "[163.26.182.2]")(data)

    return model(edit)


def test_relayhosts_of_each_other_pass_a_message_until_it_has_too_many_hops(round_relays: Model) -> None:
    (way,) = round_relays.ways(TEACHER, "verify@example.com")
    assert way.endswith(" → mail → mail2: refused (5.4.0)")


@pytest.mark.parametrize(("sender", "first"), [(TEACHER, "workstation"), (SECOND, "mail2")])
def test_server_that_adds_the_last_received_header_refuses(round_relays: Model, sender: str, first: str) -> None:
    """Every server adds one, and who writes on the server itself begins with one; a mail client adds none."""
    (way,) = round_relays.ways(sender, "verify@example.com")
    machines = way.partition(":")[0].split(" → ")
    assert len([name for name in machines if name != "workstation"]) == MAX_RECEIVED
    assert machines[0] == first


def test_alias_that_leads_away_adds_a_received_header(round_relays: Model) -> None:
    """local(8) sends what it hands on as a new message."""
    (way,) = (way for way in round_relays.ways(FOREIGN, "service@dc1es.tnc.edu.tw") if "5.4.0" in way)
    assert len(way.partition(":")[0].split(" → ")) == MAX_RECEIVED - 1


def test_messages_within_the_loop_still_arrive(round_relays: Model) -> None:
    assert round_relays.ways(TEACHER, SECOND) == {"workstation → mail → mail2: in the mailbox kao"}


def test_message_to_a_domain_that_nobody_has_is_refused_where_dns_is_asked() -> None:
    given = with_aliases(mail="chen: chen@nowhere.example.org")
    found = given.ways(FOREIGN, "chen@dc1es.tnc.edu.tw")
    assert found == {"outside → spamfilter → mail → spamfilter: refused (5.4.4)"}


@pytest.mark.parametrize(("version", "way"), [(4, "waits in the queue"), (6, "refused (5.4.4)")])
def test_name_without_an_address_of_the_senders_family_is_refused(version: int, way: str) -> None:
    """DNS has an answer for one of them only."""
    given = model(lambda data: school(data)["zone"]["records"].remove("mail  AAAA  2001:db8:182::2"))
    assert given.ways(f"verify+v{version}@example.com", "chen@mail.dc1es.tnc.edu.tw") == {f"outside: {way}"}


def test_relayhost_by_name_is_a_mail_domain() -> None:
    """Without brackets its MX records count: mail2's say the filter."""
    given = model(with_relayhost("mail", "mail2.dc1es.tnc.edu.tw"))
    found = given.ways(TEACHER, "verify@example.com")
    assert found == {"workstation → mail → spamfilter → outside: in the mailbox example.com"}


def test_relayhost_in_brackets_is_a_host() -> None:
    given = model(with_relayhost("mail", "[mail2.dc1es.tnc.edu.tw]"))
    found = given.ways(TEACHER, "verify@example.com")
    assert found == {"workstation → mail → mail2 → spamfilter → outside: in the mailbox example.com"}


@pytest.mark.parametrize(
    ("relayhost", "way"),
    [
        pytest.param("[163.26.182.249]:25", "spamfilter → tn: in the mailbox tnuser", id="its own port"),
        pytest.param("[163.26.182.249]:587", "waits in the queue", id="a port that nobody serves"),
        pytest.param("[163.26.182.249]:no-such-service", "waits in the queue", id="a port that nobody knows"),
        pytest.param("[163.26.182.1]", "waits in the queue", id="a machine without a mail server"),
    ],
)
def test_relayhost_with_a_port(relayhost: str, way: str) -> None:
    found = model(with_relayhost("mail", relayhost)).ways(TEACHER, "tnuser@tn.edu.tw")
    separator = ": " if way.startswith("waits") else " → "
    assert found == {f"workstation → mail{separator}{way}"}


def test_relayhost_that_can_not_be_found_is_waited_for() -> None:
    def edit(data: Data) -> None:
        machine(data, "dns")["hostname"] = "ns"
        with_relayhost("mail", "[ns.dc1es.tnc.edu.tw]")(data)

    assert model(edit).ways(TEACHER, "tnuser@tn.edu.tw") == {"workstation → mail: waits in the queue"}


def test_mail_client_that_is_kept_out_hands_nothing_in() -> None:
    rule = {"action": "DROP", "port": 25, "source": "163.26.182.100/32"}
    given = model(lambda data: school(data)["firewall"]["mail"].insert(0, rule))
    assert given.ways(TEACHER, "chen@dc1es.tnc.edu.tw") == {"workstation: refused (no connection)"}


def test_other_domain_without_users_has_roots_mailbox() -> None:
    given = model(lambda data: data["internet"]["mail"].update(users=[]))
    assert given.ways(FOREIGN, "postmaster@tn.edu.tw") == {"outside → tn: in the mailbox root"}
