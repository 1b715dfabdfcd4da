"""What a virtual machine survives: being killed."""

import os
import signal

import pytest

from driver.lab import Lab
from driver.machine import wait_until
from driver.mail import find, new_message, post, queue_id_of
from maillab.cli.stack import Engine, Stack
from maillab.cli.where import reach_engine
from maillab.where import power, snapshots
from maillab.where.home import Home
from maillab.where.ssh import to_machine
from tests.support.delivered import deliver
from tests.support.mailqueue import wait_for_queue
from tests.support.program import run
from tests.vm.conftest import quiet

WENDY, ADMIN, TNUSER = "wendy@moe.edu.tw", "admin@dc1es.tnc.edu.tw", "tnuser@tn.edu.tw"


def back(lab: Lab, home: Home) -> None:
    """Reaches the machine again, and its containers."""
    power.reach(home, quiet)
    lab.find_machines()


def kill(home: Home) -> None:
    """As a crash, a full memory or a power cut of this computer would."""
    pid = home.pid()
    assert pid
    os.kill(pid, signal.SIGKILL)
    wait_until("qemu is gone", lambda: home.pid() is None)


def test_lab_comes_back_by_itself_with_queue_and_mailboxes(lab: Lab, home: Home) -> None:
    """From the harder end; that of `maillab vm stop` and `down` is in test_maillab.py."""
    kept = deliver(lab, "outside", WENDY, ADMIN).mail.message_id
    # A message that waits: the name server of tn.edu.tw's server is there, the server is not.
    lab["tn"].succeed("service postfix stop")
    waiting = new_message(ADMIN, TNUSER)
    post(lab, "mail", ADMIN, TNUSER, waiting)
    wait_for_queue(lab["mail"], queue_id_of(lab, "mail", waiting.message_id), "deferred", 60)
    lab["mail"].succeed("sync")
    to_machine(home).run("sync")
    kill(home)
    assert home.pid() is None
    # `maillab up` and `vm start` begin with this.
    reach_engine(Stack(name=lab.stack, root=lab.folder), start=True)
    back(lab, home)
    assert len(find(lab["mail"], "admin", kept)) == 1
    wait_until("the waiting message arrives", lambda: find(lab["tn"], "tnuser", waiting.message_id), 120)
    assert run(lab, "preview", "--expect-no-changes").ok
    assert Stack(name=lab.stack, root=lab.folder).makers() == [Engine.OFFLINE]


@pytest.mark.parametrize("jump", ["+3 hours", pytest.param("-6 hours", marks=pytest.mark.long)])
def test_clock_that_jumps_stops_no_mail(lab: Lab, home: Home, jump: str) -> None:
    machine = to_machine(home)
    before = int(machine.run("date +%s"))
    try:
        machine.run(f"date --set '{jump}'")
        assert abs(int(machine.run("date +%s")) - before) > 3600
        assert deliver(lab, "outside", WENDY, ADMIN).path == ["outside", "mail"]
    finally:
        snapshots.set_clock(home)
