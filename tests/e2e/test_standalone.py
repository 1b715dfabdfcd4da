"""The school without an appliance: what its own amavis makes of mail, from inside and outside."""

import re
import shlex

import pytest

from driver.lab import Lab
from driver.machine import wait_until
from driver.mail import Message, envelope, mailbox, new_message, post, queue_id_of, queue_ids_of, smtp
from tests.golden.rendering import lab_of
from tests.support.bulk import bring, named
from tests.support.delivered import Delivered, deliver, deliver_from
from tests.support.disguises import viruses
from tests.support.forms import attached, locked, zipped
from tests.support.mailqueue import wait_for_queue, wait_until_gone

DOMAIN = "yaes.example"
WENDY, CHEN, LIN, ADMIN = "wendy@example.com", f"chen@{DOMAIN}", f"lin@{DOMAIN}", f"admin@{DOMAIN}"
TNUSER = "tnuser@tn.edu.tw"
# In pieces, so that a filter or a virus scanner lets this file live.
GTUBE = "XJS*C4JDBQADN1.NSBN3*2IDNEN*" + "GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"
EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}" + b"$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
QUARANTINE = "/var/lib/amavis/virusmails"


def judged(lab: Lab, message_id: str) -> str:
    """What amavis logged of a message, from "Passed" or "Blocked" on, once it has."""
    command = f"grep -F 'Message-ID: {message_id}' /var/log/mail.log | grep -oE '(Passed|Blocked) .*'"
    return wait_until(f"amavis' word on {message_id}", lambda: lab["mail"].execute(command).output or None, 60)


def quarantined(lab: Lab, verdict: str) -> str:
    """The message in the quarantine that a verdict names."""
    match = re.search(r"quarantine: (\S+?),", verdict)
    assert match, verdict
    path = f"{QUARANTINE}/{match[1]}"
    return lab["mail"].succeed(f"zcat -f {shlex.quote(path)}")


def refused_by_content(lab: Lab, raw: bytes, recipient: str = LIN) -> tuple[Message, str]:
    """A message that nobody may get, and amavis' word on it."""
    mail = named({"it": raw})["it"]
    assert {answer.code for answer in bring(lab, recipient, {"it": mail.raw}, "mail").values()} == {250}
    verdict = judged(lab, mail.message_id)
    assert queue_ids_of(lab, "mail", mail.message_id)[1:] == [], "it came back from amavis"
    return mail, verdict


@pytest.fixture(scope="module")
def inbound(standalone: Lab) -> Delivered:
    """A message from outside."""
    return deliver(standalone, "outside", WENDY, ADMIN)


@pytest.fixture(scope="module")
def outbound(standalone: Lab) -> Delivered:
    """A message to somebody outside, written on the mail server."""
    return deliver_from(standalone, "mail", ADMIN, TNUSER)


def test_mail_from_outside_passes_the_filter_once(inbound: Delivered) -> None:
    assert inbound.path == ["outside", "mail", "mail"]


def test_mail_to_the_outside_passes_the_filter_once(outbound: Delivered) -> None:
    assert outbound.path == ["mail", "mail", "tn"]


def test_body_arrives_byte_for_byte(either: Delivered) -> None:
    assert either.body == either.mail.stored_body


def test_clean_message_says_that_it_was_scanned(inbound: Delivered) -> None:
    assert inbound.message["X-Virus-Scanned"] == f"Debian amavis at {DOMAIN}"


def test_clean_message_has_no_word_of_spam(inbound: Delivered) -> None:
    assert [line for line in inbound.header if line.startswith(b"X-Spam")] == []


def test_spam_is_marked_and_delivered(standalone: Lab) -> None:
    spam = new_message(WENDY, CHEN, subject="offer", body=f"{GTUBE}\r\n")
    found = deliver(standalone, "outside", WENDY, CHEN, spam)
    assert (found.message["Subject"], found.message["X-Spam-Flag"]) == ("***SPAM*** offer", "YES")


def test_spam_is_kept_in_the_quarantine_too(standalone: Lab) -> None:
    spam = new_message(WENDY, CHEN, subject="offer", body=f"{GTUBE}\r\n")
    post(standalone, "outside", WENDY, CHEN, spam)
    assert spam.message_id in quarantined(standalone, judged(standalone, spam.message_id))


def test_spam_to_a_stranger_is_not_marked(standalone: Lab) -> None:
    """Only messages to the domain's own users are marked: `@local_domains_acl`."""
    spam = new_message(ADMIN, TNUSER, subject="offer", body=f"{GTUBE}\r\n")
    assert deliver_from(standalone, "mail", ADMIN, TNUSER, spam).message["Subject"] == "offer"


def test_virus_reaches_nobody(standalone: Lab) -> None:
    _, verdict = refused_by_content(standalone, attached(EICAR))
    assert verdict.startswith("Blocked INFECTED (Eicar-Test-Signature")


def test_virus_is_kept_in_the_quarantine(standalone: Lab) -> None:
    mail, verdict = refused_by_content(standalone, attached(EICAR))
    assert mail.message_id in quarantined(standalone, verdict)


