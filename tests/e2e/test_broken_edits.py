"""A broken edit fails in the validator's words, the old configuration serves on, and the next good one repairs all."""

import pathlib

import pytest

from driver.lab import Lab, make_lab
from driver.mail import smtp
from tests.support.delivered import deliver
from tests.support.program import add_parameter, run, unrestarted, up
from tests.support.update import update_with

WENDY = "wendy@example.com"
ADMIN = "admin@dc1es.tnc.edu.tw"
MX = '- "@    MX    10  mail"'


@pytest.mark.parametrize(
    ("parameter", "words"),
    [
        pytest.param("inet_protocols: ipv4, ipv5", 'unknown inet_protocols value "ipv5"', id="unknown-protocol"),
        pytest.param("smtpd_client_connection_count_limit: many", "bad numerical configuration", id="no-number"),
        pytest.param("smtpd_bannr: $myhostname", "unused parameter: smtpd_bannr=", id="unknown-parameter"),
        pytest.param("smtpd_banner: $nosuchname", "undefined parameter: nosuchname", id="undefined-name"),
        pytest.param("virtual_alias_maps: hash:/etc/postfix/no-map", "/etc/postfix/no-map", id="missing-map"),
        pytest.param("local_recipient_maps: nosuch:/etc/aliases", "unsupported dictionary type: nosuch", id="map-type"),
        pytest.param("smtpd_recipient_restrictions: check_relay_domains", "451", id="restriction-of-the-tutorial"),
    ],
)
def test_refused_parameter(workshop: Lab, parameter: str, words: str) -> None:
    serving = workshop["mail"].read("/etc/postfix/main.cf")
    add_parameter(workshop, parameter)
    with unrestarted(workshop):
        failed = run(workshop, "up", "--yes")
    assert not failed.ok
    assert words in failed.words
    assert workshop["mail"].read("/etc/postfix/main.cf") == serving
    assert deliver(workshop, "outside", WENDY, ADMIN).path == ["outside", "spamfilter", "mail"]


@pytest.mark.parametrize(
    ("record", "words"),
    [
        # Names of another domain are not ours to check.
        pytest.param("other MX 10 bad_host.example.com.", "bad name (check-names)", id="underscore-in-an-mx"),
        pytest.param("_x._tcp SRV 0 0 25 bad_host.example.com.", "bad name (check-names)", id="underscore-in-a-srv"),
    ],
)
def test_refused_record(workshop: Lab, record: str, words: str) -> None:
    question = "dig +short @127.0.0.1 dc1es.tnc.edu.tw SOA"
    serving = workshop["dns"].succeed(question)
    workshop.edit(MX, f'{MX}\n          - "{record}"')
    with unrestarted(workshop):
        failed = run(workshop, "up", "--yes")
    assert not failed.ok
    assert words in failed.words
    assert workshop["dns"].succeed(question) == serving
    assert deliver(workshop, "outside", WENDY, ADMIN).path == ["outside", "spamfilter", "mail"]


@pytest.mark.parametrize(
    ("record", "words"),
    [
        pytest.param("other MX 10 nowhere", "MX 'nowhere.dc1es.tnc.edu.tw' has no address records", id="mx-to-nowhere"),
        pytest.param("alias CNAME mail\nother MX 10 alias", "is a CNAME (illegal)", id="mx-to-an-alias"),
        pytest.param("@ NS nowhere", "NS 'nowhere.dc1es.tnc.edu.tw' has no address records", id="ns-to-nowhere"),
        pytest.param("class1 NS ns.class1", "has no REQUIRED GLUE address records", id="delegation-without-glue"),
    ],
)
def test_zone_that_our_checks_would_let_pass_is_refused(workshop: Lab, record: str, words: str) -> None:
    zone = "/etc/bind/db.dc1es.tnc.edu.tw"
    before = workshop["dns"].read(zone)
    refused = update_with(workshop["dns"], {zone: f"{before}{record}\n"})
    assert refused.status == 1
    assert words in refused.output
    assert refused.output.splitlines()[-1].endswith("the bind files are refused")
    assert workshop["dns"].read(zone) == before


