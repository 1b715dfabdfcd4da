"""No text of a configuration brings a line or a directive of its own into a rendered file."""

import itertools
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.config.lab import LabConfig
from components.config.problem import ConfigurationError, Problem
from components.config.texts import unfit_character
from components.load import parse
from components.plan import plan_of
from tests.support.edits import edited, places
from tests.support.problems import ids
from tests.support.stacks import stack_data
from tests.unit.labs import ROOT

MAIL = "schools.0.machines.1.mail"
RULE = {
    "action": "DROP",
    "port": 25,
    "not_source": "163.26.182.0/24",
    "not_source6": "2001:db8:182::/64",
    "comment": "拒絕 非本校",
    "note": "Nobody else.",
}
# The tutorial's school with a text in every field that can have one. Its own rules take longest to check.
GOOD: dict[str, Any] = edited(
    stack_data(ROOT, "dc1es"),
    {
        "prefix": "lab-",
        "build": "there",
        "schools.0.firewall": {"ipv6": "closed", "mail": [RULE], "router": [RULE | {"port": 110}]},
        "schools.0.zone.records.+": "note TXT remark",
        "schools.0.machines.0.hostname": "dns",
        f"{MAIL}.main_cf": {"biff": "no", "smtpd_banner": "$myhostname ESMTP"},
        f"{MAIL}.users.1.gecos": "chief",
        "internet.mail.users.0.gecos": "teacher",
        "links": {"mail": {"delay": "100ms", "loss": "1%", "rate": "1mbit"}},
    },
)
TEXTS = {path: value for path, value in places(GOOD) if isinstance(value, str)}
KEYS = [path for path, _ in places(GOOD) if not path.rpartition(".")[2].isdigit()]
MANY_LINES = re.compile(r"schools\.0\.firewall\.(mail|router)\.0\.(comment|note)")
UNFIT = "\n\r\0\x1b\x7f\x85\v\u2028\u2029\u202e\u2066\u200b\ufeff\ud800\udfff"


def problems_of(data: Mapping[str, object]) -> tuple[Problem, ...]:
    try:
        parse(data, "dc1es")
    except ConfigurationError as error:
        return error.problems
    return ()


def with_spoilt_keys(data: object, numbers: Iterator[int]) -> object:
    """`data` with an unfit character in each of its keys."""
    if isinstance(data, dict):
        return {
            f"{key}{UNFIT[next(numbers) % len(UNFIT)]}": with_spoilt_keys(item, numbers) for key, item in data.items()
        }
    return [with_spoilt_keys(item, numbers) for item in data] if isinstance(data, list) else data


def test_school_with_a_text_in_every_field_is_good() -> None:
    assert problems_of(GOOD) == ()
    assert len(TEXTS) > 150


def place_of(path: str) -> str:
    """`a.0.b` as messages have it."""
    return "maillab:" + re.sub(r"\.([0-9]+)", r"[\1]", path)


@pytest.mark.parametrize("shift", range(len(UNFIT)))
def test_unfit_character_is_found_in_every_text(shift: int) -> None:
    bad = {path: UNFIT[(number + shift) % len(UNFIT)] for number, path in enumerate(TEXTS)}
    spoilt = {path: f"{value}{bad[path]}{value}" for path, value in TEXTS.items()}
    found = problems_of(edited(GOOD, spoilt))
    expected = {place_of(path) for path in TEXTS if not (bad[path] == "\n" and MANY_LINES.fullmatch(path))}
    assert {problem.where for problem in found} == expected
    assert {problem.id for problem in found} == {"bad-character"}


@pytest.mark.parametrize("path", ["schools.0.domain", f"{MAIL}.users.0.name", f"{MAIL}.aliases.4", "links.mail.rate"])
def test_unfit_character_brings_no_other_problem(path: str) -> None:
    assert ids(problems_of(edited(GOOD, {path: f"{TEXTS[path]}\n"}))) == ["bad-character"]


def test_unfit_character_is_found_in_every_key_and_hides_nothing_below() -> None:
    spoilt = with_spoilt_keys(edited(GOOD, {f"{MAIL}.relayhost": 25}), itertools.count())
    assert isinstance(spoilt, dict)
    found = ids(problems_of(spoilt))
    assert found.count("bad-character") == len(KEYS)
    assert [problem for problem in found if problem != "bad-character"] == ["wrong-type"]


def test_two_parameters_in_one_value_are_refused_with_place_and_remedy() -> None:
    data = edited(GOOD, {f"{MAIL}.main_cf": {"biff": "no\nrelayhost = [198.51.100.66]"}})
    (problem,) = problems_of(data)
    assert problem.where == "maillab:schools[0].machines[1].mail.main_cf.biff"
    assert problem.what == "this text has a line end in it (U+000A, character 3)"
    assert "on one line" in problem.remedy


