"""The command for people, where DOCKER_HOST leads nowhere: it works where the lab is."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable

import pytest

from driver.lab import ROOT, Lab
from driver.machine import wait_until
from driver.mail import find, new_message, post, queue_id_of
from maillab.where.home import Home
from maillab.where.ssh import to_machine
from tests.support.delivered import deliver
from tests.support.mailqueue import wait_for_queue
from tests.support.program import put_back

WENDY, ADMIN, TNUSER = "wendy@moe.edu.tw", "admin@dc1es.tnc.edu.tw", "tnuser@tn.edu.tw"
NOWHERE = {"DOCKER_HOST": "tcp://127.0.0.1:1"}
Maillab = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def maillab(lab: Lab) -> Maillab:
    """Runs bin/maillab of the lab's own folder."""
    for name in ("bin", "maillab"):
        shutil.copytree(ROOT / name, lab.folder / name, dirs_exist_ok=True)

    def run(*words: str, code: int | None = 0, **environment: str) -> subprocess.CompletedProcess[str]:
        given = os.environ | {"NO_COLOR": "1", "COLUMNS": "200", "MAILLAB_ENGINE": "offline"} | environment
        command = [str(lab.folder / "bin" / "maillab"), "--stack", lab.stack, *words]
        done = subprocess.run(command, env=given, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        assert code in (None, done.returncode), f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    return run


def test_status_is_that_of_the_machines_in_it(lab: Lab, maillab: Maillab) -> None:
    """Whether a service answers in time is another matter, where the processor is emulated."""
    found = json.loads(maillab("status", "--json", code=None, **NOWHERE).stdout)["machines"]
    assert {one["name"]: one["container_state"] for one in found} == dict.fromkeys(lab.machines, "running")


def test_shell_goes_into_a_machine(maillab: Maillab) -> None:
    assert "postfix" in maillab("shell", "mail", "ls", "/etc", **NOWHERE).stdout.split()


def test_ssh_goes_into_the_virtual_machine(lab: Lab, maillab: Maillab) -> None:
    assert maillab("vm", "ssh", "hostname", **NOWHERE).stdout.strip() == lab.stack


def test_up_has_nothing_to_do(maillab: Maillab) -> None:
    words = maillab("up").stdout.partition("\nResources:")[2].partition("\nDuration:")[0]
    assert "unchanged" in words
    assert not [word for word in ("created", "updated", "replaced", "deleted") if word in words]


@pytest.mark.long
def test_restored_lab_knows_nothing_of_what_came_later(lab: Lab, home: Home, maillab: Maillab) -> None:
    kept = deliver(lab, "outside", WENDY, ADMIN).mail.message_id
    maillab("vm", "snapshot", "clean", **NOWHERE)
    assert "clean" in maillab("vm", "status").stdout
    refused = maillab("vm", "restore", "dirty", code=1).stderr
    assert "there is no snapshot dirty" in refused
    assert "clean" in refused, "those that there are"
    with put_back(lab):
        lab.edit("- 'yh: admin'", "- 'yh: lin'")
        maillab("up")
        lost = deliver(lab, "outside", WENDY, ADMIN).mail.message_id
        maillab("vm", "restore", "clean", **NOWHERE)
        lab.find_machines()
        behind = abs(int(to_machine(home).run("date +%s")) - time.time())
        assert behind <= 5, "its clock went back too"
        assert [len(find(lab["mail"], "admin", message_id)) for message_id in (kept, lost)] == [1, 0]
        assert "yh: admin" in lab["mail"].read("/etc/aliases")
        assert "mail-config" in maillab("preview", "--expect-no-changes", code=1).stdout
    maillab("vm", "forget", "clean")
    assert "clean" not in maillab("vm", "status").stdout


@pytest.mark.long
def test_lab_that_was_removed_but_for_its_mail_has_it_when_it_comes_back(lab: Lab, maillab: Maillab) -> None:
    kept = deliver(lab, "outside", WENDY, ADMIN).mail.message_id
    lab["tn"].succeed("service postfix stop")
    waiting = new_message(ADMIN, TNUSER)
    post(lab, "mail", ADMIN, TNUSER, waiting)
    wait_for_queue(lab["mail"], queue_id_of(lab, "mail", waiting.message_id), "deferred", 60)
    words = maillab("down", "--keep-mail", "--keep-images").stdout
    assert f"kept, with the mail: {lab.folder.resolve()}/.vm/{lab.stack}/disk.qcow2" in words
    maillab("up")
    lab.find_machines()
    assert len(find(lab["mail"], "admin", kept)) == 1
    assert deliver(lab, "outside", WENDY, ADMIN).path == ["outside", "mail"]
    wait_until("the waiting message arrives", lambda: find(lab["tn"], "tnuser", waiting.message_id), 120)
