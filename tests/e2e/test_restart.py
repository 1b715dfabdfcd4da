"""A server that is switched off finishes what it has half handed over: nothing comes or goes a second time."""

import pathlib
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from driver.lab import Lab
from driver.machine import Machine, wait_until
from driver.mail import find, hand_in, new_message
from tests.support.mailqueue import wait_until_gone
from tests.support.outage import edited, machine_stopped

SCRIPT = pathlib.Path(__file__).parents[1] / "support" / "held.py"
WENDY = "wendy@example.com"
CHEN = "chen@dc1es.tnc.edu.tw"
PORT = 2525


@contextmanager
def held(outside: Machine, kind: str, other: Machine, last: str) -> Iterator[str]:
    """held.py runs meanwhile, with `other` at the other end; the path of its files, without their endings."""
    name = f"held-{secrets.token_hex(4)}"
    outside.put(f"/tmp/{name}.py", SCRIPT.read_bytes())
    command = f"python3 /tmp/{name}.py {kind} {name} {other.ipv4} {last}"
    outside.succeed(f"setsid {command} >/tmp/{name}.log 2>&1 </dev/null &")
    try:
        yield f"/tmp/{name}"
    finally:
        outside.execute(f"pkill -f {name}.py; rm -f /tmp/{name}.*")


def restart_while_held(outside: Machine, machine: Machine, run: str) -> None:
    """`docker restart`; the session that stands still goes on when the machine takes nobody in any more."""
    outside.wait_until_succeeds(f"test -e {run}.held")
    machine.container.restart()
    machine.wait_for_open_port(25)


def test_what_the_next_server_takes_is_noted(workshop: Lab) -> None:
    spamfilter, outside = workshop["spamfilter"], workshop["outside"]
    with (
        held(outside, "server", spamfilter, str(PORT)) as run,
        edited(spamfilter, "postfix reload", "/etc/postfix/main.cf"),
    ):
        spamfilter.succeed(f"postconf -e 'relayhost = [{outside.ipv4}]:{PORT}' && postfix reload")
        hand_in(spamfilter, CHEN, WENDY, new_message(CHEN, WENDY))
        restart_while_held(outside, spamfilter, run)
        spamfilter.succeed("postqueue -f")
        wait_until_gone([spamfilter], WENDY)
        assert outside.read(f"{run}.came").splitlines() == ["a message"]


def test_what_comes_in_is_answered(workshop: Lab) -> None:
    spamfilter, mail, outside = workshop["spamfilter"], workshop["mail"], workshop["outside"]
    with held(outside, "client", spamfilter, CHEN) as run:
        restart_while_held(outside, spamfilter, run)
        said = outside.wait_until_succeeds(f"grep . {run}.said")
    assert said.startswith("250 2.0.0 Ok: queued as ")
    message_id = f"<{run.removeprefix('/tmp/')}@test.invalid>"
    wait_until("the message", lambda: find(mail, "chen", message_id))
    wait_until_gone([spamfilter, mail], CHEN)
    assert len(find(mail, "chen", message_id)) == 1


@pytest.mark.parametrize("machine", ["mail", "spamfilter"])
def test_a_client_that_says_nothing_does_not_hold_a_server_up(workshop: Lab, machine: str) -> None:
    """Ten seconds after `docker stop` it would be killed, with whatever it was doing."""
    server, silent = workshop[machine], f"exec 3<>/dev/tcp/{workshop[machine].ipv4}/25; read -r -t 10 <&3"
    workshop["dns"].succeed(f"{silent} && setsid sleep 60 >/dev/null 2>&1 </dev/null &")
    with machine_stopped(workshop, machine):
        server.container.reload()
        assert server.container.attrs["State"]["ExitCode"] == 0
