"""The school without an appliance: its users log in before they send, and nobody sends in their names."""

import re
import shlex
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from driver.lab import Lab
from driver.mail import Tls, envelope, smtp
from tests.support.delivered import deliver
from tests.support.smtp_auth import DOMAIN, HOST, PORTS, STRANGER, authority, log_in, rcpt, user

WENDY, CHEN, LIN = "wendy@example.com", f"chen@{DOMAIN}", f"lin@{DOMAIN}"
SERVICE = f"service@{DOMAIN}"  # admin, manager and somebody elsewhere get its mail
WRONG = "no-such-password"
# Two senders of the Internet, machines with an address each.
ADDRESS, ADDRESS6, ANOTHER = "198.51.100.10", "2001:db8:198::10", "198.51.100.66"

# HOST USER PASSWORD SENDER RECIPIENT, on the server: the codes of the answers to the login and to RCPT.
SESSION = r"""
use Net::SMTP; use MIME::Base64;
my ($host, $user, $password, $sender, $recipient) = @ARGV;
my $smtp = Net::SMTP->new('127.0.0.1', Port => 587) or die $@;
$smtp->starttls(SSL_verifycn_name => $host) or die $smtp->message;
$smtp->command('AUTH PLAIN ' . encode_base64("\0$user\0$password", ''));
$smtp->response;
print $smtp->code, "\n";
$smtp->mail($sender); $smtp->to($recipient);
print $smtp->code, "\n";
$smtp->quit;
"""


@pytest.mark.parametrize("port", PORTS)
@pytest.mark.parametrize("name", ["chen", CHEN])
def test_right_password_gets_in(standalone: Lab, port: int, name: str) -> None:
    reply = log_in(standalone, user(name), port=port)
    assert reply.code == 235, reply


@pytest.mark.parametrize("port", PORTS)
def test_wrong_password_does_not(standalone: Lab, port: int) -> None:
    reply = log_in(standalone, user("chen", WRONG), port=port)
    assert (reply.step, reply.code) == ("AUTH PLAIN", 535), reply


@pytest.mark.parametrize("name", ["nobody-has-this-name", "root", "mail"])
@pytest.mark.parametrize("password", ["", "x", "*", "!"])
def test_who_has_no_password_does_not(standalone: Lab, name: str, password: str) -> None:
    assert log_in(standalone, user(name, password)).code in (501, 535)


def test_user_logs_in_from_anywhere(standalone: Lab) -> None:
    assert log_in(standalone, user("chen"), client="outside", source=ADDRESS).code == 235


@pytest.mark.parametrize("port", [25, 587])
def test_password_is_not_asked_for_in_clear(standalone: Lab, port: int) -> None:
    """The control is in the same answer: what is offered there comes to its end."""
    steps = ["EHLO x", "AUTH PLAIN AGEAYg=="]
    *_, ehlo, auth = smtp(standalone["workstation"], standalone["mail"].ipv4, steps, port=port)
    assert "STARTTLS" in ehlo.text
    assert "AUTH" not in ehlo.text
    assert auth.code in (503, 530), auth


@pytest.mark.parametrize("port", PORTS)
def test_password_is_asked_for_behind_tls(standalone: Lab, port: int) -> None:
    ehlo = smtp(standalone["workstation"], standalone["mail"].ipv4, ["EHLO x"], port=port, tls=Tls(host=HOST))[-1]
    assert re.findall(r"AUTH[ =](.*?)(?: 250|$)", ehlo.text)[0].split() == ["PLAIN", "LOGIN"]


def test_clear_session_ends_before_a_message_on_587(standalone: Lab) -> None:
    reply = smtp(standalone["workstation"], standalone["mail"].ipv4, ["EHLO x", f"MAIL FROM:<{CHEN}>"], port=587)[-1]
    assert (reply.code, reply.text[:9]) == (530, "530 5.7.0"), reply


@pytest.mark.parametrize("port", [587, 465])
def test_who_has_not_logged_in_sends_nothing_there(standalone: Lab, port: int) -> None:
    reply = rcpt(standalone, WENDY, CHEN, Tls(host=HOST), port=port)
    assert (reply.code, "Client host rejected" in reply.text) == (554, True), reply


