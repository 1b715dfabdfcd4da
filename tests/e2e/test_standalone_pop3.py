"""Dovecot on the school's own server: POP3 and IMAP on Postfix' mailboxes, and the change from mailutils-pop3d."""

import json
import shlex
from typing import Any

import pytest

from driver.lab import Lab
from driver.mail import mailbox
from tests.support.delivered import deliver
from tests.support.pop3 import log_in, passwords
from tests.support.stacks import change_school

WENDY, LIN = "wendy@example.com", "lin@yaes.example"
MANAGER = "manager@yaes.example"
# The UIDL of each message (RFC 1939, section 7): id and Message-ID.
UIDL = """
import json, poplib, sys
box = poplib.POP3(sys.argv[1]); box.user(sys.argv[2]); box.pass_(sys.argv[3])
found = [line.decode().split()[1] for line in box.uidl()[1]]
box.quit()
print(json.dumps(found))
"""
IMAP = """
import imaplib, json, sys
box = imaplib.IMAP4(sys.argv[1]); box.login(sys.argv[2], sys.argv[3]); box.select(readonly=True)
_, found = box.search(None, "HEADER", "Message-ID", sys.argv[4])
folders = [line.decode().rpartition(" ")[2] for line in box.list()[1]]
print(json.dumps([len(found[0].split()), sorted(folders)]))
"""


# A POP3 session that deletes a message ends while a delivery is under way, as local(8) does it: it has USER.lock, and
# then wants the mailbox' own lock (fcntl(2)). Prints "free" when it gets it, and else "stuck".
DELIVERY = r"""
use strict; use warnings; use Fcntl qw(:DEFAULT :flock); use IO::Socket::IP;
my ($user, $password) = @ARGV;
my $pop3 = IO::Socket::IP->new(PeerHost => '127.0.0.1', PeerPort => 110) or die;
sub say_it { print {$pop3} "$_[0]\r\n"; my $line = <$pop3>; die $line unless $line =~ /^\+OK/ }
<$pop3>;
say_it("USER $user"); say_it("PASS $password"); say_it("DELE 1");
sysopen(my $lock, "/var/mail/$user.lock", O_CREAT | O_EXCL | O_WRONLY, 0600) or die $!;
print {$pop3} "QUIT\r\n"; $pop3->flush;
sleep 2;
open(my $box, '+<', "/var/mail/$user") or die $!;
my $wanted = pack('s s x4 q q i x4', F_WRLCK, 0, 0, 0, 0);
my $is_free = 0;
for (1 .. 50) { last if $is_free = fcntl($box, F_SETLK, $wanted); select(undef, undef, undef, 0.1) }
close $box; unlink "/var/mail/$user.lock";
print $is_free ? "free" : "stuck", "\n";
<$pop3>;
"""


def uidl(lab: Lab, address: str, user: str = "lin") -> list[str]:
    """The ids of a user's messages, by POP3 at this address of the server."""
    found = lab["workstation"].python(UIDL, address, user, passwords(lab["mail"])[user])
    return [str(one) for one in json.loads(found)]


def serve_by(lab: Lab, program: str) -> None:
    """Gives the school's mail server another program for POP3; webmail needs Dovecot."""

    def change(school: dict[str, Any]) -> dict[str, Any]:
        (mail,) = (machine["mail"] for machine in school["machines"] if "mail" in machine)
        mail |= {"pop3": program, "webmail": program == "dovecot"}
        return school

    change_school(lab.stack_file, change)
    lab.up()


@pytest.mark.parametrize("version", [4, 6])
def test_pop3_is_served_on_both_families(standalone: Lab, version: int) -> None:
    deliver(standalone, "outside", WENDY, LIN)
    mail = standalone["mail"]
    assert len(uidl(standalone, mail.ipv4 if version == 4 else mail.ipv6)) == len(mailbox(mail, "lin")) > 0


def test_imap_finds_the_message(standalone: Lab) -> None:
    found = deliver(standalone, "outside", WENDY, LIN)
    mail, password = standalone["mail"], passwords(standalone["mail"])["lin"]
    count, folders = json.loads(
        standalone["workstation"].python(IMAP, mail.ipv4, "lin", password, found.mail.message_id)
    )
    assert (count, folders) == (1, ["Drafts", "INBOX", "Sent", "Trash"])


def test_delivery_and_session_do_not_wait_for_each_other(standalone: Lab) -> None:
    """Each has a lock of two that the other one wants: so both take them in one order."""
    deliver(standalone, "outside", WENDY, LIN)
    mail = standalone["mail"]
    words = shlex.join(["perl", "-e", DELIVERY, "lin", passwords(mail)["lin"]])
    assert mail.succeed(words).strip() == "free"


@pytest.mark.parametrize("password", ["x", "*", "!", "", "lab-lin-2007"])
def test_wrong_password_opens_nothing(standalone: Lab, password: str) -> None:
    users = ["root", "lin", "amavis", "dovecot", "clamav", "mail"]
    right = ("lin", passwords(standalone["mail"])["lin"])
    tried = log_in(standalone["workstation"], standalone["mail"], [*((user, password) for user in users), right])
    assert [(login.user, login.password) for login in tried if login.opened] == [right]


def test_change_back_keeps_them_too(standalone: Lab) -> None:
    """From Dovecot to mailutils-pop3d, and to Dovecot again; what came meanwhile has its own."""
    address = standalone["mail"].ipv4
    for _ in range(2):
        deliver(standalone, "outside", WENDY, MANAGER)
    before = uidl(standalone, address, "manager")
    try:
        serve_by(standalone, "xinetd")
        assert uidl(standalone, address, "manager") == before
        deliver(standalone, "outside", WENDY, MANAGER)
        then = uidl(standalone, address, "manager")
    finally:
        serve_by(standalone, "dovecot")
    assert (len(then), len(set(then)), then[: len(before)]) == (len(before) + 1, len(before) + 1, before)
    assert uidl(standalone, address, "manager") == then


def test_change_of_the_server_keeps_messages_and_their_ids(standalone: Lab) -> None:
    """From mailutils-pop3d to Dovecot, as on the page: who keeps his mail there does not fetch it all again."""
    try:
        serve_by(standalone, "xinetd")
        deliver(standalone, "outside", WENDY, MANAGER)
        before = uidl(standalone, standalone["mail"].ipv4, "manager")
    finally:
        serve_by(standalone, "dovecot")
    assert len(before) == len(mailbox(standalone["mail"], "manager")) > 0
    assert uidl(standalone, standalone["mail"].ipv4, "manager") == before
