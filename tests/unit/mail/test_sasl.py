"""Who logs in to send, and in whose name: main.cf, master.cf and the map of senders."""

import copy
import re
from collections.abc import Mapping
from typing import Any

import pytest

from components.config.mail import MailServerConfig, User, check_mail
from components.config.problem import Problem, Severity
from components.config.programs import Auth, AuthConfig, Cleartext
from components.load import parse
from components.mail.sasl import owners_of, sender_login
from components.part import LoginProtocol
from tests.support.stacks import stack_data
from tests.unit.labs import ROOT, Data, Model, machine, model, school

DOMAINS = ("mail.school.tw", "school.tw")


@pytest.fixture(scope="module")
def standalone() -> Model:
    """The school whose users log in."""
    return model(stack="standalone")


def lab(auth: object = "sasl", main_cf: Mapping[str, str] | None = None) -> Model:
    """The same, with another `auth` and further parameters of main.cf."""

    def edit(data: Data) -> None:
        mail: dict[str, Any] = machine(data, "mail")["mail"]
        mail["main_cf"] = main_cf or {}
        mail.pop("auth")
        if auth:
            mail["auth"] = auth

    return model(edit, "standalone")


def text(given: Model, path: str) -> str:
    return given.plans["mail"].part.files[path]


def parameters(given: Model) -> dict[str, str]:
    """main.cf as postconf(5) reads it."""
    lines = re.sub(r"(?m)^#.*\n", "", text(given, "/etc/postfix/main.cf"))
    found = re.findall(r"(?m)^(\w+) *=((?:.*\n)(?:[ \t]+.*\n)*)", lines)
    assert len(dict(found)) == len(found), "a parameter stands there twice"
    return {name: " ".join(value.split()) for name, value in found}


def server(*aliases: str, users: str = "admin chen lin", main_cf: Mapping[str, str] | None = None) -> MailServerConfig:
    return MailServerConfig(
        mydestination=("$myhostname", "$mydomain"),
        users=tuple(User(name=name, password="x") for name in users.split()),
        aliases=aliases,
        main_cf=main_cf or {},
    )


def logins(config: MailServerConfig, sender: str) -> set[str]:
    """Who may use the sender's address, as regexp_table(5) finds it: the first pattern that fits, in any case."""
    for line in sender_login(config, DOMAINS).splitlines():
        if not line.startswith("/"):
            continue
        pattern, _, found = line.rpartition("/")
        pattern = pattern.removeprefix("/").replace("[:space:]", r"\s")  # a POSIX class
        if match := re.search(pattern, sender, re.IGNORECASE):
            logins = found.replace("${1}", match[1] or "") if "${1}" in found else found
            return set(logins.replace(",", " ").split())
    return set()


def names(config: MailServerConfig, sender: str) -> set[str]:
    """The same without the logins that have a domain."""
    return {login for login in logins(config, sender) if "@" not in login}


@pytest.mark.parametrize(
    "sender",
    [
        "head,lin,x@school.tw",
        "head lin@school.tw",
        "head,lin",
        "chen@school.tw@mail.school.tw",
        "a,lin,b@[10.0.0.1]",
    ],
)
def test_address_that_would_name_several_logins_is_nobodys(sender: str) -> None:
    assert logins(server(), sender) == {"nobody"}


def test_strangers_address_with_a_comma_is_not_ours() -> None:
    assert logins(server(), "smith,lin@example.com") == set()


def test_tutorials_lines_are_there(standalone: Model) -> None:
    found = parameters(standalone)
    assert (found["mynetworks"], found["smtpd_sasl_auth_enable"]) == ("127.0.0.0/8", "yes")
    assert (found["smtpd_sasl_security_options"], found["broken_sasl_auth_clients"]) == ("noanonymous", "yes")
    wanted = "permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination"
    assert found["smtpd_recipient_restrictions"] == found["smtpd_relay_restrictions"] == wanted


def test_line_that_postfix_has_dropped_is_not(standalone: Model) -> None:
    assert "check_relay_domains" not in text(standalone, "/etc/postfix/main.cf")


def test_passwords_are_encrypted(standalone: Model) -> None:
    assert parameters(standalone)["smtpd_tls_auth_only"] == "yes"


def test_tutorials_cleartext_is_a_choice() -> None:
    assert "smtpd_tls_auth_only" not in parameters(lab({"cleartext": "tutorial"}))
    assert text(lab({"cleartext": "tutorial"}), "/etc/postfix/master.cf").count("smtpd_tls_auth_only=yes") == 1


@pytest.mark.parametrize(
    ("auth", "warned"),
    [
        (None, []),
        (Auth.SASL, []),
        (AuthConfig(), []),
        (AuthConfig(cleartext=Cleartext.TUTORIAL), [("cleartext-passwords", Severity.WARNING)]),
    ],
)
def test_cleartext_is_warned_of(auth: AuthConfig | Auth | None, warned: list[tuple[str, Severity]]) -> None:
    config = MailServerConfig(
        mydestination=("$mydomain",), users=(User(name="a", password="x"),), aliases=("postmaster: a",), auth=auth
    )
    assert [(problem.id, problem.severity) for problem in check_mail(config, "mail")] == warned


RULE = {"action": "DROP", "port": 25, "not_source": "163.32.182.0/24", "not_source6": "2001:db8:3282::/64"}


