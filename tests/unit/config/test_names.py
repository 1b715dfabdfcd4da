"""What is wrong with the name of a host or of a domain."""

import pytest

from components.config.names import LONGEST_DOMAIN, name_fault
from components.config.problem import ConfigurationError, Problem
from components.load import parse
from tests.support.edits import edited
from tests.support.stacks import stack_data
from tests.unit.labs import ROOT

GOOD = stack_data(ROOT, "dc1es")
RIGHT = "dc1es.tnc.edu.tw"


def problem_with(path: str, value: object) -> Problem:
    """The one problem of the tutorial's configuration with `value` at `path`."""
    with pytest.raises(ConfigurationError) as caught:
        parse(edited(GOOD, {path: value}), "dc1es")
    (problem,) = caught.value.problems
    return problem


@pytest.mark.parametrize("name", [RIGHT, "a.b", "a-1.xn--1l5a.tw", f"{'a' * 63}.tw"])
def test_good_name(name: str) -> None:
    assert name_fault(name, least=2) is None


@pytest.mark.parametrize(
    ("name", "what", "remedy"),
    [
        pytest.param("DC1ES.tnc.edu.tw", "has capital letters", f"write {RIGHT}", id="capitals"),
        pytest.param("dc1es.tnc.edu.tw.", "ends with a dot", f"write {RIGHT}", id="final dot"),
        pytest.param("dc1_es.tnc.edu.tw", "has an underscore", "write dc1-es.tnc.edu.tw", id="underscore"),
        pytest.param(
            "_DC1ES.tnc.edu.tw..",
            "ends with a dot and has capital letters and has an underscore",
            f"write {RIGHT}",
            id="all at once",
        ),
        pytest.param(".dc1es.tnc.edu.tw", "begins with a dot", f"write {RIGHT}", id="dot first"),
        pytest.param("dc1es..tnc.edu.tw", "has an empty label", f"write {RIGHT}", id="two dots"),
        pytest.param(" dc1es.tnc.edu.tw", "has characters that a name can't have: ' '", f"write {RIGHT}", id="blank"),
        pytest.param("admin@dc1es.tnc.edu.tw", "can't have: '@'", f"write {RIGHT}", id="mail address"),
        pytest.param("dc1es-.tnc.edu.tw", "begins or ends with a hyphen", f"write {RIGHT}", id="hyphen"),
        pytest.param("大成.tnc.edu.tw", "can't have: '大成'", "write xn--pss40s.tnc.edu.tw", id="Chinese"),
        pytest.param("tw", "has fewer than 2 labels", "labels of small letters", id="one label"),
        pytest.param("dc1es.tnc.edu.tw; x", "can't have: '; '", "labels of small letters", id="other characters"),
        pytest.param("163.26.182.1", "is an address", "labels of small letters", id="address"),
        pytest.param("", "has no label", "labels of small letters", id="empty"),
        pytest.param("a" * 64 + ".tw", "has a label of more than 63", "labels of small letters", id="long label"),
        pytest.param(f"{'a.' * 200}tw", "has more than 253 characters", "labels of small letters", id="long name"),
    ],
)
def test_fault_is_named_and_put_right(name: str, what: str, remedy: str) -> None:
    fault = name_fault(name, least=2)
    assert fault is not None
    assert what in str(fault.what)
    assert str(fault.remedy).startswith(remedy)


# Each place that has a domain or the name of a host, and something that is right there.
PLACES = [
    pytest.param("schools.0.domain", "dc1es.tnc.edu.tw", "bad-domain", id="domain of a school"),
    pytest.param("internet.mail.domain", "tn.edu.tw", "bad-mail-name", id="domain of tn"),
    pytest.param("internet.senders.0.host", "mail.example.com", "bad-mail-name", id="sender"),
    pytest.param("schools.0.machines.0.name", "dns", "bad-machine-name", id="machine"),
    pytest.param("schools.0.machines.0.hostname", "dns", "bad-machine-name", id="hostname"),
]


@pytest.mark.parametrize(("path", "right", "id_"), PLACES)
@pytest.mark.parametrize(
    ("spoil", "what"),
    [
        pytest.param("{}.", "ends with a dot", id="final dot"),
        pytest.param("Q{}", "has capital letters", id="capital"),
        pytest.param("q_{}", "has an underscore", id="underscore"),
    ],
)
def test_every_place_says_what_is_wrong_and_what_is_right(
    path: str, right: str, id_: str, spoil: str, what: str
) -> None:
    wrong = spoil.format(right)
    problem = problem_with(path, wrong)
    assert (problem.id, problem.what) == (id_, f"'{wrong}' {what}")
    assert f"write {wrong.lower().strip('.').replace('_', '-')}" in problem.remedy


def test_domain_leaves_room_for_the_name_of_a_host() -> None:
    domain = ".".join(["a" * 63] * 2 + ["b" * (LONGEST_DOMAIN - 128)])
    longest, longer = domain, f"{domain}b"
    assert name_fault(longest, least=2, longest=LONGEST_DOMAIN) is None
    assert name_fault(f"{'h' * 63}.{longest}", least=2) is None
    assert name_fault(longer, least=2, longest=LONGEST_DOMAIN) is not None
    assert name_fault(f"{'h' * 63}.{longer}", least=2) is not None
    assert problem_with("schools.0.domain", longer).id == "bad-domain"
