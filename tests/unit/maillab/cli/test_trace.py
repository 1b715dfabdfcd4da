"""Messages on a terminal, for programs, and those that are not there."""

import io
import json
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from maillab.cli.app import app
from maillab.cli.choice import Choice
from maillab.cli.machines import MachineRow
from maillab.cli.problem import MaillabError
from maillab.cli.stack import Stack
from maillab.cli.trace import Wanted, not_found, read_logs, trace
from maillab.cli.trace_text import ENDS, EVENTS
from maillab.cli.trace_tree import journey_json, show
from maillab.trace.events import Kind
from maillab.trace.found import Messages
from maillab.trace.journey import Journey
from maillab.trace.machines import MachineError, Machines
from maillab.trace.outcome import Outcome
from tests.unit.maillab.trace.captured import CAPTURED, captured, traced

NAMES = ("plain", "alias", "spam", "virus", "nosuch", "bounce", "two", "deferred", "noclam", "partly", "mail2")


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILLAB_LANG", "en")


def shown(name: str, until: str = "23:59") -> str:
    file = io.StringIO()
    show([traced(name, until)], Console(file=file, width=80))
    return file.getvalue()


def test_tree() -> None:
    assert (
        shown("spam")
        == """\
<spam@trace.invalid>
2026-11-30  wendy@example.com → lin@dc1es.tnc.edu.tw
08:42:13.135  outside  4jd4wj0xydz8hLD
08:42:13.135  │ handed in on this machine (uid 0)
08:42:13.332  │ in the queue: 334 bytes, recipients: 1
08:42:13.634  │ lin@dc1es.tnc.edu.tw: taken by spamfilter: 250 2.0.0 Ok: queued
              │ as 4jd4wj3kV8z8hMN
08:42:13.496  └─spamfilter  4jd4wj3kV8z8hMN
08:42:13.496    │ connection from outside: mail.example.com[198.51.100.10]
08:42:13.566    │ filter: quarantine, 1000.1 of 15 points: GTUBE_TEST 1000,
                │ RCVD_NO_TLS_LAST 0.1
08:42:13.568    │ on hold: Spam message quarantined
Where it is now:
  … lin@dc1es.tnc.edu.tw: spamfilter took it at 08:42:13; it is on hold there:
    Spam message quarantined
"""
    )


def test_trail_that_ends_in_a_queue() -> None:
    assert " ".join(shown("deferred", "08:42:41").split()).endswith(
        "lin@dc1es.tnc.edu.tw: spamfilter took it at 08:42:26; it is in its queue: connect to"
        " 163.26.182.2[163.26.182.2]:25: Connection refused (2 times, the last at 08:42:40)"
    )


def test_what_a_log_says_gives_the_terminal_no_orders(monkeypatch: pytest.MonkeyPatch) -> None:
    """Root on a machine writes what it likes into its log."""
    monkeypatch.setattr("maillab.cli.trace_tree.event_text", lambda _: "held \x1b]0;title\x07 \x9b2J")
    monkeypatch.setattr("maillab.cli.trace_tree.end_text", lambda _: "ended \x1b[2J")
    words = shown("spam")
    assert "held ?]0;title? ?2J" in words
    assert "ended ?[2J" in words
    assert not [one for one in words if not one.isprintable() and one != "\n"]


@pytest.mark.parametrize("name", NAMES)
def test_fits_into_80_columns(name: str) -> None:
    assert max(map(len, shown(name).splitlines())) <= 80


