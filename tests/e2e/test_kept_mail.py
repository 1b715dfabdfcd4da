"""What moves from one server to another when an exercise ends is nowhere afterwards."""

from driver.connections import machines_of
from driver.lab import Lab
from driver.machine import wait_until
from driver.mail import mailbox
from maillab.exercises.kept_mail import keep, put_back
from tests.support.bulk import bring, named
from tests.support.by_hand import edited_by_hand
from tests.support.mailqueue import wait_until_gone

WANG, MAIN = "wang@dc1es.tnc.edu.tw", "/etc/postfix/main.cf"
SLOW = "postconf -e 'smtpd_end_of_data_restrictions = sleep 3' && postfix reload"
TAKEN = "grep -c ': client=spamfilter' /var/log/mail.log || true"
TAKES_ONE = "grep -qE ' 03 +[0-9]+ public/cleanup$' /proc/net/unix"


def test_message_between_two_servers_is_taken_back(workshop: Lab) -> None:
    """The mail server answers the filter three seconds after the message's last line."""
    mail, machines, servers = workshop["mail"], machines_of(workshop), ("spamfilter", "mail")
    kept = {name: keep(machines, name) for name in servers}
    with edited_by_hand(mail, SLOW, MAIN, after="postfix reload"):
        before = mail.succeed(TAKEN)
        (message,) = named({"between": b"Subject: between\r\n\r\nhello\r\n"}).values()
        bring(workshop, WANG, {"between": message.raw})
        wait_until("the mail server takes it", lambda: mail.succeed(TAKEN) != before)
        put_back(machines, kept)
        wait_until("the mail server has taken all", lambda: mail.execute(TAKES_ONE).status != 0)
        wait_until_gone([workshop[name] for name in servers], WANG)
    assert message.message_id not in [str(found["Message-ID"]) for found in mailbox(mail, "wang")]
