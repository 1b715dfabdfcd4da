"""The command for people, where DOCKER_HOST leads nowhere: it works where the lab is."""

import os
import shutil
import subprocess
from collections.abc import Callable

import pytest

from tests.support.delivered import deliver
from tests.support.lab import ROOT, Lab
from tests.support.mail import find
from tests.support.program import put_back

WENDY, ADMIN = "wendy@example.com", "admin@dc1es.tnc.edu.tw"
NOWHERE = {"DOCKER_HOST": "tcp://127.0.0.1:1"}
Maillab = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def maillab(lab: Lab) -> Maillab:
    """Runs bin/maillab of the lab's own folder."""
    for name in ("bin", "cli", "offline", "verify"):
        shutil.copytree(ROOT / name, lab.folder / name, ignore=shutil.ignore_patterns("__pycache__"))

    def run(*words: str, code: int = 0, **environment: str) -> subprocess.CompletedProcess[str]:
        given = os.environ | {"NO_COLOR": "1", "COLUMNS": "200", "MAILLAB_ENGINE": "offline"} | environment
        command = [str(lab.folder / "bin" / "maillab"), "--stack", lab.stack, *words]
        done = subprocess.run(command, env=given, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        assert done.returncode == code, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    return run


def test_status_is_that_of_the_machines_in_it(lab: Lab, maillab: Maillab) -> None:
    lines = maillab("status", **NOWHERE).stdout.splitlines()
    states = {
        line.split()[0]: line.split()[3] for line in lines if line.split()[:1] and line.split()[0] in lab.machines
    }
    assert states == dict.fromkeys(lab.machines, "running")


def test_shell_goes_into_a_machine(maillab: Maillab) -> None:
    assert "postfix" in maillab("shell", "mail", "ls", "/etc", **NOWHERE).stdout.split()


def test_ssh_goes_into_the_virtual_machine(lab: Lab, maillab: Maillab) -> None:
    assert maillab("vm", "ssh", "hostname", **NOWHERE).stdout.strip() == lab.stack


def test_up_has_nothing_to_do(maillab: Maillab) -> None:
    words = maillab("up").stdout
    assert "unchanged" in words
    assert not [word for word in ("created", "updated", "replaced", "deleted") if word in words]


def test_restored_lab_knows_nothing_of_a_later_edit(lab: Lab, maillab: Maillab) -> None:
    maillab("vm", "snapshot", "clean", **NOWHERE)
    assert "clean" in maillab("vm", "status").stdout
    with put_back(lab):
        lab.edit("- 'yh: admin'", "- 'yh: lin'")
        maillab("up")
        maillab("preview", "--expect-no-changes")
        maillab("vm", "restore", "clean", **NOWHERE)
        lab.find_machines()
        assert "yh: admin" in lab["mail"].read("/etc/aliases")
        assert "mail-config" in maillab("preview", "--expect-no-changes", code=1).stdout
    maillab("vm", "forget", "clean")
    assert "clean" not in maillab("vm", "status").stdout


def test_lab_that_was_removed_but_for_its_mail_has_it_when_it_comes_back(lab: Lab, maillab: Maillab) -> None:
    kept = deliver(lab, "outside", WENDY, ADMIN).mail.message_id
    words = maillab("down", "--keep-mail", "--keep-images").stdout
    assert f"kept, with the mail: {lab.folder.resolve()}/.vm/{lab.stack}/disk.qcow2" in words
    maillab("up")
    lab.find_machines()
    assert len(find(lab["mail"], "admin", kept)) == 1
    assert deliver(lab, "outside", WENDY, ADMIN).path == ["outside", "spamfilter", "mail"]
