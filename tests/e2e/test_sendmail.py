"""Sendmail in Postfix' place, on the tutorial's school: what Postfix does with mail, it does."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from components.mail.sendmail import QUEUE
from driver.lab import Lab
from driver.machine import wait_until
from driver.mail import crafted, data, envelope, find, mailbox, new_message, post, queue_id_of, received_ids, smtp
from maillab.cli.lab_of_exercise import session_of
from maillab.cli.stack import Stack
from tests.e2e.test_standalone_pop3 import uidl
from tests.e2e.test_verify import not_as_predicted, proof_of
from tests.e2e.test_verify_faults import wrong_answers
from tests.golden.rendering import lab_of
from tests.support.bulk import bring, named
from tests.support.delivered import Delivered, deliver, deliver_from
from tests.support.mailqueue import wait_for_queue, wait_until_gone
from tests.support.outage import machine_stopped
from tests.support.pop3 import fetch
from tests.support.program import run, unrestarted, up
from tests.support.sendmail import SMART_HOST, set_mail
from tests.support.status import maillab, status_of

DOMAIN = "dc1es.tnc.edu.tw"
WENDY, CHEN, LIN, ADMIN, TNUSER = (
    "wendy@example.com",
    f"chen@{DOMAIN}",
    f"lin@{DOMAIN}",
    f"admin@{DOMAIN}",
    "tnuser@tn.edu.tw",
)
CF = "/etc/mail/sendmail.cf"


@pytest.fixture(scope="module")
def inbound(sendmail: Lab) -> Delivered:
    """A message from a client outside to one in the school."""
    return deliver(sendmail, "outside", WENDY, ADMIN)


@pytest.fixture(scope="module")
def outbound(sendmail: Lab) -> Delivered:
    """A message from a client in the school to one outside."""
    return deliver(sendmail, "mail", ADMIN, TNUSER)


def test_sendmail_cf_has_the_tutorials_line(sendmail: Lab) -> None:
    assert re.findall(r"(?m)^DS.*$", sendmail["mail"].read(CF)) == [f"DS{SMART_HOST}"]


def test_local_host_names_are_mydestination(sendmail: Lab) -> None:
    names = sendmail["mail"].read("/etc/mail/local-host-names").split()
    assert names == [f"mail.{DOMAIN}", DOMAIN, f"dns.{DOMAIN}"]


def test_accounts_are_those_that_the_checks_know(sendmail: Lab) -> None:
    before = next(m.mail for m in lab_of("dc1es").schools[0].machines if m.name == "mail")
    assert before is not None
    passwd = set(sendmail["mail"].succeed("cut -d: -f1 /etc/passwd").split()) - {user.name for user in before.users}
    assert passwd == before.system_accounts | {"smmta", "smmsp"}


def test_mail_from_outside_comes_through_the_filter(inbound: Delivered) -> None:
    assert inbound.path == ["outside", "spamfilter", "mail"]


def test_mail_to_the_outside_takes_the_smart_host(outbound: Delivered) -> None:
    assert outbound.path == ["mail", "spamfilter", "tn"]


def test_mail_that_is_written_on_the_server_takes_it_too(sendmail: Lab) -> None:
    """By both of Sendmail's queues."""
    assert deliver_from(sendmail, "mail", ADMIN, TNUSER).path == ["mail", "mail", "spamfilter", "tn"]


def test_body_arrives_byte_for_byte(either: Delivered) -> None:
    assert either.body == either.mail.stored_body


def test_each_hop_wrote_a_received_header_with_its_queue_id(either: Delivered) -> None:
    assert received_ids(either.message) == [hop.entry.queue_id for hop in either.hops]


@pytest.mark.parametrize("sender", ["inbound", "outbound"])
def test_return_path_is_the_envelope_sender(request: pytest.FixtureRequest, sender: str) -> None:
    found: Delivered = request.getfixturevalue(sender)
    assert found.message["Return-Path"] == {"inbound": f"<{WENDY}>", "outbound": f"<{ADMIN}>"}[sender]


