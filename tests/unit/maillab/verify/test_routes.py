"""The way of a message, predicted: the tutorial says which hops it takes, Postfix how it ends."""

import pytest

from maillab.trace.ending import Ending, How
from tests.unit.labs import Data, Model, machine, model, school, without_port

FOREIGN = ["verify+v4@example.com", "verify+v6@example.com"]
ALLOWED = ["verify+v4@ncku.edu.tw", "verify+v6@ncku.edu.tw"]
TEACHER, SECOND, TNUSER = "admin@dc1es.tnc.edu.tw", "kao@mail2.dc1es.tnc.edu.tw", "tnuser@tn.edu.tw"
by_each_foreigner = pytest.mark.parametrize("sender", FOREIGN)


@pytest.mark.parametrize(
    ("ending", "words"),
    [
        pytest.param(Ending(hops=("a", "b"), how=How.MAILBOX, what="chen"), "a → b: in the mailbox chen", id="mailbox"),
        pytest.param(Ending(hops=("a",), how=How.REFUSED, what="5.1.1"), "a: refused (5.1.1)", id="refused"),
        pytest.param(Ending(hops=("a",), how=How.WAITS), "a: waits in the queue", id="waits"),
    ],
)
def test_ending_in_words(ending: Ending, words: str) -> None:
    assert str(ending) == words


@pytest.mark.parametrize("sender", [*FOREIGN, *ALLOWED])
@pytest.mark.parametrize("domain", ["dc1es.tnc.edu.tw", "dns.dc1es.tnc.edu.tw", "DC1ES.tnc.edu.tw"])
def test_message_from_outside_goes_by_the_filter(tutorial: Model, sender: str, domain: str) -> None:
    assert tutorial.ways(sender, f"chen@{domain}") == {"outside → spamfilter → mail: in the mailbox chen"}


def test_message_to_the_second_server_goes_by_the_filter(tutorial: Model) -> None:
    assert tutorial.ways(FOREIGN[0], SECOND) == {"outside → spamfilter → mail2: in the mailbox kao"}


def test_message_to_one_host_for_both(onehost: Model) -> None:
    found = onehost.ways(FOREIGN[0], "chen@dc1es.tnc.edu.tw")
    assert found == {"outside → spamfilter → dns: in the mailbox chen"}


@pytest.mark.parametrize("name", ["root", "abuse", "security", "yh", "webmaster", "mailer-daemon", "ROOT"])
def test_many_names_are_one_persons(tutorial: Model, name: str) -> None:
    """多人給一人 aliases: everything lands with admin, some by two aliases."""
    found = tutorial.ways(FOREIGN[0], f"{name}@dc1es.tnc.edu.tw")
    assert found == {"outside → spamfilter → mail: in the mailbox admin"}


def test_one_name_is_many_persons(tutorial: Model) -> None:
    """一人給多人: two here and one elsewhere, whose copy leaves by the relayhost."""
    assert tutorial.ways(FOREIGN[0], "service@dc1es.tnc.edu.tw") == {
        "outside → spamfilter → mail: in the mailbox admin",
        "outside → spamfilter → mail: in the mailbox manager",
        "outside → spamfilter → mail → spamfilter → tn: in the mailbox tnuser",
    }


def test_user_who_is_among_the_targets_of_his_own_alias_keeps_a_copy() -> None:
    given = model(lambda data: machine(data, "mail")["mail"]["aliases"].append("chen: chen, lin"))
    assert given.ways(FOREIGN[0], "chen@dc1es.tnc.edu.tw") == {
        "outside → spamfilter → mail: in the mailbox chen",
        "outside → spamfilter → mail: in the mailbox lin",
    }


def test_alias_to_an_address_of_the_server_itself_stays_there() -> None:
    given = model(lambda data: machine(data, "mail")["mail"]["aliases"].append("head: Chen@dns.DC1ES.tnc.edu.tw"))
    assert given.ways(FOREIGN[0], "head@dc1es.tnc.edu.tw") == {"outside → spamfilter → mail: in the mailbox chen"}


