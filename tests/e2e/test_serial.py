"""The zone's serial: it grows by one when the zone changes, only then, and what dns has served is not forgotten."""

import pytest

from driver.lab import Lab
from tests.support.program import add_parameter, run, up

ZONES = ("dc1es.tnc.edu.tw", "182.26.163.in-addr.arpa", "0.0.0.0.2.8.1.0.8.b.d.0.1.0.0.2.ip6.arpa")
FIRST = 2006030801
LARGEST = 4294901760  # that a configuration may ask for
HOST = "dig +short router.dc1es.tnc.edu.tw A"


def serials(lab: Lab, machine: str = "dns") -> dict[str, int]:
    """Zone to serial, as `machine` learns it."""
    return {zone: int(lab[machine].succeed(f"dig +short {zone} SOA").split()[2]) for zone in ZONES}


def edit_zone(lab: Lab, value: str) -> None:
    """A change of the school's zone and of nothing else."""
    lab.edit("- router A     163.26.182.254\n", f'- router A     163.26.182.254\n          - "news TXT {value}"\n')


@pytest.mark.parametrize("machine", ["dns", "workstation", "outside"])
def test_serial_starts_where_the_configuration_says(lab: Lab, machine: str) -> None:
    assert serials(lab, machine) == dict.fromkeys(ZONES, FIRST)


def test_serial_of_the_changed_zone_grows_by_one(workshop: Lab) -> None:
    before = serials(workshop)
    edit_zone(workshop, "one")
    up(workshop)
    assert serials(workshop) == before | {ZONES[0]: before[ZONES[0]] + 1}
    assert serials(workshop, "outside") == serials(workshop)


def test_serial_stays_at_an_edit_of_something_else(workshop: Lab) -> None:
    before = serials(workshop)
    add_parameter(workshop, "smtpd_banner: $myhostname ESMTP")
    up(workshop)
    assert serials(workshop) == before


def test_serial_stays_at_a_second_up(workshop: Lab) -> None:
    edit_zone(workshop, "two")
    up(workshop)
    before = serials(workshop)
    up(workshop)
    assert serials(workshop) == before


def test_serial_stays_when_a_broken_edit_is_refused(workshop: Lab) -> None:
    before = serials(workshop)
    router = "- router A     163.26.182.254\n"
    workshop.edit(router, f"{router}          - other MX 10 bad_host.example.com.\n")
    assert not run(workshop, "up", "--yes").ok
    assert serials(workshop) == before


def test_serial_stays_when_dns_is_restarted(workshop: Lab) -> None:
    before = serials(workshop)
    workshop["dns"].container.restart()
    workshop["dns"].wait_until_succeeds(f"dig +short +time=1 +tries=1 @127.0.0.1 {ZONES[0]} SOA")
    assert serials(workshop) == before


def test_rebuilt_dns_goes_on_from_the_last_serial(workshop: Lab) -> None:
    edit_zone(workshop, "three")
    up(workshop)
    before = serials(workshop)
    workshop["dns"].container.remove(force=True)
    assert run(workshop, "refresh").steps == {"dns": "delete"}
    assert up(workshop) == {"dns": "create", "dns-config": "update", "dns-by-hand": "replace"}
    assert serials(workshop) == before


def test_edit_while_dns_is_gone_counts(workshop: Lab) -> None:
    before = serials(workshop)
    workshop["dns"].container.remove(force=True)
    edit_zone(workshop, "four")
    assert run(workshop, "up", "--yes", "--refresh").ok
    workshop.find_machines()
    assert serials(workshop) == before | {ZONES[0]: before[ZONES[0]] + 1}


def test_serial_that_goes_backwards_is_refused(workshop: Lab) -> None:
    before = serials(workshop)
    workshop.edit(f"serial: {FIRST}", f"serial: {FIRST - 1}")
    failed = run(workshop, "up", "--yes")
    assert not failed.ok
    assert f"the serial would go backwards: {FIRST - 1} is asked for, {before[ZONES[0]]} is served" in failed.words
    assert serials(workshop) == before


def test_serial_that_is_asked_for_is_served(workshop: Lab) -> None:
    asked = serials(workshop)[ZONES[0]] + 100
    before = workshop.stack_file.read_text(encoding="utf-8")
    workshop.edit(f"serial: {FIRST}", f"serial: {asked}")
    try:
        up(workshop)
        assert serials(workshop) == dict.fromkeys(ZONES, asked)
    finally:
        # The old number can't be asked for again: dns must forget what it has served.
        workshop["dns"].succeed("rm -r /var/lib/maillab/zones/*")
        workshop.stack_file.write_text(before, encoding="utf-8")
        workshop.up()


def test_serial_rolls_over(workshop: Lab) -> None:
    """RFC 1982: after 2^32 - 1 comes a small number, which is later; and no step may be of 2^31 or more."""
    before = workshop.stack_file.read_text(encoding="utf-8")
    try:
        for asked in (4_000_000_000, LARGEST):
            workshop.stack_file.write_text(before.replace(f"serial: {FIRST}", f"serial: {asked}"), encoding="utf-8")
            up(workshop)
            assert serials(workshop) == dict.fromkeys(ZONES, asked)
        # As after many more changes.
        workshop["dns"].succeed(f"sed -i 's/{LARGEST}/{2**32 - 1}/' /var/lib/maillab/zones/db.{ZONES[0]}")
        edit_zone(workshop, "last")
        for number, value in enumerate(("first", "second"), start=1):
            workshop.edit(f"news TXT {'last' if number == 1 else 'first'}", f"news TXT {value}")
            up(workshop)
            assert serials(workshop)[ZONES[0]] == number
            assert workshop["outside"].succeed(f"dig +short news.{ZONES[0]} TXT") == f'"{value}"\n'
        assert run(workshop, "preview", "--expect-no-changes").ok
    finally:
        workshop["dns"].succeed("rm -r /var/lib/maillab/zones/*")
        workshop.stack_file.write_text(before, encoding="utf-8")
        workshop.up()


def test_outside_sees_a_new_record_at_once(workshop: Lab) -> None:
    assert workshop["outside"].succeed(HOST) == "163.26.182.254\n"
    workshop.edit("- router A     163.26.182.254", "- router A     163.26.182.253")
    up(workshop)
    assert workshop["outside"].succeed(HOST) == "163.26.182.253\n"


def test_outside_sees_the_old_record_when_it_is_not_told(workshop: Lab) -> None:
    """As on the real Internet, where nobody flushes other people's resolvers: the TTL is a day."""
    workshop.edit("      zone:\n", "      zone:\n        flush_outside: false\n")
    assert up(workshop) == {"dc1es-flush": "delete"}
    assert workshop["outside"].succeed(HOST) == "163.26.182.254\n"
    workshop.edit("- router A     163.26.182.254", "- router A     163.26.182.253")
    up(workshop)
    assert workshop["workstation"].succeed(HOST) == "163.26.182.253\n"
    assert workshop["outside"].succeed(HOST) == "163.26.182.254\n"
