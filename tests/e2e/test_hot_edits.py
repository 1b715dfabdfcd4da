"""Edits of the configuration take effect with no container restarted, and touch nothing but what they change."""

import json

import pytest

from driver.lab import ROOT, Lab
from driver.mail import envelope, find, smtp
from tests.support.delivered import deliver
from tests.support.program import add_parameter, unrestarted, up
from tests.support.stacks import stack_data

WENDY = "wendy@example.com"
ADMIN = "admin@dc1es.tnc.edu.tw"
# What follows the relayhost of `mail`, and not that of `mail2`.
USERS = "\n            users:\n              - {name: admin, password: lab-admin-2006,"


def pop3_login(lab: Lab, user: str, password: str) -> str:
    """What the mail server says to a client of the school that logs in."""
    script = (
        "import poplib, sys\n"
        "box = poplib.POP3(sys.argv[1], timeout=20)\n"
        "try:\n"
        "    box.user(sys.argv[2]); print(box.pass_(sys.argv[3]).decode())\n"
        "except poplib.error_proto as error: print(error.args[0].decode())\n"
        "box.close()\n"
    )
    return lab["workstation"].python(script, lab["mail"].ipv4, user, password)


def recipient_refused(lab: Lab, recipient: str) -> str:
    """How the filter refuses a recipient to a server of the Internet."""
    steps = envelope("mail.example.com", WENDY, recipient)[:-1]
    reply = smtp(lab["outside"], lab["spamfilter"].ipv4, steps)[-1]
    assert reply.code == 550, reply
    return reply.text


@pytest.fixture(scope="module")
def aliases(workbench: Lab) -> Lab:
    """A lab where library is a new alias, and yh none any more."""
    recipient_refused(workbench, "library@dc1es.tnc.edu.tw")
    workbench.edit('              - "yh: admin"\n', '              - "library: manager"\n')
    with unrestarted(workbench):
        assert up(workbench) == {"mail-config": "update", "spamfilter-config": "update"}
    return workbench


def test_new_alias(aliases: Lab) -> None:
    sent = deliver(aliases, "outside", WENDY, "library@dc1es.tnc.edu.tw")
    assert len(find(aliases["mail"], "manager", sent.mail.message_id)) == 1


def test_removed_alias_leaves_the_user_his_mail(aliases: Lab) -> None:
    sent = deliver(aliases, "outside", WENDY, "yh@dc1es.tnc.edu.tw")
    assert len(find(aliases["mail"], "yh", sent.mail.message_id)) == 1
    assert find(aliases["mail"], "admin", sent.mail.message_id) == []


def test_text_record_without_quotes_and_with_a_ttl(workshop: Lab) -> None:
    """The Internet reads the whole text as one string, for as long as the record says."""
    router = "- router A     163.26.182.254\n"
    text = f"v=DMARC1; p=none; rua=mailto:admin@dc1es.tnc.edu.tw; n={'x' * 300}"
    workshop.edit(router, f'{router}          - "_dmarc 300 IN TXT {text}"\n')
    up(workshop)
    (answer,) = workshop["dns"].succeed("dig +noall +answer _dmarc.dc1es.tnc.edu.tw TXT @127.0.0.1").splitlines()
    assert answer.split()[1:4] == ["300", "IN", "TXT"]
    assert workshop["outside"].succeed("dig +short _dmarc.dc1es.tnc.edu.tw TXT").strip() == (
        f'"{text[:255]}" "{text[255:]}"'
    )


def test_mx_chain_turned_round(workshop: Lab) -> None:
    """Inside and outside see it at once, and the next message goes to the mail server first."""
    question = "dig +short MX dc1es.tnc.edu.tw"
    old = ["0 spamfilter.dc1es.tnc.edu.tw.", "10 mail.dc1es.tnc.edu.tw."]
    for machine in ("outside", "workstation"):
        assert sorted(workshop[machine].succeed(question).splitlines()) == old
    workshop.edit('- "@    MX    10  mail"', '- "@    MX    5   mail"')
    workshop.edit('- "@    MX    0   spamfilter"', '- "@    MX    20  spamfilter"')
    with unrestarted(workshop):
        assert up(workshop) == {"dns-config": "update", "dc1es-flush": "update"}
    for machine in ("outside", "workstation"):
        answer = sorted(workshop[machine].succeed(question).splitlines())
        assert answer == ["20 spamfilter.dc1es.tnc.edu.tw.", "5 mail.dc1es.tnc.edu.tw."]
    # Of another school: from everywhere the firewall would send the message on to the filter.
    assert deliver(workshop, "outside", "chen@dc2es.tnc.edu.tw", ADMIN).path == ["outside", "mail"]
    assert deliver(workshop, "outside", WENDY, ADMIN).path == ["outside", "spamfilter", "mail"]


