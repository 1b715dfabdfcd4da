"""`maillab status` names everything that is broken in a lab, and what repairs it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from driver.lab import Lab
from driver.machine import wait_until
from tests.support.by_hand import edited_by_hand
from tests.support.program import up
from tests.support.status import Said, maillab, status_of

MAIN = "/etc/postfix/main.cf"
# Two messages that stay: mail for others waits (main.cf is edited for it), one of them is put on hold.
EDIT = "postconf -e 'defer_transports = smtp' && postfix reload"
FILL = "for n in 1 2; do sendmail -f admin somebody@example.com <<<'Subject: waits'; done"
WAITING = "find /var/spool/postfix/deferred -type f -printf '%f\\n'"
DAMAGE = {
    "mail": [
        "service postfix stop",
        "sendmail -f admin somebody@example.com <<<'Subject: lies in maildrop'",
        "service xinetd stop",
        "iptables -F",
        "ip6tables -P FORWARD DROP",
        "userdel chen",
        "ip route del default",
    ],
    "dns": ["pkill -KILL -x named", "pkill -KILL -x rsyslogd"],
    "mail2": ["pkill -STOP -x master"],
    "spamfilter": ["service redis-server stop", "postconf -e smtpd_milters="],
}
REPAIR = {
    "mail": [
        "ip6tables -P FORWARD ACCEPT",
        "/usr/lib/maillab/roles/network reload",
        "/usr/lib/maillab/roles/firewall reload",
        "/usr/lib/maillab/roles/users reload",
        "service xinetd start",
        "service postfix start",
        "postsuper -d ALL",
    ],
    "dns": ["service named start", "service rsyslog start"],
    "mail2": ["pkill -CONT -x master"],
    "spamfilter": ["service redis-server start"],
}


@pytest.fixture(scope="module")
def before(workbench: Lab) -> Said:
    """How it is while nothing is broken."""
    return wait_until("a lab that is well", lambda: said if (said := status_of(workbench)).code == 0 else None)


@pytest.fixture(scope="module")
def damaged(workbench: Lab, before: Said) -> Iterator[Said]:
    """How a lab is whose machines were damaged in many ways at once; repaired at the end."""
    assert before.whole["well"]
    mail, tn = workbench["mail"], workbench["tn"]
    network = workbench.client.networks.get(f"{workbench.stack}-internet")
    with (
        edited_by_hand(mail, EDIT, MAIN),
        edited_by_hand(workbench["spamfilter"], "true", MAIN, after="postfix reload"),
    ):
        mail.succeed(FILL)
        mail.wait_until_succeeds(f"test $({WAITING} | wc -l) = 2")
        mail.succeed(f"postsuper -h $({WAITING} | head -n 1)")
        for name, commands in DAMAGE.items():
            for command in commands:
                workbench[name].succeed(command)
        network.disconnect(tn.container)
        workbench["workstation"].container.stop()
        try:
            yield status_of(workbench)
        finally:
            for name, commands in REPAIR.items():
                for command in commands:
                    workbench[name].execute(command)


def command(lab: Lab, *words: str) -> str:
    return " ".join(["bin/maillab", "--stack", lab.stack, *words])


def test_lab_that_is_well_says_so(before: Said) -> None:
    assert {one["name"]: (one["state"], one["problems"], one["configured"]) for one in before.whole["machines"]} == {
        name: ("well", [], True)
        for name in ("dns", "mail", "mail2", "workstation", "spamfilter", "outside", "internet", "router", "tn")
    }
    services = before["mail"]["services"]
    assert set(services) == {"syslog", "network", "firewall", "users", "disks", "postfix", "pop3", "sshd"}
    assert before["mail"]["queue"].keys() == {"active", "deferred", "hold"}
    assert before["workstation"]["queue"] == {}
    assert before["mail"]["disk"]["used_percent"] > 0
    assert before["mail"]["updated"]


@pytest.mark.parametrize(
    ("machine", "words"),
    [
        pytest.param("mail", "postfix: master is not running", id="postfix-stopped"),
        pytest.param("mail", "pop3: xinetd is not running", id="pop3-stopped"),
        pytest.param(
            "mail", "firewall: the IPv4 rules in force are not those of /etc/rc.local: INPUT has 0 of", id="flush"
        ),
        pytest.param("mail", "users: no account: chen", id="user"),
        pytest.param("mail", "network: has no route default via 163.26.182.254", id="route"),
        pytest.param("dns", "bind: named is not running", id="named-killed"),
        pytest.param("dns", "syslog: rsyslogd is not running", id="syslog-killed"),
        pytest.param("mail2", "postfix: master was stopped by a signal", id="postfix-hangs"),
        pytest.param("spamfilter", "redis: redis-server is not running", id="redis"),
        pytest.param("spamfilter", "rspamd: rspamd would not hold a message that is spam", id="no-verdict"),
        pytest.param("spamfilter", "milter: Postfix does not ask rspamd", id="no-milter"),
    ],
)
def test_what_is_broken_on_a_machine_is_named(workbench: Lab, damaged: Said, machine: str, words: str) -> None:
    (repair,) = [repair for what, repair in damaged.repairs(machine).items() if what.startswith(words)]
    assert repair == command(workbench, "reset", machine)


@pytest.mark.parametrize(
    ("machine", "state", "words"),
    [
        pytest.param("workstation", "exited", "the container does not run (exited)", id="stopped"),
        pytest.param("tn", "disconnected", "not connected to its network {}-internet", id="disconnected"),
    ],
)
def test_container_that_is_not_as_it_should_be(
    workbench: Lab, damaged: Said, machine: str, state: str, words: str
) -> None:
    assert damaged[machine]["state"] == state
    assert damaged.repairs(machine)[words.format(workbench.stack)] == command(workbench, "up")


def test_machine_that_nobody_touched_is_well(damaged: Said) -> None:
    assert damaged["internet"]["state"] == "well"
    assert (damaged.code, damaged.whole["well"]) == (1, False)


def test_service_that_nobody_touched_is_well(damaged: Said) -> None:
    assert damaged["mail"]["services"]["sshd"] == {"well": True, "why": ""}


def test_edited_files_are_named(damaged: Said) -> None:
    assert damaged["mail"]["edited"] == [{"path": MAIN, "how": "edited"}]
    assert damaged["mail2"]["edited"] == []


def test_queue_is_counted(damaged: Said) -> None:
    assert damaged["mail"]["queue"] == {"active": 1, "deferred": 1, "hold": 1}


def test_asking_changes_nothing(workbench: Lab, before: Said) -> None:
    """Neither a rule, an address, an account nor a file; a mail server notes that it was asked."""
    assert before.code == 0
    look = "iptables -S; ip6tables -S; ip address; ip route; cat /etc/passwd; ls -lR --full-time /etc"
    for name in ("internet", "outside"):
        seen = workbench[name].succeed(look)
        status_of(workbench)
        assert workbench[name].succeed(look) == seen


def test_up_shows_what_is_broken_and_repairs_containers(workbench: Lab, damaged: Said) -> None:
    """The last test of the module: stopped and disconnected machines are well again."""
    assert damaged.code == 1
    done = maillab(workbench, "up")
    assert done.returncode == 0, done.stderr
    assert "tn: connected to its network again, and restarted" in done.stdout
    assert f"repair: {command(workbench, 'reset', 'mail')}" in done.stdout
    assert last_run(workbench)["started"] == ["workstation"]
    assert last_run(workbench)["by_hand"]["mail"] == [{"path": MAIN, "how": "edited"}]
    workbench.find_machines()
    for name in ("workstation", "tn"):
        wait_until(f"{name} is well", lambda name=name: status_of(workbench)[name]["state"] == "well")  # type: ignore[misc]
    assert up(workbench) == {}


def last_run(lab: Lab) -> dict[str, Any]:
    """What `maillab history` says of the newest run."""
    done = maillab(lab, "history", "1", "--json")
    assert done.returncode == 0, done.stderr
    (run,) = json.loads(done.stdout)["runs"]
    return dict(run)
