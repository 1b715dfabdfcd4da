"""The way of a message where a school sets parameters of main.cf itself."""

from collections.abc import Mapping

import pytest

from maillab.verify.cells import cells
from maillab.verify.pairs import pairs
from maillab.verify.relays import TAKEN, predict_answers, questions
from tests.unit.labs import Model, machine, model

TEACHER, COUNTY, SECOND = "admin@dc1es.tnc.edu.tw", "verify+v4@ncku.edu.tw", "kao@mail2.dc1es.tnc.edu.tw"
CHEN, NOBODY, TNUSER = "chen@dc1es.tnc.edu.tw", "no-such-user@dc1es.tnc.edu.tw", "tnuser@tn.edu.tw"
AT_MAIL = "chen@mail.dc1es.tnc.edu.tw"  # it has no MX: anyone who may connect writes there directly


def with_parameters(parameters: Mapping[str, str], server: str = "mail") -> Model:
    return model(lambda data: machine(data, server)["mail"].update(main_cf=dict(parameters)))


def strangers(given: Model) -> dict[tuple[str, str], set[str]]:
    """(server, sender) to the ends of the messages from strangers to strangers."""
    found = [(writer, to) for writer, to in pairs(given.post) if writer.address.startswith("relay+")]
    return {(w.machine, w.address): {str(end) for end in given.post.way(w, to)} for w, to in found}


def relayed(given: Model) -> set[str]:
    """The servers that would take a stranger's message to a stranger, by their answers."""
    school = ("163.26.182.", "2001:db8:182::", "127.", "::1")
    answers = predict_answers(given.post, questions(given.post, cells(given.lab, given.plans)))
    return {
        question.cell.target
        for question, said in answers.items()
        if said == TAKEN and not str(question.cell.source.address).startswith(school)
    }


def test_no_server_of_the_tutorial_relays(tutorial: Model) -> None:
    assert relayed(tutorial) == set()
    assert {end.rpartition(": ")[2] for ends in strangers(tutorial).values() for end in ends} == {"refused (5.7.1)"}


@pytest.mark.parametrize(
    "parameters",
    [
        {"mynetworks": "0.0.0.0/0"},
        {"mynetworks": "140.111.0.0/16"},
        {"relay_domains": "edu.tw"},
    ],
)
def test_open_relay_is_predicted(parameters: dict[str, str]) -> None:
    given = with_parameters(parameters)
    assert relayed(given) == {"mail"}
    ends = strangers(given)
    assert ends["mail", "relay+v4@moe.edu.tw"] == {"outside → mail → spamfilter → tn: in the mailbox tnuser"}
    assert ends["mail2", "relay+v4@moe.edu.tw"] == {"outside → mail2: refused (5.7.1)"}


def test_open_relay_of_one_family_is_predicted() -> None:
    ends = strangers(with_parameters({"mynetworks": "0.0.0.0/0"}, "mail2"))
    assert ends["mail2", "relay+v4@moe.edu.tw"] == {"outside → mail2 → spamfilter → tn: in the mailbox tnuser"}
    assert ends["mail2", "relay+v6@moe.edu.tw"] == {"outside → mail2: refused (5.7.1)"}


HERE, THERE = "workstation → mail: in the mailbox ", "workstation → mail → spamfilter → tn: in the mailbox tnuser"
NOT_HERE = "workstation → mail: refused (5.1.1)"
EXTENDED = "chen+x@dc1es.tnc.edu.tw"
UNLISTED = {"local_recipient_maps": " "}
VIRTUAL = {"virtual_alias_domains": "example.org", "virtual_alias_maps": "inline:{a@example.org=lin}"}


def aliased(line: str) -> dict[str, str]:
    return {"virtual_alias_maps": f"inline:{{{line}}}"}


@pytest.mark.parametrize(
    ("parameters", "recipient", "ways"),
    [
        pytest.param({"mynetworks": "127.0.0.0/8"}, TNUSER, ["workstation → mail: refused (5.7.1)"], id="stranger"),
        pytest.param({"mynetworks_style": "subnet"}, TNUSER, [THERE], id="of no effect"),
        pytest.param({}, EXTENDED, [NOT_HERE], id="no extension"),
        pytest.param({"recipient_delimiter": "+"}, EXTENDED, [HERE + "chen"], id="extension"),
        pytest.param({"recipient_delimiter": "+"}, "yh+x@dc1es.tnc.edu.tw", [HERE + "admin"], id="of an alias"),
        pytest.param(UNLISTED, NOBODY, [NOT_HERE], id="refused late"),
        pytest.param({"smtpd_reject_unlisted_recipient": "no"}, NOBODY, [NOT_HERE], id="refused late, too"),
        pytest.param({"luser_relay": "admin"}, NOBODY, [NOT_HERE], id="not taken"),
        pytest.param(UNLISTED | {"luser_relay": "yh"}, NOBODY, [HERE + "admin"], id="one mailbox for unknown users"),
        pytest.param(UNLISTED | {"luser_relay": TNUSER}, NOBODY, [THERE], id="unknown users elsewhere"),
        pytest.param({"always_bcc": "yh"}, CHEN, [HERE + "chen", HERE + "admin"], id="copies"),
        pytest.param({"always_bcc": TNUSER}, CHEN, [HERE + "chen", THERE], id="copies elsewhere"),
        pytest.param(aliased("chen@dc1es.tnc.edu.tw=lin"), CHEN, [HERE + "lin"], id="virtual alias"),
        pytest.param(aliased("no-such-user=lin"), NOBODY, [HERE + "lin"], id="virtual alias of nobody"),
        pytest.param(aliased("tnuser@tn.edu.tw=lin"), TNUSER, [HERE + "lin"], id="virtual alias of somebody else"),
        pytest.param(VIRTUAL, "a@example.org", [HERE + "lin"], id="virtual domain"),
        pytest.param(VIRTUAL, "b@example.org", [NOT_HERE], id="nobody in a virtual domain"),
    ],
)
def test_way_with_parameters(parameters: dict[str, str], recipient: str, ways: list[str]) -> None:
    assert with_parameters(parameters).ways(TEACHER, recipient) == set(ways)


@pytest.mark.parametrize(
    ("last", "way"), [("reject", "outside → mail: refused (5.7.1)"), ("defer", "outside: waits in the queue")]
)
def test_clients_may_be_kept_out(last: str, way: str) -> None:
    given = with_parameters({"smtpd_client_restrictions": f"permit_mynetworks, {last}"})
    assert given.ways(COUNTY, AT_MAIL) == {way}
    assert given.ways(TEACHER, CHEN) == {"workstation → mail: in the mailbox chen"}


def test_filter_knows_no_extension() -> None:
    found = with_parameters({"recipient_delimiter": "+"}).ways("verify+v4@example.com", EXTENDED)
    assert found == {"outside → spamfilter: refused (5.1.1)"}


def test_server_that_speaks_one_family_sends_by_it() -> None:
    """IPv6 only, and the relayhost has an IPv4 address."""
    given = with_parameters({"inet_protocols": "ipv6"}, "mail2")
    assert given.ways(SECOND, TNUSER) == {"mail2: waits in the queue"}
