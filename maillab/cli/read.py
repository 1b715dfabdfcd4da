"""`maillab read`: a user's mailbox by POP3, as a list or one message of it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from rich.console import Console

from components.config.lab import OUTSIDE
from components.plan import Plan
from maillab.cli.configuration import stack_plan
from maillab.cli.docker import host_environment
from maillab.cli.engine import environment
from maillab.cli.machines import call_of
from maillab.cli.problem import MaillabError, failed
from maillab.cli.send import explained, refuse_stopped
from maillab.cli.stack import Stack
from maillab.cli.text import printable, text
from maillab.cli.wrapped import Line, print_lines
from maillab.postman.decoded import Readable, read
from maillab.postman.mailboxes import Fetched, Mailbox, Pop3Error, Stored, fetch, mailbox_of
from maillab.postman.message import TAIPEI
from maillab.postman.problem import PostError
from maillab.trace.machines import MachineError, Machines
from maillab.where import naming

HEADERS = ("from", "to", "cc", "date", "subject", "message-id")
SHOWN = ("from", "to", "cc", "date", "subject")
# Where a session failed before somebody was logged in.
UNREACHED = ("connect", "greeting")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What somebody typed: `number` None, the list."""

    user: str
    number: int | None = None
    password: str | None = None
    raw: bool = False
    delete: bool = False


def read_mail(stack: Stack, wanted: Wanted, *, as_json: bool) -> None:
    """Show it on the standard output.

    Raises:
        MaillabError: there is no such user or message, the password is wrong, or the server does not answer.
    """
    plan = stack_plan(stack)
    try:
        mailbox = mailbox_of(plan, wanted.user)
    except PostError as error:
        raise _nobody(stack, plan, error) from error
    if wanted.password is not None:
        if not wanted.password.isprintable():
            raise failed("bad-text", words=wanted.password)
        mailbox = Mailbox(
            user=mailbox.user,
            password=wanted.password,
            client=mailbox.client,
            server=mailbox.server,
            address=mailbox.address,
            port=mailbox.port,
        )
    for machine in dict.fromkeys((mailbox.client, mailbox.server)):
        refuse_stopped(stack, machine)
    machines = Machines(prefix=plan.config.prefix, environment=host_environment(environment()))
    try:
        found = fetch(machines, mailbox, wanted.number, delete=wanted.delete)
    except Pop3Error as error:
        raise _explained(stack, mailbox, wanted, error) from error
    except MachineError as error:
        raise failed("machine-silent", stack=stack.name, words=naming(str(error), stack.name)) from error
    _show(stack, mailbox, wanted, found, as_json=as_json)


def _nobody(stack: Stack, plan: Plan, error: PostError) -> MaillabError:
    """An alias has no mailbox of its own, and a sender of the Internet none that is read by POP3."""
    name, _, domain = error.name.lower().partition("@")
    for school in plan.config.schools:
        for machine in school.machines:
            for alias in machine.mail.good_aliases if machine.mail else ():
                if alias.name.lower() == name:
                    targets = ", ".join(alias.targets)
                    return failed("alias-no-mailbox", name=alias.name, server=machine.name, targets=targets)
    if domain in {one for sender in plan.config.internet.senders for one in (sender.domain, sender.host)}:
        return failed("no-pop3-outside", address=error.name, machine=f"{call_of(stack.name)} shell {OUTSIDE}")
    return explained(stack, error)


def _explained(stack: Stack, mailbox: Mailbox, wanted: Wanted, error: Pop3Error) -> MaillabError:
    server, user = mailbox.server, mailbox.user
    if error.step in UNREACHED:
        return failed("no-pop3", server=server, why=error.words, machine=f"{call_of(stack.name)} shell {server}")
    if error.step in ("user", "login"):
        if "[IN-USE]" in error.words:
            return failed("mailbox-in-use", user=user, server=server, words=error.words)
        return failed("wrong-password", user=user, server=server, words=error.words)
    if error.step == "number":
        return failed(
            "no-such-message", number=wanted.number, user=user, list=f"{call_of(stack.name)} read {wanted.user}"
        )
    return failed("pop3-failed", user=user, server=server, step=error.step.upper(), words=error.words)


