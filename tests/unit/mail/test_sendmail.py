"""Sendmail's files: the smart host, whose mail it takes, whom it trusts."""

from ipaddress import ip_network

import pytest

from components.config.mail import MailServerConfig, User, check_mail
from components.config.problem import ConfigurationError, Severity
from components.config.programs import Auth, Filter, Mta, Pop3
from components.log import Log
from components.mail.sendmail import access, keys, smart_host
from tests.support.problems import ids
from tests.support.sendmail import SMART_HOST, use_sendmail
from tests.unit.labs import Data, Model, machine, model, school


def lab(**keys_of_mail: object) -> Model:
    """The tutorial's school with Sendmail on `mail`; further keys of its section `mail`."""

    def edit(data: Data) -> None:
        use_sendmail(school(data))
        machine(data, "mail")["mail"].update(keys_of_mail)

    return model(edit)


@pytest.fixture(scope="module")
def sendmail() -> Model:
    return lab()


def text(given: Model, path: str) -> str:
    return given.plans["mail"].part.files[path]


def test_smart_host_is_the_relayhost(sendmail: Model) -> None:
    assert f"define(`SMART_HOST', `{SMART_HOST}')dnl\n" in text(sendmail, "/etc/mail/sendmail.mc")
    assert "RELAY_MAILER_ARGS" not in text(sendmail, "/etc/mail/sendmail.mc")


def test_port_of_the_relayhost() -> None:
    given = lab(relayhost="[163.26.182.249]:2525")
    assert "define(`SMART_HOST', `[163.26.182.249]')dnl\ndefine(`RELAY_MAILER_ARGS', `TCP $h 2525')dnl\n" in text(
        given, "/etc/mail/sendmail.mc"
    )


def test_no_smart_host_without_a_relayhost() -> None:
    assert "SMART_HOST" not in text(lab(relayhost=None), "/etc/mail/sendmail.mc")


@pytest.mark.parametrize(
    ("relayhost", "host", "port"),
    [
        ("", "", ""),
        ("a.b", "a.b", ""),
        ("a.b:smtp", "a.b", "smtp"),
        ("[a.b]", "[a.b]", ""),
        ("[IPv6:2001:db8::1]:26", "[IPv6:2001:db8::1]", "26"),
    ],
)
def test_smart_host(relayhost: str, host: str, port: str) -> None:
    assert smart_host(relayhost) == (host, port)


def test_local_host_names_are_mydestination(sendmail: Model) -> None:
    assert text(sendmail, "/etc/mail/local-host-names").split() == [
        "mail.dc1es.tnc.edu.tw",
        "dc1es.tnc.edu.tw",
        "dns.dc1es.tnc.edu.tw",
    ]


def test_sender_without_a_domain_gets_the_schools(sendmail: Model) -> None:
    assert "MASQUERADE_AS(`dc1es.tnc.edu.tw')dnl" in text(sendmail, "/etc/mail/sendmail.mc")
    second = model(lambda data: machine(data, "mail2")["mail"].update(mta="sendmail"))
    assert "MASQUERADE" not in second.plans["mail2"].part.files["/etc/mail/sendmail.mc"]


def test_filter_is_not_trusted(sendmail: Model) -> None:
    lines = [line.split("\t") for line in text(sendmail, "/etc/mail/access").splitlines()]
    assert ["Connect:163.26.182.249", "SKIP"] in lines
    assert ["Connect:IPv6:2001:db8:182:0:0:0:0:249", "SKIP"] in lines
    assert [key for key, verdict in lines if verdict == "RELAY"] == [
        "Connect:127",
        "Connect:IPv6:0:0:0:0:0:0:0:1",
        "Connect:163.26.182",
        "Connect:IPv6:2001:db8:182:0",
    ]


