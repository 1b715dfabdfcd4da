"""The tutorial's commands, typed on the machines word for word, and machines that are restarted."""

import shlex
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from driver.lab import Lab
from driver.mail import Message, data, envelope, new_message, smtp, submit
from tests.support.delivered import arrived, deliver
from tests.support.mailqueue import mail_queue, queued, wait_for_queue
from tests.support.outage import edited, postfix_stopped
from tests.support.pop3 import log_in

DOMAIN = "dc1es.tnc.edu.tw"
CHEN, LIN, ADMIN = f"chen@{DOMAIN}", f"lin@{DOMAIN}", f"admin@{DOMAIN}"
TNUSER = "tnuser@tn.edu.tw"
MAIL_SERVERS = ["mail", "mail2", "spamfilter", "tn", "outside"]
GTUBE = "XJS*C4JDBQADN1.NSBN3*2IDNEN*" + "GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"


def greeting(lab: Lab, server: str) -> int:
    """The code with which port 25 greets; 0 when it refuses connections."""
    client = "workstation" if server != "outside" else "tn"
    command = f"exec 3<>/dev/tcp/{lab[server].ipv4}/25 && head -c 3 <&3"
    outcome = lab[client].execute(f"({command}) 2>/dev/null")
    return int(outcome.output) if outcome.status == 0 else 0


@pytest.mark.parametrize("machine", ["mail", "mail2", "spamfilter"])
def test_service_postfix_stop_closes_the_port(lab: Lab, machine: str) -> None:
    with postfix_stopped(lab[machine]):
        assert greeting(lab, machine) == 0


@pytest.mark.parametrize("machine", ["mail", "mail2", "spamfilter"])
def test_service_postfix_start_opens_the_port(lab: Lab, machine: str) -> None:
    with postfix_stopped(lab[machine]):
        pass
    assert greeting(lab, machine) == 220


@pytest.mark.parametrize("machine", ["mail", "mail2", "spamfilter"])
def test_service_postfix_restart_starts_it_anew(lab: Lab, machine: str) -> None:
    before = lab[machine].succeed("cat /var/spool/postfix/pid/master.pid")
    lab[machine].succeed("service postfix restart")
    lab[machine].wait_for_open_port(25)
    assert lab[machine].succeed("cat /var/spool/postfix/pid/master.pid") != before
    assert greeting(lab, machine) == 220


@pytest.mark.parametrize("machine", MAIL_SERVERS)
def test_postfix_check_has_nothing_to_say(lab: Lab, machine: str) -> None:
    assert lab[machine].succeed("postfix check") == ""


def test_postfix_check_names_a_mistake_in_main_cf(lab: Lab) -> None:
    """vi /etc/postfix/main.cf with a slip of the hand."""
    with edited(lab["mail"], "postfix check", "/etc/postfix/main.cf"):
        lab["mail"].succeed("echo 'inet_protocols = ipv4, ipv5' >>/etc/postfix/main.cf")
        assert "ipv5" in lab["mail"].fail("postfix check")


@contextmanager
def waiting(lab: Lab) -> Iterator[tuple[Message, str]]:
    """A message to the outside that waits on the mail server, because the filter's Postfix is stopped."""
    with postfix_stopped(lab["spamfilter"]):
        mail = new_message(CHEN, TNUSER, body="等一下\r\n")
        queue_id = submit(lab, "mail", CHEN, TNUSER, mail)
        wait_for_queue(lab["mail"], queue_id, "deferred")
        yield mail, queue_id


@pytest.fixture(scope="module")
def listing(lab: Lab) -> dict[str, str]:
    """What the commands say while a message waits on the mail server, and after it was deleted."""
    with waiting(lab) as (mail, queue_id):
        return {
            "id": queue_id,
            "message-id": mail.message_id,
            "postqueue -p": lab["mail"].succeed("postqueue -p"),
            "postqueue -p as chen": lab["mail"].succeed("postqueue -p", user="chen"),
            "postcat -q": lab["mail"].succeed(f"postcat -q {queue_id}"),
            "postsuper -d ALL": lab["mail"].succeed("postsuper -d ALL"),
            "postqueue -p afterwards": lab["mail"].succeed("postqueue -p"),
        }


@pytest.mark.parametrize("command", ["postqueue -p", "postqueue -p as chen"])
def test_postqueue_lists_what_waits(listing: dict[str, str], command: str) -> None:
    lines = listing[command].splitlines()
    assert any(line.startswith(listing["id"]) and line.endswith(CHEN) for line in lines)
    assert TNUSER in listing[command]


def test_postcat_shows_the_message(listing: dict[str, str]) -> None:
    assert f"Message-ID: {listing['message-id']}" in listing["postcat -q"]
    assert "等一下" in listing["postcat -q"]


