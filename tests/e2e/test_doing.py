"""`maillab send`, `read` and `queue` on a running lab: what goes out comes in, and what waits is shown."""

import json
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from driver.lab import Lab
from tests.support.status import maillab

SUBJECT, BODY, NAME, CONTENT = "期末成績單", "各位老師好：\n.\n明日停課。", "成績單 2006.pdf", bytes(range(256)) * 8
LIN = "lin@dc1es.tnc.edu.tw"


def said(lab: Lab, *words: str, code: int = 0) -> dict[str, Any]:
    """What a command tells a program."""
    done = maillab(lab, *words, "--json")
    assert done.returncode == code, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def ends(sent: dict[str, Any]) -> list[tuple[str, str]]:
    """(machine, outcome) of each end of a message that was followed."""
    assert sent["at_rest"]
    return [(end["machine"], end["outcome"]) for end in sent["message"]["ends"]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A message that was sent, and its number in the mailbox."""

    sent: dict[str, Any]
    number: str


def number_of(lab: Lab, sent: dict[str, Any], user: str) -> str:
    """Where it is in the user's mailbox."""
    listed = said(lab, "read", user)["messages"]
    (found,) = [one["number"] for one in listed if one["message_id"] == sent["message_id"]]
    return str(found)


@pytest.fixture(scope="module")
def chinese(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Read:
    """From a Chinese address of the Internet, with a Chinese subject, text and file."""
    path: Path = tmp_path_factory.mktemp("attached") / NAME
    path.write_bytes(CONTENT)
    words = ("--subject", SUBJECT, "--body", BODY, "--attach", str(path))
    sent = said(lab, "send", "--from", "陳@example.com", "--to", "lin", *words)
    return Read(sent=sent, number=number_of(lab, sent, "lin"))


def test_message_goes_by_the_senders_own_server_and_the_filter(chinese: Read) -> None:
    assert [reply["code"] for reply in chinese.sent["replies"]] == [220, 250, 250, 250, 354, 250]
    assert ends(chinese.sent) == [("mail", "mailbox")]
    outside = chinese.sent["message"]["stays"][0]
    assert (outside["machine"], outside["stays"][0]["machine"]) == ("outside", "spamfilter")


def test_chinese_is_read_as_it_was_written(lab: Lab, chinese: Read) -> None:
    (message,) = said(lab, "read", LIN, chinese.number)["messages"]
    assert (message["from"], message["subject"]) == ("陳@example.com", SUBJECT)
    assert message["text"].replace("\r\n", "\n") == f"{BODY}\n"
    assert message["attachments"] == [{"name": NAME, "type": "application/pdf", "size": len(CONTENT)}]
    assert message["filter"]["X-Virus"] == "clean"


def test_trace_command_that_is_printed_shows_the_message(lab: Lab, chinese: Read) -> None:
    *_, verb, message_id = shlex.split(chinese.sent["trace"])
    done = maillab(lab, verb, message_id)
    assert done.returncode == 0, done.stderr
    assert "in the mailbox lin on mail" in done.stdout


def test_deleted_message_is_gone(lab: Lab) -> None:
    """From a school's user, by the second mail server."""
    sent = said(lab, "send", "--from", "kao", "--to", "wang")
    assert (sent["client"], sent["server"], ends(sent)) == ("workstation", "mail2", [("mail", "mailbox")])
    number = number_of(lab, sent, "wang")
    done = maillab(lab, "read", "wang", number, "--delete")
    assert done.returncode == 0, done.stderr
    assert sent["message_id"] not in json.dumps(said(lab, "read", "wang"))


def test_wrong_password_opens_nothing(lab: Lab) -> None:
    done = maillab(lab, "read", "lin", "--password", "wrong")
    assert (done.returncode, done.stdout) == (1, "")
    assert "mail does not let lin log in" in done.stderr


def test_spam_is_on_hold_until_the_command_that_is_shown_deletes_it(lab: Lab) -> None:
    sent = said(lab, "send", "--from", "tnuser", "--to", "lin", "--spam")
    assert ends(sent) == [("spamfilter", "held")]
    queue_id = sent["message"]["stays"][0]["stays"][0]["queue_id"]
    queue = said(lab, "queue", "spamfilter")
    (entry,) = [one for one in queue["servers"][0]["messages"] if one["queue_id"] == queue_id]
    assert (entry["state"], entry["sender"]) == ("hold", "tnuser@tn.edu.tw")
    assert [who["address"] for who in entry["recipients"]] == [LIN]
    commands = next(one["commands"] for one in queue["next"] if one["state"] == "hold")
    delete = next(one for one in commands if " postsuper -d " in one)
    *_, shell, machine, program, option, _ = shlex.split(delete)
    done = maillab(lab, shell, machine, program, option, queue_id)
    assert done.returncode == 0, done.stderr
    assert queue_id not in json.dumps(said(lab, "queue"))


def test_virus_is_refused_and_the_sender_hears_of_it(lab: Lab) -> None:
    sent = said(lab, "send", "--to", "lin", "--virus")
    assert ends(sent) == [("spamfilter", "refused"), ("outside", "mailbox")]


def test_refusal_of_the_first_server_is_the_answer(lab: Lab) -> None:
    sent = said(lab, "send", "--to", "nobody-at-all@dc1es.tnc.edu.tw", "--via", "spamfilter", code=1)
    assert (sent["server"], sent["taken"], sent["message"]) == ("spamfilter", False, None)
    assert sent["replies"][-1]["code"] == 550


def test_straight_to_the_mail_server_past_the_filter(lab: Lab) -> None:
    """Whom its packet filter lets in, and with the name that somebody wants."""
    sent = said(lab, "send", "--from", "someone@moe.edu.tw", "--to", "lin", "--via", "mail", "--helo", "liar.example")
    assert (sent["server"], sent["replies"][1]["step"]) == ("mail", "EHLO liar.example")
    assert ends(sent) == [("mail", "mailbox")]
