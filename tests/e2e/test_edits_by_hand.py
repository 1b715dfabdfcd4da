"""An update writes what has changed in the configuration; what somebody edited by hand in other files stays."""

import pytest

from driver.lab import Lab
from tests.support.by_hand import ASIDE, edited_by_hand, set_aside
from tests.support.delivered import deliver
from tests.support.outage import service_stopped
from tests.support.program import add_parameter, run

WENDY = "wendy@example.com"
ADMIN = "admin@dc1es.tnc.edu.tw"
ALIASES, MAIN, MASTER = "/etc/aliases", "/etc/postfix/main.cf", "/etc/postfix/master.cf"
RC_LOCAL, PROGRAM_FILES = "/etc/rc.local", "/etc/postfix/postfix-files"
ZONE, NAMED, REVERSE = (
    f"/etc/bind/{name}" for name in ("db.dc1es.tnc.edu.tw", "named.conf", "db.182.26.163.in-addr.arpa")
)
NEW_USER = "{{name: {0}, password: lab-{0}-2006}}\n              - {{name: lin,"
KEPT = "by hand since the last update: {} (kept as it is)"
REPLACED = "by hand since the last update: {} (the configuration replaces it"
SERVICE = '"service: admin, manager, tnuser@tn.edu.tw"'


@pytest.mark.parametrize(
    ("command", "path", "report"),
    [
        pytest.param("echo 'mailbox_size_limit = 30000' >>{}", MAIN, f"edited {KEPT}", id="duplicate-parameter"),
        pytest.param("echo 'inet_protocols = ipv5' >>{}", MAIN, f"edited {KEPT}", id="value-that-postfix-refuses"),
        pytest.param("echo 'no service' >>{}", MASTER, f"edited {KEPT}", id="line-that-postfix-refuses"),
        pytest.param("echo mine >{}", "/etc/postfix/notes", f"added {KEPT}", id="added"),
        pytest.param("rm {}", "/etc/postfix/main.cf.proto", f"removed {KEPT}", id="removed"),
        pytest.param("chmod 600 {}", "/etc/mailname", f"mode or owner changed {KEPT}", id="mode"),
    ],
)
def test_edit_stays_when_another_role_has_new_files(workshop: Lab, command: str, path: str, report: str) -> None:
    """Whatever it is: nobody asks Postfix about files that this update does not write."""
    mail = workshop["mail"]
    with edited_by_hand(mail, command.format(path), path):
        look = f"{{ stat -L -c %a {path} && cat {path}; }} 2>/dev/null || echo gone"
        by_hand = mail.succeed(look)
        workshop.edit("gecos: 林老師", "gecos: 林主任")
        assert f"mail: {report.format(path)}" in workshop.up().stdout
        assert mail.succeed(look) == by_hand
        assert "林主任" in mail.succeed("getent passwd lin")


def test_duplicate_parameter_blocks_no_update_of_postfix(workshop: Lab) -> None:
    """Neither of its own file, whose edit is kept aside, nor of master.cf and aliases beside it."""
    mail = workshop["mail"]
    duplicate = "mailbox_size_limit = 30000\n"
    with edited_by_hand(mail, f"printf '{duplicate}' >>{MAIN}", MAIN):
        workshop.edit(SERVICE, '"service: admin"')
        assert f"mail: edited {KEPT.format(MAIN)}" in workshop.up().stdout
        assert mail.read(MAIN).endswith(duplicate)
        assert "service: admin\n" in mail.read(ALIASES)
        add_parameter(workshop, "smtpd_banner: $myhostname ESMTP new")
        assert f"mail: edited {REPLACED.format(MAIN)}" in workshop.up().stdout
        assert duplicate not in mail.read(MAIN)
        assert set_aside(mail, MAIN).endswith(duplicate)


def test_parameter_that_the_running_server_has_blocks_no_update(workshop: Lab) -> None:
    """The new files are checked by a program that asks the old ones' proxymap(8) for the accounts."""
    mail = workshop["mail"]
    with edited_by_hand(
        mail, f"echo 'local_recipient_maps =' >>{MAIN} && postfix reload", MAIN, after="postfix reload"
    ):
        add_parameter(workshop, "smtpd_banner: $myhostname ESMTP new")
        assert f"mail: edited {REPLACED.format(MAIN)}" in workshop.up().stdout
    assert deliver(workshop, "outside", WENDY, ADMIN).path[-1] == "mail"


