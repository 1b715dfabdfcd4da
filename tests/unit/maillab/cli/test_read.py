"""Mailboxes on a terminal and for programs, and what is said where there is nothing to read."""

import io
import json

import pytest
from rich.console import Console
from typer.testing import CliRunner

from maillab.cli import read as module
from maillab.cli.app import app
from maillab.cli.choice import Choice
from maillab.cli.machines import MachineRow
from maillab.cli.problem import MaillabError, shown
from maillab.cli.read import Wanted, list_lines, read_json, read_mail, show_source
from maillab.cli.stack import Stack
from maillab.cli.wrapped import print_lines
from maillab.postman.mailboxes import Fetched, Mailbox, Pop3Error, Stored, mailbox_of
from maillab.postman.message import Attachment, Message
from tests.unit.labs import Model

EVIL = b"From: a@b.tw\nSubject: \x1b]0;title\x07\nX-Spam-Status: \x9b2J\n\n\x1b[2Jhello\ttab\n"
CHINESE = Message(
    sender="friend@example.com",
    recipient="chen@dc1es.tnc.edu.tw",
    subject="期末成績單" * 20,
    body="請查收。",
    attachments=(Attachment(name="成績單.pdf", content=b"12345"),),
    date="Mon, 30 Nov 2026 03:58:46 +0000",
).raw.replace(b"\r\n", b"\n")


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILLAB_LANG", "en")


def fetched(*texts: bytes, total: int | None = None) -> Fetched:
    messages = tuple(Stored(number=n, size=len(text), raw=text) for n, text in enumerate(texts, 1))
    return Fetched(total=len(texts) if total is None else total, messages=messages)


@pytest.fixture
def server(tutorial: Model, monkeypatch: pytest.MonkeyPatch) -> list[Fetched | Pop3Error]:
    """What the servers answer, and nothing but that; all machines run."""
    answers: list[Fetched | Pop3Error] = []

    def fetch(*_: object, **__: object) -> Fetched:
        answer = answers.pop(0)
        if isinstance(answer, Pop3Error):
            raise answer
        return answer

    monkeypatch.setattr(module, "stack_plan", lambda _: tutorial.plan)
    monkeypatch.setattr(module, "refuse_stopped", lambda *_: None)
    monkeypatch.setattr(module, "fetch", fetch)
    return answers


def listed(tutorial: Model, stack: Stack, found: Fetched) -> str:
    file = io.StringIO()
    box = mailbox_of(tutorial.plan, "chen")
    print_lines(list_lines(stack, box, Wanted(user="chen"), found), Console(file=file, width=80))
    return file.getvalue()


def test_list(tutorial: Model, stack: Stack) -> None:
    text = b"From: a@b.tw\nDate: Mon, 30 Nov 2026 03:58:46 +0000\nSubject: =?utf-8?b?5YGc6Kqy?=\nX-Virus: clean\n\nx\n"
    assert (
        listed(tutorial, stack, fetched(text))
        == f"""\
Mailbox of chen on mail: messages: 1
  1  2026-11-30 11:58  {len(text)} bytes  a@b.tw
     停課
     X-Virus: clean

Read one: bin/maillab --stack lab read chen 1
"""
    )


def test_empty_mailbox(tutorial: Model, stack: Stack) -> None:
    assert listed(tutorial, stack, fetched()) == "The mailbox of chen on mail is empty.\n"


def test_older_messages_are_counted(tutorial: Model, stack: Stack) -> None:
    assert "The newest 1:" in listed(tutorial, stack, fetched(CHINESE, total=900))