def test_local_mail_stays_on_the_server(sendmail: Lab) -> None:
    assert deliver(sendmail, "mail", CHEN, LIN).path == ["mail"]


def test_mailbox_is_made_in_a_folder_that_was_postfixs(sendmail: Lab) -> None:
    """Its volume has another mode when Postfix' image made it: procmail has the group's right."""
    sendmail["mail"].succeed("chmod 775 /var/mail && rm -f /var/mail/wang")
    assert deliver(sendmail, "outside", WENDY, f"wang@{DOMAIN}").path == ["outside", "spamfilter", "mail"]
    assert sendmail["mail"].succeed("stat -c '%U %G %a' /var/mail/wang").split() == ["wang", "mail", "660"]


@pytest.mark.parametrize("name", ["mailer-daemon", "postmaster", "abuse", "Service", "ROOT"])
def test_alias_and_alias_of_an_alias_lead_to_admin(sendmail: Lab, name: str) -> None:
    mail = new_message(WENDY, f"{name}@{DOMAIN}")
    post(sendmail, "outside", WENDY, f"{name}@{DOMAIN}", mail)
    wait_until(f"{name}'s message", lambda: find(sendmail["mail"], "admin", mail.message_id))
    wait_until_gone([sendmail["mail"]], ADMIN, f"{name}@{DOMAIN}")
    assert len(find(sendmail["mail"], "admin", mail.message_id)) == 1


@pytest.mark.parametrize("final", [ADMIN, f"manager@{DOMAIN}", TNUSER])
def test_alias_leads_to_three(sendmail: Lab, final: str) -> None:
    found = deliver(sendmail, "outside", WENDY, f"service@{DOMAIN}", final=final)
    assert found.path == ["outside", "spamfilter", "mail", *(["spamfilter", "tn"] if final == TNUSER else [])]


# A server of the county: the packet filter lets it in, and Sendmail does not trust it.
COUNTY = {4: "163.26.1.10", 6: "2001:db8:163:1::10"}


def rcpt(lab: Lab, client: str, recipient: str, *, version: int = 4) -> tuple[int, str]:
    """The code and the enhanced code of the answer to RCPT, asked by `workstation`, or another school (`outside`)."""
    server = lab["mail"].ipv4 if version == 4 else lab["mail"].ipv6
    source = COUNTY[version] if client == "outside" else None
    steps = envelope("client.example.com", WENDY, recipient)[:-1]
    answer = smtp(lab[client], server, steps, source=source)[-1]
    return answer.code, answer.text.split()[1]


@pytest.mark.parametrize("client", ["outside", "workstation"])
def test_unknown_user_is_refused(sendmail: Lab, client: str) -> None:
    assert rcpt(sendmail, client, f"nobody-has-this-name@{DOMAIN}") == (550, "5.1.1")
    assert rcpt(sendmail, client, LIN)[0] == 250


RELAYED = [
    "tnuser@tn.edu.tw",
    f"tnuser%tn.edu.tw@{DOMAIN}",
    f"tn.edu.tw!tnuser@{DOMAIN}",
    f"@{DOMAIN}:tnuser@tn.edu.tw",
    f'"tnuser@tn.edu.tw"@{DOMAIN}',
    "tnuser@[203.68.102.25]",
]


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("recipient", RELAYED)
def test_nobody_else_relays(sendmail: Lab, recipient: str, version: int) -> None:
    """That the filter may not either, `test_everything_is_as_predicted` shows."""
    assert rcpt(sendmail, "outside", recipient, version=version) == (550, "5.7.1")


@pytest.mark.parametrize("version", [4, 6])
def test_the_school_relays(sendmail: Lab, version: int) -> None:
    assert rcpt(sendmail, "workstation", TNUSER, version=version)[0] == 250


