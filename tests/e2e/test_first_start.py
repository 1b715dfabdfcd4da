"""A new machine's Postfix starts with the spool that the image brought, and checks what the image could not know."""

from driver.lab import Lab
from tests.support.update import update_with

MARK = "/var/spool/postfix/quick-start"
MAIN = "/etc/maillab/current/etc/postfix/main.cf"


def test_spool_of_a_running_machine_has_no_mark(lab: Lab) -> None:
    """From its second start on, Postfix checks everything, and the chroot has this machine's resolver and hosts."""
    for name in ("mail", "mail2", "spamfilter", "tn", "outside"):
        lab[name].fail(f"test -e {MARK}")
        lab[name].succeed("cd /var/spool/postfix && cmp etc/resolv.conf /etc/resolv.conf && cmp etc/hosts /etc/hosts")
        assert lab[name].succeed("postfix check 2>&1") == ""


def test_machine_that_asks_its_own_server_needs_no_name_server_for_that(lab: Lab) -> None:
    """At the first start of a lab the resolvers may still be coming up: their answer would be waited for."""
    for name in ("mail", "mail2", "spamfilter", "tn", "outside"):
        lab[name].succeed(r"grep -q 'connect from probe.invalid\[192.0.0.8\]' /var/log/mail.log")
        lab[name].fail(r"grep -q 'connect from unknown\[192.0.0.8\]' /var/log/mail.log")


def test_other_folders_than_the_images_are_made_and_checked(workshop: Lab) -> None:
    mail = workshop["mail"]
    mail.succeed(f"cp -p {MAIN} /tmp/main.cf && postfix stop && touch {MARK}")
    try:
        mail.succeed(f"sed -i 's|^data_directory = .*|data_directory = /srv/postfix|' {MAIN}")
        mail.succeed("/usr/lib/maillab/roles/postfix start && test $(stat -c %U /srv/postfix) = postfix")
    finally:
        mail.succeed(f"postfix stop; cp -p /tmp/main.cf {MAIN} && service postfix start")
    mail.fail(f"test -e {MARK}")


def test_refused_packet_filter_ends_the_update_that_boots(workshop: Lab) -> None:
    """It is not tried before, because nothing is in force that could be kept; the rest is as with any other update."""
    machine = workshop["workstation"]
    before = machine.succeed("iptables -S && ip6tables -S")
    machine.succeed("rm /run/maillab/booted")
    refused = update_with(machine, {"/etc/rc.local": "#!/bin/sh\niptables -F\niptables -A INPUT -p nothing -j DROP\n"})
    assert refused.status == 1
    assert "role firewall did not start" in refused.output
    assert 'unknown protocol "nothing" specified' in refused.output
    assert refused.output.splitlines()[-1].endswith("the old configuration is in force again")
    assert machine.succeed("iptables -S && ip6tables -S") == before
    machine.succeed("maillab-booted")
    assert update_with(machine, {}).status == 0