def _show(stack: Stack, mailbox: Mailbox, wanted: Wanted, found: Fetched, *, as_json: bool) -> None:
    console = Console(emoji=False, highlight=False)
    if as_json:
        print(json.dumps(read_json(mailbox, wanted, found), indent=1, ensure_ascii=False))
    elif wanted.number is None:
        print_lines(list_lines(stack, mailbox, wanted, found), console)
    elif wanted.raw:
        show_source(found.messages[0].raw)
    else:
        (message,) = found.messages
        readable = read(message.raw)
        print_lines(head_lines(message, readable), console)
        for line in readable.text.splitlines():
            # As it was written: a terminal breaks a long line by itself.
            print(printable(line.expandtabs()))
    if wanted.delete and not as_json:
        print_lines([Line(), Line(text("read-deleted", number=wanted.number, server=mailbox.server))], console)


def show_source(raw: bytes) -> None:
    """Every byte as it is, into a file; on a terminal without what would give it orders."""
    if sys.stdout.isatty():
        for line in raw.decode("utf-8", "replace").split("\n"):
            print(printable(line.expandtabs()))
    else:
        sys.stdout.flush()
        sys.stdout.buffer.write(raw)
        sys.stdout.buffer.flush()


def list_lines(stack: Stack, mailbox: Mailbox, wanted: Wanted, found: Fetched) -> Iterator[Line]:
    """The mailbox in a line, then of each message two or three."""
    if not found.total:
        yield Line(text("read-empty", user=mailbox.user, server=mailbox.server))
        return
    yield Line(text("read-mailbox", user=mailbox.user, server=mailbox.server, number=found.total), style="bold")
    if found.total > len(found.messages):
        yield Line(text("read-newest", number=len(found.messages)))
    for message in found.messages:
        readable = read(message.raw)
        head = f"{message.number}  {_date(readable)}  {_size(message.size)}  {readable.header('from')}"
        yield Line(head, indent=2)
        yield Line(readable.header("subject") or text("read-no-subject"), indent=5, style="bold")
        if verdicts := [f"{name}: {value}" for name, value in readable.verdicts]:
            yield Line("  ".join(verdicts), indent=5, style="dim")
    yield Line()
    number = found.messages[-1].number
    yield Line(text("read-one", command=f"{call_of(stack.name)} read {wanted.user} {number}"))


def head_lines(message: Stored, readable: Readable) -> Iterator[Line]:
    """The header for people, what the filter says, and what is attached."""
    for name in SHOWN:
        if value := readable.header(name):
            yield Line(f"{name.capitalize()}: {value}", style="bold" if name == "subject" else "")
    for name, value in readable.verdicts:
        yield Line(f"{name}: {value}", style="dim")
    for file in readable.files:
        name = file.name or text("read-no-name")
        yield Line(text("read-attached", name=name, kind=file.kind, size=_size(file.size)), style="yellow")
    if not readable.text.strip():
        yield Line(text("read-no-text", size=_size(message.size)))
    yield Line()


def _date(readable: Readable) -> str:
    return f"{readable.date.astimezone(TAIPEI):%Y-%m-%d %H:%M}" if readable.date else f"{'?':16}"


def _size(size: int) -> str:
    return f"{size / 1024:,.1f} KB" if size >= 1024 else text("read-bytes", number=size)


def read_json(mailbox: Mailbox, wanted: Wanted, found: Fetched) -> Mapping[str, object]:
    """For programs: what is not known is null; texts only of the message that was asked for."""
    messages = [_message_json(one, whole=wanted.number is not None, raw=wanted.raw) for one in found.messages]
    said = {"user": mailbox.user, "server": mailbox.server, "total": found.total, "messages": messages}
    return said | ({"deleted": wanted.number} if wanted.delete else {})


def _message_json(message: Stored, *, whole: bool, raw: bool) -> Mapping[str, object]:
    readable = read(message.raw)
    said: dict[str, object] = {"number": message.number, "size": message.size}
    said |= {name.replace("-", "_"): readable.header(name) or None for name in HEADERS}
    said["filter"] = dict(readable.verdicts)
    if whole:
        said["text"] = readable.text
        said["attachments"] = [{"name": one.name or None, "type": one.kind, "size": one.size} for one in readable.files]
    if whole and raw:
        said["source"] = message.raw.decode("utf-8", "replace")
    return said
