"""The packet filters at work: who gets to the mail servers directly, and what never crosses the router."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support.connections import connection
from tests.support.delivered import Delivered, arrived, deliver
from tests.support.lab import Lab
from tests.support.machine import Machine
from tests.support.mail import Letter, envelope, letter, post, queue_ids_of, smtp
from tests.support.mailqueue import Queued, wait_for_queue
from tests.support.outage import postfix_stopped
from tests.support.program import run, up
from verify.cells import Verdict

DOMAIN = "dc1es.tnc.edu.tw"
ADMIN, CHEN = f"admin@{DOMAIN}", f"chen@{DOMAIN}"
SPAMMER, SPAMMER6 = "198.51.100.66", "2001:db8:198::66"
ALLOWED = {
    "moe.edu.tw": ("140.111.2.10", "2001:db8:140:2::10"),
    "mail8.moe.edu.tw": ("140.111.8.10", "2001:db8:140:8::10"),
    "mail34.moe.edu.tw": ("140.111.34.10", "2001:db8:140:34::10"),
    "ncku.edu.tw": ("140.116.2.10", "2001:db8:116:2::10"),
    "boe.tnc.edu.tw": ("203.68.102.10", "2001:db8:203::10"),
    "dc2es.tnc.edu.tw": ("163.26.1.10", "2001:db8:163:1::10"),
}
FAMILIES = [pytest.param(0, id="ipv4"), pytest.param(1, id="ipv6")]


def addresses(machine: Machine) -> tuple[str, str]:
    return machine.ipv4, machine.ipv6


@pytest.mark.parametrize("version", FAMILIES)
@pytest.mark.parametrize("server", ["mail", "mail2"])
def test_spammer_gets_no_answer_from_a_mail_server(lab: Lab, server: str, version: int) -> None:
    source = (SPAMMER, SPAMMER6)[version]
    assert connection(lab, "outside", source, addresses(lab[server])[version]) is Verdict.DROP


def test_same_spammers_letter_by_the_mx_chain_comes_to_the_filter(lab: Lab) -> None:
    assert deliver(lab, "outside", "offers@example.net", CHEN).path == ["outside", "spamfilter", "mail"]


@pytest.mark.parametrize("version", FAMILIES)
@pytest.mark.parametrize("domain", ALLOWED)
@pytest.mark.parametrize(("server", "recipient"), [("mail", CHEN), ("mail2", f"syncact@mail2.{DOMAIN}")])
def test_sender_in_an_allowed_range_is_served_directly(
    lab: Lab, server: str, recipient: str, domain: str, version: int
) -> None:
    steps = envelope(f"mail.{domain}", f"someone@{domain}", recipient)[:-1]
    replies = smtp(lab["outside"], addresses(lab[server])[version], steps, source=ALLOWED[domain][version])
    assert [reply.code for reply in replies] == [220, 250, 250, 250]


@pytest.mark.parametrize("version", FAMILIES)
@pytest.mark.parametrize("server", ["mail", "mail2"])
@pytest.mark.parametrize(
    ("machine", "verdict"),
    [
        ("spamfilter", Verdict.ACCEPT),
        ("workstation", Verdict.ACCEPT),
        ("dns", Verdict.DROP),
        ("outside", Verdict.DROP),
        ("tn", Verdict.DROP),
    ],
)
def test_ssh_is_for_the_filter_and_the_workstation(
    lab: Lab, machine: str, server: str, version: int, verdict: Verdict
) -> None:
    source, target = addresses(lab[machine])[version], addresses(lab[server])[version]
    assert connection(lab, machine, source, target, 22) is verdict


@pytest.mark.parametrize("target", ["dns", "workstation", "tn"])
def test_filter_goes_by_ssh_to_the_mail_servers_only(lab: Lab, target: str) -> None:
    """Nobody listens there: without the rule it would be refused."""
    assert connection(lab, "spamfilter", lab["spamfilter"].ipv4, lab[target].ipv4, 22) is Verdict.DROP
    assert connection(lab, "workstation", lab["workstation"].ipv4, lab["tn"].ipv4, 22) is Verdict.REFUSE


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


FORGED = [
    pytest.param("outside", "mail", "163.26.182.77", id="school's address from outside"),
    pytest.param("outside", "mail", "2001:db8:182::77", id="school's IPv6 address from outside"),
    pytest.param("outside", "mail", "192.168.7.7", id="private address from outside"),
    pytest.param("outside", "mail", "fd00::7", id="unique local address from outside"),
    pytest.param("workstation", "tn", "198.51.100.77", id="foreign address from the school"),
    pytest.param("workstation", "tn", "2001:db8:198::77", id="foreign IPv6 address from the school"),
    pytest.param("workstation", "tn", "163.26.1.77", id="another school's address from the school"),
]


@contextmanager
def counted(machine: Machine, source: str) -> Iterator[None]:
    """A rule on `machine` that only counts the packets from `source`; taken away again."""
    program = "ip6tables" if ":" in source else "iptables"
    machine.succeed(f"{program} -I INPUT -s {source} -p udp --dport 4444")
    try:
        yield
    finally:
        machine.succeed("service rc.local start")


def packets(machine: Machine, source: str) -> int:
    program = "ip6tables" if ":" in source else "iptables"
    return int(machine.succeed(f"{program} -nvxL INPUT 1").split()[0])


def send_forged(machine: Machine, source: str, target: str) -> None:
    """One datagram with a source address that is not the machine's to use."""
    family = "AF_INET6" if ":" in source else "AF_INET"
    length = 128 if ":" in source else 32
    machine.succeed(f"ip address add {source}/{length} dev lo")
    try:
        machine.python(
            f"import socket, sys; s = socket.socket(socket.{family}, socket.SOCK_DGRAM); s.bind((sys.argv[1], 0)); "
            "s.sendto(b'forged', (sys.argv[2], 4444))",
            source,
            target,
        )
    finally:
        machine.succeed(f"ip address del {source}/{length} dev lo")


