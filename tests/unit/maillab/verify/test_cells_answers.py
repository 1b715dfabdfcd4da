"""A connection needs its answers: a rule without a port, meant for who comes in, is about them too."""

import pytest

from components.config.firewall import Chain
from maillab.verify.cells import Verdict
from tests.unit.labs import Data, Edit, Model, add_second_school, model, school

ACCEPT, DROP, REFUSE = Verdict.ACCEPT, Verdict.DROP, Verdict.REFUSE


def with_rule(place: str, **rule: object) -> Edit:
    """Puts a rule before all others of `firewall.mail` or `firewall.router`."""

    def edit(data: Data) -> None:
        school(data)["firewall"].setdefault(place, []).insert(0, {"action": "DROP", **rule})

    return edit


@pytest.fixture(scope="module")
def shut_at_router() -> Model:
    """The tutorial's school, whose router lets nothing in from where example.com is."""
    return model(with_rule("router", source="198.51.100.0/24"))


@pytest.fixture(scope="module")
def shut_at_mail() -> Model:
    """The tutorial's school, whose mail servers let nothing in from where example.com is."""
    return model(with_rule("mail", source="198.51.100.0/24"))


def test_router_that_drops_a_range_drops_its_answers(shut_at_router: Model) -> None:
    found = shut_at_router.ask("mail", "outside", 25)
    assert found.rule is not None
    assert (found.verdict, found.machine, found.rule.chain) == (DROP, "router", Chain.FORWARD)


def test_refusals_are_answers_too(shut_at_router: Model) -> None:
    assert shut_at_router.ask("mail", "outside", 9).verdict is DROP


def test_machine_that_drops_a_range_drops_its_answers(shut_at_mail: Model) -> None:
    found = shut_at_mail.ask("mail", "outside", 25)
    assert (found.verdict, found.machine) == (DROP, "mail")


def test_other_machines_get_their_answers(shut_at_mail: Model) -> None:
    assert shut_at_mail.ask("workstation", "outside", 25).verdict is ACCEPT


def test_other_family_gets_its_answers(shut_at_router: Model) -> None:
    assert shut_at_router.ask("mail", "outside", 25, version=6).verdict is ACCEPT


@pytest.mark.parametrize(
    "rule",
    [
        pytest.param({"source": "198.51.100.0/24", "port": 25}, id="a port is the server's"),
        pytest.param({"source": "198.51.100.0/24", "protocol": "udp"}, id="another protocol"),
    ],
)
def test_rule_that_is_not_about_answers(rule: dict[str, object]) -> None:
    assert model(with_rule("mail", **rule)).ask("mail", "outside", 25).verdict is ACCEPT


@pytest.mark.parametrize("name", ["dns", "spamfilter"])
def test_machine_that_drops_beginnings_gets_answers(tutorial: Model, name: str) -> None:
    assert tutorial.ask(name, "outside", 25).verdict is ACCEPT


def test_rejection_is_an_answer() -> None:
    """An ICMP error, which the other school's router rule keeps from the one who asked."""

    def edit(data: Data) -> None:
        add_second_school(data)
        school(data)["firewall"]["mail"].insert(0, {"action": "REJECT", "port": 110, "source": "163.26.190.0/24"})

    def edit_both(data: Data) -> None:
        edit(data)
        data["schools"][1]["firewall"]["router"] = [{"action": "DROP", "source": "163.26.182.0/24"}]

    assert [model(each).ask("workstation3", "mail", 110).verdict for each in (edit, edit_both)] == [REFUSE, DROP]


def test_rejection_and_refusal_are_different_answers() -> None:
    """The kernel's RST is TCP."""

    def edit(data: Data) -> None:
        add_second_school(data)
        school(data)["firewall"]["mail"].insert(0, {"action": "REJECT", "port": 110, "source": "163.26.190.0/24"})
        rule = {"action": "DROP", "protocol": "tcp", "source": "163.26.182.0/24"}
        data["schools"][1]["firewall"]["router"] = [rule]

    given = model(edit)
    assert [given.ask("workstation3", "mail", port).verdict for port in (110, 9)] == [REFUSE, DROP]


def test_message_to_where_no_answers_come_from_waits() -> None:
    given = model(with_rule("router", source="198.51.100.0/24", source6="2001:db8:198::/48"))
    found = given.ways("admin@dc1es.tnc.edu.tw", "verify@example.net")
    assert found == {"workstation → mail → spamfilter: waits in the queue"}


def test_message_goes_by_the_family_whose_answers_come(shut_at_router: Model) -> None:
    found = shut_at_router.ways("admin@dc1es.tnc.edu.tw", "verify@example.net")
    assert found == {"workstation → mail → spamfilter → outside: in the mailbox example.net"}
