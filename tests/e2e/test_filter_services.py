"""The filter's programs as a student restarts them."""

import pytest

from driver.lab import Lab
from driver.mail import Message, data, envelope, new_message, queue_id_of, smtp

SENDER = "wendy@example.com"
RECIPIENT = "lin@dc1es.tnc.edu.tw"


def verdict(lab: Lab, mail: Message) -> int:
    """The code of the filter's reply to the message itself."""
    steps = [*envelope("mail.example.com", SENDER, RECIPIENT), data(mail), "QUIT"]
    return smtp(lab["outside"], lab["spamfilter"].ipv4, steps)[-2].code


@pytest.mark.parametrize(
    ("machine", "service", "process"),
    [
        pytest.param("spamfilter", "redis-server", "redis-server", id="redis"),
        pytest.param("spamfilter", "clamav-daemon", "clamd", id="clamd"),
        pytest.param("spamfilter", "rspamd", "rspamd", id="rspamd"),
        pytest.param("dns", "named", "named", id="named"),
    ],
)
def test_restart_leaves_no_old_process(lab: Lab, machine: str, service: str, process: str) -> None:
    """These run as users of their own: root needs a capability to signal them, and a name to find them by."""
    before = set(lab[machine].succeed(f"pgrep -x {process}").split())
    lab[machine].succeed(f"service {service} restart")
    after = set(lab[machine].wait_until_succeeds(f"pgrep -x {process}").split())
    assert not before & after
    role = {"named": "bind", "clamd": "clamav", "redis-server": "redis"}.get(process, process)
    lab[machine].succeed(f"/usr/lib/maillab/roles/{role} probe")
    assert verdict(lab, new_message(SENDER, RECIPIENT)) == 250


def test_message_for_three_is_one_transaction(lab: Lab) -> None:
    """The filter takes all recipients of a message at once (RFC 5321, section 4.5.3.1.8: at least 100)."""
    mail = new_message(SENDER, RECIPIENT)
    raw = mail.raw.replace(b"\r\n", b"\n").decode()
    three = [f"{name}@dc1es.tnc.edu.tw" for name in ("chen", "lin", "wang")]
    command = f"sendmail -i -f {SENDER} -- {' '.join(three)} <<'MAILLAB'\n{raw}\nMAILLAB"
    lab["outside"].succeed(command)
    queue_id = queue_id_of(lab, "outside", mail.message_id)
    for recipient in three:
        lab.wait_for_delivery("outside", queue_id, recipient)
    deliveries = lab.entry("outside", queue_id).deliveries
    assert {d.status for d in deliveries} == {"sent"}
    assert len({d.next_queue_id for d in deliveries}) == 1
