"""The script that is the school's mail client, with a server in place of smtplib's."""

import io
import json
import pathlib
import runpy
import smtplib
import sys
from dataclasses import dataclass, field

import pytest

SCRIPT = pathlib.Path(__file__).resolve().parents[3] / "verify" / "submit.py"
LETTERS = "admin@b.tw chen@b.tw 0.abc@verify.invalid\nadmin@b.tw nobody@b.tw 1.abc@verify.invalid\n"


@dataclass(slots=True)
class Server:
    """Takes letters for chen only; with an `error` nobody can connect to it."""

    error: Exception | None = None
    asked: str = ""
    taken: dict[str, str] = field(default_factory=dict)

    def connect(self, address: str, timeout: float) -> "Server":
        """As smtplib.SMTP."""
        assert timeout < 60, "longer than a command on a machine may take"
        self.asked = address
        if self.error is not None:
            raise self.error
        return self

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def sendmail(self, sender: str, recipient: str, text: str) -> None:
        """As smtplib.SMTP.sendmail."""
        if not recipient.startswith("chen@"):
            raise smtplib.SMTPRecipientsRefused({recipient: (550, b"5.1.1 <nobody@b.tw>: Recipient address rejected")})
        self.taken[recipient] = f"{sender} {text}"


def submit(server: Server, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What the script says of two letters, one of them to nobody."""
    out = io.StringIO()
    monkeypatch.setattr(sys, "argv", ["submit.py", "192.0.2.1"])
    monkeypatch.setattr(sys, "stdin", io.StringIO(LETTERS))
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(smtplib, "SMTP", server.connect)
    runpy.run_path(str(SCRIPT))
    found = json.loads(out.getvalue())
    assert isinstance(found, dict)
    return found


def test_server_is_the_one_that_was_said(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server()
    submit(server, monkeypatch)
    assert server.asked == "192.0.2.1"


def test_letter_has_its_message_id_in_header_and_text(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server()
    submit(server, monkeypatch)
    header, _, text = server.taken["chen@b.tw"].partition("\r\n\r\n")
    assert "Message-ID: <0.abc@verify.invalid>" in header.split("\r\n")
    assert text == "0.abc@verify.invalid\r\n"


def test_refusals_are_said_with_their_status(monkeypatch: pytest.MonkeyPatch) -> None:
    assert submit(Server(), monkeypatch) == {"1.abc@verify.invalid": "5.1.1"}


@pytest.mark.parametrize("error", [ConnectionRefusedError(111, "refused"), TimeoutError("timed out")], ids=type)
def test_letters_without_a_connection_are_said(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    found = submit(Server(error=error), monkeypatch)
    assert found == {f"{number}.abc@verify.invalid": "no connection" for number in (0, 1)}


def test_server_that_is_in_no_state_to_talk_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(smtplib.SMTPConnectError):
        submit(Server(error=smtplib.SMTPConnectError(421, "too busy")), monkeypatch)