@pytest.mark.parametrize("port", PORTS)
def test_other_name_than_the_certificates_is_refused(standalone: Lab, port: int) -> None:
    tls = Tls(host="mail.example.com")
    reply = smtp(standalone["workstation"], standalone["mail"].ipv4, [], port=port, tls=tls)[-1]
    assert (reply.code, "Hostname mismatch" in reply.text) == (0, True), reply


def test_machine_without_the_labs_authority_refuses_the_certificate(standalone: Lab) -> None:
    tls = Tls(host=HOST)
    reply = smtp(standalone["outside"], standalone["mail"].ipv4, [], port=465, tls=tls, source=ADDRESS)[-1]
    assert (reply.code, "certificate verify failed" in reply.text) == (0, True), reply


@pytest.mark.parametrize(
    "command",
    [
        f"openssl s_client -connect {HOST}:465 -verify_return_error -verify_hostname {HOST}",
        f"openssl s_client -connect {HOST}:587 -starttls smtp -verify_return_error -verify_hostname {HOST}",
        f"swaks --to {LIN} --from {CHEN} --auth-user chen --auth-password lab-chen-2006",
        f"curl -sS --ssl-reqd smtp://{HOST}:587 --user chen:lab-chen-2006 --request NOOP",
    ],
    ids=["openssl", "openssl-starttls", "swaks", "curl"],
)
def test_programs_of_the_workstation_trust_the_server(standalone: Lab, command: str) -> None:
    standalone["workstation"].succeed(f"{command} </dev/null")


def test_authority_keeps_its_key(standalone: Lab) -> None:
    """No machine has it but one, and no state: a Command would keep what it printed."""
    key = standalone["internet"].succeed("cat /var/lib/maillab-authority/key.pem").split("\n")[1]
    state = "".join(path.read_text("utf-8") for path in standalone.folder.rglob(".pulumi-state/**/*.json"))
    assert authority(standalone).split("\n")[1] not in ("", key)
    assert "mail-certificate" in state
    assert "PRIVATE KEY" not in state
    assert key not in state
    found = standalone["mail"].execute(f"grep -rlF {key} /etc /var/lib /usr/local 2>/dev/null").output
    assert found == ""


# What Postfix makes of a sender's address is chen's, in all of these.
FORGED = [
    CHEN,
    CHEN.upper(),
    f"chen@{HOST}",
    "chen",
    f"{CHEN}.",
    '"chen"@yaes.example',
    "chen@[163.32.182.2]",
    "chen@[IPv6:2001:db8:3282::2]",
    f"@example.com:{CHEN}",
    f"chen%{DOMAIN}@{DOMAIN}",
    f'"headmaster,lin,x"@{DOMAIN}',
    f'"{CHEN}"@{HOST}',
    SERVICE,
    f"postmaster@{DOMAIN}",
]


@pytest.mark.parametrize("sender", FORGED)
def test_stranger_sends_in_no_users_name(standalone: Lab, sender: str) -> None:
    steps = [*envelope("mail.example.com", sender, LIN)[:-1], "RSET", *envelope("x", WENDY, LIN)[1:-1]]
    *_, asked, _, _, control = smtp(standalone["outside"], standalone["mail"].ipv4, steps, source=ADDRESS)
    assert asked.code in (501, 553), asked
    assert control.code == 250, control


@pytest.mark.parametrize("sender", FORGED)
def test_nor_does_another_user(standalone: Lab, sender: str) -> None:
    reply = rcpt(standalone, sender, STRANGER, user("lin"))
    assert reply.code in (501, 553), reply


@pytest.mark.parametrize(("sender", "code"), [(CHEN, "250"), (LIN, "553")])
def test_nor_does_a_user_on_the_server_itself(standalone: Lab, sender: str, code: str) -> None:
    """Its own address may send as anybody on port 25 (mynetworks): where users log in, the login counts."""
    words = " ".join([HOST, "chen", user("chen").password, sender, LIN])
    assert standalone["mail"].succeed(f"perl -e {shlex.quote(SESSION)} {words}").split() == ["235", code]


