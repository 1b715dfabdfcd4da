"""Sendmail's log lines in Postfix' words: what reads mail logs has to know one of them only.

What Sendmail's lines say is in its Operations Guide, section 2.1 ("The System Log"). A message's lines keep its queue
id, so that what is searched for by it is found in the machine's own log.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address

from components.config.mail import MESSAGE_SIZE_LIMIT

LINE = re.compile(
    r"^(?P<stamp>\S+) (?P<host>\S+) (?:sm-mta|sm-msp(?:-queue)?|sendmail)\[(?P<process>\d+)\]: "
    r"(?:(?P<id>[0-9A-Za-z]{14,}|NOQUEUE): )?(?P<rest>.*)$"
)
PROGRAMS = (" sm-mta[", " sm-msp[", " sm-msp-queue[", " sendmail[")
# `name [address]`, either of which may be missing.
PEER = re.compile(r"^(?P<name>[^\s\[]*?)\.? ?\[(?:IPv6:)?(?P<address>[^\]]+)\]")
TAKEN = re.compile(
    r"^from=<?(?P<sender>.*?)>?, size=(?P<size>\d+), class=-?\d+, nrcpts=(?P<recipients>\d+)"
    r"(?:, msgid=(?P<message_id>.*?))?(?:, (?:bodytype|proto|tls_verify|auth)=.*?)*(?:, daemon=[^,]+)?(?:, tls.*?)?"
    r", relay=(?P<relay>.*)$"
)
DELIVERY = re.compile(
    r"^to=(?P<to>.*?), (?:ctladdr=.*?, )?delay=[\d:+]+, (?:xdelay=[\d:+]+, )?(?:mailer=(?P<mailer>[^,]+), )?pri=\d+, "
    r"(?:relay=(?P<relay>.*?), )?(?:dsn=(?P<dsn>[\d.]+), )?(?:reply=(?P<reply>.*?), )?stat=(?P<stat>.*)$"
)
REFUSED = re.compile(r"^ruleset=check_(?P<stage>\w+), arg1=(?P<what>.*?),.* reject=(?P<text>\d{3} .*)$")
UNKNOWN = re.compile(r"^(?P<to><[^>]*>)\.\.\. (?P<text>User unknown|No such user.*)$")
ALIAS = re.compile(r"^alias (?P<name>.*?) => (?P<targets>.*)$")
NOTICE = re.compile(r"^(?P<notice>[0-9A-Za-z]{14,}): (?:DSN|return to sender|sender notify|postmaster notify): ")
CONNECT = "connect from "
LOOPBACK = ("127.0.0.1", "::1")
# They say nothing of a message.
OUTGOING = "SMTP outgoing connect on "
SILENT = (
    "stopping daemon",
    "AUTH warning",
    "Milter: ",
    OUTGOING,
    "ruleset=",
    "tls_srv_features",
    "STARTTLS",
)
TOO_LONG = re.compile(r"^message size \(\d+\) exceeds maximum \((?P<limit>\d+)\)$")
STAGES = {"rcpt": "RCPT", "mail": "MAIL", "relay": "CONNECT"}
TOO_LARGE = "552 5.2.3 Message size exceeds fixed maximum message size"


@dataclass(slots=True, kw_only=True)
class Entry:
    """What was said of a message so far: refusals as (stage, recipient, answer); whose it is; where aliases led."""

    peer: str = ""
    sender: str = ""
    refusals: list[tuple[str, str, str]] = field(default_factory=list)
    aliases: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Translator:
    """Reads one machine's log line by line; Postfix' own lines stay as they are."""

    _entries: dict[str, Entry] = field(default_factory=dict)
    _host: str = ""  # its whole name, once a line has had it

    def lines(self, line: str) -> Iterator[str]:
        """What a line means: several lines, or none."""
        if not any(program in line for program in PROGRAMS) or (match := LINE.match(line)) is None:
            yield line
            return
        start, queue_id = f"{match['stamp']} {match['host']}", match["id"] or ""
        for program, owner, text in self._said(match["host"], queue_id, match["rest"]):
            yield f"{start} postfix/{program}[{match['process']}]: {f'{owner}: ' if owner else ''}{text}"

    def _said(self, host: str, queue_id: str, rest: str) -> Iterator[tuple[str, str, str]]:
        """(program, queue id, text) of each line."""
        if queue_id == "NOQUEUE":
            if rest.startswith(CONNECT) and (peer := _peer(rest.removeprefix(CONNECT))):
                yield "smtpd", "", f"{CONNECT}{peer}"
        elif not queue_id or self._is_noted(queue_id, rest):
            return
        elif taken := TAKEN.match(rest):
            yield from self._taken(queue_id, taken)
        elif size := TOO_LONG.match(rest):
            yield from self._too_long(queue_id, size["limit"])
        elif delivery := DELIVERY.match(rest):
            for text in self._delivered(host, queue_id, delivery):
                yield "local" if delivery["mailer"] == "local" else "smtp", queue_id, text
        elif rest.startswith("done; "):
            self._entries.pop(queue_id, None)
            yield "qmgr", queue_id, "removed"
        elif notice := NOTICE.match(rest):
            yield "bounce", queue_id, f"sender non-delivery notification: {notice['notice']}"
        else:
            yield "sendmail", queue_id, rest

    def _is_noted(self, queue_id: str, rest: str) -> bool:
        """Is it something to remember, for a line that comes later, or nothing at all?"""
        entry = self._entries.setdefault(queue_id, Entry())
        if refused := REFUSED.match(rest):
            stage = STAGES.get(refused["stage"], "RCPT")
            entry.refusals.append((stage, _bare(refused["what"]) if stage == "RCPT" else "", refused["text"]))
        elif unknown := UNKNOWN.match(rest):
            entry.refusals.append(("RCPT", _bare(unknown["to"]), f"550 5.1.1 {unknown['to']}... {unknown['text']}"))
        elif alias := ALIAS.match(rest):
            name = _bare(alias["name"]).lower()
            for target in alias["targets"].split(", "):
                entry.aliases.setdefault(_bare(target).lower(), entry.aliases.get(name, _bare(alias["name"])))
        else:
            if rest.startswith(OUTGOING) and not rest.endswith(" localhost"):
                self._host = rest.removeprefix(OUTGOING)
            return rest.startswith(SILENT)
        return True

    def _taken(self, queue_id: str, taken: re.Match[str]) -> Iterator[tuple[str, str, str]]:
        """The session's end for this message: what was refused, and whether it was taken."""
        sender, size, peer = taken["sender"], int(taken["size"]), _peer(taken["relay"])
        entry = self._entries[queue_id]
        entry.peer, entry.sender = peer, sender
        if int(taken["recipients"]) == 0 and size > MESSAGE_SIZE_LIMIT and not entry.refusals:
            entry.refusals.append(("MAIL", "", TOO_LARGE))
        if taken["message_id"] is None:
            self._entries.pop(queue_id)
        else:
            if peer:
                yield "smtpd", queue_id, f"client={peer}"
            elif taken["relay"].startswith("root@"):
                yield "pickup", queue_id, f"uid=0 from=<{sender}>"
            yield "cleanup", queue_id, f"message-id={taken['message_id']}"
        for stage, recipient, text in entry.refusals:
            to = f" to=<{recipient}>" if recipient else ""
            owner = "NOQUEUE" if taken["message_id"] is None else queue_id
            yield "smtpd", owner, f"reject: {stage} from {peer}: {text}; from=<{sender}>{to} proto=ESMTP"
        if taken["message_id"] is not None:
            yield "qmgr", queue_id, f"from=<{sender}>, size={size}, nrcpt={taken['recipients']} (queue active)"

    def _too_long(self, queue_id: str, limit: str) -> Iterator[tuple[str, str, str]]:
        """It is refused at the end of its text, after its line of what was taken."""
        entry = self._entries.pop(queue_id)
        words = f"552 5.2.3 Message exceeds maximum fixed size ({limit}); from=<{entry.sender}> proto=ESMTP"
        yield "smtpd", queue_id, f"reject: DATA from {entry.peer}: {words}"
        yield "qmgr", queue_id, "removed"

    def _delivered(self, host: str, queue_id: str, delivery: re.Match[str]) -> Iterator[str]:
        """A line for each recipient."""
        said, mailer = delivery["stat"], delivery["mailer"]
        # What has no mailer was not tried: the session ended before, or the message was refused.
        if mailer is None or said == "queued":
            return
        dsn = delivery["dsn"] or ("2.0.0" if said.startswith("Sent") else "4.0.0")
        peer = _peer(delivery["relay"] or "") if mailer != "local" else ""
        status = {"2": "sent", "5": "bounced"}.get(dsn[0], "deferred")
        relay = f"{peer}:25" if peer else "local" if mailer in ("local", "prog", "*file*") else "none"
        aliases = self._entries[queue_id].aliases
        for to in [delivery["to"]] if mailer in ("prog", "*file*") else delivery["to"].split(","):
            name = _bare(to)
            origin = aliases.get(name.lower(), "")
            whole = name if "@" in name else f"{name}@{origin.rpartition('@')[2] or self._host or host}"
            if mailer in ("prog", "*file*"):
                whole = origin or whole
            orig_to = f"orig_to=<{origin}>, " if origin and origin.lower() != whole.lower() else ""
            response = _response(delivery, status, peer, name)
            yield f"to=<{whole}>, {orig_to}relay={relay}, delay=0, dsn={dsn}, status={status} ({response})"