@pytest.mark.parametrize(("machine", "target", "source"), FORGED)
def test_forged_source_never_crosses_the_router(lab: Lab, machine: str, target: str, source: str) -> None:
    """Without the router's rules the same packet arrives."""
    address = addresses(lab[target])[":" in source]
    with counted(lab[target], source):
        send_forged(lab[machine], source, address)
        # What came after it has arrived: it would have, too.
        lab[machine].succeed(f"ping -n -c 1 -W 5 {address}")
        assert packets(lab[target], source) == 0
        lab["router"].succeed("iptables -F FORWARD; ip6tables -F FORWARD")
        try:
            send_forged(lab[machine], source, address)
            lab[target].wait_until_succeeds(
                f"test $({'ip6tables' if ':' in source else 'iptables'} -nvxL INPUT 1 | awk '{{print $1}}') = 1"
            )
        finally:
            lab["router"].succeed("service rc.local start")


@pytest.fixture(scope="module")
def filter_down(lab: Lab) -> tuple[Queued, int, Delivered, Delivered]:
    """While the filter is down: a foreign sender's letter, and one of a sender in an allowed range.

    The first one's queue entry, how often it had come to the mail server, and both in their mailboxes.
    """
    foreign, neighbour = letter("wendy@example.com", CHEN), letter("someone@moe.edu.tw", CHEN)
    with postfix_stopped(lab["spamfilter"]):
        waits = post(lab, "outside", "wendy@example.com", CHEN, foreign)
        served = post(lab, "outside", "someone@moe.edu.tw", CHEN, neighbour)
        at_once = _arrive(lab, neighbour, served)
        waiting = wait_for_queue(lab["outside"], waits, "deferred", timeout=60)
        seen = len(queue_ids_of(lab, "mail", foreign.message_id))
    lab["outside"].succeed("postqueue -f")
    return waiting, seen, at_once, _arrive(lab, foreign, waits)


def _arrive(lab: Lab, mail: Letter, queue_id: str) -> Delivered:
    return arrived(lab, mail, lab.wait_for_delivery("outside", queue_id, CHEN))


def test_foreign_senders_second_mx_is_closed(filter_down: tuple[Queued, int, Delivered, Delivered]) -> None:
    waiting, seen, _, _ = filter_down
    assert waiting.recipients == (CHEN,)
    assert f"connect to mail.{DOMAIN}" in waiting.reasons[0]
    assert "timed out" in waiting.reasons[0]
    assert seen == 0


def test_foreign_letter_arrives_when_the_filter_is_back(filter_down: tuple[Queued, int, Delivered, Delivered]) -> None:
    """`arrived` has found it exactly once in the mailbox."""
    assert filter_down[3].path == ["outside", "spamfilter", "mail"]


def test_sender_in_an_allowed_range_is_served_by_the_second_mx(
    filter_down: tuple[Queued, int, Delivered, Delivered],
) -> None:
    assert filter_down[2].path == ["outside", "mail"]


@pytest.fixture(scope="module")
def as_printed(workbench: Lab) -> tuple[Lab, str]:
    """A lab with `firewall.ipv6: tutorial`, and what `up` said."""
    workbench.edit("        ipv6: closed\n", "        ipv6: tutorial\n")
    done = run(workbench, "up", "--yes")
    assert done.ok, done.words
    assert done.steps == {"mail-config": "update", "mail2-config": "update"}
    return workbench, done.words


def test_up_warns_that_ipv6_is_open(as_printed: tuple[Lab, str]) -> None:
    assert "open to everybody on IPv6" in as_printed[1]


def test_spammer_gets_in_by_ipv6_past_the_filter(as_printed: tuple[Lab, str]) -> None:
    lab, _ = as_printed
    mail = letter("offers@example.net", CHEN)
    steps = [*envelope("bulk.example.net", "offers@example.net", CHEN), mail.raw + b"\r\n.\r\n", "QUIT"]
    taken = smtp(lab["outside"], lab["mail"].ipv6, steps, source=SPAMMER6)[-2]
    assert [hop.machine for hop in lab.wait_for_delivery("mail", taken.queue_id, CHEN)] == ["mail"]


def test_ipv4_stays_closed(as_printed: tuple[Lab, str]) -> None:
    lab, _ = as_printed
    assert connection(lab, "outside", SPAMMER, lab["mail"].ipv4) is Verdict.DROP


def test_ipv6_is_as_printed(as_printed: tuple[Lab, str]) -> None:
    """Flush, port 21; beside that what is not the page's subject: SSH, and the host's link-local address."""
    lab, _ = as_printed
    rules = lab["mail"].succeed("ip6tables -S INPUT").splitlines()
    ports = [rule for rule in rules if "--dport" in rule and "--dport 22 " not in rule]
    assert ports == ["-A INPUT -p tcp -m tcp --dport 21 -j DROP"]


def test_edit_of_a_rule_restarts_nothing_and_takes_effect(workshop: Lab) -> None:
    foreign = ("outside", "198.51.100.10", workshop["mail"].ipv4)
    assert connection(workshop, *foreign) is Verdict.DROP
    workshop.edit("            source: 140.116.2.0/24\n", "            source: 198.51.100.0/24\n")
    assert up(workshop) == {"mail-config": "update", "mail2-config": "update"}
    assert connection(workshop, *foreign) is Verdict.ACCEPT
    assert connection(workshop, "outside", "140.116.2.10", workshop["mail"].ipv4) is Verdict.DROP