def test_edit_that_is_what_the_update_brings_is_none(workshop: Lab) -> None:
    """It was not read yet: the update reloads all the same."""
    mail = workshop["mail"]
    banner = "$myhostname ESMTP by hand"
    with edited_by_hand(mail, f"echo 'smtpd_banner = {banner}' >>{MAIN}", MAIN):
        add_parameter(workshop, f"smtpd_banner: {banner}")
        assert MAIN not in workshop.up().stdout
        mail.fail("test -e /etc/maillab/edited-by-hand")
        assert "ESMTP by hand" in mail.succeed("exec 3<>/dev/tcp/127.0.0.1/25; read -r line <&3; echo $line")


def test_edit_of_an_editor_that_replaces_the_file(workshop: Lab) -> None:
    """What it left instead of the link is the machine's file; not compiled, it has no effect, before and after."""
    mail = workshop["mail"]
    with edited_by_hand(mail, f"sed -i 's/^webmaster: .*/webmaster: chen/' {ALIASES}", ALIASES, after="newaliases"):
        add_parameter(workshop, "smtpd_banner: $myhostname ESMTP new")
        assert f"mail: edited {KEPT.format(ALIASES)}" in workshop.up().stdout
        assert "webmaster: chen\n" in mail.read(ALIASES)
        assert mail.succeed(f"readlink {ALIASES}").strip() == "/etc/maillab/current/etc/aliases"
        assert mail.succeed("postalias -q webmaster /etc/aliases 2>/dev/null").strip() == "root"
        workshop.edit('"webmaster: root"', '"webmaster: manager"')
        assert f"mail: edited {REPLACED.format(ALIASES)}" in workshop.up().stdout
        assert "webmaster: chen\n" in set_aside(mail, ALIASES)
        assert mail.succeed("postalias -q webmaster /etc/aliases").strip() == "manager"


def test_refused_edit_beside_new_files_is_named_with_the_way_out(workshop: Lab) -> None:
    mail = workshop["mail"]
    with edited_by_hand(mail, f"echo 'no service' >>{MASTER}", MASTER):
        add_parameter(workshop, "smtpd_banner: $myhostname ESMTP new")
        failed = run(workshop, "up", "--yes")
        assert not failed.ok
        assert "bad field count" in failed.words
        assert "the postfix files are refused, because of what was edited by hand" in failed.words
        (way_out,) = [line for line in failed.words.splitlines() if "take back what the last update wrote: " in line]
        assert MASTER in way_out
        assert "ESMTP new" not in mail.read(MAIN)
        assert mail.read(MASTER).endswith("no service\n")
        mail.succeed(way_out.partition("last update wrote: ")[2])
        workshop.up()
        assert "ESMTP new" in mail.read(MAIN)


def test_new_files_that_are_refused_themselves_are_no_edits_fault(workshop: Lab) -> None:
    mail = workshop["mail"]
    with edited_by_hand(mail, "echo mine >/etc/postfix/notes", "/etc/postfix/notes"):
        add_parameter(workshop, "smtpd_bannr: $myhostname")
        failed = run(workshop, "up", "--yes")
        assert "unused parameter: smtpd_bannr=" in failed.words
        assert "by hand" not in failed.words
        assert mail.read("/etc/postfix/notes") == "mine\n"


def test_update_that_is_taken_back_takes_edits_back_too(workshop: Lab) -> None:
    """Refused by the probe, after the switch."""
    mail = workshop["mail"]
    with edited_by_hand(mail, f"echo '# chen was here' >>{MAIN}", MAIN):
        add_parameter(workshop, "smtpd_recipient_restrictions: check_relay_domains")
        assert not run(workshop, "up", "--yes").ok
        assert mail.read(MAIN).endswith("# chen was here\n")
        assert mail.succeed(f"find {ASIDE} -type f 2>/dev/null || true") == ""


