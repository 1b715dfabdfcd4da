"""`maillab send`: a message from any address of the lab, what its first server answered, and what became of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console

from components.plan import Plan
from maillab.cli.configuration import stack_plan
from maillab.cli.docker import RUNNING, host_environment
from maillab.cli.engine import environment
from maillab.cli.machines import call_of, find, somebody_of
from maillab.cli.problem import MaillabError, failed, suggesting
from maillab.cli.stack import Stack
from maillab.cli.text import text
from maillab.cli.trace_text import end_text, event_text
from maillab.cli.trace_tree import journey_json
from maillab.cli.wrapped import Line, print_lines
from maillab.postman.follow import Logs, is_at_rest
from maillab.postman.message import Attachment, Message
from maillab.postman.problem import NAME, Fault, PostError, refuse_form
from maillab.postman.send import Answer, send
from maillab.postman.session import Reply
from maillab.postman.way import addresses, way_of, whole_address
from maillab.trace.events import Kind
from maillab.trace.journey import Journey, Stay
from maillab.trace.machines import MachineError, Machines
from maillab.trace.outcome import Outcome, ends
from maillab.verify.directory import directory
from maillab.where import naming

SECONDS = 10  # for each answer of the first server
LARGEST = 100 * 1024 * 1024  # bytes: five times what the lab's servers take
SIZE = re.compile(r"(\d{1,12})\s*([km]?)b?", re.IGNORECASE)
FACTORS = {"": 1, "k": 1024, "m": 1024 * 1024}
NAMED = 20  # addresses that there are, where the wanted one is not
GOOD, BAD, BETWEEN, HEAD = "green", "red", "yellow", "bold cyan"
# What a server did with a message, and not how it came there.
ANSWERS = frozenset(Kind) - {Kind.CONNECTED, Kind.HANDED_IN, Kind.QUEUED, Kind.LOGGED_IN, Kind.OTHER}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What somebody typed; None: he said nothing of it."""

    sender: str | None = None
    recipient: str | None = None
    subject: str | None = None
    body: str | None = None
    attach: tuple[Path, ...] = ()
    spam: bool = False
    virus: bool = False
    size: int = 0
    via: str | None = None
    helo: str | None = None

    def message(self, plan: Plan) -> Message:
        """The message that he means.

        Raises:
            MaillabError: a file can't be read.
            PostError: nobody has such a name.
        """
        somebody = somebody_of(plan.config) or addresses(plan)[0]
        friend = f"friend@{plan.config.internet.senders[0].domain}"
        message = Message(
            sender="" if self.sender in ("", "<>") else _address(plan, self.sender or friend),
            recipient=_address(plan, self.recipient or somebody),
            subject=text("send-subject") if self.subject is None else self.subject,
            body=text("send-body") if self.body is None else self.body,
            attachments=tuple(map(_attachment, self.attach)),
            spam=self.spam,
            virus=self.virus,
            size=self.size,
            via=self.via,
            helo=self.helo,
        )
        return _not_to_its_own_server(plan, message)


def size_of(written: str) -> int | None:
    """Bytes: `2000`, `100k`, `5M`; None when it says no size, or one that is too large."""
    match = SIZE.fullmatch(written.strip())
    size = int(match[1]) * FACTORS[match[2].lower()] if match else LARGEST + 1
    return size if size <= LARGEST else None


def send_message(stack: Stack, wanted: Wanted, *, as_json: bool) -> bool:
    """Send it, show what came of it, and answer whether the first server took it.

    Raises:
        MaillabError: the configuration is bad, there is no lab, or what was asked for can't be.
    """
    plan = stack_plan(stack)
    machines = Machines(prefix=plan.config.prefix, environment=host_environment(environment()))
    logs = Logs(machines=machines, plan=plan)
    words = Console(stderr=True)
    try:
        message = wanted.message(plan)
        refuse_form(message)
        way = way_of(plan, message)
        refuse_stopped(stack, way.client)
        journey = None
        with logs.at_work():
            with words.status(text("send-speaking", client=way.client, server=way.server)):
                answer = send(machines, plan, message, SECONDS)
            if answer.taken:
                with words.status(text("send-following")):
                    journey = logs.follow(message.message_id)
    except PostError as error:
        raise explained(stack, error) from error
    except MachineError as error:
        raise failed("machine-silent", stack=stack.name, words=naming(str(error), stack.name)) from error
    if as_json:
        print(json.dumps(sent_json(stack, answer, journey), indent=1, ensure_ascii=False))
    else:
        console = Console(emoji=False, highlight=False)
        print_lines(sent_lines(answer, journey), console)
        if answer.taken:
            # A whole line, which a terminal breaks by itself: a command can be copied.
            print(text("send-trace", command=trace_command(stack, message)))
    return answer.taken


def refuse_stopped(stack: Stack, machine: str) -> None:
    """Refuse a machine that does not run (MaillabError)."""
    row = find(stack, machine)
    if row.state != RUNNING:
        raise failed("machine-stopped", stack=stack.name, machine=machine, state=row.state)


