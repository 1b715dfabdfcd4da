"""What is wrong with a mail server's accounts, lines of aliases and parameters."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from components.config.mail import MailServerConfig, User, check_mail
from components.config.problem import Severity
from components.config.programs import Auth
from tests.support.problems import ids

ADMIN = User(name="admin", password="x")

OWNER = "reject_sender_login_mismatch"


def server(
    *aliases: str,
    users: tuple[User, ...] = (ADMIN,),
    mydestination: tuple[str, ...] = ("$myhostname", "$mydomain"),
    main_cf: Mapping[str, str] | None = None,
) -> MailServerConfig:
    return MailServerConfig(mydestination=mydestination, users=users, aliases=aliases, main_cf=main_cf or {})


def warned(config: MailServerConfig) -> list[str]:
    """The ids of the warnings about a server that has a postmaster."""
    problems = check_mail(replace(config, aliases=("postmaster: admin", *config.aliases)), "mail")
    assert {problem.severity for problem in problems} <= {Severity.WARNING}
    return ids(problems)


def problems_of(config: MailServerConfig) -> list[str]:
    """The ids of the errors."""
    return ids(problem for problem in check_mail(config, "mail") if problem.severity is Severity.ERROR)


@pytest.mark.parametrize(
    "good",
    [
        pytest.param(server(), id="users only"),
        pytest.param(server("root: admin", "postmaster: root, tnuser@tn.edu.tw"), id="aliases"),
        pytest.param(server("x: lin+tag@example.com, 陳@例子.tw, y@[198.51.100.10]"), id="addresses of every kind"),
        pytest.param(server(users=(User(name="a", password="x" * 511),)), id="a long password"),
        pytest.param(server(main_cf={"message_size_limit": "1"}), id="parameter"),
        pytest.param(server(mydestination=("localhost", "MAIL.$mydomain", "a.$myhostname")), id="destinations"),
    ],
)
def test_good_server(good: MailServerConfig) -> None:
    assert problems_of(good) == []


@pytest.mark.parametrize(
    ("bad", "expected"),
    [
        pytest.param(server("root admin"), ["bad-alias"], id="no colon"),
        pytest.param(server("root:"), ["bad-alias"], id="no target"),
        pytest.param(server("root: admin,"), ["bad-alias"], id="empty target"),
        pytest.param(server("root: |/bin/sh"), ["bad-alias"], id="program"),
        pytest.param(server("root: /etc/passwd"), ["bad-alias"], id="file"),
        pytest.param(server("root: :include:x"), ["bad-alias"], id="include"),
        pytest.param(server("a b: admin"), ["bad-alias"], id="blank in the name"),
        pytest.param(server("root: admin", "Root: admin"), ["alias-twice"], id="two lines of one name"),
        pytest.param(server(users=(User(name="Admin", password="x"),)), ["bad-user-name"], id="capital letter"),
        pytest.param(server(users=(User(name="陳", password="x"),)), ["bad-user-name"], id="Chinese"),
        pytest.param(server(users=(User(name="a" * 33, password="x"),)), ["bad-user-name"], id="too long"),
        pytest.param(server(users=(User(name="1st", password="x"),)), ["bad-user-name"], id="begins with a figure"),
        pytest.param(server(users=(User(name="root", password="x"),)), ["system-user"], id="root"),
        pytest.param(server(users=(User(name="fax", password="x"),)), ["system-user"], id="a group of the system"),
        pytest.param(server(users=(ADMIN, ADMIN)), ["user-twice"], id="user twice"),
        pytest.param(server(users=(User(name="a", password="x:y"),)), ["bad-password"], id="colon in the password"),
        pytest.param(server(users=(User(name="a", password="陳" * 171),)), ["bad-password"], id="password too long"),
        pytest.param(
            server(users=(User(name="a", password="x", gecos="a,b"),)), ["bad-gecos"], id="comma in the full name"
        ),
        pytest.param(server(main_cf={"My Name": "x"}), ["bad-parameter"], id="parameter"),
        pytest.param(server("root: admin lin"), ["bad-alias"], id="blank in a target"),
        pytest.param(server("root: admin # lin"), ["bad-alias"], id="comment behind an alias"),
        pytest.param(server("root: admin (lin)"), ["bad-alias"], id="comment of a mail address"),
        pytest.param(server("root: <lin@example.com>"), ["bad-alias"], id="angle brackets"),
        pytest.param(server("root: lin@ex ample.com"), ["bad-alias"], id="blank in a domain"),
        pytest.param(server("root: a@b@example.com"), ["bad-alias"], id="two @"),
        pytest.param(server("root: -x"), ["bad-alias"], id="begins with a hyphen"),
        *(
            pytest.param(server(main_cf={name: "x"}), ["parameter-has-key"], id=f"{name} from elsewhere")
            for name in ("relayhost", "mydestination", "myhostname", "mydomain", "myorigin")
        ),
        pytest.param(server(main_cf={"biff\nrelayhost": "x"}), ["bad-parameter"], id="two parameters in a name"),
        pytest.param(server(main_cf={"relayhost ": "x"}), ["bad-parameter"], id="blank behind a name"),
        *(
            pytest.param(server(mydestination=("$myhostname", entry)), ["bad-destination"], id=f"destination {entry!r}")
            for entry in ("localhost, $mydomain", "a b", "$mydomain.", "hash:/etc/passwd", "/etc/passwd", "#", "!a.tw")
        ),
        *(
            pytest.param(server(mydestination=("$myhostname", entry)), ["bad-destination"], id=f"destination {entry!r}")
            for entry in ("$mynetworks", "$MYDOMAIN", "${mydomain}", "$(mydomain)", "a_b.tw", "198.51.100.66")
        ),
        pytest.param(server(mydestination=()), ["no-destination"], id="no destination"),
    ],
)
def test_bad_server(bad: MailServerConfig, expected: list[str]) -> None:
    assert problems_of(bad) == expected


@pytest.mark.parametrize(
    "config",
    [
        pytest.param(server("postmaster: admin"), id="alias"),
        pytest.param(server("Postmaster: admin"), id="alias with a capital"),
        pytest.param(server(users=(User(name="postmaster", password="x"),)), id="user"),
    ],
)
def test_server_with_a_postmaster(config: MailServerConfig) -> None:
    assert ids(check_mail(config, "mail")) == []


def test_server_without_a_postmaster_is_warned_of() -> None:
    (problem,) = check_mail(server("root: admin"), "mail")
    assert (problem.id, problem.severity) == ("no-postmaster", Severity.WARNING)
    assert "'postmaster: admin'" in problem.remedy


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        pytest.param({"default_transport": "smtp:[198.51.100.66]"}, ["unchecked-parameter"], id="transport"),
        pytest.param({"sender_dependent_relayhost_maps": "x"}, ["unchecked-parameter"], id="relayhosts by sender"),
        pytest.param({"smtp_fallback_relay": "x"}, ["unchecked-parameter"], id="another relay"),
        pytest.param({"virtual_alias_maps": "x"}, ["unchecked-parameter"], id="more aliases"),
        pytest.param({"virtual_mailbox_domains": "x"}, ["unchecked-parameter"], id="more domains"),
        pytest.param({"biff": "no # comment"}, ["comment-in-value"], id="comment behind a value"),
        pytest.param({"biff": "# no"}, ["comment-in-value"], id="comment in place of a value"),
        pytest.param({"biff": "no", "smtpd_banner": "ESMTP#1", "always_bcc": "admin"}, [], id="ordinary ones"),
    ],
)
def test_parameters_that_are_warned_of(parameters: Mapping[str, str], expected: list[str]) -> None:
    assert warned(server(main_cf=parameters)) == expected


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        pytest.param({"smtpd_sender_login_maps": ""}, ["sender-of-another"], id="nobody owns an address"),
        pytest.param({"smtpd_sender_restrictions": "permit"}, ["sender-of-another"], id="nobody asks"),
        pytest.param({"smtpd_sender_restrictions": f"permit, {OWNER}"}, ["sender-of-another"], id="too late"),
        pytest.param({"smtpd_sender_restrictions": f"warn_if_reject {OWNER}"}, ["sender-of-another"], id="log line"),
        pytest.param(
            {"smtpd_sender_restrictions": "reject_authenticated_sender_login_mismatch"},
            ["sender-of-another"],
            id="of strangers",
        ),
        pytest.param({"smtpd_sender_restrictions": f"reject_unknown_sender_domain,{OWNER.upper()}"}, [], id="more"),
        pytest.param(
            {"smtpd_sender_restrictions": "", "smtpd_recipient_restrictions": f"permit_mynetworks, {OWNER}, reject"},
            [],
            id="in another list",
        ),
        pytest.param({"biff": "no"}, [], id="something else"),
    ],
)
def test_logins_that_protect_no_address_are_warned_of(parameters: Mapping[str, str], expected: list[str]) -> None:
    assert warned(replace(server(main_cf=parameters), auth=Auth.SASL)) == expected
    assert warned(server(main_cf=parameters)) == []


def test_destination_is_put_right_with_its_references() -> None:
    problems = check_mail(server("postmaster: admin", mydestination=("$myhostname", "MX_1.$mydomain.")), "mail")
    (problem,) = problems
    assert problem.what == "'MX_1.$mydomain.' ends with a dot and has an underscore"
    assert problem.remedy.startswith("write mx-1.$mydomain;")
