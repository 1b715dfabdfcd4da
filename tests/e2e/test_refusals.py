"""Who is refused, with which code, at which hop: unknown users, foreign domains, relaying, bad SMTP."""

import pytest

from driver.lab import Lab
from driver.machine import wait_until
from driver.mail import Reply, data, envelope, mailbox, new_message, post, queue_ids_of, smtp

WENDY = "wendy@example.com"
# An address in a range that the school's firewall lets through to the mail servers themselves.
DC2ES, DC2ES_ADDRESS, DC2ES_ADDRESS6 = "chen@dc2es.tnc.edu.tw", "163.26.1.10", "2001:db8:163:1::10"
NOBODY = "nobody-has-this-name"
# Whom each server takes mail for, from anybody.
SOMEBODY = {
    "spamfilter": "admin@dc1es.tnc.edu.tw",
    "mail": "admin@dc1es.tnc.edu.tw",
    "mail2": "kao@mail2.dc1es.tnc.edu.tw",
    "tn": "tnuser@tn.edu.tw",
}


def dialogue(lab: Lab, server: str, sender: str, recipient: str, source: str | None = None) -> Reply:
    """The reply to RCPT TO, asked by `outside`; in the same dialogue the server takes a recipient of its own."""
    address = lab[server].ipv6 if source and ":" in source else lab[server].ipv4
    steps = envelope("mail.dc2es.tnc.edu.tw", sender, recipient, SOMEBODY[server])[:-1]
    *before, asked, control = smtp(lab["outside"], address, steps, source=source or DC2ES_ADDRESS)
    assert [reply.code for reply in before] == [220, 250, 250], before
    assert control.code == 250, control
    return asked


@pytest.mark.parametrize(
    ("server", "recipient"),
    [
        ("spamfilter", f"{NOBODY}@dc1es.tnc.edu.tw"),
        ("spamfilter", f"{NOBODY}@dns.dc1es.tnc.edu.tw"),
        ("spamfilter", f"{NOBODY}@mail2.dc1es.tnc.edu.tw"),
        pytest.param("spamfilter", "chen@mail2.dc1es.tnc.edu.tw", id="spamfilter-user-of-the-other-server"),
        pytest.param("spamfilter", "chen+tag@dc1es.tnc.edu.tw", id="spamfilter-no-address-extensions"),
        ("mail", f"{NOBODY}@dc1es.tnc.edu.tw"),
        ("mail", f"{NOBODY}@dns.dc1es.tnc.edu.tw"),
        ("mail2", f"{NOBODY}@mail2.dc1es.tnc.edu.tw"),
        pytest.param("mail", "chen+tag@dc1es.tnc.edu.tw", id="mail-no-address-extensions"),
    ],
)
def test_unknown_user_is_refused_at_rcpt(lab: Lab, server: str, recipient: str) -> None:
    reply = dialogue(lab, server, DC2ES, recipient)
    assert (reply.code, reply.text[:9]) == (550, "550 5.1.1"), reply
    assert "User unknown" in reply.text


@pytest.mark.parametrize("server", ["mail", "mail2", "spamfilter", "tn"])
@pytest.mark.parametrize(
    "recipient",
    [
        pytest.param("someone@example.net", id="foreign-domain"),
        pytest.param("someone@nowhere.invalid", id="no-domain-at-all"),
        pytest.param("chen@sub.dc1es.tnc.edu.tw", id="unknown-subdomain"),
        pytest.param("chen@tnc.edu.tw", id="parent-domain"),
        pytest.param("someone%example.net@dc1es.tnc.edu.tw", id="percent"),
        pytest.param('"someone@example.net"@dc1es.tnc.edu.tw', id="quoted"),
        pytest.param("@dc1es.tnc.edu.tw:someone@example.net", id="source-route"),
        pytest.param("example.net!someone@dc1es.tnc.edu.tw", id="uucp"),
    ],
)
def test_relaying_is_refused(lab: Lab, server: str, recipient: str) -> None:
    reply = dialogue(lab, server, DC2ES, recipient)
    assert reply.code == 554, reply
    assert reply.text[:9] == "554 5.7.1", reply


@pytest.mark.parametrize("server", ["mail", "mail2", "spamfilter"])
@pytest.mark.parametrize(
    "sender", ["admin@dc1es.tnc.edu.tw", "", "root@localhost"], ids=["school", "null", "localhost"]
)
def test_senders_name_opens_no_relay(lab: Lab, server: str, sender: str) -> None:
    reply = dialogue(lab, server, sender, "tnuser@tn.edu.tw")
    assert (reply.code, reply.text[:9]) == (554, "554 5.7.1"), reply


@pytest.mark.parametrize("server", ["mail", "mail2", "spamfilter"])
def test_relaying_is_refused_over_ipv6(lab: Lab, server: str) -> None:
    reply = dialogue(lab, server, DC2ES, "tnuser@tn.edu.tw", DC2ES_ADDRESS6)
    assert (reply.code, reply.text[:9]) == (554, "554 5.7.1"), reply


def test_unknown_user_is_refused_over_ipv6(lab: Lab) -> None:
    reply = dialogue(lab, "spamfilter", DC2ES, f"{NOBODY}@dc1es.tnc.edu.tw", DC2ES_ADDRESS6)
    assert (reply.code, reply.text[:9]) == (550, "550 5.1.1"), reply


