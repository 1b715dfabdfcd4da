"""`maillab trace` follows real messages: what it says is what the mail logs of a running lab have."""

import json
import pathlib
import secrets
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from driver.lab import Lab
from driver.machine import wait_until
from driver.mail import envelope, new_message, post, smtp
from tests.support.status import maillab, start_maillab

WENDY, NOBODY = "wendy@example.com", "trace-nobody@dc1es.tnc.edu.tw"
SERVICE = "service@dc1es.tnc.edu.tw"


def trace(lab: Lab, *words: str) -> list[dict[str, Any]]:
    """The messages that the command says to a program; none when it fails because there are none."""
    done = maillab(lab, "trace", "--json", *words)
    if done.returncode == 0:
        return list(json.loads(done.stdout)["messages"])
    assert (done.returncode, done.stdout) == (1, ""), done.stderr
    return []


@dataclass(frozen=True, slots=True, kw_only=True)
class Traced:
    """A message with all its ends in the logs: its Message-ID, and what the command says of it."""

    message_id: str
    said: dict[str, Any]

    @property
    def ends(self) -> list[tuple[str, str, str]]:
        """(recipient, machine, outcome) of each end."""
        return sorted((end["recipient"], end["machine"], end["outcome"]) for end in self.said["ends"])


def traced(lab: Lab, recipient: str, number: int) -> Traced:
    """A new message from outside, once it has come to so many ends, and none of them can change."""
    mail = new_message(WENDY, recipient)
    post(lab, "outside", WENDY, recipient, mail)

    def look() -> Traced | None:
        (said,) = trace(lab, mail.message_id)
        done = len(said["ends"]) == number and all(end["final"] for end in said["ends"])
        return Traced(message_id=mail.message_id, said=said) if done else None

    return wait_until(f"{number} ends of {mail.message_id}", look)


@pytest.fixture(scope="module")
def aliased(lab: Lab) -> Traced:
    return traced(lab, SERVICE, 3)


def test_all_members_of_an_alias(aliased: Traced) -> None:
    assert aliased.ends == [
        ("admin@dc1es.tnc.edu.tw", "mail", "mailbox"),
        ("manager@dc1es.tnc.edu.tw", "mail", "mailbox"),
        ("tnuser@tn.edu.tw", "tn", "mailbox"),
    ]


def test_filter_says_its_verdict_each_time(aliased: Traced) -> None:
    said = json.dumps(aliased.said)
    assert said.count('"verdict"') == 2  # on its way in, and on its way out again


def asked(stay: dict[str, Any]) -> list[tuple[str, ...]]:
    """(machine, type, name, name server, answer) of each question, of this stay and those after it."""
    wanted = ("type", "name", "server", "rcode", "answers")
    own = [tuple(event[key] for key in wanted) for event in stay["events"] if event["kind"] == "asked"]
    return [(stay["machine"], *one) for one in own] + [one for next_ in stay["stays"] for one in asked(next_)]


def test_questions_to_name_servers_stand_where_they_were_asked(aliased: Traced) -> None:
    (first,) = aliased.said["stays"]
    found = asked(first)
    assert ("outside", "MX", "dc1es.tnc.edu.tw", "internet", "NOERROR", "2") in found
    assert ("spamfilter", "MX", "tn.edu.tw", "dns", "NOERROR", "1") in found  # where the alias leads
    assert ("mail", "PTR", "249.182.26.163.in-addr.arpa", "dns", "NOERROR", "1") in found


def test_refusal_and_its_notice(lab: Lab) -> None:
    ends = traced(lab, NOBODY, 2).ends
    assert ends == [(NOBODY, "spamfilter", "refused"), (WENDY, "outside", "mailbox")]


def test_refused_before_there_is_a_message(lab: Lab) -> None:
    stranger = f"{secrets.token_hex(6)}@example.org"
    assert trace(lab, "--to", stranger) == []
    steps = [*envelope("mail.example.com", WENDY, stranger)[:-1], "QUIT"]
    assert smtp(lab["outside"], lab["spamfilter"].ipv4, steps)[-2].code == 554
    (message,) = wait_until("the refusal in the log", lambda: trace(lab, "--to", stranger))
    assert (message["message_id"], message["ends"][0]["outcome"]) == (None, "refused")


@pytest.mark.usefixtures("aliased")
def test_no_such_message_names_those_that_are_there(lab: Lab) -> None:
    done = maillab(lab, "trace", "nobody-has-sent-this@test.invalid")
    assert (done.returncode, done.stdout) == (1, "")
    assert "@" in done.stderr.partition("the last messages there:")[2]


def test_tree_for_people(lab: Lab, aliased: Traced) -> None:
    done = maillab(lab, "trace", aliased.message_id.strip("<>"))
    assert done.returncode == 0
    assert "admin@dc1es.tnc.edu.tw: in the mailbox admin on mail" in done.stdout


def test_page_has_the_way_and_the_lines_of_the_tree(lab: Lab, aliased: Traced, tmp_path: Path) -> None:
    path = tmp_path / "way.html"
    done = maillab(lab, "trace", aliased.message_id, "--html", str(path))
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    page = path.read_text(encoding="utf-8")
    assert all(f">{number} taken<" in page for number in (1, 2, 3, 4))  # outside, spamfilter, mail, spamfilter, tn
    assert aliased.said["stays"][0]["queue_id"] in page


def captures(lab: Lab) -> list[str]:
    """The containers that read packets of the lab."""
    there = lab.client.containers.list(all=True, filters={"label": f"maillab.stack={lab.stack}"})
    return [name for one in there if "-capture-" in (name := one.name or "")]


def test_follow_shows_a_message_as_it_comes_until_ctrl_c(lab: Lab) -> None:
    mail = new_message(WENDY, NOBODY)
    with start_maillab(lab, "trace", "--follow", "--dialogue") as process:
        assert process.stdout
        assert process.stderr
        assert "until Ctrl-C" in process.stderr.readline()  # nothing new is missed any more
        post(lab, "outside", WENDY, NOBODY, mail)
        # In no order: packets and lines come by ways of their own.
        missing = {mail.message_id, "outside → RCPT", "outside ← 550 5.1.1", f"{NOBODY}: refused for good"}
        while missing and (line := process.stdout.readline()):
            missing = {words for words in missing if words not in line}
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
    assert (process.returncode, err, missing) == (0, "", set()), out
    assert captures(lab) == []


def test_capture_has_the_conversation_and_leaves_nothing_behind(lab: Lab, tmp_path: pathlib.Path) -> None:
    mail, path = new_message(WENDY, NOBODY), tmp_path / "spamfilter.pcap"
    with start_maillab(lab, "capture", "spamfilter", "port", "25", "--output", str(path)) as process:
        assert process.stderr
        assert any("listening on any" in line for line in iter(process.stderr.readline, ""))
        post(lab, "outside", WENDY, NOBODY, mail)
        wait_until("the recipient's refusal", lambda: b"550 5.1.1 <" + NOBODY.encode() in path.read_bytes())
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
    assert (process.returncode, out) == (0, ""), err
    assert b"RCPT TO:<" + NOBODY.encode() in path.read_bytes()
    assert captures(lab) == []
