"""Who has logged in, and who could not: on a terminal and for programs."""

import json

import pytest
from typer.testing import CliRunner

from maillab.cli import trace_logins
from maillab.cli.app import app
from maillab.cli.machines import MachineRow
from maillab.cli.stack import Stack
from maillab.cli.trace_logins import logins, show_logins
from maillab.cli.trace_text import event_text
from maillab.trace.machines import Machines

REFUSED = (
    "2026-11-30T10:00:02+08:00 mail postfix/submission/smtpd[77]: warning: workstation.yaes.example[163.32.182.100]: "
    "SASL PLAIN authentication failed: (reason unavailable), sasl_username=lin"
)
SENT = (
    "2026-11-30T10:00:01+08:00 mail postfix/submission/smtpd[77]: 4kFYzc0vHtz5VF4: client=workstation.yaes.example"
    "[163.32.182.100], sasl_method=PLAIN, sasl_username=chen\n"
    "2026-11-30T10:00:01+08:00 mail postfix/cleanup[79]: 4kFYzc0vHtz5VF4: message-id=<1@x>"
)
FETCHED = "2026-11-30T10:00:03+08:00 mail dovecot: pop3(chen)<1><x>: Logged out messages=2 bytes=9/9, deleted=0/2"


# Dovecot's, and mailutils-pop3d's.
NOT_FETCHED = (
    "2026-12-01T01:10:28.087506+08:00 mail dovecot: pop3-login: Login aborted: Connection closed"
    " (auth failed, 1 attempts in 4 secs) (auth_failed): user=<admin>, method=PLAIN, rip=163.32.182.100,"
    " lip=163.32.182.2, secured, session=<x>",
    "2026-12-01T01:12:36.927967+08:00 tn pop3d[1232]: user `tnuser': authentication failed",
)
NO_TRY = (
    "2026-12-01T01:10:31.925150+08:00 mail dovecot: pop3-login: Login aborted: Connection closed (no auth attempts in 0"
    " secs) (no_auth_attempts): user=<>, rip=127.0.0.1, lip=127.0.0.1, secured, session=<OGC9fIFhQOd/AAAB>"
)


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILLAB_LANG", "en")


@pytest.fixture
def lab(monkeypatch: pytest.MonkeyPatch, stack: Stack) -> Stack:
    """A lab whose mail server has logged these."""
    row = MachineRow(
        name="mail", container="lab-mail", state="running", ipv4="163.32.182.2", ipv6="", role="", school="yaes"
    )
    monkeypatch.setattr(trace_logins, "of_stack", lambda _: [row])
    monkeypatch.setattr(trace_logins, "environment", dict)
    monkeypatch.setattr(trace_logins, "host_environment", lambda _: {})
    monkeypatch.setattr(Machines, "ask", lambda _, asked: dict.fromkeys(asked, "\n".join([FETCHED, REFUSED, SENT])))
    return stack


def test_they_stand_in_their_order(
    lab: Stack, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    show_logins(lab, 20, as_json=False)
    assert capsys.readouterr().out.splitlines() == [
        "11-30 10:00:01  mail  chen has logged in to send (PLAIN)",
        "11-30 10:00:02  mail  login of lin refused (PLAIN):",
        "                      workstation.yaes.example[163.32.182.100]",
        "11-30 10:00:03  mail  chen logged in by POP3 and found 2 messages",
    ]


def test_the_last_ones_are_shown(lab: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    show_logins(lab, 1, as_json=True)
    (one,) = json.loads(capsys.readouterr().out)["logins"]
    assert (one["machine"], one["kind"], one["user"]) == ("mail", "logged-in", "chen")


def test_machine_of_the_lab_is_named() -> None:
    owners = {"163.32.182.100": "workstation"}
    (one,) = logins({"mail": REFUSED}, owners)
    assert one.event.values["peer"] == "workstation"


def test_who_could_not_fetch() -> None:
    found = logins({"mail": "\n".join([*NOT_FETCHED, NO_TRY])}, {"163.32.182.100": "workstation"})
    assert [event_text(one.event) for one in found] == [
        "login of admin refused (POP3): workstation: [163.32.182.100]",
        "login of tnuser refused (POP3)",
    ]


def test_nobody_yet(lab: Stack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(Machines, "ask", lambda _, asked: dict.fromkeys(asked, ""))
    show_logins(lab, 20, as_json=False)
    assert "nobody has logged in yet" in capsys.readouterr().out


@pytest.mark.parametrize("other", [["--last"], ["--follow"], ["--to", "a@b"], ["x@y"], ["--html", "f"]])
def test_it_goes_with_nothing_else(other: list[str]) -> None:
    done = CliRunner().invoke(app, ["trace", "--logins", *other])
    assert done.exit_code == 2
    assert "--logins" in done.output
