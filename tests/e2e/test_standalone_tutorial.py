"""The page's lines about amavis and Dovecot where the page puts them, and its commands, on the school's own server."""

import re

import pytest

from driver.lab import Lab

CONF = "/etc/amavis/conf.d"
FILTER_MODE = [
    "use strict;",
    "@bypass_virus_checks_maps = (",
    "\\%bypass_virus_checks, \\@bypass_virus_checks_acl, \\$bypass_virus_checks_re);",
    "@bypass_spam_checks_maps = (",
    "\\%bypass_spam_checks, \\@bypass_spam_checks_acl, \\$bypass_spam_checks_re);",
]
# The remarks behind the lines have changed.
DEFAULTS = [
    "$sa_spam_subject_tag = '***SPAM*** ';",
    "$sa_tag_level_deflt = 3.0;",
    "$sa_tag2_level_deflt = 6.31;",
    "$sa_kill_level_deflt = 10;",
    "$sa_dsn_cutoff_level = 12;",
    "$final_virus_destiny = D_DISCARD;",
    "$final_banned_destiny = D_BOUNCE;",
    "$final_spam_destiny = D_PASS;",
    "$final_bad_header_destiny = D_DISCARD;",
]
DOVECOT = ["protocols = pop3 imap", "listen = *, [::]", "auth_allow_cleartext = yes"]


def lines(lab: Lab, path: str) -> list[str]:
    """A file's lines, with one blank where there are several and without a remark."""
    text = lab["mail"].read(path)
    return [re.sub(r"\s+", " ", line.partition(" #")[0]).strip() for line in text.splitlines()]


@pytest.mark.parametrize("line", FILTER_MODE)
def test_line_stands_in_content_filter_mode(standalone: Lab, line: str) -> None:
    assert line in lines(standalone, f"{CONF}/15-content_filter_mode")


@pytest.mark.parametrize("line", DEFAULTS)
def test_line_stands_in_debian_defaults(standalone: Lab, line: str) -> None:
    assert line in lines(standalone, f"{CONF}/20-debian_defaults")


@pytest.mark.parametrize("line", DOVECOT)
def test_line_stands_in_dovecot_conf(standalone: Lab, line: str) -> None:
    assert line in lines(standalone, "/etc/dovecot/dovecot.conf")


def test_main_cf_ends_with_the_two_lines(standalone: Lab) -> None:
    found = [line for line in lines(standalone, "/etc/postfix/main.cf") if line and not line.startswith("#")]
    assert found[-2:] == ["content_filter = amavis:[127.0.0.1]:10024", "receive_override_options = no_address_mappings"]


def test_postfix_knows_both_services(standalone: Lab) -> None:
    named = standalone["mail"].succeed("postconf -M amavis/unix 127.0.0.1:10025/inet").splitlines()
    assert [line.split()[0] for line in named] == ["amavis", "127.0.0.1:10025"]


def test_clamav_is_in_amavis_group(standalone: Lab) -> None:
    assert "amavis" in standalone["mail"].succeed("id -nG clamav").split()


def test_adduser_as_printed_changes_nothing(standalone: Lab) -> None:
    standalone["mail"].succeed("adduser clamav amavis")


@pytest.mark.parametrize(
    ("service", "role"),
    [("amavis", "amavis"), ("clamav-daemon", "clamav"), ("dovecot", "dovecot"), ("postfix", "postfix")],
)
def test_service_restarts(standalone: Lab, service: str, role: str) -> None:
    mail = standalone["mail"]
    mail.succeed(f"service {service} restart")
    mail.wait_until_succeeds(f"/usr/lib/maillab/roles/{role} health")


def test_netstat_shows_both_ports_of_the_filter(standalone: Lab) -> None:
    listed = standalone["mail"].succeed("netstat -nltp").splitlines()
    assert {"127.0.0.1:10024", "127.0.0.1:10025"} <= {line.split()[3] for line in listed if "LISTEN" in line}