def test_server_that_was_made_deaf_listens_again(workshop: Lab) -> None:
    """Started by hand with other inet_interfaces; a reload would not change that."""
    mail = workshop["mail"]
    command = f"sed -i 's/^inet_interfaces = .*/inet_interfaces = loopback-only/' {MAIN} && service postfix restart"
    with edited_by_hand(mail, command, MAIN):
        workshop["workstation"].fail(f"timeout 5 bash -c '</dev/tcp/{mail.ipv4}/25'")
        add_parameter(workshop, "smtpd_banner: $myhostname ESMTP new")
        workshop.up()
        workshop["workstation"].succeed(f"timeout 5 bash -c '</dev/tcp/{mail.ipv4}/25'")


def test_typing_error_in_a_zone_has_the_effect_that_it_has_elsewhere(workshop: Lab) -> None:
    """BIND loads an MX that leads nowhere, and an update of another file leaves it."""
    dns = workshop["dns"]
    question = "dig +short @127.0.0.1 typo.dc1es.tnc.edu.tw MX"
    command = f"echo 'typo MX 10 sapmfilter' >>{ZONE} && rndc reload"
    with edited_by_hand(dns, command, ZONE, after="rndc reload"):
        assert dns.wait_until_succeeds(f"{question} | grep .") == "10 sapmfilter.dc1es.tnc.edu.tw.\n"
        workshop.edit("ipv6: 2001:db8:182::100", "ipv6: 2001:db8:182::101")  # the reverse zone only
        assert f"dns: edited {KEPT.format(ZONE)}" in workshop.up().stdout
        assert dns.succeed(question) == "10 sapmfilter.dc1es.tnc.edu.tw.\n"
        workshop.edit("workstation AAAA  2001:db8:182::100", "workstation AAAA  2001:db8:182::101")
        assert f"dns: edited {REPLACED.format(ZONE)}" in workshop.up().stdout
        assert dns.succeed(question) == ""
        assert "typo MX 10 sapmfilter\n" in set_aside(dns, ZONE)


def test_file_that_was_moved_away_as_a_backup(workshop: Lab) -> None:
    """Moved is the link only: what it leads to is put where it was meant to be, and kept."""
    mail = workshop["mail"]
    command = (
        f"echo '# first' >>{RC_LOCAL}; mv {RC_LOCAL} {RC_LOCAL}.orig; "
        f"printf '#!/bin/sh\\n# second\\n' >{RC_LOCAL}; chmod +x {RC_LOCAL}"
    )
    with edited_by_hand(mail, command, RC_LOCAL, after=f"rm -f {RC_LOCAL}.orig"):
        workshop.edit("gecos: 林老師", "gecos: 林主任")
        report = workshop.up().stdout
        assert f"mail: moved by hand: {RC_LOCAL}.orig (it was a link to {RC_LOCAL}, and is a copy of it now)" in report
        assert f"mail: edited {KEPT.format(RC_LOCAL)}" in report
        assert mail.read(f"{RC_LOCAL}.orig").endswith("# first\n")
        assert mail.read(RC_LOCAL).endswith("# second\n")
        assert set_aside(mail, RC_LOCAL).endswith("# first\n")


def test_folder_that_was_moved_away_is_there_again(workshop: Lab) -> None:
    mail = workshop["mail"]
    command = f"echo '# mine' >>{MAIN}; mv /etc/postfix /root/postfix.bak"
    with edited_by_hand(mail, command, MAIN, after="rm -rf /root/postfix.bak"):
        workshop.edit("gecos: 林老師", "gecos: 林主任")
        assert "mail: moved or removed by hand: /etc/postfix (it is there again, as it was)" in workshop.up().stdout
        assert mail.read(MAIN).endswith("# mine\n")
        assert mail.read("/root/postfix.bak/main.cf").endswith("# mine\n")
        add_parameter(workshop, "smtpd_banner: $myhostname ESMTP new")
        workshop.up()
        assert "ESMTP new" in mail.read(MAIN)
        assert mail.read("/root/postfix.bak/main.cf").endswith("# mine\n")


def test_edit_of_a_file_that_is_removed_then_is_kept(workshop: Lab) -> None:
    mail = workshop["mail"]
    command = f"echo 'mine: chen' >>{ALIASES}; newaliases; rm {ALIASES}"
    with edited_by_hand(mail, command, ALIASES, after="newaliases"):
        workshop.edit("gecos: 林老師", "gecos: 林主任")
        assert f"mail: removed {KEPT.format(ALIASES)}" in workshop.up().stdout
        mail.fail(f"test -e {ALIASES}")
        assert set_aside(mail, ALIASES).endswith("mine: chen\n")