@pytest.fixture(scope="module")
def accounts(workbench: Lab) -> tuple[Lab, str]:
    """A lab where huang is new, wang has left (what he had got stays), and lin has another password."""
    kept = deliver(workbench, "outside", WENDY, "wang@dc1es.tnc.edu.tw").mail.message_id
    assert pop3_login(workbench, "lin", "lab-lin-2006").startswith("+OK")
    workbench.edit("{name: wang, password: lab-wang-2006, gecos: 王老師}", "{name: huang, password: lab-huang-2006}")
    workbench.edit("lab-lin-2006", "new-lin-2026")
    with unrestarted(workbench):
        assert up(workbench) == {"mail-config": "update", "spamfilter-config": "update"}
    return workbench, kept


def test_new_user_gets_mail_and_reads_it(accounts: tuple[Lab, str]) -> None:
    lab, _ = accounts
    assert deliver(lab, "outside", WENDY, "huang@dc1es.tnc.edu.tw").path == ["outside", "spamfilter", "mail"]
    assert lab["mail"].succeed("stat -c %U /var/mail/huang") == "huang\n"
    assert pop3_login(lab, "huang", "lab-huang-2006").startswith("+OK")


def test_removed_user_is_refused(accounts: tuple[Lab, str]) -> None:
    lab, _ = accounts
    assert "User unknown" in recipient_refused(lab, "wang@dc1es.tnc.edu.tw")
    lab["mail"].fail("getent passwd wang")


def test_mailbox_of_a_removed_user_stays_and_is_nobodys(accounts: tuple[Lab, str]) -> None:
    lab, kept = accounts
    assert len(find(lab["mail"], "wang", kept)) == 1
    assert lab["mail"].succeed("stat -c %U /var/mail/wang") == "UNKNOWN\n"


def test_changed_password(accounts: tuple[Lab, str]) -> None:
    lab, _ = accounts
    assert pop3_login(lab, "lin", "new-lin-2026").startswith("+OK")
    assert pop3_login(lab, "lin", "lab-lin-2006").startswith("-ERR")


def test_user_who_comes_back_has_his_mailbox(workshop: Lab) -> None:
    kept = deliver(workshop, "outside", WENDY, "chen@dc1es.tnc.edu.tw").mail.message_id
    configuration = workshop.stack_file.read_text(encoding="utf-8")
    workshop.edit("              - {name: chen, password: lab-chen-2006, gecos: 陳老師}\n", "")
    up(workshop)
    workshop.stack_file.write_text(configuration, encoding="utf-8")
    up(workshop)
    assert pop3_login(workshop, "chen", "lab-chen-2006").startswith("+OK")
    assert workshop["mail"].succeed("stat -c %U /var/mail/chen") == "chen\n"
    assert len(find(workshop["mail"], "chen", kept)) == 1


def test_main_cf_parameter(workbench: Lab) -> None:
    add_parameter(workbench, "smtpd_banner: $myhostname ESMTP hot edit")
    with unrestarted(workbench):
        assert up(workbench) == {"mail-config": "update"}
    greeting = smtp(workbench["workstation"], workbench["mail"].ipv4, ["QUIT"])[0]
    assert greeting.text == "220 mail.dc1es.tnc.edu.tw ESMTP hot edit"


def test_domain_routed_to_another_server(workbench: Lab) -> None:
    """The filter's table: mail2's domain goes to mail, which takes it from now on."""
    recipient = "admin@mail2.dc1es.tnc.edu.tw"
    assert deliver(workbench, "outside", WENDY, recipient).path == ["outside", "spamfilter", "mail2"]
    workbench.edit("mail.$mydomain, dns.$mydomain]", "mail.$mydomain, dns.$mydomain, mail2.$mydomain]")
    workbench.edit("{domain: mail2.dc1es.tnc.edu.tw, server: mail2}", "{domain: mail2.dc1es.tnc.edu.tw, server: mail}")
    with unrestarted(workbench):
        assert up(workbench) == {"mail-config": "update", "spamfilter-config": "update"}
    assert deliver(workbench, "outside", WENDY, recipient).path == ["outside", "spamfilter", "mail"]


