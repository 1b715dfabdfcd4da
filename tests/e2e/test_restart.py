"""A server that is switched off finishes what it has half handed over: nothing comes or goes a second time."""

import pathlib
import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from tests.support.lab import Lab
from tests.support.machine import Machine, wait_until
from tests.support.mail import find, hand_in, letter
from tests.support.mailqueue import wait_until_gone
from tests.support.outage import edited, machine_stopped

SCRIPT = pathlib.Path(__file__).parents[1] / "support" / "held.py"
WENDY = "wendy@example.com"
PORT = 2525


@contextmanager
def held(outside: Machine, kind: str, *words: str) -> Iterator[str]:
    """held.py runs meanwhile; the path of its files, without their endings."""
    name = f"held-{secrets.token_hex(4)}"
    outside.put(f"/tmp/{name}.py", SCRIPT.read_bytes())
    command = f"python3 /tmp/{name}.py {kind} {name} {' '.join(words)}"
    outside.succeed(f"setsid {command} >/tmp/{name}.log 2>&1 </dev/null &")
    try:
        yield f"/tmp/{name}"
    finally:
        outside.execute(f"pkill -f {name}.py")


def restart_while_held(lab: Lab, name: str, run: str) -> None:
    """`docker restart`; the session that stands still goes on when the machine takes nobody in any more."""
    machine, outside = lab[name], lab["outside"]
    outside.wait_until_succeeds(f"test -e {run}.held")
    lab["dns"].succeed(f"timeout 5 bash -c 'exec 3<>/dev/tcp/{machine.ipv4}/25'")
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(machine.container.restart)
        lab["dns"].wait_until_succeeds(f"! timeout 1 bash -c 'exec 3<>/dev/tcp/{machine.ipv4}/25'")
        outside.succeed(f"touch {run}.go")
        done.result()
    machine.wait_for_open_port(25)


def test_what_the_next_server_takes_is_noted(workshop: Lab) -> None:
    mail, outside = workshop["mail"], workshop["outside"]
    with held(outside, "server", str(PORT)) as run, edited(mail, "postfix reload", "/etc/postfix/main.cf"):
        mail.succeed(f"postconf -e 'relayhost = [{outside.ipv4}]:{PORT}' && postfix reload")
        hand_in(mail, "admin@dc1es.tnc.edu.tw", WENDY, letter("admin@dc1es.tnc.edu.tw", WENDY))
        restart_while_held(workshop, "mail", run)
        mail.succeed("postqueue -f")
        wait_until_gone([mail], WENDY)
        assert outside.read(f"{run}.came").splitlines() == ["a message"]


def test_what_comes_in_is_answered(workshop: Lab) -> None:
    spamfilter, outside = workshop["spamfilter"], workshop["outside"]
    with held(outside, "client", spamfilter.ipv4, "chen@dc1es.tnc.edu.tw") as run:
        restart_while_held(workshop, "spamfilter", run)
        said = outside.wait_until_succeeds(f"cat {run}.said")
    assert said.startswith("250 2.0.0 Ok: queued as ")
    message_id = f"<{run.removeprefix('/tmp/')}@test.invalid>"
    wait_until("the letter", lambda: find(workshop["mail"], "chen", message_id))
    wait_until_gone([spamfilter, workshop["mail"]], "chen@dc1es.tnc.edu.tw")
    assert len(find(workshop["mail"], "chen", message_id)) == 1


@pytest.mark.parametrize("machine", ["mail", "spamfilter"])
def test_a_client_that_says_nothing_does_not_hold_a_server_up(workshop: Lab, machine: str) -> None:
    """Ten seconds after `docker stop` it would be killed, with whatever it was doing."""
    server, silent = workshop[machine], f"exec 3<>/dev/tcp/{workshop[machine].ipv4}/25; read -r -t 10 <&3"
    workshop["dns"].succeed(f"{silent} && setsid sleep 60 >/dev/null 2>&1 </dev/null &")
    with machine_stopped(workshop, machine):
        server.container.reload()
        assert server.container.attrs["State"]["ExitCode"] == 0