def test_update_of_something_else_runs_no_edited_rc_local(workshop: Lab) -> None:
    """What it leaves running would keep the update waiting, too."""
    mail = workshop["mail"]
    command = f"echo 'echo ran >>/root/ran; tail -f /dev/null & echo $! >>/root/ran' >>{RC_LOCAL}"
    with edited_by_hand(mail, command, RC_LOCAL, after="rm -f /root/ran"):
        workshop.edit("gecos: 林老師", "gecos: 林主任")
        assert f"mail: edited {KEPT.format(RC_LOCAL)}" in workshop.up().stdout
        mail.fail("test -e /root/ran")
        # What is written is tried; a program that goes on running has the update's output open no longer.
        mail.succeed(
            f"echo {RC_LOCAL[1:]} >/run/maillab/written; /usr/lib/maillab/roles/firewall validate /etc/maillab/current"
        )
        mail.succeed("kill $(tail -n 1 /root/ran)")


def test_files_of_postfix_itself_that_were_removed(workshop: Lab) -> None:
    """The program reads those in force, whatever is to be checked: the way out is printed."""
    mail = workshop["mail"]
    with edited_by_hand(mail, f"rm {PROGRAM_FILES}", PROGRAM_FILES):
        add_parameter(workshop, "smtpd_banner: $myhostname ESMTP new")
        failed = run(workshop, "up", "--yes")
        assert not failed.ok
        (way_out,) = [line for line in failed.words.splitlines() if "take back what the last update wrote: " in line]
        mail.succeed(way_out.partition("last update wrote: ")[2])
        workshop.up()
        assert "ESMTP new" in mail.read(MAIN)


def test_zone_that_was_taken_out_by_hand_hinders_no_other(workshop: Lab) -> None:
    dns = workshop["dns"]
    command = f"rm {REVERSE}; sed -i '/^zone \"182/,/^}}/d' {NAMED}; rndc reload"
    with edited_by_hand(dns, command, REVERSE, NAMED, after="rndc reload"):
        workshop.edit("workstation AAAA  2001:db8:182::100", "workstation AAAA  2001:db8:182::101")
        workshop.edit("ipv6: 2001:db8:182::100", "ipv6: 2001:db8:182::101")
        assert f"dns: removed {KEPT.format(REVERSE)}" in workshop.up().stdout
        question = "dig +short @127.0.0.1 workstation.dc1es.tnc.edu.tw AAAA"
        assert dns.succeed(question) == "2001:db8:182::101\n"


def test_zone_that_can_not_be_loaded_hinders_nothing_else(workshop: Lab) -> None:
    """Asked is who validates an update without a zone, and one with it."""
    dns = workshop["dns"]
    validate = "/usr/lib/maillab/roles/bind validate /etc/maillab/current"
    with edited_by_hand(dns, f"echo 'oops A 163.26.182' >>{ZONE}", ZONE, after="rndc reload"):
        dns.succeed(f"echo etc/rc.local >/run/maillab/written; {validate}")
        dns.fail(f"echo {ZONE[1:]} >/run/maillab/written; {validate}")


def test_folder_that_is_a_link_is_not_written_through(workshop: Lab) -> None:
    dns = workshop["dns"]
    command = (
        "cp -aL /etc/bind /root/bind; echo 'precious A 163.26.182.77' >>/root/bind/db.dc1es.tnc.edu.tw; "
        "rm /etc/bind; ln -s /root/bind /etc/bind"
    )
    with edited_by_hand(dns, command, ZONE, after="rm -rf /root/bind; rndc reload"):
        workshop.edit("workstation AAAA  2001:db8:182::100", "workstation AAAA  2001:db8:182::101")
        workshop.edit("ipv6: 2001:db8:182::100", "ipv6: 2001:db8:182::101")
        assert f"dns: edited {REPLACED.format(ZONE)}" in workshop.up().stdout
        precious = "precious A 163.26.182.77\n"
        assert dns.read("/root/bind/db.dc1es.tnc.edu.tw").endswith(precious)
        assert set_aside(dns, ZONE).endswith(precious)
        assert precious not in dns.read(ZONE)
        assert dns.succeed("readlink /etc/bind").strip() == "/etc/maillab/current/etc/bind"


