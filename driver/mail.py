"""Messages with a Message-ID of their own, ways to send them, and mailboxes to find them in."""

import base64
import email
import email.message
import email.policy
import email.utils
import json
import pathlib
import re
import secrets
import shlex
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import yaml

from driver.lab import Lab
from driver.machine import Machine, wait_until
from maillab.trace.maillog import queued_as

SMTP_SCRIPT = (pathlib.Path(__file__).parent / "smtp_session.py").read_text(encoding="utf-8")
FROM_LINE = b"From "
# Does the log live, does Postfix, and where does the message lie?
WHY_NOT_LOGGED = """date; ps -eo pid,lstart,stat,wchan:20,args --forest; df -h /var; postfix status
ls -la --time-style=full-iso /var/spool/postfix/{maildrop,incoming,active,deferred,public} /var/log/mail.log /dev/log
tail -n 20 /var/log/mail.log /var/log/maillab.log"""
ARGUMENT = 60_000  # bytes of a message that fit into a command as base64 (execve(2): 128 KiB)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message as it goes over the wire: `raw` with CRLF line ends."""

    message_id: str
    raw: bytes

    @property
    def body(self) -> bytes:
        """What follows the header."""
        return self.raw.partition(b"\r\n\r\n")[2]

    @property
    def stored_body(self) -> bytes:
        """The body with the line ends of a mailbox."""
        return self.body.replace(b"\r\n", b"\n")


def new_message_id() -> str:
    """A Message-ID that no other test has."""
    return f"<{secrets.token_hex(12)}@test.invalid>"


def new_message(
    sender: str, recipient: str, subject: str = "哈囉", body: str = "第一行\r\n.\r\nlast line\r\n"
) -> Message:
    """A plain UTF-8 message."""
    message_id = new_message_id()
    message = email.message.EmailMessage(policy=email.policy.SMTP.clone(cte_type="8bit"))
    message["From"], message["To"], message["Subject"], message["Message-ID"] = sender, recipient, subject, message_id
    message["Date"] = email.utils.localtime()
    message.set_content(body.replace("\r\n", "\n"), cte="8bit")
    return Message(message_id=message_id, raw=message.as_bytes())


def crafted(body: bytes, *headers: bytes) -> Message:
    """A message of exactly these bytes: header lines without their ends, and a body with CRLF; a Message-ID first."""
    message_id = new_message_id()
    lines = [b"Message-ID: " + message_id.encode(), *headers]
    return Message(message_id=message_id, raw=b"\r\n".join([*lines, b"", body]))


def hand_in(machine: Machine, sender: str, recipient: str, mail: Message) -> None:
    """Gives `mail` to the machine's own mail server (sendmail(1)), which looks the recipient's MX up."""
    content = mail.raw.replace(b"\r\n", b"\n")
    sendmail = f"sendmail -i -f {shlex.quote(sender)} -- {shlex.quote(recipient)}"
    if len(content) <= ARGUMENT:
        machine.succeed(f"set -o pipefail; base64 -d <<<{base64.b64encode(content).decode()} | {sendmail}")
    else:
        path = f"/tmp/{mail.message_id.strip('<>')}"
        machine.put(path, content)
        machine.succeed(f"{sendmail} <{path}; status=$?; rm {path}; exit $status")


def post(lab: Lab, machine: str, sender: str, recipient: str, mail: Message) -> str:
    """Hands `mail` in at the machine; the queue id that it has there."""
    hand_in(lab[machine], sender, recipient, mail)
    return queue_id_of(lab, machine, mail.message_id)


def queue_ids_of(lab: Lab, machine: str, message_id: str) -> list[str]:
    """Every queue id under which `machine` has logged a message so far, oldest first."""
    named = " ".join(f"-e {shlex.quote(f'{key}={message_id}')}" for key in ("message-id", "msgid"))
    lines = lab[machine].execute(f"grep -F {named} /var/log/mail.log").output
    return re.findall(r" (?:postfix/cleanup|sendmail|sm-mta)\[\d+\]: (\w+): (?:message-id=|from=.*, msgid=)", lines)


def queue_id_of(lab: Lab, machine: str, message_id: str, timeout: float = 15) -> str:
    """The queue id under which `machine` first logged a message."""
    what = f"{message_id} in the log of {machine}"
    try:
        return wait_until(what, lambda: queue_ids_of(lab, machine, message_id), timeout)[0]
    except AssertionError as error:
        error.add_note(lab[machine].execute(WHY_NOT_LOGGED).output)
        raise


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A server's answer to one step of an SMTP session; code 0: the connection broke off."""

    step: str
    code: int
    text: str

    @property
    def queue_id(self) -> str:
        """The queue id under which the server took a message ("250 2.0.0 Ok: queued as ID", if it is Postfix)."""
        found = queued_as(self.text)
        assert self.code == 250, f"not taken: {self}"
        assert found, f"not taken: {self}"
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """How a session is encrypted: `host`, which the server's certificate must say, and who logs in ("": nobody).

    `authority`: the certificate (PEM) to trust, where the machine itself does not.
    """

    host: str
    user: str = ""
    password: str = ""
    authority: str = ""


