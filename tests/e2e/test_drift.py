"""What people do to the containers by hand: refresh sees it, and the next up repairs it."""

from driver.lab import Lab
from driver.mail import find, new_message, post, queue_id_of
from tests.support.delivered import deliver
from tests.support.mailqueue import wait_for_queue
from tests.support.program import run, up

WENDY = "wendy@example.com"
ADMIN = "admin@dc1es.tnc.edu.tw"


def test_machines_that_ended_are_seen_and_started_again(workshop: Lab) -> None:
    """Stopped (`docker stop`) or killed: the services must start over whatever was left lying about."""
    ended = {"dns": "SIGTERM", "mail": "SIGKILL", "spamfilter": "SIGKILL", "router": "SIGKILL"}
    before = {name: workshop[name].container for name in ended}
    for name, signal in ended.items():
        before[name].kill(signal)
    for container in before.values():
        container.wait()
    assert run(workshop, "refresh").steps == dict.fromkeys(ended, "update")
    assert up(workshop) == dict.fromkeys(ended, "update")
    assert {name: workshop[name].container.id for name in ended} == {name: c.id for name, c in before.items()}
    assert run(workshop, "preview", "--expect-no-changes").ok
    for name in ("spamfilter", "mail"):
        workshop[name].wait_for_open_port(25)
    assert deliver(workshop, "outside", WENDY, ADMIN).path == ["outside", "spamfilter", "mail"]


def test_removed_machine_comes_back_with_its_mail(workshop: Lab) -> None:
    kept = deliver(workshop, "outside", WENDY, ADMIN)
    owner = workshop["mail"].succeed("stat -c %U /var/mail/admin")
    workshop["mail"].container.remove(force=True)
    assert run(workshop, "refresh").steps == {"mail": "delete"}
    assert up(workshop) == {"mail": "create", "mail-config": "update", "mail-by-hand": "replace"}
    assert len(find(workshop["mail"], "admin", kept.mail.message_id)) == 1
    assert workshop["mail"].succeed("stat -c %U /var/mail/admin") == owner
    deliver(workshop, "outside", WENDY, ADMIN)


def test_removed_machines_queue_comes_back(workshop: Lab) -> None:
    """What waits on the filter is on its volume, and goes on when a new container takes its place."""
    workshop["mail"].succeed("service postfix stop")
    mail = new_message(WENDY, ADMIN)
    post(workshop, "outside", WENDY, ADMIN, mail)
    waiting = queue_id_of(workshop, "spamfilter", mail.message_id)
    wait_for_queue(workshop["spamfilter"], waiting, "deferred")
    workshop["spamfilter"].container.remove(force=True)
    assert run(workshop, "refresh").steps == {"spamfilter": "delete"}
    assert up(workshop) == {
        "spamfilter": "create",
        "spamfilter-config": "update",
        "spamfilter-by-hand": "replace",
    }
    workshop["mail"].succeed("service postfix start")
    workshop["spamfilter"].succeed("postqueue -f")
    workshop.wait_for_delivery("spamfilter", waiting, ADMIN)
    assert len(find(workshop["mail"], "admin", mail.message_id)) == 1