def test_next_good_edit_mends_all(workshop: Lab) -> None:
    """The failed update counts as not done; other machines' parts of it may be."""
    add_parameter(workshop, "smtpd_bannr: $myhostname ESMTP repaired")
    workshop.edit('"service: admin, manager, tnuser@tn.edu.tw"', '"library: chen"')
    assert not run(workshop, "up", "--yes").ok
    assert run(workshop, "preview").steps == {"mail-config": "update"}
    workshop.edit("smtpd_bannr", "smtpd_banner")
    assert up(workshop) == {"mail-config": "update"}
    greeting = smtp(workshop["workstation"], workshop["mail"].ipv4, ["QUIT"])[0]
    assert greeting.text == "220 mail.dc1es.tnc.edu.tw ESMTP repaired"
    deliver(workshop, "outside", WENDY, "library@dc1es.tnc.edu.tw")
    assert run(workshop, "preview", "--expect-no-changes").ok


def test_refused_rules_of_the_filter(workshop: Lab) -> None:
    """rspamd's own words name the file where it will be; nothing is left of the trial."""
    actions = "/etc/rspamd/local.d/actions.conf"
    before = workshop["spamfilter"].read(actions)
    refused = update_with(workshop["spamfilter"], {actions: "reject = {{{\n"})
    assert refused.status == 1
    assert "/etc/rspamd/local.d/actions.conf" in refused.output
    assert refused.output.splitlines()[-1].endswith("the rspamd files are refused")
    assert workshop["spamfilter"].read(actions) == before
    assert workshop["spamfilter"].succeed("ls /tmp") == ""


def test_broken_update_that_boots_a_machine_is_taken_back(workshop: Lab) -> None:
    """A machine whose own boot came to nothing is booted by the update; with the old files it boots once more."""
    mail = workshop["mail"]
    mail.succeed("chmod -x /usr/local/sbin/maillab-boot")
    mail.container.restart(timeout=10)
    mail.succeed("chmod +x /usr/local/sbin/maillab-boot")
    mail.fail("maillab-booted")
    add_parameter(workshop, "smtpd_recipient_restrictions: check_relay_domains")
    failed = run(workshop, "up", "--yes")
    assert not failed.ok
    assert "the old configuration is in force again\n" in failed.words
    deliver(workshop, "outside", WENDY, ADMIN)
    # Which interface had which carrier is still known, and which routes were set: a later update of the network is
    # taken, and a route that left goes.
    mail.succeed("ip route replace 192.0.2.0/24 via 163.26.182.254 && echo 192.0.2.0/24 >>/run/maillab/routes")
    mail.succeed("maillab-halt; rm /run/maillab/booted && maillab-boot && /usr/lib/maillab/roles/network reload")
    assert "192.0.2.0" not in mail.succeed("ip route")


def test_all_problems_are_listed_and_nothing_is_made(tmp_path: pathlib.Path, lab: Lab) -> None:
    bad = make_lab(tmp_path, "dc1es")
    bad.edit(MX, '- "@ MX 10 post"')
    bad.edit('"root: admin"', '"root: webmaster"')
    bad.edit("{name: lin,", "{name: Lin,")
    bad.edit("ipv4: 163.26.182.100", "ipv4: 163.26.182.2")
    bad.edit('relayhost: "[163.26.182.249]"', 'relayhost: "[163.26.182.9]"')
    bad.edit("mail2.dc1es.tnc.edu.tw, server: mail2", "dc1es.tnc.edu.tw, server: mail2")
    ids = ["mx-without-address", "alias-loop", "bad-user-name", "address-twice", "relayhost-unknown"]
    for command in ("preview", "up"):
        refused = run(bad, command)
        assert not refused.ok
        assert set(refused.steps) <= {f"maillab-{bad.stack}"}, "something but the stack itself was registered"
        assert "Traceback" not in refused.words
        assert [name for name in [*ids, "domain-routed-twice"] if f"[{name}]" not in refused.words] == []
    # The engine of `lab` is asked: one that is elsewhere has not even been connected to.
    label = f"maillab.stack={bad.stack}"
    assert lab.client.networks.list(filters={"label": label}) == []
    assert lab.client.containers.list(all=True, filters={"label": label}) == []


def test_problems_leave_a_running_lab_alone(workshop: Lab) -> None:
    workshop.edit(MX, '- "@ MX 10 post"')
    with unrestarted(workshop):
        failed = run(workshop, "up", "--yes")
    assert not failed.ok
    assert failed.steps == {}
    assert deliver(workshop, "outside", WENDY, ADMIN).path == ["outside", "spamfilter", "mail"]