def test_in_chinese(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILLAB_LANG", "zh-TW")
    assert "信被攔下（hold），留在那裡" in shown("spam")


def test_there_are_words_for_everything() -> None:
    assert set(EVENTS) == set(Kind)
    assert set(ENDS) == set(Outcome)


def test_several_have_an_empty_line_between() -> None:
    file = io.StringIO()
    show([traced("plain"), traced("two")], Console(file=file, width=80))
    assert "on mail\n\n<two@trace.invalid>\n" in file.getvalue()


@pytest.mark.parametrize("name", NAMES)
def test_json_has_the_same_tree(name: str) -> None:
    journey = traced(name)
    found = json.loads(json.dumps(journey_json(journey)))
    assert found["message_id"] == f"<{name}@trace.invalid>"
    assert [stay["queue_id"] for stay in found["stays"]] == [root.queue_id for root in journey.roots]
    assert found["ends"]


def test_json_of_a_verdict() -> None:
    events = journey_json(traced("virus"))["stays"][0]["stays"][0]["events"]  # type: ignore[index]
    (verdict,) = [event for event in events if event["kind"] == "verdict"]
    assert verdict["action"] == "reject"
    assert verdict["forced"] == "virus found: Eicar-Test-Signature.UNOFFICIAL"
    assert verdict["symbols"]["MIME_GOOD"] == -0.1


def test_what_is_there_instead() -> None:
    error = not_found(Wanted(name="nope"), captured())
    assert (str(error), error.code) == ("no mail log of <stack> has nope", 1)
    assert error.remedy[-1] == "<noclam@trace.invalid>  wendy@example.com → lin@dc1es.tnc.edu.tw"


def test_nothing_there() -> None:
    assert str(not_found(Wanted(number=1), Messages(logs={}, owners={}))).endswith("has taken a message yet")


def row(name: str, state: str = "running", ipv4: str = "") -> MachineRow:
    return MachineRow(name=name, container=f"lab-{name}", ipv4=ipv4, ipv6="", state=state, role="")


@pytest.fixture
def machines(monkeypatch: pytest.MonkeyPatch) -> list[MachineRow]:
    """A lab whose machine `mail` has a log, `dns` none, and `spamfilter` does not answer."""
    rows = [row("mail"), row("dns"), row("spamfilter")]
    path = CAPTURED / "mail.txt"

    def run(_self: Machines, machine: str, _command: object) -> str:
        if machine == "lab-spamfilter":
            raise MachineError("no")
        return path.read_text(encoding="utf-8") if machine == "lab-mail" else ""

    monkeypatch.setattr(Machines, "run", run)
    monkeypatch.setattr("maillab.cli.trace.of_stack", lambda _: rows)
    return rows


def test_logs_of_all_machines(machines: list[MachineRow], stack: Stack) -> None:
    machines.append(row("tn", "exited", "10.0.0.1\n10.0.0.2"))
    messages, unread = read_logs(stack)
    assert (sorted(messages.logs), unread) == (["dns", "mail"], ["spamfilter", "tn"])
    assert messages.owners == {"10.0.0.1": "tn", "10.0.0.2": "tn"}
    assert [one.message_id for one in messages.last(1)] == ["<noclam@trace.invalid>"]


def test_no_machine_can_be_asked(machines: list[MachineRow], stack: Stack) -> None:
    machines[:] = [row("spamfilter"), row("mail", "exited")]
    with pytest.raises(MaillabError, match="could be asked for its mail log"):
        read_logs(stack)


@pytest.mark.usefixtures("machines")
def test_what_was_not_read_is_named_beside_the_output(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    trace(stack, Wanted(), as_json=True)
    out, err = capsys.readouterr()
    assert json.loads(out)["unread"] == ["spamfilter"]
    assert err == "not read, because they can't be asked: the logs of spamfilter\n"


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        pytest.param([], Wanted(), id="nothing"),
        pytest.param(["<1@a>"], Wanted(name="<1@a>"), id="a Message-ID"),
        pytest.param(["--last"], Wanted(number=1), id="the last one"),
        pytest.param(["--last", "3"], Wanted(number=3), id="the last ones"),
        pytest.param(["--to", "a@b.tw"], Wanted(to="a@b.tw"), id="to an address"),
        pytest.param(["--to", "a@b.tw", "--last", "2"], Wanted(to="a@b.tw", number=2), id="the last ones to it"),
    ],
)
def test_words_of_the_command(words: list[str], wanted: Wanted, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Wanted] = []
    monkeypatch.setattr(Choice, "reach_engine", lambda _self: None)
    monkeypatch.setattr("maillab.cli.trace.trace", lambda _stack, one, **_: seen.append(one))
    CliRunner().invoke(app, ["trace", *words], catch_exceptions=False)
    assert seen == [wanted]


def test_page_instead_of_the_tree(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen: list[tuple[Path, Stack, list[Journey], list[str]]] = []
    monkeypatch.setattr(Choice, "reach_engine", lambda _self: None)
    monkeypatch.setattr("maillab.cli.trace.read_logs", lambda _: (captured(), ["tn"]))
    monkeypatch.setattr("maillab.cli.trace.write_page", lambda *given: seen.append(given))
    path = tmp_path / "way.html"
    found = CliRunner().invoke(app, ["trace", "plain@trace.invalid", "--html", str(path)], catch_exceptions=False)
    ((where, _, journeys, unread),) = seen
    assert (where, [one.message_id for one in journeys], unread) == (path, ["<plain@trace.invalid>"], ["tn"])
    assert found.stdout == ""


@pytest.mark.parametrize(
    "words", [["--last", "x"], ["--last", "0"], ["<1@a>", "--to", "a@b.tw"], ["--follow", "--html", "x"]]
)
def test_words_that_make_no_sense(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Choice, "reach_engine", lambda _self: pytest.fail("asked the engine"))
    assert CliRunner().invoke(app, ["trace", *words], catch_exceptions=False).exit_code == 2


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        pytest.param(Wanted(), 1, id="the last one"),
        pytest.param(Wanted(number=4), 4, id="the last ones"),
        pytest.param(Wanted(to="lin@dc1es.tnc.edu.tw"), 7, id="all to an address"),
        pytest.param(Wanted(to="lin@dc1es.tnc.edu.tw", number=2), 2, id="the last ones to an address"),
        pytest.param(Wanted(name="4jd4wj1xG3z8hN6"), 1, id="by a queue id"),
    ],
)
def test_wanted(wanted: Wanted, found: int) -> None:
    assert len(wanted.find(captured())) == found