def test_postmaster_is_told_of_a_virus(standalone: Lab) -> None:
    mail, _ = refused_by_content(standalone, attached(EICAR))
    wait_until_gone([standalone["mail"]], ADMIN)
    told = [m for m in mailbox(standalone["mail"], "admin") if "VIRUS" in m["Subject"] and mail.message_id in str(m)]
    assert len(told) == 1


def test_virus_in_archives_in_archives_reaches_nobody(standalone: Lab) -> None:
    inner = zipped(zipped(zipped(EICAR), "a.zip"), "b.zip")
    _, verdict = refused_by_content(standalone, attached(inner, "c.zip"))
    assert verdict.startswith("Blocked INFECTED")


def test_program_comes_back_to_its_sender(standalone: Lab) -> None:
    mail, verdict = refused_by_content(standalone, attached(b"MZ" + bytes(200), "setup.exe"))
    assert verdict.startswith("Blocked BANNED")

    def bounced() -> bool:
        back = mailbox(standalone["outside"], "example.com")
        return any("BANNED" in str(m["Subject"]) and mail.message_id in str(m) for m in back)

    wait_until("the sender has been told", bounced)


def test_message_released_from_the_quarantine_arrives(standalone: Lab) -> None:
    mail, verdict = refused_by_content(standalone, attached(b"MZ" + bytes(200), "setup.exe"))
    (name,) = re.findall(r"quarantine: (\S+?),", verdict)
    standalone["mail"].succeed(f"amavisd-release {name}")
    wait_until_gone([standalone["mail"]], LIN)
    assert mail.message_id in [str(m["Message-ID"]) for m in mailbox(standalone["mail"], "lin")]


def test_raw_big5_in_the_subject_vanishes(standalone: Lab) -> None:
    """As the tutorial sets it (`$final_bad_header_destiny`): nobody gets a notice."""
    header = b"From: Wendy <wendy@example.com>\r\nTo: lin\r\nDate: Mon, 30 Nov 2026 08:00:00 +0800\r\n"
    raw = b"Subject: " + "問好".encode("big5") + b"\r\n" + header + b"\r\nhello\r\n"
    mail = named({"it": raw.replace(header, b"")})["it"]
    assert bring(standalone, LIN, {"it": mail.raw}, "mail")["it"].code == 250
    assert judged(standalone, mail.message_id).startswith("Blocked BAD-HEADER")


DISGUISES = {
    "magic first lines": lambda: viruses("magic first lines"),
    # An encoding without a name is none for amavis, as for most mail programs.
    "encodings": lambda: {name: raw for name, raw in viruses("encodings").items() if name != "encoding named ''"},
}


@pytest.mark.parametrize("group", DISGUISES)
def test_virus_in_disguise_reaches_nobody(standalone: Lab, group: str) -> None:
    mails = named(DISGUISES[group]())
    assert len(mails) > 5
    answers = bring(standalone, LIN, {name: mail.raw for name, mail in mails.items()}, "mail")
    assert {answer.code for answer in answers.values()} == {250}
    wait_until_gone([standalone["mail"]], LIN, timeout=120)
    arrived = {str(message["Message-ID"]) for message in mailbox(standalone["mail"], "lin")}
    assert [name for name, mail in mails.items() if mail.message_id in arrived] == []


def test_ordinary_message_passes_beside_them(standalone: Lab) -> None:
    assert deliver(standalone, "outside", WENDY, LIN).path == ["outside", "mail", "mail"]


def test_unknown_user_is_refused_before_the_filter(standalone: Lab) -> None:
    steps = envelope("mail.example.com", WENDY, f"nobody-has-this-name@{DOMAIN}")[:-1]
    assert smtp(standalone["outside"], standalone["mail"].ipv4, steps)[-1].code == 550


@pytest.mark.parametrize("final", [ADMIN, f"manager@{DOMAIN}", TNUSER])
def test_alias_leads_to_three_behind_the_filter(standalone: Lab, final: str) -> None:
    found = deliver(standalone, "outside", WENDY, f"service@{DOMAIN}", final=final)
    # local(8) hands a copy for somebody elsewhere to the queue again: not to the filter.
    assert found.path == ["outside", "mail", "mail", *(["mail", "tn"] if final == TNUSER else [])]


def test_alias_expands_once(standalone: Lab) -> None:
    mail = new_message(WENDY, f"service@{DOMAIN}")
    post(standalone, "outside", WENDY, f"service@{DOMAIN}", mail)
    wait_until(
        "the message has come back from amavis",
        lambda: queue_ids_of(standalone, "mail", mail.message_id)[1:],
    )
    wait_until_gone([standalone["mail"]], ADMIN, TNUSER)
    assert [str(m["Message-ID"]) for m in mailbox(standalone["mail"], "admin")].count(mail.message_id) == 1


