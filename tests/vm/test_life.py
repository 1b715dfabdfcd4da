"""What a virtual machine survives: snapshots, being switched off, being killed."""

import os
import signal
import time
from collections.abc import Callable

import pytest

from cli.stack import Engine, Stack
from cli.where import attend
from tests.support.delivered import deliver
from tests.support.lab import Lab
from tests.support.machine import wait_until
from tests.support.mail import find, letter, post, queue_id_of
from tests.support.mailqueue import wait_for_queue
from tests.support.program import run
from tests.vm.conftest import quiet
from where import power, snapshots
from where.home import Home
from where.problem import WhereError
from where.ssh import to_machine

WENDY, ADMIN, TNUSER = "wendy@example.com", "admin@dc1es.tnc.edu.tw", "tnuser@tn.edu.tw"


def back(lab: Lab, home: Home) -> None:
    """Reaches the machine again, and its containers."""
    power.reach(home, quiet)
    lab.find_machines()


def test_snapshot_is_gone_back_to(lab: Lab, home: Home) -> None:
    kept = deliver(lab, "outside", WENDY, ADMIN).mail.message_id
    snapshots.take(home, "before")
    with pytest.raises(WhereError, match="there is no snapshot after") as failed:
        snapshots.restore(home, "after")
    assert "before" in failed.value.remedy[0], "those that there are"
    lost = deliver(lab, "outside", WENDY, ADMIN).mail.message_id
    snapshots.restore(home, "before")
    snapshots.set_clock(home)
    back(lab, home)
    assert len(find(lab["mail"], "admin", kept)) == 1
    assert find(lab["mail"], "admin", lost) == []
    behind = abs(int(to_machine(home).run("date +%s")) - time.time())
    assert behind <= 5, "its clock went back too"
    assert deliver(lab, "outside", WENDY, ADMIN).path[-1] == "mail"


def switch_off(home: Home) -> None:
    """As `maillab vm stop` does."""
    power.stop(home, quiet)


def kill(home: Home) -> None:
    """As a crash, a full memory or a power cut of this computer would."""
    pid = home.pid()
    assert pid
    os.kill(pid, signal.SIGKILL)
    wait_until("qemu is gone", lambda: home.pid() is None)


@pytest.mark.parametrize("end", [switch_off, kill])
def test_lab_comes_back_by_itself_with_queue_and_mailboxes(lab: Lab, home: Home, end: Callable[[Home], None]) -> None:
    kept = deliver(lab, "outside", WENDY, ADMIN).mail.message_id
    # A letter that waits: the name server of tn.edu.tw's server is there, the server is not.
    lab["tn"].succeed("service postfix stop")
    waiting = letter(ADMIN, TNUSER)
    post(lab, "mail", ADMIN, TNUSER, waiting)
    wait_for_queue(lab["spamfilter"], queue_id_of(lab, "spamfilter", waiting.message_id), "deferred", 60)
    lab["mail"].succeed("sync")
    to_machine(home).run("sync")
    end(home)
    assert home.pid() is None
    # `maillab up` and `vm start` begin with this.
    attend(Stack(name=lab.stack, root=lab.folder), start=True)
    back(lab, home)
    assert len(find(lab["mail"], "admin", kept)) == 1
    wait_until("the waiting letter arrives", lambda: find(lab["tn"], "tnuser", waiting.message_id), 120)
    assert run(lab, "preview", "--expect-no-changes").ok
    assert Stack(name=lab.stack, root=lab.folder).makers() == [Engine.OFFLINE]