@pytest.mark.parametrize("language", ["en", "zh-TW"])
def test_list_fits_into_80_columns(
    tutorial: Model, stack: Stack, language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rich.cells import cell_len  # noqa: PLC0415

    monkeypatch.setenv("MAILLAB_LANG", language)
    assert max(map(cell_len, listed(tutorial, stack, fetched(CHINESE, EVIL)).splitlines())) <= 80


def test_one_message(server: list[Fetched | Pop3Error], stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    server.append(fetched(CHINESE))
    read_mail(stack, Wanted(user="chen", number=1), as_json=False)
    said = capsys.readouterr().out
    assert "From: friend@example.com\nTo: chen@dc1es.tnc.edu.tw\n" in said
    assert "Attached: 成績單.pdf (application/pdf, 5 bytes)" in said
    assert said.endswith("\n\n請查收。\n")


def test_deleted_message_is_shown_and_named(
    server: list[Fetched | Pop3Error], stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    server.append(fetched(CHINESE))
    read_mail(stack, Wanted(user="chen", number=1, delete=True), as_json=False)
    assert capsys.readouterr().out.endswith("請查收。\n\nMessage 1 was removed from mail.\n")


@pytest.mark.parametrize("number", [None, 1])
def test_message_gives_the_terminal_no_orders(
    server: list[Fetched | Pop3Error], stack: Stack, capsys: pytest.CaptureFixture[str], number: int | None
) -> None:
    server.append(fetched(EVIL))
    read_mail(stack, Wanted(user="chen", number=number), as_json=False)
    said = capsys.readouterr().out
    assert "?]0;title?" in said
    assert not [one for one in said if not one.isprintable() and one != "\n"]


def test_source_is_every_byte(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    show_source(EVIL)
    assert capfdbinary.readouterr().out == EVIL


def test_source_on_a_terminal_gives_it_no_orders(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    show_source(EVIL)
    assert "?[2Jhello" in capsys.readouterr().out


def test_json(tutorial: Model) -> None:
    box = mailbox_of(tutorial.plan, "chen")
    said = json.loads(json.dumps(read_json(box, Wanted(user="chen", number=1), fetched(CHINESE))))
    (message,) = said["messages"]
    assert (said["user"], said["server"], said["total"]) == ("chen", "mail", 1)
    assert (message["subject"], message["text"].strip()) == ("期末成績單" * 20, "請查收。")
    assert message["attachments"] == [{"name": "成績單.pdf", "type": "application/pdf", "size": 5}]
    assert "source" not in message


def test_json_of_a_list_has_no_texts(tutorial: Model) -> None:
    said = read_json(mailbox_of(tutorial.plan, "chen"), Wanted(user="chen"), fetched(CHINESE))
    assert "text" not in json.loads(json.dumps(said))["messages"][0]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (Pop3Error("connect", "Connection refused"), "POP3 server of mail does not answer: Connection refused"),
        (Pop3Error("greeting", "timed out"), "POP3 server of mail does not answer: timed out"),
        (Pop3Error("login", "[AUTH] Bad login"), "mail does not let chen log in: [AUTH] Bad login"),
        (Pop3Error("login", "[IN-USE] locked"), "has the mailbox of chen on mail open"),
        (Pop3Error("number", "no such message"), "no message 7 in the mailbox of chen"),
        (Pop3Error("get", "[SYS/TEMP] \x1b"), "mail does not do GET for chen"),
    ],
)
def test_failures(server: list[Fetched | Pop3Error], stack: Stack, error: Pop3Error, words: str) -> None:
    server.append(error)
    with pytest.raises(MaillabError) as caught:
        read_mail(stack, Wanted(user="chen", number=7), as_json=False)
    assert words in shown(caught.value)
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("user", "words"),
    [
        ("chne", "did you mean chen?"),
        ("chen@dc1es.tnc.edu.tv", "did you mean chen@dc1es.tnc.edu.tw?"),
        ("webmaster", "its mail goes to: root"),
        ("friend@example.com", "has no POP3"),
    ],
)
@pytest.mark.usefixtures("server")
def test_nobody(stack: Stack, user: str, words: str) -> None:
    with pytest.raises(MaillabError) as caught:
        read_mail(stack, Wanted(user=user), as_json=False)
    assert words in shown(caught.value)


def test_other_password(tutorial: Model, stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    used: list[Mailbox] = []
    monkeypatch.setattr(module, "stack_plan", lambda _: tutorial.plan)
    monkeypatch.setattr(module, "refuse_stopped", lambda *_: None)
    monkeypatch.setattr(module, "fetch", lambda _, box, *__, **___: used.append(box) or fetched())  # type: ignore[func-returns-value]
    for password in (None, "other"):
        read_mail(stack, Wanted(user="chen", password=password), as_json=False)
    assert [box.password for box in used] == ["lab-chen-2006", "other"]
    with pytest.raises(MaillabError):
        read_mail(stack, Wanted(user="chen", password="a\nlist 9"), as_json=False)


def test_server_that_does_not_run_is_named(tutorial: Model, stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    def find(_: Stack, name: str) -> MachineRow:
        state = "exited" if name == "mail2" else "running"
        return MachineRow(name=name, container=name, ipv4="", ipv6="", state=state, role="")

    monkeypatch.setattr(module, "stack_plan", lambda _: tutorial.plan)
    monkeypatch.setattr("maillab.cli.send.find", find)
    monkeypatch.setattr(module, "fetch", lambda *_, **__: fetched())
    with pytest.raises(MaillabError, match="mail2 of lab lab does not run"):
        read_mail(stack, Wanted(user="kao"), as_json=False)
    read_mail(stack, Wanted(user="chen"), as_json=False)


@pytest.mark.parametrize("words", [["chen", "--delete"], ["chen", "--raw"], ["chen", "0"], ["chen", "x"], []])
def test_words_that_make_no_sense(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Choice, "reach_engine", lambda _self: pytest.fail("asked the engine"))
    assert CliRunner().invoke(app, ["read", *words], catch_exceptions=False).exit_code == 2


def test_words(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Wanted] = []
    monkeypatch.setattr(Choice, "reach_engine", lambda _self: None)
    monkeypatch.setattr(module, "read_mail", lambda _stack, one, as_json: seen.append(one))  # noqa: ARG005
    CliRunner().invoke(app, ["read", "chen", "3", "--delete", "--password", "x"], catch_exceptions=False)
    assert seen == [Wanted(user="chen", number=3, delete=True, password="x")]
