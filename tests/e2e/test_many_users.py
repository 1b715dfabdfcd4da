"""A school with 2,000 accounts: files that are longer than one value of an environment."""

from typing import Any

from driver.lab import Lab
from tests.support.delivered import deliver
from tests.support.program import run, unrestarted, up
from tests.support.stacks import change_school

COUNT = 2000
LAST = f"s{COUNT - 1:04}"
DOMAINS = ("dc1es.tnc.edu.tw", "dns.dc1es.tnc.edu.tw")  # whose mail the server takes
PARENTS = "parents-of-the-class-of-2026-{}"


def crowd(school: dict[str, Any]) -> dict[str, Any]:
    """2,000 accounts, an alias for each, and one for all of them."""
    mail = school["machines"][1]["mail"]
    names = [f"s{number:04}" for number in range(COUNT)]
    mail["users"] += [{"name": name, "password": f"lab-{name}-2006", "gecos": f"學生 {name}"} for name in names]
    mail["aliases"] += [f"{PARENTS.format(name)}: {name}, admin, manager, service, chen, lin" for name in names]
    mail["aliases"] += [f"everybody: {', '.join(names)}"]
    return school


def one_more(school: dict[str, Any]) -> dict[str, Any]:
    """An alias among the others."""
    school["machines"][1]["mail"]["aliases"].insert(1000, "new: chen")
    return school


def test_two_thousand_accounts(workshop: Lab) -> None:
    """They get mail, log in, and a new alias among theirs shows as one line."""
    mail = workshop["mail"]
    change_school(workshop.stack_file, crowd)
    with unrestarted(workshop):
        assert up(workshop) == {"mail-config": "update", "spamfilter-config": "update"}
    assert int(mail.succeed("wc -c </etc/aliases")) > 131_072
    assert mail.succeed("getent passwd | grep -c '^s[0-9]'").strip() == str(COUNT)
    sent = deliver(workshop, "outside", "wendy@example.com", f"{LAST}@dc1es.tnc.edu.tw")
    assert sent.path == ["outside", "spamfilter", "mail"]
    login = (
        f"import poplib; box = poplib.POP3('{mail.ipv4}'); box.user('{LAST}'); box.pass_('lab-{LAST}-2006'); box.quit()"
    )
    workshop["workstation"].python(login)
    assert run(workshop, "preview", "--expect-no-changes").ok
    change_school(workshop.stack_file, one_more)
    shown = [line.strip() for line in workshop.engine("preview", "--diff").stdout.splitlines()]
    changed = [line for line in shown if line.startswith("~ environment")]
    assert {line.partition("#")[0] for line in changed} == {
        '~ environment["/etc/aliases',
        '~ environment["/etc/postfix/relay_recipients',
    }
    lines = sorted(line.split() for line in shown if line.startswith(("+ ", "- ")))
    assert lines == [["+", "new:", "chen"], *(["+", f"new@{domain}", "mail"] for domain in DOMAINS)]
