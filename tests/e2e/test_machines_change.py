"""Machines that get another name, another address or other roles: one update, and the mail that was there is there."""

import re

from driver.lab import ROOT, Lab
from driver.mail import find
from tests.support.delivered import deliver
from tests.support.program import run, up

WENDY = "wendy@example.com"
ADMIN = "admin@dc1es.tnc.edu.tw"


def swap(text: str, one: str, other: str) -> str:
    """The text with two addresses changed for each other."""
    swapped = {one: other, other: one}
    return re.sub(f"({re.escape(one)}|{re.escape(other)})$", lambda found: swapped[found[0]], text, flags=re.MULTILINE)


def test_swapped_addresses_a_new_name_and_then_the_other_layout(workshop: Lab) -> None:
    """In one stack: mail and mail2 change places, workstation becomes desk, and at last `dns` is the mail server."""
    kept = deliver(workshop, "outside", WENDY, ADMIN).mail.message_id
    before = workshop.stack_file.read_text("utf-8")
    text = swap(swap(before, "163.26.182.2", "163.26.182.8"), "2001:db8:182::2", "2001:db8:182::8")
    text = re.sub(r"- (name: )?workstation\b", r"- \1desk", text)
    workshop.stack_file.write_text(text, "utf-8")
    steps = up(workshop)
    assert {name for name, op in steps.items() if op == "delete"} == {
        "workstation", "workstation-config", "workstation-by-hand"
    }  # fmt: skip
    assert (steps["mail"], steps["mail2"], steps["desk"]) == ("replace", "replace", "create")
    assert (workshop["mail"].ipv4, workshop["mail2"].ipv4) == ("163.26.182.8", "163.26.182.2")
    assert len(find(workshop["mail"], "admin", kept)) == 1
    assert deliver(workshop, "outside", WENDY, ADMIN).path == ["outside", "spamfilter", "mail"]

    # The head of the file is this lab's own: prefix, carrier, where.
    settings, _ = before.split("  maillab:schools:", 1)
    _, schools = (ROOT / "Pulumi.onehost.yaml").read_text("utf-8").split("  maillab:schools:", 1)
    workshop.stack_file.write_text(f"{settings}  maillab:schools:{schools}", "utf-8")
    steps = up(workshop)
    assert (steps["dns"], steps["mail"], steps["mail-mailboxes"]) == ("replace", "delete", "delete")
    assert "dns-zones" not in steps
    assert deliver(workshop, "outside", WENDY, ADMIN).path == ["outside", "spamfilter", "dns"]
    assert run(workshop, "preview", "--expect-no-changes").ok

    workshop.stack_file.write_text(before, "utf-8")
    up(workshop)
    assert len(find(workshop["mail"], "admin", kept)) == 1