def test_passwords_are_not_shown(workshop: Lab) -> None:
    workshop.edit("lab-service-2006", "new-service-2026")
    shown = workshop.engine("preview", "--diff").stdout
    assert "users.secret" in shown
    assert "new-service-2026" not in shown
    assert "lab-service-2006" not in shown


@pytest.mark.parametrize(
    ("old", "new", "key", "lines"),
    [
        pytest.param(
            '"service: admin, manager, tnuser@tn.edu.tw"',
            '"service: admin, manager"',
            "/etc/aliases",
            ["- service: admin, manager, tnuser@tn.edu.tw", "+ service: admin, manager"],
            id="alias",
        ),
        pytest.param(
            "- mail2 MX    20  mail2",
            "- mail2 MX    30  mail2",
            "/etc/bind/db.dc1es.tnc.edu.tw",
            ["- mail2   IN   MX   20 mail2.dc1es.tnc.edu.tw.", "+ mail2   IN   MX   30 mail2.dc1es.tnc.edu.tw."],
            id="mx-record",
        ),
        pytest.param(
            f'relayhost: "[163.26.182.249]"{USERS}',
            f'relayhost: "[spamfilter.dc1es.tnc.edu.tw]:25"{USERS}',
            "/etc/postfix/main.cf",
            ["- relayhost = [163.26.182.249]", "+ relayhost = [spamfilter.dc1es.tnc.edu.tw]:25"],
            id="main.cf",
        ),
    ],
)
def test_preview_shows_the_changed_lines_of_the_changed_file(
    workshop: Lab, old: str, new: str, key: str, lines: list[str]
) -> None:
    workshop.edit(old, new)
    shown = [line.strip() for line in workshop.engine("preview", "--diff").stdout.splitlines()]
    files = [line for line in shown if line.startswith("~ environment") and "ZONES" not in line]
    assert files == [f'~ environment["{key}"]:']
    assert [line for line in shown if line.startswith(("+ ", "- "))] == lines


def test_update_that_is_cut_off_is_refused(workbench: Lab) -> None:
    """Nothing but the last record is missing, as when the client is killed on its way."""
    mail = workbench["mail"]
    before = mail.succeed("readlink /etc/maillab/current")
    words = mail.fail(r"printf '/etc/maillab/roles=syslog\n\0/etc/maillab/users=\0' | maillab-apply")
    assert "did not come in whole" in words
    assert mail.succeed("readlink /etc/maillab/current") == before
    assert mail.succeed("id -un admin").strip() == "admin"


def test_update_while_the_machine_boots_reaches_every_role(workbench: Lab) -> None:
    """An update that meets a booting machine waits for it, and is in force afterwards."""
    mail = workbench["mail"]
    mail.container.stop(timeout=10)
    workbench.edit("{name: lin,", "{name: newcomer, password: lab-new-1}\n              - {name: lin,")
    workbench.engine("up", "--yes", "--refresh")
    workbench.find_machines()
    assert workbench["mail"].succeed("id -un newcomer").strip() == "newcomer"
    deliver(workbench, "outside", "wendy@example.com", "newcomer@dc1es.tnc.edu.tw")


def test_neighbour_who_is_gone_has_no_route_any_more(workshop: Lab) -> None:
    """The route to a sender that the Internet loses is taken away on its other machines; all others stay."""
    machines = ("tn", "internet", "router")

    def routes(name: str) -> set[str]:
        return {line.strip() for line in workshop[name].succeed("ip -4 route; ip -6 route").splitlines()}

    before = {name: routes(name) for name in machines}
    internet = stack_data(ROOT, "dc1es")["internet"]
    assert isinstance(internet, dict)
    gone = internet["senders"].pop(1)
    text = workshop.stack_file.read_text(encoding="utf-8")
    text = text.replace("config:\n", f"config:\n  maillab:internet: {json.dumps(internet)}\n", 1)
    workshop.stack_file.write_text(text, encoding="utf-8")
    with unrestarted(workshop):
        up(workshop)
    for name in machines:
        lost = before[name] - routes(name)
        assert {line.split()[0] for line in lost} == {gone["ipv4"], gone["ipv6"]}
        assert routes(name) < before[name]