@pytest.mark.parametrize(
    ("network", "expected"),
    [
        ("10.0.0.0/8", ["10"]),
        ("163.26.182.0/24", ["163.26.182"]),
        ("163.26.182.4/31", ["163.26.182.4", "163.26.182.5"]),
        ("163.26.182.0/23", ["163.26.182", "163.26.183"]),
        ("2001:db8::/32", ["IPv6:2001:db8"]),
        ("2001:db8:182::/63", ["IPv6:2001:db8:182:0", "IPv6:2001:db8:182:1"]),
    ],
)
def test_networks_are_whole_bytes_and_groups(network: str, expected: list[str]) -> None:
    assert keys(ip_network(network, strict=False)) == expected


def test_access() -> None:
    assert access([(ip_network("10.0.0.1"), False), (ip_network("10.0.0.0/8"), True)]) == (
        "Connect:10.0.0.1\tSKIP\nConnect:10\tRELAY\n"
    )


def test_postfix_is_not_there(sendmail: Model) -> None:
    part = sendmail.plans["mail"].part
    assert [path for path in part.files if path.startswith("/etc/postfix")] == []
    assert ("sendmail" in part.roles, "postfix" in part.roles) == (True, False)
    assert (25, 6) in part.listens
    assert part.mail is not None
    assert part.mail.log is Log.SENDMAIL


def test_volumes_are_those_of_postfix(sendmail: Model) -> None:
    """A change of the program must not remove one: there is mail in it."""
    assert set(sendmail.plans["mail"].part.volumes) == set(model().plans["mail"].part.volumes)


def test_dovecot_serves_its_mailboxes() -> None:
    part = lab(pop3="dovecot").plans["mail"].part
    assert {"sendmail", "dovecot"} <= set(part.roles)
    assert part.recipes.index("sendmail") < part.recipes.index("dovecot")


def server(**given: object) -> MailServerConfig:
    keys_of_mail: dict[str, object] = {"mydestination": ("$mydomain",), "users": (User(name="root_", password="x"),)}
    return MailServerConfig(**{**keys_of_mail, **given})  # type: ignore[arg-type]


@pytest.mark.parametrize("given", [{"main_cf": {"biff": "no"}}, {"filter": Filter.AMAVIS}, {"auth": Auth.SASL}])
def test_what_only_postfix_knows_is_refused(given: dict[str, object]) -> None:
    def errors(mta: Mta) -> list[str]:
        found = check_mail(server(mta=mta, **given), "mail")
        return ids(one for one in found if one.severity is Severity.ERROR)

    assert errors(Mta.SENDMAIL) == ["needs-postfix"]
    assert errors(Mta.POSTFIX) == []


@pytest.mark.parametrize("pop3", Pop3)
def test_pop3_of_both_kinds_is_good(pop3: Pop3) -> None:
    found = check_mail(server(mta=Mta.SENDMAIL, pop3=pop3), "mail")
    assert ids(one for one in found if one.severity is Severity.ERROR) == []


def test_its_accounts_are_no_users() -> None:
    found = check_mail(server(mta=Mta.SENDMAIL, users=(User(name="smmsp", password="x"),)), "mail")
    assert "system-user" in ids(found)


def test_small_disk_for_the_queue_is_refused() -> None:
    """Role `disks` keeps Postfix' messages only."""

    def edit(data: Data) -> None:
        use_sendmail(school(data))
        machine(data, "mail")["volumes"] = {"spool": {"size": "8m"}}

    with pytest.raises(ConfigurationError, match=r"volume-unknown") as raised:
        model(edit)
    assert "spool" in str(raised.value)


def test_user_with_an_extension_gets_his_mail(sendmail: Model) -> None:
    assert not sendmail.post.servers.refusal(
        "mail", sendmail.post.servers.addresses("spamfilter")[4], "chen+foo@dc1es.tnc.edu.tw"
    )
    assert model().post.servers.refusal(
        "mail", model().post.servers.addresses("spamfilter")[4], "chen+foo@dc1es.tnc.edu.tw"
    )