def test_postsuper_deletes_everything(listing: dict[str, str]) -> None:
    assert "Deleted: 1 message" in listing["postsuper -d ALL"]
    assert listing["postqueue -p afterwards"].strip() == "Mail queue is empty"


def test_message_of_an_ordinary_user_leaves_the_machine(lab: Lab) -> None:
    """sendmail(1) is setgid: it works for everybody."""
    mail = new_message(CHEN, LIN)
    text = mail.raw.replace(b"\r\n", b"\n").decode()
    lab["mail"].succeed(f"sendmail -i -- {LIN} <<'MAILLAB'\n{text}MAILLAB", user="chen")
    (queue_id,) = (
        lab["mail"]
        .wait_until_succeeds(
            f"grep -F 'message-id={mail.message_id}' /var/log/mail.log | grep -oE '[0-9A-Za-z]{{12,}}: m' | cut -d: -f1"
            " | grep ."
        )
        .split()
    )
    assert arrived(lab, mail, lab.wait_for_delivery("mail", queue_id, LIN)).message["Return-Path"] == f"<{CHEN}>"


@pytest.fixture
def new_alias(lab: Lab) -> Iterator[str]:
    """vi /etc/aliases, a line more at the end, :wq, newaliases."""
    with edited(lab["mail"], "newaliases && postfix reload", "/etc/aliases"):
        lab["mail"].succeed("printf '%s\\n' '$a' 'principal: lin' . wq | vi -es /etc/aliases")
        assert lab["mail"].succeed("tail -n 1 /etc/aliases") == "principal: lin\n"
        assert lab["mail"].succeed("newaliases") == ""
        yield f"principal@{DOMAIN}"


def test_alias_typed_by_hand_works_after_newaliases(lab: Lab, new_alias: str) -> None:
    assert deliver(lab, "mail", CHEN, new_alias, final=LIN).path == ["mail"]


def test_editor_leaves_the_managed_link_in_place(lab: Lab, new_alias: str) -> None:
    assert new_alias
    assert lab["mail"].succeed("readlink /etc/aliases") == "/etc/maillab/current/etc/aliases\n"


@pytest.mark.parametrize("machine", ["mail", "mail2", "tn"])
def test_newaliases_has_nothing_to_say(lab: Lab, machine: str) -> None:
    assert lab[machine].succeed("newaliases") == ""


def serial(lab: Lab) -> str:
    """The serial that the school's name server answers with."""
    answer = f"dig +short +time=1 +tries=1 @127.0.0.1 SOA {DOMAIN} | awk '{{print $3}}' | grep ."
    return lab["dns"].wait_until_succeeds(answer).strip()


def test_service_named_restart_serves_the_same_zone(lab: Lab) -> None:
    before = serial(lab), lab["dns"].succeed("pgrep -x named")
    lab["dns"].succeed("service named restart")
    assert serial(lab) == before[0]
    assert lab["dns"].succeed("pgrep -x named") != before[1]


def test_service_named_restart_leaves_one_server(lab: Lab) -> None:
    lab["dns"].succeed("service named restart")
    serial(lab)
    assert len(lab["dns"].succeed("pgrep -x named").split()) == 1


def test_service_xinetd_restart_brings_pop3_back(lab: Lab) -> None:
    lab["mail"].succeed("service xinetd restart")
    lab["mail"].wait_for_open_port(110)
    lab["workstation"].succeed(f"pop3-fetch --server {lab['mail'].ipv4} --list security lab-security-2006")


@pytest.mark.parametrize("machine", ["dns", "mail", "mail2"])
def test_service_rc_local_start_sets_the_rules_once(lab: Lab, machine: str) -> None:
    rules = "iptables-save -t filter | grep '^-A'; ip6tables-save -t filter | grep '^-A'"
    before = lab[machine].execute(rules).output
    lab[machine].succeed("service rc.local start")
    assert lab[machine].execute(rules).output == before
    assert before


# What adduser(8) asks: the password twice, five fields of the person's, and whether all is right.
ANSWERS = "lab-by-hand\nlab-by-hand\n\n\n\n\n\ny\n"


@pytest.mark.parametrize("machine", ["mail", "mail2"])
def test_adduser_makes_an_account(lab: Lab, machine: str) -> None:
    """`adduser syncact`, as the page prints it; the account gets mail and can fetch it."""
    server = lab[machine]
    try:
        server.succeed(f"printf %s {shlex.quote(ANSWERS)} | adduser syncact")
        steps = envelope("workstation.dc1es.tnc.edu.tw", CHEN, f"syncact@{machine}.{DOMAIN}")[:-1]
        assert smtp(lab["workstation"], server.ipv4, steps)[-1].code == 250
        assert log_in(lab["workstation"], server, [("syncact", "lab-by-hand")])[0].opened
    finally:
        server.succeed("deluser --remove-home syncact")
    assert smtp(lab["workstation"], server.ipv4, steps)[-1].code == 550


