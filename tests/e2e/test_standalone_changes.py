"""What becomes of mail when the school's server changes its programs."""

from typing import Any

from driver.lab import Lab
from driver.mail import mailbox, new_message, post, queue_id_of
from tests.support.delivered import deliver
from tests.support.mailqueue import wait_for_queue, wait_until_gone
from tests.support.stacks import change_school

WENDY, LIN = "wendy@example.com", "lin@yaes.example"


def filter_by(lab: Lab, program: str | None) -> None:
    """Gives the school's mail server another filter, or none."""

    def change(school: dict[str, Any]) -> dict[str, Any]:
        (mail,) = (machine["mail"] for machine in school["machines"] if "mail" in machine)
        mail.pop("filter", None)
        if program:
            mail["filter"] = program
        return school

    change_school(lab.stack_file, change)
    lab.up()


def test_mail_that_waits_for_the_filter_arrives_when_it_is_taken_away(standalone: Lab) -> None:
    """Each message names its filter in its queue file: without it, it would wait for days."""
    mail = new_message(WENDY, LIN)
    standalone["mail"].succeed("service amavis stop")
    post(standalone, "outside", WENDY, LIN, mail)
    wait_for_queue(standalone["mail"], queue_id_of(standalone, "mail", mail.message_id), "deferred", 60)
    try:
        filter_by(standalone, None)
        wait_until_gone([standalone["mail"]], LIN)
        found = [str(message["Message-ID"]) for message in mailbox(standalone["mail"], "lin")]
        assert found.count(mail.message_id) == 1
        assert deliver(standalone, "outside", WENDY, LIN).path == ["outside", "mail"]
    finally:
        filter_by(standalone, "amavis")
    assert deliver(standalone, "outside", WENDY, LIN).path == ["outside", "mail", "mail"]