@pytest.mark.parametrize("size", [20 * 1024 * 1024 + 1, 20 * 1024 * 1024])
def test_size_limit_is_that_of_the_other_hops(sendmail: Lab, size: int) -> None:
    said = smtp(
        sendmail["workstation"], sendmail["mail"].ipv4, ["EHLO client.example.com", f"MAIL FROM:<{CHEN}> SIZE={size}"]
    )
    assert said[-1].code == (250 if size <= 20 * 1024 * 1024 else 552)


def test_pop3_gives_the_message_to_the_client(sendmail: Lab, inbound: Delivered) -> None:
    listed = fetch(sendmail["workstation"], sendmail["mail"], "admin", "--list").splitlines()
    assert [line.split()[2] for line in listed].count(inbound.mail.message_id) == 1


def test_what_mailbox_programs_note_is_not_taken_from_the_sender(sendmail: Lab) -> None:
    mail = crafted(b"hello\r\n", b"Subject: deleted?", b"Status: D", b"X-UIDL: forged")
    found = deliver(sendmail, "outside", WENDY, LIN, mail)
    assert (found.message["Subject"], found.message["Status"], found.message["X-UIDL"]) == ("deleted?", None, None)


def traced(lab: Lab, *words: str) -> list[dict[str, Any]]:
    """What `maillab trace --json` says."""
    done = maillab(lab, "trace", "--json", *words)
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout)["messages"])


def ends(said: dict[str, Any]) -> list[tuple[str, str, str]]:
    return sorted((end["recipient"], end["machine"], end["outcome"]) for end in said["ends"])


def test_trace_joins_the_way_through_sendmail(sendmail: Lab) -> None:
    found = deliver(sendmail, "outside", WENDY, f"service@{DOMAIN}", final=TNUSER)
    wait_until_gone([sendmail["mail"]], ADMIN, f"manager@{DOMAIN}", TNUSER)
    (said,) = traced(sendmail, found.mail.message_id)
    assert ends(said) == [
        (ADMIN, "mail", "mailbox"),
        (f"manager@{DOMAIN}", "mail", "mailbox"),
        (TNUSER, "tn", "mailbox"),
    ]
    assert json.dumps(said).count('"machine": "spamfilter"') >= 2, "it came by the filter, and went by it"


def test_trace_shows_a_refusal_with_its_code(sendmail: Lab) -> None:
    nobody = "trace-nobody@dc1es.tnc.edu.tw"
    rcpt(sendmail, "workstation", nobody)
    (said,) = wait_until("the refusal in the log", lambda: traced(sendmail, "--to", nobody))
    (end,) = said["ends"]
    assert (end["machine"], end["outcome"]) == ("mail", "refused")
    assert end["text"].startswith("550 5.1.1 ")


@contextmanager
def smart_host(lab: Lab, value: str) -> Iterator[None]:
    """Another DS, by hand, for a while."""
    mail = lab["mail"]
    mail.succeed(f"cp {CF} /tmp/cf && sed -i 's/^DS.*/DS{value}/' {CF} && service sendmail restart")
    try:
        yield
    finally:
        mail.succeed(f"cat /tmp/cf >{CF} && service sendmail restart")


def test_trace_shows_a_smart_host_that_loops(sendmail: Lab) -> None:
    with smart_host(sendmail, "[163.26.182.2]"):
        mail = new_message(CHEN, TNUSER)
        smtp(
            sendmail["workstation"],
            sendmail["mail"].ipv4,
            [*envelope("client.example.com", CHEN, TNUSER), data(mail)],
        )

        def refused() -> dict[str, Any] | None:
            said = traced(sendmail, mail.message_id)
            return next((one for one in said if (TNUSER, "mail", "refused") in ends(one)), None)

        said = json.dumps(wait_until("the loop is seen", refused))
    assert "mail loops back to me" in said
    assert "5.3.5 Local configuration error" in said


