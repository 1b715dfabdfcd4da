"""What people do by hand in a machine, and what the next update makes of it."""

from driver.lab import Lab
from tests.support.outage import postfix_stopped, service_stopped
from tests.support.program import run, unrestarted, up

WANG = "{name: wang, password: lab-wang-2006, gecos: 王老師}"
SERVICE = '"service: admin, manager, tnuser@tn.edu.tw"'


def test_stopped_service_hinders_no_update_of_another(workshop: Lab) -> None:
    mail = workshop["mail"]
    workshop.edit(SERVICE, '"service: admin"')
    with service_stopped(mail, "xinetd", 110):
        done = workshop.up()
        assert "mail: pop3 does not answer; this update did not touch it" in done.stdout
        assert "service: admin\n" in mail.read("/etc/aliases")


def test_stopped_service_takes_no_files_of_its_own(workshop: Lab) -> None:
    """Nobody would know whether it works with them."""
    mail = workshop["mail"]
    workshop.edit(SERVICE, '"service: admin"')
    with postfix_stopped(mail):
        failed = run(workshop, "up", "--yes")
        assert not failed.ok
        assert "mail: postfix did not run before this update: start it first, or reset the machine" in failed.words
        assert "mail: postfix did not take its new files" in failed.words
        assert "service: admin, manager" in mail.read("/etc/aliases")


def test_file_with_a_blank_in_its_name_is_kept(workshop: Lab) -> None:
    mail = workshop["mail"]
    mail.succeed("printf mine >'/etc/postfix/main.cf *old'")
    workshop.edit(SERVICE, '"service: admin"')
    done = workshop.up()
    assert "mail: added by hand since the last update: /etc/postfix/main.cf *old (kept as it is)" in done.stdout
    assert mail.succeed("cat '/etc/postfix/main.cf *old'") == "mine"
    mail.succeed("rm '/etc/postfix/main.cf *old'")


def test_user_who_is_logged_in_can_be_removed(workshop: Lab) -> None:
    mail = workshop["mail"]
    mail.succeed("setsid runuser -u wang -- sleep 1000 >/dev/null 2>&1 </dev/null &")
    assert mail.succeed("until pgrep -u wang sleep; do :; done")
    workshop.edit(f"              - {WANG}\n", "")
    with unrestarted(workshop):
        assert up(workshop)["mail-config"] == "update"
    mail.fail("getent passwd wang")
    mail.fail("pgrep -f '^sleep 1000'")


def test_new_full_name_of_an_old_user(workshop: Lab) -> None:
    workshop.edit(WANG, WANG.replace("王老師", "王校長"))
    with unrestarted(workshop):
        assert up(workshop) == {"mail-config": "update"}
    assert workshop["mail"].succeed("getent passwd wang").split(":")[4] == "王校長"