@pytest.mark.parametrize("port", PORTS)
@pytest.mark.parametrize("sender", [CHEN, CHEN.upper(), f"chen@{HOST}", "chen", ""])
def test_user_sends_in_his_own_name(standalone: Lab, sender: str, port: int) -> None:
    reply = rcpt(standalone, sender, STRANGER, user("chen"), port=port)
    assert reply.code == 250, reply


@pytest.mark.parametrize("sender", [WENDY, STRANGER, "chen@example.com"])
def test_user_sends_in_no_strangers_name(standalone: Lab, sender: str) -> None:
    reply = rcpt(standalone, sender, STRANGER, user("chen"))
    assert (reply.code, "not owned by user chen" in reply.text) == (553, True), reply


@pytest.mark.parametrize(("name", "code"), [("admin", 250), ("manager", 250), ("service", 250), ("chen", 553)])
def test_alias_is_for_those_who_get_its_mail(standalone: Lab, name: str, code: int) -> None:
    reply = rcpt(standalone, SERVICE, STRANGER, user(name))
    assert reply.code == code, reply


def test_message_of_a_user_arrives(standalone: Lab) -> None:
    assert deliver(standalone, "mail", CHEN, STRANGER).path == ["mail", "mail", "tn"]


def test_school_alone_opens_no_relay(standalone: Lab) -> None:
    """As the tutorial sets it: `mynetworks` is the server itself."""
    steps = envelope("workstation.yaes.example", WENDY, STRANGER)[:-1]
    reply = smtp(standalone["workstation"], standalone["mail"].ipv4, steps)[-1]
    assert (reply.code, reply.text[:9]) == (554, "554 5.7.1"), reply


RECIPIENTS = [
    STRANGER,
    f"{STRANGER.replace('@', '%')}@{DOMAIN}",
    f"{STRANGER.replace('@', '%')}@{HOST}",
    f"{STRANGER.replace('@', '%')}@[163.32.182.2]",
    STRANGER.replace("@", "%"),
    f"tn.edu.tw!tnuser@{DOMAIN}",
    "tn.edu.tw!tnuser",
    f"@{DOMAIN}:{STRANGER}",
    f"@{DOMAIN},@{HOST}:{STRANGER}",
    f'"{STRANGER}"@{DOMAIN}',
    f'"{STRANGER}"',
    f'"{STRANGER.replace("@", "%")}"@{DOMAIN}',
    f"{STRANGER}@{DOMAIN}",
    "tnuser@[203.68.102.25]",
    "tnuser@[IPv6:2001:db8:203::25]",
]
SENDERS = [WENDY, "", CHEN, f"root@{HOST}", "root@localhost", "chen@[163.32.182.2]"]


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("sender", SENDERS)
def test_no_form_of_an_address_relays(standalone: Lab, sender: str, version: int) -> None:
    """One session for each recipient: the server ends one with ten mistakes. A recipient of its own is the control."""
    mail, source = standalone["mail"], ADDRESS if version == 4 else ADDRESS6

    def ask(recipient: str) -> tuple[int, int]:
        steps = envelope("mail.example.com", sender, recipient)[:-1]
        steps += ["RSET", *envelope("x", WENDY, LIN)[1:-1]]
        target = mail.ipv4 if version == 4 else mail.ipv6
        *_, asked, _, _, control = smtp(standalone["outside"], target, steps, source=source)
        return asked.code, control.code

    with ThreadPoolExecutor(4) as pool:
        answers = dict(zip(RECIPIENTS, pool.map(ask, RECIPIENTS), strict=True))
    assert {control for _, control in answers.values()} == {250}, answers
    assert [recipient for recipient, (code, _) in answers.items() if code not in (501, 550, 553, 554)] == []


def test_guesser_waits_longer_and_longer(standalone: Lab) -> None:
    """PAM takes two seconds for a wrong password; from the fourth on the server two more; ten end the session."""
    guess = "AUTH PLAIN AGNoZW4AeA=="
    started = time.monotonic()
    replies = smtp(
        standalone["workstation"], standalone["mail"].ipv4, ["EHLO x", *[guess] * 12], port=587, tls=Tls(host=HOST)
    )
    took = time.monotonic() - started
    assert [reply.code for reply in replies[2:]] == [535] * 10 + [421, 0], replies
    assert took > 10 * 2 + 7 * 2


