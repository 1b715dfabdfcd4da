"""The tutorial's six steps from client to client, in both directions, with the path proven at each hop."""

from tests.support.lab import Hop, Lab
from tests.support.mail import data, find, letter, post, received_by, smtp

SENDER = "wendy@example.com"
ADMIN = "admin@dc1es.tnc.edu.tw"


def path(hops: list[Hop]) -> list[str]:
    """The machines of a trail."""
    return [hop.machine for hop in hops]


def test_mail_from_outside_takes_the_mx_chain(lab: Lab) -> None:
    mail = letter(SENDER, ADMIN)
    hops = lab.wait_for_delivery("outside", post(lab, "outside", SENDER, ADMIN, mail), ADMIN)
    assert path(hops) == ["outside", "spamfilter", "mail"]


def test_mail_from_outside_is_in_the_mailbox_unchanged(lab: Lab) -> None:
    mail = letter(SENDER, ADMIN)
    lab.wait_for_delivery("outside", post(lab, "outside", SENDER, ADMIN, mail), ADMIN)
    (message,) = find(lab["mail"], "admin", mail.message_id)
    assert message.get_payload(decode=True) == mail.body.replace(b"\r\n", b"\n")
    assert message["Subject"] == "哈囉"


def test_each_hop_writes_a_received_header(lab: Lab) -> None:
    mail = letter(SENDER, ADMIN)
    lab.wait_for_delivery("outside", post(lab, "outside", SENDER, ADMIN, mail), ADMIN)
    (message,) = find(lab["mail"], "admin", mail.message_id)
    names = ["mail.example.com", "spamfilter.dc1es.tnc.edu.tw", "mail.dc1es.tnc.edu.tw"]
    assert received_by(message) == names


def test_mx_answer_outside_names_the_filter_first(lab: Lab) -> None:
    answer = lab["outside"].succeed("dig +short MX dc1es.tnc.edu.tw | sort -n").split("\n")
    assert answer[:2] == ["0 spamfilter.dc1es.tnc.edu.tw.", "10 mail.dc1es.tnc.edu.tw."]


def test_client_in_the_school_reaches_a_client_outside(lab: Lab) -> None:
    """Submission to the mail server, relayhost, MX of tn.edu.tw, and POP3 there."""
    recipient = "tnuser@tn.edu.tw"
    mail = letter(ADMIN, recipient)
    replies = smtp(
        lab["workstation"],
        lab["mail"].ipv4,
        ["EHLO workstation.dc1es.tnc.edu.tw", f"MAIL FROM:<{ADMIN}>", f"RCPT TO:<{recipient}>", "DATA", data(mail)],
    )
    assert replies[-1].code == 250, replies
    queue_id = replies[-1].text.rpartition(" ")[2]
    hops = lab.wait_for_delivery("mail", queue_id, recipient)
    assert path(hops) == ["mail", "spamfilter", "tn"]
    assert len(find(lab["tn"], "tnuser", mail.message_id)) == 1


def test_pop3_gives_the_message_to_the_client(lab: Lab) -> None:
    mail = letter(SENDER, ADMIN)
    lab.wait_for_delivery("outside", post(lab, "outside", SENDER, ADMIN, mail), ADMIN)
    script = (
        "import poplib, sys\n"
        f"box = poplib.POP3('{lab['mail'].ipv4}', timeout=20)\n"
        "box.user('admin'); box.pass_('lab-admin-2006')\n"
        "count = box.stat()[0]\n"
        "letters = [b'\\n'.join(box.retr(i + 1)[1]) for i in range(count)]\n"
        "print(sum(sys.argv[1].encode() in text for text in letters))\n"
    )
    assert lab["workstation"].python(script, mail.message_id).strip() == "1"