def test_status_and_queue_know_what_waits(sendmail: Lab) -> None:
    mail = new_message(CHEN, TNUSER)
    sendmail["spamfilter"].succeed("service postfix stop")
    try:
        smtp(sendmail["workstation"], sendmail["mail"].ipv4, [*envelope("client", CHEN, TNUSER), data(mail)])
        queue_id = queue_id_of(sendmail, "mail", mail.message_id)
        waits = wait_for_queue(sendmail["mail"], queue_id, "deferred", 60)
        assert waits.reasons == (f"Deferred: Connection refused by {SMART_HOST}.",)
        assert status_of(sendmail)["mail"]["queue"] == {"active": 0, "deferred": 1, "hold": 0}
        shown = maillab(sendmail, "queue", "mail").stdout
        assert queue_id in shown
        assert "shell mail sendmail -q" in shown
    finally:
        sendmail["spamfilter"].succeed("service postfix start")
    sendmail["mail"].succeed("sendmail -q")
    wait_until_gone([sendmail["mail"], sendmail["spamfilter"]], TNUSER)
    assert len(find(sendmail["tn"], "tnuser", mail.message_id)) == 1


def test_message_can_be_deleted_from_the_queue(sendmail: Lab) -> None:
    mail = new_message(CHEN, TNUSER)
    sendmail["spamfilter"].succeed("service postfix stop")
    try:
        smtp(sendmail["workstation"], sendmail["mail"].ipv4, [*envelope("client", CHEN, TNUSER), data(mail)])
        queue_id = queue_id_of(sendmail, "mail", mail.message_id)
        wait_for_queue(sendmail["mail"], queue_id, "deferred", 60)
        sendmail["mail"].succeed(f"echo {queue_id} | {QUEUE} delete")
        wait_until_gone([sendmail["mail"]], TNUSER)
    finally:
        sendmail["spamfilter"].succeed("service postfix start")


def test_status_says_that_it_does_not_run(sendmail: Lab) -> None:
    sendmail["mail"].succeed("service sendmail stop")
    try:
        problems = status_of(sendmail).repairs("mail")
        assert any("sendmail" in what for what in problems), problems
    finally:
        sendmail["mail"].succeed("service sendmail start")
    assert status_of(sendmail).repairs("mail") == {}


def test_restart_leaves_one_daemon(sendmail: Lab) -> None:
    """Without its repair the init script starts a second one beside the first, and says that all is well."""
    sendmail["mail"].succeed("service sendmail restart && service sendmail restart")
    assert sendmail["mail"].succeed("pgrep -f -c 'sendmail: MTA: accepting connections'").strip() == "1"


def test_burst_of_clients_waits_its_turn(sendmail: Lab) -> None:
    """Of Sendmail's own, ten wait; to the others the port is as a rule would make it that drops their packets."""
    address, listener = sendmail["mail"].ipv4, "pkill -f 'sendmail: MTA: accepting connections'"
    client = f"timeout 60 bash -c 'exec 3<>/dev/tcp/{address}/25; sleep 60' >/dev/null 2>&1"
    connected = f"ss -Htn state established dst {address} dport = :25 | wc -l"
    sendmail["mail"].succeed(f"{listener} -STOP")
    try:
        seen = sendmail["dns"].succeed(
            f"for n in $(seq 40); do {client} & done; "
            f'for n in $(seq 100); do seen=$({connected}); [ "$seen" != 40 ] || break; sleep 0.2; done; '
            "echo $seen; kill $(jobs -p)"
        )
    finally:
        sendmail["mail"].succeed(f"{listener} -CONT")
    assert seen.strip() == "40"


def test_thirty_under_way_survive_a_restart_of_the_machine(sendmail: Lab) -> None:
    """Nothing is lost, and nothing comes twice."""
    mails = named({str(number): b"Subject: under way\r\n\r\nhello\r\n" for number in range(30)})
    answers = bring(sendmail, CHEN, {name: mail.raw for name, mail in mails.items()})
    assert {answer.code for answer in answers.values()} == {250}
    sendmail["mail"].container.restart()
    sendmail["mail"].container.reload()
    sendmail["mail"].wait_for_open_port(25)
    sendmail["spamfilter"].succeed("postqueue -f")
    wait_until_gone([sendmail["spamfilter"], sendmail["mail"]], CHEN)
    found = [str(message["Message-ID"]) for message in mailbox(sendmail["mail"], "chen")]
    assert {name: found.count(mail.message_id) for name, mail in mails.items()} == dict.fromkeys(mails, 1)


