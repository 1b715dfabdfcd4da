"""The Internet machines' files."""

import copy
import pathlib
import re

import pytest

from components.config.lab import LabConfig
from components.internet.render import internet_files, internet_part, outside_files, outside_part, tn_files, tn_part
from components.load import parse
from tests.support.stacks import stack_data

ROOT = pathlib.Path(__file__).resolve().parents[3]


def lab_with(senders: list[dict[str, str]] | None = None) -> LabConfig:
    data = copy.deepcopy(stack_data(ROOT, "dc1es"))
    assert isinstance(data["internet"], dict)
    if senders is not None:
        data["internet"]["senders"] = senders
    return parse(data, "dc1es")


LAB = lab_with()
OUTSIDE = outside_files(LAB)
PAIR = [
    {"host": "mail.example.com", "ipv4": "198.51.100.1", "ipv6": "2001:db8::1"},
    {"host": "post.example.com", "ipv4": "198.51.100.2", "ipv6": "2001:db8::2"},
]


def transport_of(files: dict[str, str], sender: str) -> str | None:
    """What regexp_table(5) answers: the first pattern that fits, without regard to case."""
    for line in files["/etc/postfix/senders"].splitlines():
        if line and not line.startswith("#"):
            pattern, transport = line.split()
            if re.search(pattern.strip("/"), sender, re.IGNORECASE):
                return transport.removesuffix(":")
    return None


def services(files: dict[str, str]) -> dict[str, str]:
    """Each service of master.cf that has options, with them (master(5): they are indented)."""
    entries = re.findall(r"^(\S+) .*\n((?: +\S.*\n)+)", files["/etc/postfix/master.cf"], re.MULTILINE)
    return {str(name): str(options) for name, options in entries}


@pytest.mark.parametrize(
    ("sender", "transport"),
    [
        pytest.param("chen@example.com", "mail.example.com", id="first domain"),
        pytest.param("chen@MOE.edu.tw", "mail.moe.edu.tw", id="capital letters"),
        pytest.param("chen@mail8.moe.edu.tw", "mail.mail8.moe.edu.tw", id="domain below another"),
        pytest.param("chen@mail.moe.edu.tw", "mail.moe.edu.tw", id="host"),
        pytest.param("chen+v4@moe.edu.tw", "mail.moe.edu.tw-v4", id="IPv4 only"),
        pytest.param("chen+v6@moe.edu.tw", "mail.moe.edu.tw-v6", id="IPv6 only"),
        pytest.param("chen@moexedu.tw", None, id="a dot is a dot"),
        pytest.param("chen@xmoe.edu.tw", None, id="the whole domain"),
        pytest.param("chen@moe.edu.tw.example.org", None, id="at the end"),
        pytest.param("admin@dc1es.tnc.edu.tw", None, id="forged sender of the school"),
        pytest.param("<>", None, id="null sender"),
    ],
)
def test_envelope_sender_chooses_the_transport(sender: str, transport: str | None) -> None:
    assert transport_of(OUTSIDE, sender) == transport


def test_every_sender_has_its_own_address_and_name() -> None:
    known = services(OUTSIDE)
    assert len(known) == 3 * len(LAB.internet.senders)
    for sender in LAB.internet.senders:
        for suffix in ("", "-v4", "-v6"):
            options = known[f"{sender.host}{suffix}"]
            assert f"smtp_bind_address={sender.ipv4}\n" in options
            assert f"smtp_bind_address6={sender.ipv6}\n" in options
            assert f"smtp_helo_name={sender.host}\n" in options


def test_two_senders_of_one_domain_are_chosen_by_domain_and_host() -> None:
    files = outside_files(lab_with(PAIR))
    assert transport_of(files, "a@example.com") == "mail.example.com"
    assert transport_of(files, "a@post.example.com") == "post.example.com"
    assert {"mail.example.com", "post.example.com"} <= services(files).keys()


def test_messages_to_every_sender_end_in_the_mailbox_of_its_domain() -> None:
    mailboxes = dict(line.split() for line in OUTSIDE["/etc/postfix/mailboxes"].splitlines() if line.startswith("@"))
    (domains,) = re.findall(r"^virtual_mailbox_domains = (.*)$", OUTSIDE["/etc/postfix/main.cf"], re.MULTILINE)
    assert set(domains.split(", ")) == {name.removeprefix("@") for name in mailboxes}
    for sender in LAB.internet.senders:
        assert mailboxes[f"@{sender.domain}"] == sender.domain
        assert mailboxes[f"@{sender.host}"] == sender.domain


def test_strange_and_null_senders_go_out_as_the_first_one() -> None:
    assert "\ndefault_transport = mail.example.com\n" in OUTSIDE["/etc/postfix/main.cf"]
    lines = tn_files(LAB)["/etc/postfix/main.cf"].splitlines()
    assert [line for line in lines if "sender" in line and not line.startswith("#")] == []


def test_zones_of_named_conf_are_those_that_are_checked() -> None:
    files = internet_files(LAB)
    listed = [line.split() for line in files["/etc/maillab/zones"].splitlines()]
    declared = re.findall(r'zone "(\S+)" \{\n\ttype primary;\n\tfile "/etc/bind/(\S+)";', files["/etc/bind/named.conf"])
    assert [tuple(words) for words in listed] == declared
    assert {f"/etc/bind/{file}" for _, file in declared} == files.keys() - {
        "/etc/bind/named.conf",
        "/etc/maillab/zones",
    }


def test_schools_get_no_recursion() -> None:
    config = internet_files(LAB)["/etc/bind/named.conf"]
    assert "acl schools {\n\t163.26.182.0/24;\n\t2001:db8:182::/64;\n};" in config
    assert "allow-recursion { localhost; !schools; any; };" in config


def test_passwords_are_in_the_secret_files_only() -> None:
    part = tn_part(LAB)
    assert part.secret_files == {"/etc/maillab/users.secret": "tnuser:tn-lab-3141\n"}
    assert part.secret_files.keys().isdisjoint(part.files)


@pytest.mark.parametrize("make", [internet_part, tn_part, outside_part], ids=["internet", "tn", "outside"])
def test_what_must_outlive_the_container_is_on_volumes(make: object) -> None:
    assert callable(make)
    part = make(LAB)
    wanted = {"/var/lib/maillab"} if "bind" in part.roles else {"/var/mail", "/var/spool/postfix"}
    assert set(part.volumes.values()) == wanted


def test_receiver_checks_the_names_of_its_clients_where_it_should() -> None:
    data = copy.deepcopy(stack_data(ROOT, "dc1es"))
    assert isinstance(data["internet"], dict)
    data["internet"]["mail"]["checks_client_names"] = True
    checking, usual = (tn_files(lab)["/etc/postfix/main.cf"] for lab in (parse(data, "dc1es"), LAB))
    line = "smtpd_client_restrictions = permit_mynetworks, reject_unknown_client_hostname"
    assert line in checking.splitlines()
    assert "smtpd_client_restrictions" not in usual
    assert "smtpd_client_restrictions" not in outside_files(parse(data, "dc1es"))["/etc/postfix/main.cf"]
