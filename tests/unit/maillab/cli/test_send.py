"""What somebody types is a message, and what came of it fits a terminal."""

import io
import json
from contextlib import nullcontext
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from maillab.cli.app import app
from maillab.cli.choice import Choice
from maillab.cli.machines import MachineRow
from maillab.cli.problem import MaillabError, shown
from maillab.cli.send import Wanted, explained, send_message, sent_json, sent_lines, size_of
from maillab.cli.stack import Stack
from maillab.cli.wrapped import print_lines
from maillab.postman.follow import Logs
from maillab.postman.message import Message
from maillab.postman.problem import Fault, PostError
from maillab.postman.send import Answer
from maillab.postman.session import Reply
from maillab.postman.way import way_of
from maillab.trace.machines import Machines
from tests.unit.labs import Model
from tests.unit.maillab.trace.captured import traced

CHEN, FRIEND = "chen@dc1es.tnc.edu.tw", "friend@example.com"
TAKEN = Reply(step=".", code=250, lines=("250 2.0.0 Ok: queued as 4jd9HV43f5z5vwC",))
GREETING = Reply(step="connect", code=220, lines=("220 mail.example.com ESMTP",))


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILLAB_LANG", "en")


def answer(tutorial: Model, *replies: Reply, via: str | None = None, sender: str = FRIEND) -> Answer:
    message = Message(sender=sender, recipient=CHEN, via=via)
    return Answer(message=message, way=way_of(tutorial.plan, message), replies=(GREETING, *replies))


def words(given: Answer, name: str = "") -> str:
    file = io.StringIO()
    print_lines(sent_lines(given, traced(name) if name else None), Console(file=file, width=80))
    return file.getvalue()


def test_session_and_hops(tutorial: Model) -> None:
    said = words(answer(tutorial, Reply(step="DATA", code=354, lines=("354 go on",)), TAKEN), "spam").partition("\n")[2]
    assert (
        said
        == """\
friend@example.com → chen@dc1es.tnc.edu.tw

outside speaks to outside (127.0.0.1):
  ← 220 mail.example.com ESMTP
  → DATA
  ← 354 go on
  ← 250 2.0.0 Ok: queued as 4jd9HV43f5z5vwC

What each hop answered:
  outside  4jd4wj0xydz8hLD
    lin@dc1es.tnc.edu.tw: taken by spamfilter: 250 2.0.0 Ok: queued as
        4jd4wj3kV8z8hMN
  spamfilter  4jd4wj3kV8z8hMN
    filter: quarantine, 1000.1 of 15 points: GTUBE_TEST 1000, RCVD_NO_TLS_LAST
        0.1
    on hold: Spam message quarantined
Where it is now:
  … lin@dc1es.tnc.edu.tw: spamfilter took it at 08:42:13; it is on hold there:
      Spam message quarantined

"""
    )


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (Reply(step="RCPT TO:<x>", code=550, lines=("550-5.1.1 no", "550 5.1.1 such")), "Refused by mail."),
        (Reply(step="connect", code=0, lines=("timed out",)), "Not sent: mail can't be reached."),
        (Reply(step="DATA", code=0, lines=("the server closed the connection",)), "broke off"),
        (Reply(step=".", code=451, lines=("451 4.7.1 later",)), "a mail server would try again"),
    ],
)
def test_refusal(tutorial: Model, reply: Reply, said: str) -> None:
    assert said in " ".join(words(answer(tutorial, reply, via="mail")).split())


def test_message_that_no_log_has(tutorial: Model) -> None:
    assert "No mail log has it yet" in words(answer(tutorial, TAKEN))