def test_name_servers_are_asked_about_the_client_alone(standalone: Lab) -> None:
    """By smtpd(8), for its log; amavis and SpamAssassin ask nobody about a message."""
    before = standalone["dns"].succeed("stat -c %s /var/log/named/query.log").strip()
    deliver(standalone, "outside", WENDY, CHEN)
    asked = standalone["dns"].succeed(f"tail -c +{int(before) + 1} /var/log/named/query.log")
    names = set(re.findall(r" 163\.32\.182\.2#\d+ \((\S+)\): query:", asked))
    assert names == {"10.100.51.198.in-addr.arpa", "mail.example.com"}


@pytest.mark.parametrize("service", ["amavis", "clamav-daemon"])
def test_mail_waits_while_the_filter_is_dead(standalone: Lab, service: str) -> None:
    """And passes unchecked in no case."""
    mail = new_message(WENDY, CHEN, subject="later")
    standalone["mail"].succeed(f"service {service} stop")
    try:
        post(standalone, "outside", WENDY, CHEN, mail)
        queue_id = queue_id_of(standalone, "mail", mail.message_id)
        wait_for_queue(standalone["mail"], queue_id, "deferred", 60)
        assert queue_ids_of(standalone, "mail", mail.message_id) == [queue_id]
    finally:
        standalone["mail"].succeed(f"service {service} start")
    standalone["mail"].wait_until_succeeds("/usr/lib/maillab/roles/clamav health")
    standalone["mail"].succeed("postqueue -f")
    wait_until_gone([standalone["mail"]], CHEN)
    found = [message for message in mailbox(standalone["mail"], "chen") if message["Message-ID"] == mail.message_id]
    assert [message["Subject"] for message in found] == ["later"]


def test_what_cannot_be_looked_into_says_so(standalone: Lab) -> None:
    """It is no virus: it arrives, and its subject warns."""
    mail = named({"it": attached(locked(b"the marks of class 6A", "marks.txt"), "marks.zip")})["it"]
    assert bring(standalone, LIN, {"it": mail.raw}, "mail")["it"].code == 250
    assert judged(standalone, mail.message_id).startswith("Passed")
    wait_until_gone([standalone["mail"]], LIN)
    found = [message for message in mailbox(standalone["mail"], "lin") if message["Message-ID"] == mail.message_id]
    assert [message["Subject"] for message in found] == ["***UNCHECKED*** invoice"]


def test_accounts_are_those_that_the_checks_know(standalone: Lab) -> None:
    """The configuration refuses users of these names, and the prover knows that each has a mailbox."""
    config = next(m.mail for m in lab_of("standalone").schools[0].machines if m.mail)
    passwd = standalone["mail"].succeed("cut -d: -f1 /etc/passwd").split()
    group = standalone["mail"].succeed("cut -d: -f1 /etc/group").split()
    users = {user.name for user in config.users}
    assert set(passwd) - users == config.system_accounts
    assert set(group) - users - config.system_accounts == config.system_groups


def test_thirty_under_way_survive_the_filters_restart(standalone: Lab) -> None:
    """Nothing is lost, and nothing comes twice."""
    mails = named({str(number): b"Subject: under way\r\n\r\nhello\r\n" for number in range(30)})
    answers = bring(standalone, CHEN, {name: mail.raw for name, mail in mails.items()}, "mail")
    assert {answer.code for answer in answers.values()} == {250}
    standalone["mail"].succeed("service amavis restart; postqueue -f")
    wait_until_gone([standalone["mail"]], CHEN)
    found = [str(message["Message-ID"]) for message in mailbox(standalone["mail"], "chen")]
    assert {name: found.count(mail.message_id) for name, mail in mails.items()} == dict.fromkeys(mails, 1)


SAMPLES = "/usr/share/maillab/samples"
SPAM = "jackpot casino bonus voucher deposit payout 中獎 blackjack lottery wager 抽獎 fortune roulette winner.\r\n" * 2
HAM = "The lesson is in the library, and the parents of the class see the timetable of the teacher.\r\n家長 校慶\r\n"


def tagged(lab: Lab, sender: str, body: str, date: str | None = None) -> bool:
    """Is a message marked as spam?"""
    mail = new_message(sender, CHEN, subject="hello", body=body)
    if date:
        raw = re.sub(rb"(?m)^Date: .*?\r$", f"Date: {date}\r".encode(), mail.raw)
        mail = Message(message_id=mail.message_id, raw=raw)
    return bool(deliver(lab, "outside", sender, CHEN, mail).message["X-Spam-Flag"] == "YES")


def test_sa_learn_turns_both_verdicts(standalone: Lab) -> None:
    """As printed, as root. 5 and 7.6 points come from the sender's name (20-debian_defaults) and an old date."""
    before = [
        tagged(standalone, "offers@example.com", SPAM),
        tagged(standalone, "opt-out@example.com", HAM, "Mon, 02 Nov 2020 10:00:00 +0800"),
    ]
    for kind in ("spam", "ham"):
        said = standalone["mail"].succeed(f"cd {SAMPLES}/{kind} && sa-learn --{kind} *.eml")
        assert "200 message(s) examined" in said
    after = [
        tagged(standalone, "offers@example.com", SPAM),
        tagged(standalone, "opt-out@example.com", HAM, "Mon, 02 Nov 2020 10:00:00 +0800"),
    ]
    assert (before, after) == ([False, True], [True, False])