def explained(stack: Stack, error: PostError) -> MaillabError:
    """The error for people, with what was meant, perhaps, and what there is."""
    names = ", ".join(error.known[:NAMED]) + (" …" if len(error.known) > NAMED else "")
    if error.fault is Fault.SENDER:
        return _meaning(failed("no-sender-address", stack=stack.name, address=error.name, names=names), error)
    if error.fault is Fault.MACHINE:
        return _meaning(failed("no-machine", stack=stack.name, machine=error.name, names=names), error)
    if error.fault is Fault.USER:
        return _meaning(failed("no-mailbox", stack=stack.name, user=error.name, names=names), error)
    if error.fault is Fault.NO_SERVER:
        return failed("no-mail-server", machine=error.name, names=names)
    if error.fault is Fault.ADDRESS:
        return failed("bad-address", address=error.name)
    return failed("bad-text", words=error.name[:200])


def _meaning(error: MaillabError, about: PostError) -> MaillabError:
    """With the name that was meant: of an address the part before the @ alone, too."""
    if "@" in about.name:
        return suggesting(error, about.name, about.known)
    return suggesting(error, about.name, [one.partition("@")[0] for one in about.known])


def _attachment(path: Path) -> Attachment:
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise failed("no-attachment", path=path, why=error.strerror or error) from error
    if len(content) > LARGEST:
        raise failed("no-attachment", path=path, why=text("too-large", limit=LARGEST // FACTORS["m"]))
    return Attachment(name=path.name, content=content)


def _address(plan: Plan, name: str) -> str:
    """A user's, who may be named without the domain. Raises PostError."""
    address = whole_address(plan, name)
    if "@" not in address and NAME.fullmatch(address):
        raise PostError(Fault.SENDER, address, addresses(plan))
    return address


def _not_to_its_own_server(plan: Plan, message: Message) -> Message:
    """A name that the client calls itself by is for somebody else's server: the recipient's best one."""
    if message.helo is None or message.via is not None:
        return message
    try:
        way = way_of(plan, message)
    except PostError:  # reported when it is sent
        return message
    found = directory(plan.config, plan.machines)
    servers = found.servers(message.recipient.rpartition("@")[2].lower())
    if way.client != way.server or not servers:
        return message
    return replace(message, via=found.owners.get(servers[0][1]))


def sent_lines(answer: Answer, journey: Journey | None) -> Iterator[Line]:
    """What was sent, the session, what each hop said, and where the message is now."""
    message, way = answer.message, answer.way
    yield Line(message.message_id, style="bold")
    yield Line(f"{message.sender or '<>'} → {message.recipient}")
    source = text("send-client", client=way.client, address=way.source) if way.source else way.client
    yield Line()
    yield Line(text("send-session", client=source, server=way.server, address=way.address), style=HEAD)
    for reply in answer.replies:
        if reply.step not in ("connect", "."):
            yield Line(f"→ {reply.step}", indent=2)
        yield Line(f"← {_said(reply)}", indent=2, style="" if reply.is_good else BAD)
    if answer.refusal:
        yield Line()
        yield Line(_refused(answer.refusal, way.server), style=BAD)
        return
    yield from _followed(journey)
    yield Line()


def _said(reply: Reply) -> str:
    """Its lines as one, the code once."""
    if reply.code == 0:
        return text("send-no-answer", why=reply.text)
    return f"{reply.code} {', '.join(line[4:] for line in reply.lines)}"


def _refused(reply: Reply, server: str) -> str:
    if reply.code == 0:
        return (
            text("send-not-reached", server=server) if reply.step == "connect" else text("send-broken", server=server)
        )
    if reply.code < 500:
        return text("send-later", server=server)
    return text("send-refused", server=server)


def _followed(journey: Journey | None) -> Iterator[Line]:
    yield Line()
    if journey is None:
        yield Line(text("send-unseen"), style=BETWEEN)
        return
    yield Line(text("send-hops"), style=HEAD)
    for root in journey.roots:
        yield from _hops(root)
    yield Line(text("trace-ends"), style=HEAD)
    for end in ends(journey):
        mark, style = ("✓", GOOD) if end.outcome in (Outcome.MAILBOX, Outcome.GONE) else ("✗", BAD)
        if not end.outcome.is_final:
            mark, style = "…", BETWEEN
        yield Line(f"{mark} {end_text(end)}", indent=2, style=style)
    if not is_at_rest(journey):
        yield Line(text("send-under-way"), style=BETWEEN)


def _hops(stay: Stay) -> Iterator[Line]:
    """Each machine, and what it answered or was answered."""
    yield Line(f"{stay.machine}  {stay.queue_id}".rstrip(), indent=2, style="bold")
    for event in stay.events:
        if event.kind in ANSWERS:
            yield Line(event_text(event), indent=4)
    for following in stay.following:
        yield from _hops(following)


def trace_command(stack: Stack, message: Message) -> str:
    """What shows the whole way."""
    return f"{call_of(stack.name)} trace {message.message_id.strip('<>')}"


def sent_json(stack: Stack, answer: Answer, journey: Journey | None) -> Mapping[str, object]:
    """For programs: what is not known is null."""
    message, way = answer.message, answer.way
    return {
        "message_id": message.message_id,
        "sender": message.sender,
        "recipient": message.recipient,
        "client": way.client,
        "source": str(way.source) if way.source else None,
        "server": way.server,
        "address": str(way.address),
        "helo": way.helo,
        "taken": answer.taken,
        "queue_id": answer.queue_id,
        "replies": [{"step": one.step, "code": one.code or None, "lines": list(one.lines)} for one in answer.replies],
        "message": journey_json(journey) if journey else None,
        "at_rest": is_at_rest(journey) if journey else not answer.taken,
        "trace": trace_command(stack, message),
    }
