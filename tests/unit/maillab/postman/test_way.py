"""From where a message is sent, and to which server, by the sender's address; what is no address or machine."""

import pytest

from maillab.postman.message import Attachment, Message
from maillab.postman.problem import Fault, PostError, refuse_form
from maillab.postman.way import LOOPBACK, addresses, way_of, whole_address
from tests.unit.labs import Data, Model, model

CHEN = "chen@dc1es.tnc.edu.tw"
WORKSTATION = "workstation.dc1es.tnc.edu.tw"


HERE = ("outside", None, "outside", "127.0.0.1")
SCHOOL = ("workstation", "163.26.182.100", "mail", "163.26.182.2")


@pytest.mark.parametrize(
    ("sender", "wanted", "helo"),
    [
        pytest.param("friend@example.com", HERE, "mail.example.com", id="Internet"),
        pytest.param("Any.One@NCKU.edu.tw", HERE, "mail.ncku.edu.tw", id="capital letters"),
        pytest.param("", HERE, "mail.example.com", id="nobody"),
        pytest.param("tnuser@tn.edu.tw", ("tn", None, "tn", "127.0.0.1"), "mail.tn.edu.tw", id="tn"),
        pytest.param(CHEN, SCHOOL, WORKSTATION, id="school"),
        pytest.param("webmaster@dns.dc1es.tnc.edu.tw", SCHOOL, WORKSTATION, id="an alias, by another domain"),
        pytest.param(
            "kao@mail2.dc1es.tnc.edu.tw", (*SCHOOL[:2], "mail2", "163.26.182.8"), WORKSTATION, id="second server"
        ),
    ],
)
def test_way_follows_from_the_sender(
    tutorial: Model, sender: str, wanted: tuple[str, str | None, str, str], helo: str
) -> None:
    way = way_of(tutorial.plan, Message(sender=sender, recipient=CHEN))
    source = str(way.source) if way.source else None
    assert (way.client, source, way.server, str(way.address)) == wanted
    assert way.helo == helo


@pytest.mark.parametrize(
    ("sender", "via", "source", "address"),
    [
        pytest.param("x@example.net", "mail", "198.51.100.66", "163.26.182.2", id="spammer past the MX"),
        pytest.param("x+v6@example.net", "mail", "2001:db8:198::66", "2001:db8:182::2", id="by IPv6"),
        pytest.param("tnuser@tn.edu.tw", "spamfilter", "203.68.102.25", "163.26.182.249", id="tn"),
        pytest.param(CHEN, "spamfilter", "163.26.182.100", "163.26.182.249", id="school"),
        pytest.param(CHEN, "tn", "163.26.182.100", "203.68.102.25", id="school straight to tn"),
    ],
)
def test_via_goes_straight_there_from_the_senders_own_address(
    tutorial: Model, sender: str, via: str, source: str, address: str
) -> None:
    way = way_of(tutorial.plan, Message(sender=sender, recipient=CHEN, via=via))
    assert (way.server, str(way.source), str(way.address)) == (via, source, address)


def test_client_calls_itself_what_somebody_wants(tutorial: Model) -> None:
    assert way_of(tutorial.plan, Message(sender=CHEN, recipient=CHEN, helo="liar.example")).helo == "liar.example"


def test_school_without_workstation_writes_on_its_server() -> None:
    def without(data: Data) -> None:
        machines = data["schools"][0]["machines"]
        machines[:] = [machine for machine in machines if machine["name"] != "workstation"]
        records = data["schools"][0]["zone"]["records"]
        records[:] = [record for record in records if not record.startswith("workstation")]

    way = way_of(model(without).plan, Message(sender=CHEN, recipient=CHEN))
    assert (way.client, way.server, way.source, way.address) == ("mail", "mail", None, LOOPBACK)


def test_second_school_writes_from_its_own_workstation(two_schools: Model) -> None:
    school = two_schools.lab.schools[1]
    user = next(one for one in addresses(two_schools.plan) if one.endswith(f"@{school.domain}"))
    way = way_of(two_schools.plan, Message(sender=user, recipient=CHEN))
    assert {way.client, way.server} <= {machine.name for machine in school.machines}


@pytest.mark.parametrize(
    ("sender", "via", "fault"),
    [
        pytest.param("chem@dc1es.tnc.edu.tw", None, Fault.SENDER, id="user"),
        pytest.param("chen@dc9es.tnc.edu.tw", None, Fault.SENDER, id="domain"),
        pytest.param(CHEN, "spamfliter", Fault.MACHINE, id="machine"),
        pytest.param(CHEN, "dns", Fault.NO_SERVER, id="no mail server"),
    ],
)
def test_what_is_not_there_is_refused_with_what_is(tutorial: Model, sender: str, via: str | None, fault: Fault) -> None:
    with pytest.raises(PostError) as caught:
        way_of(tutorial.plan, Message(sender=sender, recipient=CHEN, via=via))
    assert caught.value.fault is fault
    known = addresses(tutorial.plan) if fault is Fault.SENDER else ["mail", "mail2", "spamfilter", "tn", "outside"]
    assert list(caught.value.known) == known


def test_every_address_that_is_named_can_send(tutorial: Model, onehost: Model) -> None:
    for given in (tutorial, onehost):
        for sender in addresses(given.plan):
            assert way_of(given.plan, Message(sender=sender, recipient=CHEN)).client in given.plans


@pytest.mark.parametrize(
    ("name", "address"),
    [("chen", CHEN), ("Chen", CHEN), ("kao", "kao@mail2.dc1es.tnc.edu.tw"), ("tnuser", "tnuser@tn.edu.tw")],
)
def test_user_can_be_named_without_a_domain(tutorial: Model, name: str, address: str) -> None:
    assert whole_address(tutorial.plan, name) == address


@pytest.mark.parametrize("name", ["", "nobody", "nobody@example.com"])
def test_others_stay_as_they_are(tutorial: Model, name: str) -> None:
    assert whole_address(tutorial.plan, name) == name


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(Message(sender="a b@example.com", recipient=CHEN), id="blank"),
        pytest.param(Message(sender="a@example.com", recipient="chen"), id="no domain"),
        pytest.param(Message(sender="a@example.com", recipient=f"{CHEN}\nDATA"), id="a command more"),
        pytest.param(Message(sender="a@example.com", recipient="<chen@x.tw>"), id="brackets"),
        pytest.param(Message(sender="a@example.com", recipient=CHEN, helo="a\r\nQUIT"), id="helo"),
        pytest.param(Message(sender="a@example.com", recipient=CHEN, helo=""), id="empty helo"),
        pytest.param(Message(sender="a@example.com", recipient=CHEN, subject="a\nBcc: b"), id="subject"),
        pytest.param(Message(sender="a@example.com", recipient=CHEN, subject="\udce5"), id="half a character"),
        pytest.param(Message(sender="a@example.com", recipient=CHEN, body="\udce5"), id="half a character in the body"),
        pytest.param(
            Message(sender="a@example.com", recipient=CHEN, attachments=(Attachment(name="a\nb", content=b""),)),
            id="a file's name",
        ),
    ],
)
def test_what_no_session_could_say_is_refused(given: Message) -> None:
    with pytest.raises(PostError) as caught:
        refuse_form(given)
    assert caught.value.fault in (Fault.ADDRESS, Fault.TEXT)


def test_usual_message_is_not_refused() -> None:
    attachment = Attachment(name="成績單 2006.pdf", content=b"")
    refuse_form(
        Message(sender="陳+x@example.com", recipient=CHEN, subject="你好", body="a\nb", attachments=(attachment,))
    )