# What a mail administrator reaches for.
PROGRAMS = ["man", "nano", "vi", "less", "telnet", "perl", "logrotate", "fsck", "tcpdump", "dig", "qshape", "mutt"]
MANUALS = ["ls", "useradd", "adduser", "iptables", "ip", "named", "postconf", "aliases", "xinetd.conf", "tcpdump"]


@pytest.mark.parametrize("program", PROGRAMS)
def test_program_is_there(lab: Lab, program: str) -> None:
    lab["mail"].succeed(f"command -v {program}")


@pytest.mark.parametrize("page", MANUALS)
def test_manual_is_there(lab: Lab, page: str) -> None:
    assert len(lab["mail"].succeed(f"man {page}").splitlines()) > 20


def test_queue_by_age_is_shown(lab: Lab) -> None:
    assert "TOTAL" in lab["mail"].succeed("qshape deferred")


def test_clock_shows_the_time_of_taipei(lab: Lab) -> None:
    assert lab["mail"].succeed("date +%Z").strip() == "CST"
    assert "+08:00" in lab["mail"].succeed("tail -n 1 /var/log/mail.log")


def test_packets_can_be_captured(lab: Lab) -> None:
    mail = lab["mail"]
    capture = "timeout 20 tcpdump -nn -c 1 -i any icmp >/tmp/captured 2>/tmp/words & echo $! >/tmp/capture"
    mail.succeed(capture)
    mail.wait_until_succeeds("grep -q '^listening on' /tmp/words")
    lab["dns"].succeed(f"ping -n -c 1 {mail.ipv4}")
    mail.wait_until_succeeds("grep 'ICMP echo request' /tmp/captured")


def test_xinetd_restarts_at_once(lab: Lab) -> None:
    for _ in range(5):
        assert "failed" not in lab["mail"].succeed("service xinetd restart")
    lab["mail"].wait_for_open_port(110)


def restart(lab: Lab, machine: str, port: int) -> None:
    """docker restart."""
    lab[machine].container.restart()
    lab[machine].wait_for_open_port(port)


def configuration(lab: Lab, machine: str) -> str:
    """The checksums of the files that the configuration brought."""
    return lab[machine].succeed("cd /etc/maillab/current && find . -type f -exec sha256sum {} + | sort -k 2")


@pytest.mark.parametrize(
    ("machine", "port"), [("dns", 53), ("mail", 25), ("mail2", 25), ("spamfilter", 25), ("tn", 25)]
)
def test_restarted_machine_has_its_configuration(lab: Lab, machine: str, port: int) -> None:
    before = configuration(lab, machine)
    restart(lab, machine, port)
    assert configuration(lab, machine) == before


def test_restarted_name_server_serves_the_same_zone(lab: Lab) -> None:
    before = serial(lab)
    restart(lab, "dns", 53)
    assert serial(lab) == before


def test_restarted_mail_server_sends_what_was_in_its_queue(lab: Lab) -> None:
    with waiting(lab) as (mail, queue_id):
        restart(lab, "mail", 25)
        entry = queued(lab["mail"], queue_id)
        assert entry is not None
        assert entry.recipients == (TNUSER,)
    lab["mail"].succeed("postqueue -f")
    assert arrived(lab, mail, lab.wait_for_delivery("mail", queue_id, TNUSER)).path == ["mail", "spamfilter", "tn"]


def test_restarted_mail_server_has_its_mailboxes(lab: Lab) -> None:
    delivered = deliver(lab, "mail", CHEN, LIN)
    restart(lab, "mail", 25)
    assert arrived(lab, delivered.mail, delivered.hops).stored == delivered.stored


def test_restarted_filter_holds_what_it_held(lab: Lab) -> None:
    mail = new_message("wendy@example.com", ADMIN, body=f"{GTUBE}\r\n")
    steps = [*envelope("mail.example.com", "wendy@example.com", ADMIN), data(mail), "QUIT"]
    queue_id = smtp(lab["outside"], lab["spamfilter"].ipv4, steps)[-2].queue_id
    restart(lab, "spamfilter", 25)
    assert [entry.queue for entry in mail_queue(lab["spamfilter"]) if entry.queue_id == queue_id] == ["hold"]
    lab["spamfilter"].succeed(f"postsuper -d {queue_id}")


def test_restarted_machines_carry_mail_again(lab: Lab) -> None:
    for machine in ("spamfilter", "mail"):
        restart(lab, machine, 25)
    assert deliver(lab, "outside", "wendy@example.com", CHEN).path == ["outside", "spamfilter", "mail"]