@pytest.mark.parametrize("user", ["admin", "abuse", "service", "postmaster", "chen"])
def test_filter_knows_accounts_and_aliases(lab: Lab, user: str) -> None:
    assert dialogue(lab, "spamfilter", WENDY, f"{user}@dc1es.tnc.edu.tw").code == 250


def test_refused_recipient_stops_no_other(lab: Lab) -> None:
    """One of two recipients is wrong: the other one gets the message."""
    mail = new_message(DC2ES, "lin@dc1es.tnc.edu.tw")
    recipients = (f"{NOBODY}@dc1es.tnc.edu.tw", "lin@dc1es.tnc.edu.tw")
    steps = [*envelope("mail.dc2es.tnc.edu.tw", DC2ES, *recipients), data(mail)]
    replies = smtp(lab["outside"], lab["mail"].ipv4, steps, source=DC2ES_ADDRESS)
    assert [reply.code for reply in replies] == [220, 250, 250, 550, 250, 354, 250]
    lab.wait_for_delivery("mail", replies[-1].queue_id, recipients[1])


def test_clients_of_the_school_may_send_anywhere(lab: Lab) -> None:
    steps = envelope("workstation.dc1es.tnc.edu.tw", "chen@dc1es.tnc.edu.tw", "someone@example.net")[:-1]
    assert smtp(lab["workstation"], lab["mail"].ipv4, steps)[-1].code == 250


def test_filter_is_no_client_of_the_mail_server(lab: Lab) -> None:
    """`mynetworks` of the mail server excludes it: what it brings for foreign domains would go round."""
    probe = f"perl - {lab['mail'].ipv4} <<'MAILLAB'\n{PROBE}\nMAILLAB"
    foreign, own = lab["spamfilter"].succeed(probe).splitlines()
    assert foreign.startswith("554 5.7.1")
    assert own.startswith("250 2.1.5")


# The filter has no Python: the same dialogue in Perl, which Debian's base has.
PROBE = r"""
use IO::Socket::INET; my $s = IO::Socket::INET->new(PeerAddr => $ARGV[0], PeerPort => 25, Timeout => 5) or die;
sub r { my $l; do { $l = <$s> } while $l =~ /^\d+-/; $l } r();
for my $line ('EHLO filter.test', 'MAIL FROM:<a@dc1es.tnc.edu.tw>') { print $s "$line\r\n"; r(); }
for my $recipient ('someone@example.net', 'admin@dc1es.tnc.edu.tw') { print $s "RCPT TO:<$recipient>\r\n"; print r(); }
"""


@pytest.mark.parametrize(
    ("steps", "code"),
    [
        pytest.param([f"MAIL FROM:<{DC2ES}>"], 503, id="no-greeting"),
        pytest.param(["EHLO x.test", "RCPT TO:<chen@dc1es.tnc.edu.tw>"], 503, id="rcpt-before-mail"),
        pytest.param(["EHLO x.test", f"MAIL FROM:<{DC2ES}>", "DATA"], 554, id="data-before-rcpt"),
        pytest.param(["EHLO x.test", f"MAIL FROM: {DC2ES}"], 501, id="no-brackets"),
        pytest.param(["EHLO x.test", "VRFY chen"], 502, id="vrfy"),
        pytest.param(["EHLO x.test", "EXPN service"], 500, id="expn"),
        pytest.param(["EHLO x.test", "TURN"], 500, id="turn"),
        pytest.param(["GET / HTTP/1.1"], 221, id="http"),
    ],
)
@pytest.mark.parametrize("server", ["spamfilter", "mail"])
def test_bad_smtp_is_refused(lab: Lab, server: str, steps: list[str], code: int) -> None:
    reply = smtp(lab["outside"], lab[server].ipv4, steps, source=DC2ES_ADDRESS)[-1]
    assert reply.code == code, reply
    good = envelope("mail.dc2es.tnc.edu.tw", DC2ES, SOMEBODY[server])[:-1]
    assert smtp(lab["outside"], lab[server].ipv4, good, source=DC2ES_ADDRESS)[-1].code == 250


def test_name_server_takes_no_mail(lab: Lab) -> None:
    (reply,) = smtp(lab["workstation"], lab["dns"].ipv4, ["QUIT"])
    assert "refused" in reply.text
    assert [one.code for one in smtp(lab["workstation"], lab["mail"].ipv4, ["QUIT"])] == [220, 221]


def test_sender_outside_is_told_of_the_refusal(lab: Lab) -> None:
    """His own server writes the bounce: the filter refused at RCPT, so that it has nothing to send back."""
    recipient = f"{NOBODY}@dc1es.tnc.edu.tw"
    mail = new_message(WENDY, recipient)
    post(lab, "outside", WENDY, recipient, mail)

    def bounce() -> list[str]:
        return [str(m["Return-Path"]) for m in mailbox(lab["outside"], "example.com") if mail.message_id in str(m)]

    assert wait_until("the bounce", bounce) == ["<>"]
    assert queue_ids_of(lab, "spamfilter", mail.message_id) == []


def test_writer_in_the_school_is_told_at_once_of_an_unknown_user(lab: Lab) -> None:
    steps = envelope("workstation.dc1es.tnc.edu.tw", "chen@dc1es.tnc.edu.tw", f"{NOBODY}@dc1es.tnc.edu.tw")[:-1]
    reply = smtp(lab["workstation"], lab["mail"].ipv4, steps)[-1]
    assert (reply.code, reply.text[:9]) == (550, "550 5.1.1")