@pytest.mark.parametrize("language", ["en", "zh-TW"])
@pytest.mark.parametrize("name", ["plain", "alias", "spam", "virus", "nosuch", "bounce", "deferred"])
def test_fits_into_80_columns(tutorial: Model, language: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILLAB_LANG", language)
    ehlo = Reply(step="EHLO mail.example.com", code=250, lines=("250-SIZE 10240000", *["250-8BITMIME"] * 20, "250 DSN"))
    assert max(map(len, words(answer(tutorial, ehlo, TAKEN), name).splitlines())) <= 80


def test_what_a_server_says_gives_the_terminal_no_orders(tutorial: Model) -> None:
    said = words(answer(tutorial, Reply(step="connect", code=554, lines=("554 \x1b]0;title\x07 \x9b2J",))))
    assert "?]0;title? ?2J" in said


def test_json_has_it_all(tutorial: Model, stack: Stack) -> None:
    given = answer(tutorial, TAKEN, via="mail", sender="x+v6@example.net")
    found = json.loads(json.dumps(sent_json(stack, given, traced("spam"))))
    assert (found["client"], found["source"], found["server"]) == ("outside", "2001:db8:198::66", "mail")
    assert (found["taken"], found["queue_id"], found["at_rest"]) == (True, "4jd9HV43f5z5vwC", True)
    assert found["replies"][-1] == {"step": ".", "code": 250, "lines": list(TAKEN.lines)}
    assert found["message"]["ends"][0]["outcome"] == "held"
    assert found["trace"].endswith(f"trace {given.message.message_id.strip('<>')}")


def test_json_of_a_refusal(tutorial: Model, stack: Stack) -> None:
    given = answer(tutorial, Reply(step="connect", code=0, lines=("timed out",)), via="mail")
    found = sent_json(stack, given, None)
    assert (found["taken"], found["queue_id"], found["message"]) == (False, None, None)
    assert found["replies"][-1] == {"step": "connect", "code": None, "lines": ["timed out"]}  # type: ignore[index]


def test_usual_message_is_from_the_internet_to_the_first_user(tutorial: Model) -> None:
    message = Wanted().message(tutorial.plan)
    assert (message.sender, message.recipient) == (FRIEND, "admin@dc1es.tnc.edu.tw")
    assert message.via is None


def test_subject_and_text_are_in_the_readers_language(tutorial: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    english = Wanted().message(tutorial.plan)
    monkeypatch.setenv("MAILLAB_LANG", "zh-TW")
    chinese = Wanted().message(tutorial.plan)
    assert english.subject.isascii()
    assert not chinese.subject.isascii()
    assert Wanted(subject="", body="").message(tutorial.plan).subject == ""


def test_users_are_named_without_their_domain(tutorial: Model) -> None:
    message = Wanted(sender="kao", recipient="chen").message(tutorial.plan)
    assert (message.sender, message.recipient) == ("kao@mail2.dc1es.tnc.edu.tw", CHEN)


@pytest.mark.parametrize("given", [Wanted(sender="chem"), Wanted(recipient="chem")])
def test_nobodys_name_is_refused_with_the_one_that_was_meant(tutorial: Model, given: Wanted, stack: Stack) -> None:
    with pytest.raises(PostError) as caught:
        given.message(tutorial.plan)
    assert explained(stack, caught.value).remedy[0] == "did you mean chen?"


@pytest.mark.parametrize("written", ["", "<>"])
def test_null_sender(tutorial: Model, written: str) -> None:
    assert Wanted(sender=written).message(tutorial.plan).sender == ""


@pytest.mark.parametrize(
    ("given", "via"),
    [
        pytest.param(Wanted(helo="liar"), "spamfilter", id="the recipient's best server"),
        pytest.param(Wanted(helo="liar", recipient="tnuser"), "tn", id="tn's"),
        pytest.param(Wanted(helo="liar", via="mail"), "mail", id="the one that was named"),
        pytest.param(Wanted(helo="liar", sender="chen"), None, id="a school's user speaks to somebody else's already"),
        pytest.param(Wanted(), None, id="no other name"),
    ],
)
def test_name_of_the_client_is_for_somebody_elses_server(tutorial: Model, given: Wanted, via: str | None) -> None:
    assert given.message(tutorial.plan).via == via


def test_files_are_attached_by_their_names(tutorial: Model, tmp_path: Path) -> None:
    path = tmp_path / "成績單.pdf"
    path.write_bytes(b"%PDF")
    (one,) = Wanted(attach=(path,)).message(tutorial.plan).attachments
    assert (one.name, one.content) == ("成績單.pdf", b"%PDF")


@pytest.mark.parametrize("name", ["nope", "."])
def test_file_that_can_not_be_read_is_named(tutorial: Model, tmp_path: Path, name: str) -> None:
    with pytest.raises(MaillabError, match="can't be attached"):
        Wanted(attach=(tmp_path / name,)).message(tutorial.plan)


@pytest.mark.parametrize(
    ("written", "size"),
    [
        *[("0", 0), ("2000", 2000), ("100k", 102_400), ("5M", 5 << 20), ("1 kB", 1024)],
        *((bad, None) for bad in ("7z", "-1", "101M", "9" * 30, "", "k")),
    ],
)
def test_sizes(written: str, size: int | None) -> None:
    assert size_of(written) == size


@pytest.mark.parametrize("fault", Fault)
def test_every_fault_has_words(fault: Fault, stack: Stack) -> None:
    error = explained(stack, PostError(fault, "mial\x1b", ["mail", "dns"]))
    assert "mial?" in shown(error)


def test_long_list_of_addresses_is_cut(stack: Stack) -> None:
    error = explained(stack, PostError(Fault.SENDER, "x@y.tw", [f"user{number}@b.tw" for number in range(500)]))
    assert len(shown(error)) < 500


@pytest.mark.parametrize("state", ["running", "exited"])
def test_message_is_sent_from_a_machine_that_runs(
    tutorial: Model, stack: Stack, state: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    row = MachineRow(name="outside", container="lab-outside", ipv4="", ipv6="", state=state, role="")
    monkeypatch.setattr("maillab.cli.send.stack_plan", lambda _: tutorial.plan)
    monkeypatch.setattr("maillab.cli.send.find", lambda *_: row)
    monkeypatch.setattr(Logs, "at_work", lambda _self: nullcontext())
    monkeypatch.setattr(Logs, "follow", lambda *_: traced("plain"))
    monkeypatch.setattr(Machines, "run", lambda *_: f"reply 0 250 .\n {TAKEN.text}\n")
    if state == "exited":
        with pytest.raises(MaillabError, match="does not run"):
            send_message(stack, Wanted(), as_json=False)
    else:
        assert send_message(stack, Wanted(), as_json=False)
        assert "The whole way: bin/maillab --stack lab trace " in capsys.readouterr().out


def test_size_that_is_none_is_refused_before_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Choice, "reach_engine", lambda _self: pytest.fail("asked the engine"))
    assert CliRunner().invoke(app, ["send", "--size", "7z"], catch_exceptions=False).exit_code == 2


@pytest.mark.parametrize(("taken", "code"), [(True, 0), (False, 1)])
def test_exit_status_says_whether_it_was_taken(taken: bool, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Choice, "reach_engine", lambda _self: None)
    monkeypatch.setattr("maillab.cli.send.send_message", lambda *_, as_json: taken)  # noqa: ARG005
    assert CliRunner().invoke(app, ["send"], catch_exceptions=False).exit_code == code
