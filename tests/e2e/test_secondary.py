"""A secondary name server outside the school: it has the school's zone, follows its serial, answers in its place."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from driver.lab import Lab
from driver.machine import wait_until
from tests.support.program import up
from tests.support.status import status_of

DOMAIN = "dc1es.tnc.edu.tw"
ZONES = (DOMAIN, "182.26.163.in-addr.arpa", "0.0.0.0.2.8.1.0.8.b.d.0.1.0.0.2.ip6.arpa")
RECORD = "          - dns   A     163.26.182.1\n"
ZONE_FILE = f"/etc/bind/db.{DOMAIN}"


@pytest.fixture(scope="module")
def school(workbench: Lab) -> Lab:
    """The lab, with `tn` as the secondary of the school's zone; and, since then, one more record."""
    workbench.edit("      zone:\n", "      zone:\n        secondaries: [tn]\n")
    up(workbench)
    workbench.edit(RECORD, f"{RECORD}          - www   A     163.26.182.1\n")
    up(workbench)
    return workbench


def ask(lab: Lab, server: str, name: str, rtype: str) -> list[str]:
    """What a name server answers to somebody outside, without asking others."""
    address = lab[server].ipv4
    return sorted(lab["outside"].succeed(f"dig +short +norecurse @{address} {name} {rtype}").splitlines())


@contextmanager
def zone_edited(lab: Lab, script: str) -> Iterator[None]:
    """The zone's file edited by hand (sed(1)) and loaded; afterwards as it was, with a serial that has grown."""
    lab["dns"].succeed(f"cp {ZONE_FILE} /root/zone && sed -i --follow-symlinks '{script}' {ZONE_FILE} && rndc reload")
    try:
        yield
    finally:
        serial = int(ask(lab, "dns", DOMAIN, "SOA")[0].split()[2]) + 1
        lab["dns"].succeed(
            f"sed -i 's/ [0-9]* ; 每/ {serial} ; 每/' /root/zone && cat /root/zone >{ZONE_FILE} && rndc reload"
        )
        wait_until("the copy", lambda: ask(lab, "tn", DOMAIN, "SOA") == ask(lab, "dns", DOMAIN, "SOA"))


@pytest.mark.parametrize("zone", ZONES)
def test_world_is_told_of_both_servers(school: Lab, zone: str) -> None:
    both = [f"dns.{DOMAIN}.", "mail.tn.edu.tw."]
    question = f"dig +norecurse +noall +answer +authority @{school['internet'].ipv4} {zone} NS"
    lines = [line.split() for line in school["outside"].succeed(question).splitlines()]
    assert sorted(words[4] for words in lines if words[3] == "NS") == both
    assert ask(school, "dns", zone, "NS") == ask(school, "tn", zone, "NS") == both


@pytest.mark.parametrize("zone", ZONES)
def test_secondary_has_the_zone_as_it_is_after_an_update(school: Lab, zone: str) -> None:
    assert ask(school, "tn", zone, "SOA") == ask(school, "dns", zone, "SOA") != []
    assert ask(school, "tn", f"www.{DOMAIN}", "A") == ["163.26.182.1"]


def test_only_the_secondary_gets_the_whole_zone(school: Lab) -> None:
    command = f"dig +short @{school['dns'].ipv4} {DOMAIN} AXFR"
    assert f"www.{DOMAIN}" in school["tn"].succeed(command.replace("+short", "+noall +answer"))
    assert "Transfer failed" in school["outside"].execute(command).output
    assert "Transfer failed" in school["outside"].execute(command.replace(school["dns"].ipv4, school["tn"].ipv4)).output


def test_secondary_asks_nobody_for_others(school: Lab) -> None:
    answer = school["outside"].succeed(f"dig @{school['tn'].ipv4} example.com MX")
    assert "status: REFUSED" in answer


def test_forgotten_serial_leaves_the_secondary_behind(school: Lab) -> None:
    with zone_edited(school, "s/^www .*/www   IN   A   163.26.182.8/"):
        school["dns"].wait_until_succeeds(f"dig +short @127.0.0.1 www.{DOMAIN} A | grep -x 163.26.182.8")
        # It is asked to look, and sees no newer serial.
        school["tn"].succeed(f"rndc refresh {DOMAIN}")
        assert ask(school, "tn", f"www.{DOMAIN}", "A") == ["163.26.182.1"]
    # What makes the difference: the serial.
    serial = ask(school, "dns", DOMAIN, "SOA")[0].split()[2]
    later = f"s/^www .*/www   IN   A   163.26.182.8/; s/{serial} ;/{int(serial) + 1} ;/"
    with zone_edited(school, later):
        wait_until("the new address", lambda: ask(school, "tn", f"www.{DOMAIN}", "A") == ["163.26.182.8"])


def test_world_finds_the_school_without_its_name_server(school: Lab) -> None:
    question = f"dig +short +tries=1 +time=10 @{school['internet'].ipv4} {DOMAIN} MX"
    with_both = sorted(school["outside"].succeed(question).splitlines())
    school["dns"].succeed("service named stop")
    try:
        school["internet"].succeed("rndc flush")
        assert sorted(school["outside"].succeed(question).splitlines()) == with_both != []
        assert status_of(school)["tn"]["problems"] == []
    finally:
        school["dns"].succeed("service named start")
        school["dns"].wait_until_succeeds(f"dig +short +tries=1 +time=1 @127.0.0.1 {DOMAIN} SOA | grep admin")
