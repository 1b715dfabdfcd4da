"""The prover on the school whose users log in to send: all is as predicted, and it names what somebody changed."""

from collections.abc import Iterator
from contextlib import contextmanager

from driver.lab import Lab
from maillab.verify.logins import ACCEPTED, NO_TRUST, REFUSED
from maillab.verify.relays import TAKEN
from tests.e2e.test_verify import not_as_predicted, proof_of
from tests.e2e.test_verify_faults import parameter, password, wrong_answers, wrong_logins

USERS = ("admin", "manager", "service", "chen", "lin")
TLS = "/etc/ssl/maillab"


@contextmanager
def own_certificate(lab: Lab) -> Iterator[None]:
    """A certificate that the server has given to itself, for a while."""
    mail = lab["mail"]
    mail.succeed(f"mv {TLS}/certificate.pem {TLS}/signed && /usr/lib/maillab/roles/tls start && postfix reload")
    try:
        yield
    finally:
        mail.succeed(f"mv {TLS}/signed {TLS}/certificate.pem && postfix reload")


def test_everything_is_as_predicted(standalone: Lab) -> None:
    proof = proof_of(standalone)
    assert proof.holds, not_as_predicted(proof)
    assert [login.login.user for login in proof.logins if login.login.port == 587] == [*USERS, "admin"]
    assert {result.message.writer.login for result in proof.messages} > {None}


def test_forged_senders_that_are_let_in_are_named(standalone: Lab) -> None:
    with parameter(standalone, "mail", "smtpd_sender_restrictions ="):
        proof = proof_of(standalone, mail=False)
    assert wrong_answers(proof) == {("mail", "5.7.1", TAKEN)}
    own = "postmaster@yaes.example"
    assert {(a.question.sender, a.question.recipient) for a in proof.answers if not a.agrees} == {(own, own)}


def test_other_password_is_named(standalone: Lab) -> None:
    with password(standalone, "mail", "chen", "lab-chen-2006"):
        proof = proof_of(standalone, mail=False)
    assert wrong_logins(proof) == {("mail", "chen", REFUSED)}
    assert sorted(x.login.port for x in proof.logins if not x.agrees) == [110, 587]


def test_certificate_that_nobody_trusts_is_named(standalone: Lab) -> None:
    with own_certificate(standalone):
        proof = proof_of(standalone, mail=False)
    assert wrong_logins(proof) == {("mail", user, NO_TRUST) for user in USERS}
    assert {x.seen for x in proof.logins if x.login.port == 110} == {ACCEPTED, REFUSED}


def test_login_that_takes_any_password_is_named(standalone: Lab) -> None:
    """PAM lets everybody in."""
    mail, file = standalone["mail"], "/etc/pam.d/smtp"
    mail.succeed(f"cp {file} /tmp/smtp && sed -i 's/pam_unix/pam_permit/' {file}")
    try:
        proof = proof_of(standalone, mail=False)
    finally:
        mail.succeed(f"cat /tmp/smtp >{file}")
    assert [(x.login.user, x.login.is_right, x.seen) for x in proof.logins if not x.agrees] == [
        ("admin", False, ACCEPTED)
    ]