@pytest.mark.parametrize(
    ("auth", "has_filter", "rules", "warned"),
    [
        pytest.param("sasl", True, [], [], id="amavis"),
        pytest.param("sasl", False, [], ["mail-unfiltered"], id="open"),
        pytest.param("sasl", False, [RULE], [], id="port 25 is closed"),
        pytest.param("sasl", False, [{**RULE, "port": 110}], ["mail-unfiltered"], id="another port is"),
        pytest.param(
            "sasl",
            False,
            [{"action": "DROP", "port": 25, "source": "192.0.2.0/24"}],
            ["mail-unfiltered"],
            id="only for some",
        ),
        pytest.param(
            "sasl",
            False,
            [{"action": "DROP", "protocol": "udp"}],
            ["mail-unfiltered"],
            id="what is no mail is kept out",
        ),
        pytest.param(None, False, [], [], id="no logins"),
    ],
)
def test_open_port_without_a_filter_is_warned_of(
    auth: str | None, has_filter: bool, rules: list[Data], warned: list[str]
) -> None:
    data = copy.deepcopy(stack_data(ROOT, "standalone"))
    mail = machine(data, "mail")["mail"]
    school(data)["firewall"] = {"mail": rules}
    for key in [key for key, is_there in (("auth", auth), ("filter", has_filter)) if not is_there]:
        del mail[key]
    found: list[Problem] = []
    parse(data, "standalone", warn=found.append)
    assert [problem.id for problem in found if problem.id == "mail-unfiltered"] == warned


def test_without_auth_the_school_is_trusted() -> None:
    found = parameters(lab(auth=None))
    assert "163.32.182.0/24" in found["mynetworks"]
    assert [name for name in found if "sasl" in name or "sender" in name or "tls_chain" in name] == []


def test_parts_trust_follows_mynetworks(standalone: Model) -> None:
    workstation = standalone.post.servers.addresses("workstation")[4]
    assert not standalone.post.servers.trusts("mail", workstation)
    assert lab(auth=None).post.servers.trusts("mail", workstation)


def test_parameter_in_place_of_one_of_several_lines() -> None:
    given = lab(main_cf={"smtpd_recipient_restrictions": "permit_mynetworks, reject"})
    assert parameters(given)["smtpd_recipient_restrictions"] == "permit_mynetworks, reject"


def test_submission_is_open_to_others(standalone: Model) -> None:
    listens = standalone.plans["mail"].part.listens
    assert {(port, version) for port in (25, 587, 465) for version in (4, 6)} <= listens
    assert not {(587, 4), (465, 4)} & lab(auth=None).plans["mail"].part.listens


def test_submission_follows_inet_interfaces() -> None:
    part = lab(main_cf={"inet_interfaces": "loopback-only", "inet_protocols": "ipv4"}).plans["mail"].part
    assert {(25, 4), (587, 4), (465, 4)} <= part.listens_inside
    assert not {(25, 4), (587, 4), (587, 6)} & part.listens


def test_users_log_in_on_587(standalone: Model) -> None:
    (service,) = [one for one in standalone.plans["mail"].part.logins if one.protocol is LoginProtocol.SMTP]
    assert (service.port, [user.name for user in service.users][:2]) == (587, ["admin", "manager"])


@pytest.mark.parametrize("name", ["chen", "chen@school.tw", "chen@mail.school.tw"])
def test_user_may_log_in_by_his_address(name: str) -> None:
    assert name in logins(server(), "chen@school.tw")


@pytest.mark.parametrize(
    "sender",
    [
        "chen@school.tw",
        "CHEN@School.TW",
        "chen@mail.school.tw",
        "chen",
        "chen@school.tw.",
        "chen@[198.51.100.9]",
        "chen@[IPv6:2001:db8::9]",
    ],
)
def test_address_is_its_users(sender: str) -> None:
    assert {name.lower() for name in names(server("service: chen, lin"), sender)} == {"chen"}


@pytest.mark.parametrize(
    "sender", ["chen@example.com", "chen@sub.school.tw", "chen@schoolxtw", "@school.tw", "a@school.tw@example.com"]
)
def test_address_elsewhere_is_nobodys(sender: str) -> None:
    assert logins(server(), sender) == set()


@pytest.mark.parametrize(
    ("aliases", "owners"),
    [
        pytest.param(["service: chen, lin"], {"chen", "lin"}, id="two"),
        pytest.param(["service: root", "root: admin"], {"admin"}, id="by another alias"),
        pytest.param(["service: chen@school.tw, lin@example.com"], {"chen"}, id="by an address"),
        pytest.param(["Service: Chen"], {"chen"}, id="capitals"),
        pytest.param(["service: a", "a: b, lin", "b: a"], {"lin"}, id="a loop"),
    ],
)
def test_alias_is_theirs_who_get_its_mail(aliases: list[str], owners: set[str]) -> None:
    assert names(server(*aliases), "service@school.tw") == owners


def test_alias_elsewhere_is_nobodys() -> None:
    """No login has its name."""
    assert names(server("service: lin@example.com"), "service@school.tw") == {"service"}


def test_user_whose_mail_an_alias_takes_keeps_his_address() -> None:
    assert owners_of(server("chen: lin"), DOMAINS, "chen") == ["chen", "lin"]


def test_signs_in_an_aliass_name_stand_for_themselves() -> None:
    config = server("a.b+c: lin")
    assert names(config, "a.b+c@school.tw") == {"lin"}
    assert names(config, "axb+c@school.tw") == {"axb+c"}


@pytest.mark.parametrize(("delimiter", "owner"), [("+", "chen"), ("", "chen+parents"), ("-", "chen+parents")])
def test_extension_is_the_users_where_there_are_some(delimiter: str, owner: str) -> None:
    config = server("service: lin", main_cf={"recipient_delimiter": delimiter})
    assert names(config, "chen+parents@school.tw") == {owner}
    assert names(config, "service+x@school.tw") == ({"lin"} if delimiter == "+" else {"service+x"})