def test_client_that_says_nothing_does_not_hold_it_up(sendmail: Lab) -> None:
    """Ten seconds after `docker stop` it would be killed, with whatever it was doing."""
    silent = f"exec 3<>/dev/tcp/{sendmail['mail'].ipv4}/25; read -r -t 10 <&3"
    sendmail["dns"].succeed(f"{silent} && setsid sleep 60 >/dev/null 2>&1 </dev/null &")
    with machine_stopped(sendmail, "mail"):
        sendmail["mail"].container.reload()
        assert sendmail["mail"].container.attrs["State"]["ExitCode"] == 0


def test_everything_is_as_predicted(sendmail: Lab) -> None:
    proof = proof_of(sendmail)
    assert proof.holds, not_as_predicted(proof)


def test_prover_names_a_relay_that_is_open(sendmail: Lab) -> None:
    access = "/etc/mail/access"
    try:
        sendmail["mail"].succeed(f"cp {access} /tmp/access && echo 'Connect:198.51.100 RELAY' >>{access}; cd /etc/mail")
        sendmail["mail"].succeed(
            "makemap hash /etc/mail/access </etc/mail/access && iptables -I INPUT -p tcp --dport 25 -j ACCEPT"
        )
        wrong = wrong_answers(proof_of(sendmail, mail=False))
    finally:
        sendmail["mail"].succeed(f"cat /tmp/access >{access} && makemap hash {access} <{access} && iptables -D INPUT 1")
    assert ("mail", "5.7.1", "accepted") in wrong


def test_new_alias_and_smart_host_are_an_update_in_place(sendmail: Lab) -> None:
    before = sendmail.stack_file.read_text(encoding="utf-8")
    assert rcpt(sendmail, "workstation", f"library@{DOMAIN}") == (550, "5.1.1")
    try:
        set_mail(
            sendmail, relayhost="[163.26.182.249]", aliases=["postmaster: root", "root: admin", "library: manager"]
        )
        with unrestarted(sendmail):
            assert "mail-config" in up(sendmail)
        assert re.findall(r"(?m)^DS.*$", sendmail["mail"].read(CF)) == ["DS[163.26.182.249]"]
        assert deliver(sendmail, "mail", CHEN, TNUSER).path == ["mail", "spamfilter", "tn"]
        mail = new_message(CHEN, f"library@{DOMAIN}")
        smtp(
            sendmail["workstation"], sendmail["mail"].ipv4, [*envelope("client", CHEN, f"library@{DOMAIN}"), data(mail)]
        )
        wait_until("the alias leads to manager", lambda: find(sendmail["mail"], "manager", mail.message_id))
    finally:
        sendmail.stack_file.write_text(before, encoding="utf-8")
        sendmail.up()


def test_without_a_smart_host_mail_goes_by_mx(sendmail: Lab) -> None:
    before = sendmail.stack_file.read_text(encoding="utf-8")
    try:
        set_mail(sendmail, relayhost=None)
        up(sendmail)
        assert re.findall(r"(?m)^DS.*$", sendmail["mail"].read(CF)) == ["DS"]
        assert deliver(sendmail, "mail", CHEN, TNUSER).path == ["mail", "tn"]
    finally:
        sendmail.stack_file.write_text(before, encoding="utf-8")
        sendmail.up()


def reset(lab: Lab) -> None:
    """As `maillab reset mail` does it."""
    found = session_of(Stack(name=lab.stack, root=lab.folder)).lab
    found.reset(["mail"])
    lab.find_machines()
    assert found.edited(["mail"]) == []