def test_home_is_nobody_elses_when_its_user_is_gone(workshop: Lab) -> None:
    """Neither does a new user get it, nor does it get a new owner when its user returns."""
    mail = workshop["mail"]
    old = "{name: lin,"
    try:
        for name in ("zed", "yan", "zed"):
            new = NEW_USER.format(name)
            workshop.edit(old, new)
            old = new
            workshop.up()
            assert mail.succeed(f"stat -c %U /home/{name}").strip() == name
        assert mail.succeed("stat -c %u /home/zed") != mail.succeed("stat -c %u /home/yan")
    finally:
        mail.succeed("rm -rf /home/zed /home/yan")


def test_stopped_service_hinders_no_new_rules(workshop: Lab) -> None:
    mail = workshop["mail"]
    with service_stopped(mail, "postfix", 25):
        workshop.edit("note: The county's schools.", "note: The schools of the county.")
        assert "mail: postfix does not answer; this update did not touch it" in workshop.up().stdout
        assert "The schools of the county." in mail.read("/etc/rc.local")


def test_stopped_rspamd_hinders_no_new_recipient(workshop: Lab) -> None:
    """The filter's Postfix answers nobody without rspamd, before and after."""
    spamfilter = workshop["spamfilter"]
    spamfilter.succeed("service rspamd stop")
    try:
        workshop.edit(SERVICE, f'{SERVICE}\n              - "library: chen"')
        done = workshop.up()
        assert "spamfilter: postfix has its new files and does not answer, as before" in done.stdout
        assert "library@dc1es.tnc.edu.tw" in spamfilter.read("/etc/postfix/relay_recipients")
    finally:
        spamfilter.succeed("/usr/lib/maillab/roles/rspamd start && /usr/lib/maillab/roles/rspamd probe")
    deliver(workshop, "outside", WENDY, "library@dc1es.tnc.edu.tw")


def test_account_and_password_made_by_hand_stay(workshop: Lab) -> None:
    mail = workshop["mail"]
    mail.succeed("useradd --create-home newt && echo chen:by-hand-2006 | chpasswd")
    try:
        hashed = mail.succeed("grep ^chen: /etc/shadow")
        workshop.edit("{name: lin,", "{name: huang, password: lab-huang-2006}\n              - {name: lin,")
        workshop.up()
        mail.succeed("getent passwd newt && getent passwd huang")
        assert mail.succeed("grep ^chen: /etc/shadow") == hashed
    finally:
        mail.succeed("userdel -r newt; echo chen:lab-chen-2006 | chpasswd")


def test_what_was_made_by_hand_is_kept_when_the_container_is_replaced(workshop: Lab) -> None:
    """Its files and accounts are on this computer then; its mail is where it was."""
    before = deliver(workshop, "outside", WENDY, ADMIN)
    mail = workshop["mail"]
    mail.succeed(
        f"echo '# chen was here' >>{MAIN}; echo mine >/root/notes; echo service >/etc/xinetd.d/mine; "
        "useradd --create-home newt; echo hello >~newt/message; echo mine >'/root/a\\b'; echo mine >/srv/mine; "
        "echo mine >/usr/local/bin/mine"
    )
    workshop.edit(
        "ipv4: 163.26.182.2\n          ipv6: 2001:db8:182::2\n", "ipv4: 163.26.182.3\n          ipv6: 2001:db8:182::2\n"
    )
    workshop.edit("mail  A     163.26.182.2\n", "mail  A     163.26.182.3\n")
    done = workshop.up()
    assert "maillab: mail: what was made by hand in it is kept in .pulumi-state/kept/" in done.stdout
    (folder,) = (workshop.folder / ".pulumi-state" / "kept" / workshop.stack / "mail").iterdir()
    kept = {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()}
    files = {"etc/postfix/main.cf", "root/notes", "etc/xinetd.d/mine", "home/newt/message", "accounts"}
    assert files | {"root/a\\b", "srv/mine", "usr/local/bin/mine"} == kept
    assert (folder / "etc/postfix/main.cf").read_text("utf-8").endswith("# chen was here\n")
    assert (folder / "accounts").read_text("utf-8").startswith("newt:x:")
    workshop["mail"].fail("getent passwd newt")
    workshop["mail"].succeed(f"grep -qF '{before.mail.message_id}' /var/mail/admin")