def smtp(
    machine: Machine,
    server: str,
    steps: Sequence[str | bytes],
    *,
    source: str | None = None,
    port: int = 25,
    tls: Tls | None = None,
) -> list[Reply]:
    """One SMTP session from `machine` (bound to `source`) to `server`, a reply for each step.

    A step is a command without its line end, or bytes that are sent as they are (what follows DATA).
    The first reply is the greeting's, the second one that to the login, where somebody logs in.
    """
    wire = [step if isinstance(step, str) else step.decode("latin-1") for step in steps]
    kinds = ["command" if isinstance(step, str) else "bytes" for step in steps]
    plan = {
        "server": server,
        "port": port,
        "source": source,
        "tls": asdict(tls) if tls else None,
        "steps": list(zip(kinds, wire, strict=True)),
    }
    text = json.dumps(plan)
    if len(text) > ARGUMENT:
        path = f"/tmp/{secrets.token_hex(8)}.json"
        machine.put(path, text.encode())
        text = f"@{path}"
    replies = json.loads(machine.python(SMTP_SCRIPT, text))
    return [Reply(**reply) for reply in replies]


def envelope(name: str, sender: str, *recipients: str) -> list[str | bytes]:
    """The commands before the message: the client's `name`, the sender ("" is the null sender) and recipients."""
    return [f"EHLO {name}", f"MAIL FROM:<{sender}>", *(f"RCPT TO:<{recipient}>" for recipient in recipients), "DATA"]


def submit(lab: Lab, server: str, sender: str, recipient: str, mail: Message) -> str:
    """Hands `mail` to the mail server as the school's mail client does; the server's queue id."""
    steps = [*envelope("workstation.dc1es.tnc.edu.tw", sender, recipient), data(mail), "QUIT"]
    tls = login_of(lab, server, sender)
    return smtp(lab["workstation"], lab[server].ipv4, steps, port=587 if tls else 25, tls=tls)[-2].queue_id


def login_of(lab: Lab, server: str, sender: str) -> Tls | None:
    """How the sender logs in before he sends; None where nobody is asked to."""
    config = yaml.safe_load(lab.stack_file.read_text(encoding="utf-8"))["config"]
    for school in config["maillab:schools"]:
        for machine in school["machines"]:
            if machine["name"] == server and "auth" in machine.get("mail", {}):
                passwords = {user["name"]: user["password"] for user in machine["mail"]["users"]}
                name = sender.partition("@")[0]
                host = f"{machine.get('hostname', server)}.{school['domain']}"
                return Tls(host=host, user=name, password=passwords[name])
    return None


def data(mail: Message) -> bytes:
    """What follows DATA: dots stuffed, and the end (RFC 5321, section 4.5.2)."""
    return mail.raw.replace(b"\r\n.", b"\r\n..") + b".\r\n"


def _stored(machine: Machine, user: str) -> list[bytes]:
    """The messages in /var/mail/USER (mbox(5)) as they lie there, oldest first."""
    # An empty line stands before each From line, and one at the very end.
    raw = b"\n\n" + machine.get(f"/var/mail/{user}")
    parts = raw.removesuffix(b"\n\n").split(b"\n\n" + FROM_LINE)[1:]
    return [part.partition(b"\n")[2].replace(b"\n>From ", b"\nFrom ") + b"\n" for part in parts]


def mailbox(machine: Machine, user: str) -> list[email.message.EmailMessage]:
    """The messages in /var/mail/USER, oldest first."""
    return [email.message_from_bytes(text, policy=email.policy.default) for text in _stored(machine, user)]


def stored(machine: Machine, user: str, message_id: str) -> list[bytes]:
    """The bytes of the messages with this Message-ID in a user's mailbox."""
    found = []
    for text in _stored(machine, user):
        header = text.partition(b"\n\n")[0]
        if re.search(rb"(?im)^message-id:\s+" + re.escape(message_id.encode()), header):
            found.append(text)
    return found


def find(machine: Machine, user: str, message_id: str) -> list[email.message.EmailMessage]:
    """The messages with this Message-ID in a user's mailbox."""
    texts = stored(machine, user, message_id)
    return [email.message_from_bytes(text, policy=email.policy.default) for text in texts]


def received_by(message: email.message.EmailMessage) -> list[str]:
    """The hosts that wrote a Received header, first hop first (RFC 5321, section 4.4)."""
    lines = [" ".join(str(line).split()) for line in reversed(message.get_all("Received", []))]
    return [match.group(1) for line in lines if (match := re.search(r"\bby (\S+)", line))]


def received_ids(message: email.message.EmailMessage) -> list[str]:
    """The queue ids that the Received headers name, first hop first."""
    lines = [" ".join(str(line).split()) for line in reversed(message.get_all("Received", []))]
    return [match.group(1) for line in lines if (match := re.search(r"\bid (\w+)", line))]