def test_line_that_was_edited_by_hand_is_seen_kept_and_given_back(sendmail: Lab) -> None:
    sendmail["mail"].succeed(f"sed -i 's/^DS.*/DSmail2.{DOMAIN}/' {CF}")
    assert [one["path"] for one in status_of(sendmail)["mail"]["edited"]] == [CF]
    set_mail(sendmail, aliases=["postmaster: root", "root: admin", "edited: lin"])
    up(sendmail)
    assert f"DSmail2.{DOMAIN}\n" in sendmail["mail"].read(CF), "an update of the aliases leaves it alone"
    reset(sendmail)
    assert re.findall(r"(?m)^DS.*$", sendmail["mail"].read(CF)) == [f"DS{SMART_HOST}"]
    assert deliver(sendmail, "outside", WENDY, LIN).path == ["outside", "spamfilter", "mail"]


def test_file_that_sendmail_refuses_stops_the_update(sendmail: Lab) -> None:
    """What was edited by hand stays beside what the configuration brings: with it Sendmail would not start."""
    sendmail["mail"].succeed(f"cp {CF} /tmp/cf && sed -i 's/^Mlocal,.*/Mlocal,/' {CF}")
    before = sendmail.stack_file.read_text(encoding="utf-8")
    try:
        set_mail(sendmail, mydestination=["$myhostname", "$mydomain", "dns.$mydomain", "localhost"])
        failed = run(sendmail, "up", "--yes")
        assert not failed.ok
        assert "Mlocal: P= argument required" in failed.words
        assert f"{CF} was edited" in failed.words
        assert rcpt(sendmail, "workstation", LIN)[0] == 250
    finally:
        sendmail["mail"].succeed(f"cat /tmp/cf >{CF}")
        sendmail.stack_file.write_text(before, encoding="utf-8")
        sendmail.up()


def test_change_of_the_program_keeps_mailboxes_ids_and_queues(sendmail: Lab) -> None:
    """What one program has in its queue waits there until the configuration has that program again."""
    deliver(sendmail, "outside", WENDY, LIN)
    ids = uidl(sendmail, sendmail["mail"].ipv4)
    waiting = {program: new_message(CHEN, TNUSER) for program in ("sendmail", "postfix")}
    sendmail["spamfilter"].succeed("service postfix stop")

    def send(program: str) -> None:
        mail = waiting[program]
        smtp(sendmail["workstation"], sendmail["mail"].ipv4, [*envelope("client", CHEN, TNUSER), data(mail)])
        wait_for_queue(sendmail["mail"], queue_id_of(sendmail, "mail", mail.message_id), "deferred", 60)

    try:
        send("sendmail")
        set_mail(sendmail, mta="postfix")
        said = sendmail.up()
        assert "messages that wait in Sendmail's queue: 1" in said.stdout + said.stderr
        assert uidl(sendmail, sendmail["mail"].ipv4) == ids
        send("postfix")
        set_mail(sendmail, mta="sendmail")
        said = sendmail.up()
        assert "messages that wait in Postfix' queue: 1" in said.stdout + said.stderr
    finally:
        sendmail["spamfilter"].succeed("service postfix start")
    assert uidl(sendmail, sendmail["mail"].ipv4) == ids
    wait_until("Sendmail's message", lambda: find(sendmail["tn"], "tnuser", waiting["sendmail"].message_id), 60)
    set_mail(sendmail, mta="postfix")
    sendmail.up()
    wait_until("Postfix' message", lambda: find(sendmail["tn"], "tnuser", waiting["postfix"].message_id), 60)
    arrived = [str(message["Message-ID"]) for message in mailbox(sendmail["tn"], "tnuser")]
    assert [arrived.count(mail.message_id) for mail in waiting.values()] == [1, 1]


def test_dovecot_serves_sendmails_mailboxes(sendmail: Lab) -> None:
    set_mail(sendmail, mta="sendmail", pop3="dovecot")
    up(sendmail)
    found = deliver(sendmail, "outside", WENDY, f"manager@{DOMAIN}")
    listed = fetch(sendmail["workstation"], sendmail["mail"], "manager", "--list").splitlines()
    assert [line.split()[2] for line in listed].count(found.mail.message_id) == 1