def test_names_of_an_alias_are_of_the_domain_that_the_server_calls_its_own() -> None:
    """`myorigin` is $mydomain where mydestination has it."""
    given = model(lambda data: machine(data, "mail")["mail"].update(mydestination=["$mydomain", "dns.$mydomain"]))
    assert given.ways(FOREIGN[0], "root@dc1es.tnc.edu.tw") == {"outside → spamfilter → mail: in the mailbox admin"}


def test_unknown_user_is_refused_by_the_filter(tutorial: Model) -> None:
    assert tutorial.ways(FOREIGN[0], "nobody-here@dc1es.tnc.edu.tw") == {"outside → spamfilter: refused (5.1.1)"}


def test_unknown_user_is_refused_to_the_mail_client(tutorial: Model) -> None:
    assert tutorial.ways(TEACHER, "nobody-here@dc1es.tnc.edu.tw") == {"workstation → mail: refused (5.1.1)"}


def test_unknown_user_is_refused_by_the_other_domain(tutorial: Model) -> None:
    assert tutorial.ways(FOREIGN[0], "nobody-here@tn.edu.tw") == {"outside → tn: refused (5.1.1)"}


def test_systems_accounts_have_mailboxes_on_the_server(tutorial: Model) -> None:
    assert tutorial.ways(TEACHER, "www-data@dc1es.tnc.edu.tw") == {"workstation → mail: in the mailbox www-data"}


def test_systems_accounts_are_unknown_to_the_filter(tutorial: Model) -> None:
    assert tutorial.ways(FOREIGN[0], "www-data@dc1es.tnc.edu.tw") == {"outside → spamfilter: refused (5.1.1)"}


def test_second_server_that_the_filter_was_not_told_of_gets_no_mail() -> None:
    """加入 Spamfilter 過濾: the step of the page that is easily forgotten."""
    given = model(lambda data: machine(data, "spamfilter")["spamfilter"]["domains"].pop())
    assert given.ways(FOREIGN[0], SECOND) == {"outside → spamfilter: refused (5.7.1)"}


def test_school_may_write_through_the_filter_to_anybody(tutorial: Model) -> None:
    assert tutorial.ways(TEACHER, TNUSER) == {"workstation → mail → spamfilter → tn: in the mailbox tnuser"}


def test_servers_own_message_goes_by_the_relayhost(tutorial: Model) -> None:
    found = tutorial.ways(SECOND, "verify@example.com")
    assert found == {"mail2 → spamfilter → outside: in the mailbox example.com"}


def test_message_between_the_schools_servers_goes_by_the_filter(tutorial: Model) -> None:
    assert tutorial.ways(TEACHER, SECOND) == {"workstation → mail → spamfilter → mail2: in the mailbox kao"}


def test_mail_client_reaches_its_own_servers_users(tutorial: Model) -> None:
    assert tutorial.ways(TEACHER, "lin@dc1es.tnc.edu.tw") == {"workstation → mail: in the mailbox lin"}


@pytest.mark.parametrize(
    "relayhost",
    [
        pytest.param("spamfilter.dc1es.tnc.edu.tw", id="name"),
        pytest.param("[spamfilter.dc1es.tnc.edu.tw]", id="name in brackets"),
        pytest.param("spamfilter.dc1es.tnc.edu.tw:25", id="name with a port"),
        pytest.param("[spamfilter.dc1es.tnc.edu.tw]:smtp", id="port by name"),
        pytest.param("[IPv6:2001:db8:182::249]", id="IPv6"),
    ],
)
def test_relayhost_may_be_written_otherwise(relayhost: str) -> None:
    given = model(lambda data: machine(data, "mail")["mail"].update(relayhost=relayhost))
    assert given.ways(TEACHER, TNUSER) == {"workstation → mail → spamfilter → tn: in the mailbox tnuser"}


def test_without_a_relayhost_the_server_sends_itself() -> None:
    given = model(lambda data: machine(data, "mail")["mail"].pop("relayhost"))
    assert given.ways(TEACHER, TNUSER) == {"workstation → mail → tn: in the mailbox tnuser"}


@pytest.fixture(scope="module")
def filter_down(tutorial: Model) -> Model:
    """The tutorial's school, its filter without Postfix."""
    return without_port(tutorial, "spamfilter", 25)


