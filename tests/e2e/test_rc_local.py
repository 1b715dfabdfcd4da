"""/etc/rc.local: the tutorial's script takes effect as a whole, or not at all."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from driver.lab import Lab
from driver.machine import Machine

CHEN = "chen@dc1es.tnc.edu.tw"
SPAMMER = "198.51.100.66"


@pytest.mark.parametrize("machine", ["dns", "mail", "mail2", "router", "spamfilter", "tn"])
def test_rules_stand_once_after_they_are_set_twice(lab: Lab, machine: str) -> None:
    before = [lab[machine].succeed(f"{program}-save -t filter | grep '^[-:]'") for program in ("iptables", "ip6tables")]
    lab[machine].succeed("service rc.local start; service rc.local start")
    after = [lab[machine].succeed(f"{program}-save -t filter | grep '^[-:]'") for program in ("iptables", "ip6tables")]
    assert [_without_counts(text) for text in after] == [_without_counts(text) for text in before]


def _without_counts(rules: str) -> list[str]:
    return [line.partition(" [")[0] for line in rules.splitlines()]


def test_tutorials_script_itself_gives_the_same_rules(lab: Lab) -> None:
    """Run by hand, line by line, without the collecting."""
    save = "iptables-save -t filter | grep ^-; ip6tables-save -t filter | grep ^-"
    before = lab["mail"].succeed(save)
    lab["mail"].succeed("iptables -P INPUT ACCEPT; sh /etc/rc.local")
    assert lab["mail"].succeed(save) == before


@contextmanager
def own_rc_local(machine: Machine, text: str) -> Iterator[None]:
    """An rc.local as somebody edited it by hand; the old one is put back."""
    path = machine.succeed("readlink -f /etc/rc.local").strip()
    before = machine.get(path)
    machine.put(path, text.encode())
    machine.succeed(f"chmod 755 {path}")
    try:
        yield
    finally:
        machine.put(path, before)
        machine.succeed(f"chmod 755 {path}; service rc.local start")


def test_refused_line_is_named_and_the_rules_stand(lab: Lab) -> None:
    """The tutorial's own line, which today's iptables does not understand."""
    text = lab["mail2"].read("/etc/rc.local").replace("! -s 163.26.182.0/24", "-s ! 163.26.182.0/24")
    before = lab["mail2"].succeed("iptables -S")
    with own_rc_local(lab["mail2"], text):
        words = lab["mail2"].fail("service rc.local start")
        assert "the line is: -A INPUT -p TCP -s ! 163.26.182.0/24 --dport 25 -j DROP" in words
        assert lab["mail2"].succeed("iptables -S") == before


def test_line_that_only_ipv6_refuses_leaves_both_families_alone(lab: Lab) -> None:
    text = "iptables -F\niptables -A INPUT -p tcp --dport 25 -j DROP\n/sbin/ip6tables -A INPUT -s 1.2.3.4 -j DROP\n"
    before = lab["mail2"].succeed("iptables -S; ip6tables -S")
    with own_rc_local(lab["mail2"], text):
        lab["mail2"].fail("service rc.local start")
        assert lab["mail2"].succeed("iptables -S; ip6tables -S") == before


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("iptables -F; iptables -t filter -A INPUT -p tcp --dport 26 -j DROP", id="table by name"),
        pytest.param(
            'iptables -F; iptables -A INPUT -p tcp --dport 26 -m comment --comment "-t x" -j DROP', id="comment"
        ),
        pytest.param("iptables -F; exec iptables -A INPUT -p tcp --dport 26 -j DROP", id="exec"),
        pytest.param("iptables -F; iptables -w 5 -A INPUT -p tcp --dport 26 -j DROP", id="wait"),
        pytest.param(
            "iptables -F; for i in 1 2; do iptables -C INPUT -p tcp --dport 26 -j DROP ||"
            " iptables -A INPUT -p tcp --dport 26 -j DROP; done",
            id="asked before it is added",
        ),
    ],
)
def test_lines_mean_what_they_mean_one_by_one(lab: Lab, text: str) -> None:
    with own_rc_local(lab["mail2"], text + "\n"):
        for _ in range(2):
            lab["mail2"].succeed("service rc.local start")
            lines = lab["mail2"].succeed("iptables -S INPUT").splitlines()[1:]
            assert [line.partition("--dport ")[2].split()[0] for line in lines] == ["26"]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("set -e; false; iptables -F", id="set -e"),
        pytest.param("iptables -F; /sbin/ip6tables -D INPUT -p tcp --dport 99 -j DROP", id="the kernel refuses"),
        pytest.param(': "${IF_NONE:?no interface has 9.9.9.9}"; iptables -F', id="no such interface"),
        pytest.param("iptables -F; if", id="no shell"),
    ],
)
def test_script_that_fails_changes_nothing(lab: Lab, text: str) -> None:
    before = lab["mail2"].succeed("iptables -S; ip6tables -S")
    with own_rc_local(lab["mail2"], text + "\n"):
        lab["mail2"].fail("service rc.local start")
        assert lab["mail2"].succeed("iptables -S; ip6tables -S") == before


def test_refused_script_is_set_line_by_line_at_boot(lab: Lab) -> None:
    """Then there are no rules yet that could stay, and the port would be open to everybody."""
    text = lab["mail2"].read("/etc/rc.local") + "iptables -A INPUT -s ! 1.2.3.0/24 -j DROP\n"
    before = lab["mail2"].succeed("iptables -S INPUT")
    with own_rc_local(lab["mail2"], text):
        lab["mail2"].container.restart()
        lab["mail2"].wait_for_open_port(25)
        assert lab["mail2"].succeed("iptables -S INPUT") == before


def test_other_lines_of_an_rc_local_are_done_too(lab: Lab) -> None:
    """Other tables, other programs, an exit at the end, as scripts of administrators have them."""
    text = (
        "#!/bin/sh\nIPTABLES=/sbin/iptables\n$IPTABLES -t mangle -F\ntouch /run/rc.local-was-here\n"
        '$IPTABLES -I INPUT 1 -p tcp --dport 25 -m comment --comment "two words" -j ACCEPT\nexit 0\n'
    )
    with own_rc_local(lab["mail2"], text):
        lab["mail2"].succeed("service rc.local start && rm /run/rc.local-was-here")
        first = lab["mail2"].succeed("iptables -S INPUT").splitlines()[1]
        assert first == '-A INPUT -p tcp -m tcp --dport 25 -m comment --comment "two words" -j ACCEPT'


# Connects again and again from two addresses until told to stop: how often each came through.
HAMMER = """
import json, pathlib, socket, sys, time
counts = {source: [0, 0] for source in sys.argv[2:]}
def attempt(source):
    s = socket.socket(); s.settimeout(0.02 if source == sys.argv[2] else 2); s.bind((source, 0))
    try:
        s.connect((sys.argv[1], 25)); return 0
    except OSError: return 1
    finally: s.close()