def test_status_counts_wrong_passwords_and_what_users_sent(standalone: Lab) -> None:
    before = logins(standalone)
    assert log_in(standalone, user("lin", WRONG)).code == 535
    deliver(standalone, "mail", CHEN, LIN)
    after = logins(standalone)
    assert {name: after[name] - before[name] for name in after} == {"sent": 1, "refused": 1}


def logins(lab: Lab) -> dict[str, int]:
    """What `maillab-status` on the mail server has counted so far, within an hour."""
    rows = [line.split("\t") for line in lab["mail"].succeed("maillab-status").splitlines()]
    return {name: int(number) for word, name, number in (row for row in rows if row[0] == "logins")}


def test_class_behind_one_address_gets_in_beside_a_guesser(standalone: Lab) -> None:
    """Forty guesses in a minute from the workstation, and everybody else there gets in at once, and after it."""
    with ThreadPoolExecutor(8) as pool:
        guesses = [pool.submit(log_in, standalone, user("lin", f"{WRONG}-{number}")) for number in range(40)]
        beside = log_in(standalone, user("chen"))
        codes = {guess.result().code for guess in guesses}
    assert (beside.code, codes) == (235, {535})
    assert log_in(standalone, user("chen")).code == 235


def test_address_outside_guesses_thirty_times_a_minute(standalone: Lab) -> None:
    """Then the answer is to come back later, whatever the password; other addresses are not."""
    guess = user("lin", WRONG)
    with ThreadPoolExecutor(8) as pool:
        guesses = [pool.submit(log_in, standalone, guess, client="outside", source=ADDRESS) for _ in range(45)]
        codes = [one.result().code for one in guesses]
    assert 535 in codes
    assert 450 in codes
    assert log_in(standalone, user("chen"), client="outside", source=ANOTHER).code == 235


def offered(lab: Lab, tls: Tls | None) -> str:
    """What the server says to EHLO."""
    return smtp(lab["workstation"], lab["mail"].ipv4, ["EHLO x"], tls=tls)[-1].text


@pytest.mark.parametrize(
    ("edit", "service", "look", "seen"),
    [
        pytest.param(
            *(("/etc/default/saslauthd", "THREADS=0", "THREADS=2"), "saslauthd"),
            *(lambda lab: lab["mail"].succeed("ps -C saslauthd -o args="), "-n 2"),
            id="saslauthd",
        ),
        pytest.param(
            *(("/etc/postfix/sasl/smtpd.conf", "mech_list: PLAIN LOGIN", "mech_list: LOGIN"), "postfix"),
            *(lambda lab: offered(lab, Tls(host=HOST)), "AUTH LOGIN "),
            id="smtpd.conf",
        ),
        pytest.param(
            *(("/etc/postfix/main.cf", "smtpd_tls_auth_only = yes", "smtpd_tls_auth_only = no"), "postfix"),
            *(lambda lab: offered(lab, None), "AUTH PLAIN LOGIN "),
            id="main.cf",
        ),
    ],
)
def test_edit_by_hand_counts(
    standalone: Lab, edit: tuple[str, str, str], service: str, look: Callable[[Lab], str], seen: str
) -> None:
    mail, (path, old, new) = standalone["mail"], edit
    assert seen not in look(standalone)
    mail.succeed(f"cp {path} /tmp/before && sed -i 's/^{old}$/{new}/' {path} && service {service} restart")
    try:
        assert seen in look(standalone)
    finally:
        mail.succeed(f"cat /tmp/before >{path} && service {service} restart")
    assert seen not in look(standalone)


def test_saslauthd_starts_again_by_the_tutorials_command(standalone: Lab) -> None:
    standalone["mail"].succeed("service saslauthd restart")
    assert log_in(standalone, user("chen")).code == 235


def test_status_knows_that_saslauthd_is_dead(standalone: Lab) -> None:
    mail = standalone["mail"]
    mail.succeed("service saslauthd stop")
    try:
        assert "saslauthd" in mail.fail("/usr/lib/maillab/roles/saslauthd health")
        assert log_in(standalone, user("chen")).code == 454
    finally:
        mail.succeed("service saslauthd start")
    mail.succeed("/usr/lib/maillab/roles/saslauthd health")