@by_each_foreigner
def test_foreigners_message_waits_for_the_filter(filter_down: Model, sender: str) -> None:
    """The second MX is the mail server, whose port 25 is closed to him."""
    assert filter_down.ways(sender, "chen@dc1es.tnc.edu.tw") == {"outside: waits in the queue"}


@pytest.mark.parametrize("sender", ALLOWED)
@pytest.mark.parametrize(
    ("recipient", "server"), [("chen@dc1es.tnc.edu.tw", "mail"), ("kao@mail2.dc1es.tnc.edu.tw", "mail2")]
)
def test_allowed_senders_message_goes_to_the_second_mx(
    filter_down: Model, sender: str, recipient: str, server: str
) -> None:
    user = recipient.partition("@")[0]
    assert filter_down.ways(sender, recipient) == {f"outside → {server}: in the mailbox {user}"}


def test_schools_message_waits_at_its_server(filter_down: Model) -> None:
    assert filter_down.ways(TEACHER, TNUSER) == {"workstation → mail: waits in the queue"}


def test_message_waits_at_the_filter_for_the_server(tutorial: Model) -> None:
    given = without_port(tutorial, "mail", 25)
    found = given.ways(FOREIGN[0], "chen@dc1es.tnc.edu.tw")
    assert found == {"outside → spamfilter: waits in the queue"}


@by_each_foreigner
def test_name_without_mx_is_closed_to_foreigners(tutorial: Model, sender: str) -> None:
    """user@mail.dc1es has no MX: the message goes to the server's own address, past the filter."""
    assert tutorial.ways(sender, "chen@mail.dc1es.tnc.edu.tw") == {"outside: waits in the queue"}


@pytest.mark.parametrize("sender", ALLOWED)
def test_name_without_mx_is_open_to_allowed_senders(tutorial: Model, sender: str) -> None:
    assert tutorial.ways(sender, "chen@mail.dc1es.tnc.edu.tw") == {"outside → mail: in the mailbox chen"}


def test_name_without_mx_is_open_by_ipv6_as_printed() -> None:
    given = model(lambda data: school(data)["firewall"].update(ipv6="tutorial"))
    found = given.ways("verify+v6@example.com", "chen@mail.dc1es.tnc.edu.tw")
    assert found == {"outside → mail: in the mailbox chen"}


@pytest.mark.parametrize(
    ("sender", "recipient", "way"),
    [
        pytest.param(
            FOREIGN[0], "verify@moe.edu.tw", "outside: in the mailbox moe.edu.tw", id="between senders, one machine"
        ),
        pytest.param(
            FOREIGN[0], "someone@mail.moe.edu.tw", "outside: in the mailbox moe.edu.tw", id="a host's is its domain's"
        ),
        pytest.param(FOREIGN[1], TNUSER, "outside → tn: in the mailbox tnuser", id="to the other domain"),
        pytest.param(FOREIGN[1], "postmaster@tn.edu.tw", "outside → tn: in the mailbox tnuser", id="its postmaster"),
        pytest.param(TNUSER, "verify@example.com", "tn → outside: in the mailbox example.com", id="from there"),
        pytest.param(TNUSER, TNUSER, "tn: in the mailbox tnuser", id="to himself"),
        pytest.param(TNUSER, "lin@dc1es.tnc.edu.tw", "tn → spamfilter → mail: in the mailbox lin", id="to the school"),
    ],
)
def test_message_of_the_outside(tutorial: Model, sender: str, recipient: str, way: str) -> None:
    assert tutorial.ways(sender, recipient) == {way}


def test_server_is_no_relay_for_those_whom_it_lets_in() -> None:
    """The county may connect, which is not to send through."""

    def point_a_strange_name_at_mail(data: Data) -> None:
        school(data)["zone"]["records"].append("lost MX 0 mail")

    found = model(point_a_strange_name_at_mail).ways(ALLOWED[0], "chen@lost.dc1es.tnc.edu.tw")
    assert found == {"outside → mail: refused (5.7.1)"}


def test_message_from_school_to_school_passes_both_filters(two_schools: Model) -> None:
    found = two_schools.ways(TEACHER, "lin@dc3es.tnc.edu.tw")
    assert found == {"workstation → mail → spamfilter → spamfilter3 → mail3: in the mailbox lin"}