def test_two_parameters_in_one_name_are_refused_with_their_place() -> None:
    (problem,) = problems_of(edited(GOOD, {f"{MAIL}.main_cf": {"biff = no\nrelayhost": "[198.51.100.66]"}}))[:1]
    assert problem.where == r"maillab:schools[0].machines[1].mail.main_cf.'biff = no\nrelayhost'"
    assert problem.what.startswith("this key has a line end in it")


def test_password_is_not_shown() -> None:
    (problem,) = problems_of(edited(GOOD, {f"{MAIL}.users.0.password": "open\0sesame"}))
    assert "a NUL" in problem.what
    assert "sesame" not in str(problem)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"schools.0.firewall.mail.0.comment": "一\n二\n\tthree\n"}, id="comment of several lines"),
        pytest.param({"schools.0.firewall.router.0.note": "one\ntwo"}, id="note of several lines"),
        pytest.param({"schools.0.zone.records.+": "www\t60\tA\t163.26.182.3"}, id="record in columns"),
        pytest.param({f"{MAIL}.aliases.+": "x:\tadmin,\tlin"}, id="alias in columns"),
        pytest.param({f"{MAIL}.main_cf.biff": "no\t"}, id="tab behind a value"),
        pytest.param({f"{MAIL}.users.1.gecos": "👩‍🏫 Zoë 陳"}, id="emoji with joiner"),
    ],
)
def test_what_is_allowed(changes: dict[str, Any]) -> None:
    assert problems_of(edited(GOOD, changes)) == ()


@pytest.mark.parametrize("name", ["note", "comment"])
def test_parameter_that_is_called_like_a_remark_has_one_line(name: str) -> None:
    found = problems_of(edited(GOOD, {f"{MAIL}.main_cf": {name: "a\nrelayhost = x"}}))
    assert ids(found) == ["bad-character"]


@pytest.mark.parametrize("bad", UNFIT)
def test_every_unfit_character_is_found(bad: str) -> None:
    assert unfit_character(f"a{bad}b") == bad


def rendered(lab: LabConfig) -> dict[str, list[str]]:
    """`machine/path` of every file to its lines without comments. Only a line feed ends a line of these."""
    files = {}
    for name, plan in plan_of(lab).machines.items():
        for path, text in {**plan.part.files, **plan.part.secret_files}.items():
            files[f"{name}{path}"] = [line for line in text.split("\n") if not line.startswith("#")]
    return files


BENIGN = {path: len(lines) for path, lines in rendered(parse(GOOD, "dc1es")).items()}
RECIPIENTS = "spamfilter/etc/postfix/relay_recipients"
# Of these a text has no meaning to any of the files.
PLAIN = re.compile(r"[A-Za-z0-9@_][A-Za-z0-9.@_-]*")
FREE = [
    *(f"{MAIL}.main_cf.{name}" for name in ("biff", "smtpd_banner")),
    *(f"{MAIL}.users.{key}" for key in ("1.gecos", "1.password")),
    *(f"internet.mail.users.0.{key}" for key in ("gecos", "password")),
    *(f"schools.0.firewall.{key}" for key in ("mail.0.comment", "router.0.note")),
    *(f"{MAIL}.{key}" for key in ("aliases.4", "mydestination.3", "relayhost")),
    *(f"schools.0.zone.{key}" for key in ("records.2", "records.19", "soa.rname")),
]
LINES = ["\n", "\r\n", "\nrelayhost = [198.51.100.66]", "\n$INCLUDE /etc/passwd", "\n x", "\n\tx", "\\\n", "\n- x: y"]
SIGNS = [*"\r\0\t\x85\u2028\xa0#;'\"\\ {}`:,%@!=*~é"]
SIGNS += [" # ", "$x", '" ; x', "( ", ' " ( ', "//", "/*", "$(id)", "|id", "<x>", " -o x=y", "%dev"]
HOSTILE = st.one_of(st.sampled_from(LINES), st.sampled_from(SIGNS), st.text(max_size=5))


@settings(max_examples=200, deadline=None)
@given(path=st.sampled_from(FREE) | st.sampled_from(sorted(TEXTS)), hostile=HOSTILE, draw=st.data())
def test_text_is_refused_or_brings_no_line_of_its_own(path: str, hostile: str, draw: st.DataObject) -> None:
    value = TEXTS[path]
    at = draw.draw(st.integers(0, len(value)))
    data = edited(GOOD, {path: draw.draw(st.sampled_from([hostile, value[:at] + hostile + value[at:]]))})
    try:
        lab = parse(data, "dc1es")
    except ConfigurationError:
        return
    text = str(dict(places(data))[path])
    # Names make zones, keys and lines of their own; there is nothing in them that a file could mistake.
    if PLAIN.fullmatch(text):
        return
    counted = {path: len(lines) for path, lines in rendered(lab).items()}
    if ".aliases." in path:
        # An alias of another name is another recipient: one line more or less for each domain of its server.
        domains = 2
        assert abs(counted.pop(RECIPIENTS) - BENIGN[RECIPIENTS]) in (0, domains), text
    assert counted == {path: BENIGN[path] for path in counted}, text
    assert counted.keys() >= BENIGN.keys() - {RECIPIENTS}