def _response(delivery: re.Match[str], status: str, peer: str, name: str) -> str:
    """What Postfix would have in brackets."""
    said, mailer, reply = delivery["stat"], delivery["mailer"], delivery["reply"]
    if status == "sent":
        known: Mapping[str, str] = {
            "local": "delivered to mailbox",
            "prog": f"delivered to command: {name.strip('|')}",
            "*file*": f"delivered to file: {name}",
        }
        return known.get(mailer, f"250 {delivery['dsn']} {said.removeprefix('Sent').strip(' ()')}")
    if reply and peer:
        return f"host {peer} said: {reply}"
    return reply or (said.removeprefix("Deferred: ") if status == "deferred" else f"{delivery['dsn']} {said}")


def _bare(address: str) -> str:
    """Without brackets, or the quotes of a program."""
    bare = address.strip().removeprefix("<").removesuffix(">")
    return bare.strip('"') if bare.startswith('"|') else bare


def _peer(text: str) -> str:
    """`name[address]`, as Postfix has it; empty: it names no address."""
    if (match := PEER.match(text)) is None:
        return ""
    try:
        address = str(ip_address(match["address"]))
    except ValueError:
        return ""
    return f"{match['name'] or ('localhost' if address in LOOPBACK else 'unknown')}[{address}]"


def in_postfix_words(lines: Iterable[str]) -> Iterator[str]:
    """A whole log."""
    translator = Translator()
    for line in lines:
        yield from translator.lines(line)