end = time.monotonic() + 60
pathlib.Path('/tmp/hammer.on').touch()
while not pathlib.Path('/tmp/hammer.stop').exists() and time.monotonic() < end:
    for source in counts: counts[source][attempt(source)] += 1
print(json.dumps(counts))
"""


def test_no_moment_is_open_or_shut_while_the_rules_are_set(lab: Lab) -> None:
    """A spammer and a neighbour connect all the time while the rules are set thirty times."""
    outside, mail = lab["outside"], lab["mail"]
    outside.put("/tmp/hammer.py", HAMMER.encode())
    outside.succeed(
        f"rm -f /tmp/hammer.on /tmp/hammer.stop; "
        f"setsid python3 /tmp/hammer.py {mail.ipv4} {SPAMMER} 140.111.2.10 >/tmp/hammer.said 2>&1 </dev/null &"
    )
    outside.wait_until_succeeds("test -e /tmp/hammer.on")
    mail.succeed("for i in $(seq 30); do service rc.local start || exit 1; done")
    outside.succeed("touch /tmp/hammer.stop")
    counts = json.loads(outside.wait_until_succeeds("grep . /tmp/hammer.said"))
    came, failed = counts[SPAMMER]
    assert (came, failed > 20) == (0, True), counts
    assert counts["140.111.2.10"][0] > 20
    assert counts["140.111.2.10"][1] == 0


def test_session_under_way_goes_on_while_the_rules_are_set(lab: Lab) -> None:
    script = (
        "import smtplib, subprocess, sys\n"
        "client = smtplib.SMTP(sys.argv[1], source_address=('140.111.2.10', 0), timeout=20)\n"
        "client.ehlo(); print('ready', flush=True); sys.stdin.readline()\n"
        "print(client.mail('someone@moe.edu.tw')[0], client.rcpt(sys.argv[2])[0])\n"
    )
    lab["outside"].put("/tmp/session.py", script.encode())
    lab["outside"].succeed(
        f"rm -f /tmp/go; mkfifo /tmp/go; "
        f"setsid sh -c 'python3 /tmp/session.py {lab['mail'].ipv4} {CHEN} </tmp/go >/tmp/session.said 2>&1' &"
        " sleep infinity >/tmp/go & echo $! >/tmp/go.pid"
    )
    try:
        lab["outside"].wait_until_succeeds("grep -q ready /tmp/session.said")
        lab["mail"].succeed("service rc.local start")
        lab["outside"].succeed("echo go >/tmp/go")
        assert lab["outside"].wait_until_succeeds("grep '^250' /tmp/session.said") == "250 250\n"
    finally:
        lab["outside"].succeed("kill $(cat /tmp/go.pid); rm /tmp/go")


HEALTH = "/usr/lib/maillab/roles/firewall health"
ODD = """#!/bin/sh
set -e
PATH=/usr/sbin:/usr/bin:/sbin:/bin
export PATH
/sbin/iptables --flush
iptables -w 5 -t filter --append INPUT -p udp -m comment --comment "x -D y" --dport 53 -j ACCEPT
for port in 25 110; do iptables -A INPUT -p tcp --dport $port -s 10.0.0.0/8 -j ACCEPT; done
iptables -I INPUT 2 -i lo -j ACCEPT
iptables -D INPUT -p tcp --dport 110 -s 10.0.0.0/8 -j ACCEPT
iptables -N LOGDROP 2>/dev/null || iptables -F LOGDROP
iptables -A LOGDROP -m limit --limit 3/min -j LOG --log-prefix "drop: "
iptables -A INPUT -s 192.0.2.0/24 -j LOGDROP
while read -r address; do iptables -A INPUT -s $address -j DROP; done <<END
192.0.2.1
192.0.2.2
END
ip6tables -F
/usr/sbin/ip6tables -A INPUT -m multiport -p tcp --dports 25,110 -j ACCEPT
exit 0
"""


def test_rules_that_are_written_in_other_ways_are_the_same(lab: Lab) -> None:
    machine = lab["mail2"]
    with own_rc_local(machine, ODD):
        assert "not those of /etc/rc.local" in machine.fail(HEALTH)
        machine.succeed(f"service rc.local start && {HEALTH}")
    machine.succeed("iptables -X LOGDROP")


@pytest.mark.parametrize(
    ("change", "back", "words"),
    [
        pytest.param(
            "iptables -F", "", "IPv4 rules in force are not those of /etc/rc.local: INPUT has 0 of", id="flush"
        ),
        pytest.param("ip6tables -D INPUT 4", "", "IPv6 rules in force are not those of", id="one"),
        pytest.param(
            "iptables -I INPUT -s 192.0.2.9 -j ACCEPT", "", "INPUT has a rule more (ip saddr 192.0.2.9", id="more"
        ),
        pytest.param(
            "iptables -P INPUT DROP", "iptables -P INPUT ACCEPT", "the policy of INPUT is DROP, not ACCEPT", id="policy"
        ),
        pytest.param(
            "iptables -t nat -A PREROUTING -p tcp --dport 25 -j REDIRECT --to-ports 2525",
            "iptables -t nat -F PREROUTING",
            "in the table nat: -A PREROUTING",
            id="other-table",
        ),
        pytest.param(
            "set -- $(iptables -S INPUT 1); shift 2; iptables -D INPUT 1; iptables -A INPUT $*",
            "",
            "INPUT has its rules in another order",
            id="order",
        ),
    ],
)
def test_other_rules_than_the_scripts_are_named(lab: Lab, change: str, back: str, words: str) -> None:
    machine = lab["mail2"]
    machine.succeed(f"service rc.local start && {HEALTH}")
    try:
        machine.succeed(change)
        assert words in machine.fail(HEALTH)
    finally:
        machine.succeed(f"{back or 'true'}; service rc.local start")
    machine.succeed(HEALTH)


def test_health_runs_nothing_of_an_edited_script(lab: Lab) -> None:
    """But for its iptables lines, which are only collected."""
    machine = lab["mail2"]
    ran = "touch /root/ran; echo x >/root/ran; /usr/bin/touch /root/ran; ip route add 192.0.2.0/24 dev lo\n"
    with own_rc_local(machine, f"{machine.read('/etc/rc.local')}\n{ran}iptables -A INPUT -p tcp --dport 99 -j DROP\n"):
        before = machine.succeed("iptables -S")
        assert "(tcp dport 99 drop)" in machine.fail(HEALTH)
        machine.fail("test -e /root/ran")
        assert machine.succeed("iptables -S") == before
        assert machine.succeed("ip route show 192.0.2.0/24") == ""
