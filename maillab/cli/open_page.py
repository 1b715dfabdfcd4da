"""`maillab open`: a web page of the lab in the browser of the computer in front of the person."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import subprocess
import sys
import threading
import webbrowser
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import SplitResult, urlsplit

import typer

from maillab.cli.choice import chosen
from maillab.cli.completion import pages_of
from maillab.cli.problem import failed, suggesting
from maillab.cli.text import printable, text
from maillab.pages.heads import DEFAULT_PORTS
from maillab.where import naming

if TYPE_CHECKING:
    from components.plan import Plan
    from maillab.cli.stack import Stack

PROGRAM = Path(__file__).parent.parent / "pages" / "inside.py"
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
LIMIT = 120  # seconds for the first connection, on an emulated processor too


@dataclass(frozen=True, slots=True, kw_only=True)
class LabPage:
    """A page of the lab: what it is called, its machine, and the workstation whose browser would show it."""

    name: str
    url: SplitResult
    machine: str
    workstation: str

    def command(self, prefix: str) -> list[str]:
        """What takes its stdin to the page's server, by the workstation."""
        host, port = self.url.hostname or "", self.url.port or DEFAULT_PORTS[self.url.scheme]
        program = ["python3", "-ISc", PROGRAM.read_text(encoding="utf-8")]
        return ["docker", "exec", "-i", f"{prefix}{self.workstation}", *program, host, str(port), self.url.scheme]


def open_page(
    context: typer.Context,
    page: Annotated[
        str | None,
        typer.Argument(metavar="[PAGE]", help="Which page; unset, the one that there is.", autocompletion=pages_of),
    ] = None,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="The port on 127.0.0.1; unset, a free one.", show_default=False)
    ] = 0,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open a browser, or only say where.")] = True,
) -> None:
    """Show a web page of the lab in this computer's browser, until Ctrl-C: `maillab open webmail`.

    This computer alone is served, at 127.0.0.1, and each connection goes on by `docker exec` in the workstation: no
    machine of the lab gets a way out. The workstation checks the server's certificate, so that the browser need not.
    """
    from maillab.cli.configuration import stack_plan  # noqa: PLC0415
    from maillab.cli.docker import host_environment  # noqa: PLC0415
    from maillab.cli.engine import environment  # noqa: PLC0415
    from maillab.cli.send import refuse_stopped  # noqa: PLC0415

    choice = chosen(context)
    plan = stack_plan(choice.stack)
    found = find_page(choice.stack, plan, page)
    choice.reach_engine()
    for machine in (found.workstation, found.machine):
        refuse_stopped(choice.stack, machine)
    gc.enable()  # it may run for hours
    command, surroundings = found.command(plan.config.prefix), host_environment(environment())
    refuse_unreachable(choice.stack, found, command, surroundings)
    asyncio.run(_serve(found, command, surroundings, port, browser=browser))


def find_page(stack: Stack, plan: Plan, name: str | None) -> LabPage:
    """The page `name` of the lab; None: the only one. Raises MaillabError."""
    from components.config.lab import Role  # noqa: PLC0415
    from components.part import pages  # noqa: PLC0415

    there = pages(plan.machines)
    if not there:
        raise failed("no-pages", stack=stack.name)
    if name is None and len(there) > 1:
        raise failed("several-pages", stack=stack.name, names=", ".join(there))
    chosen_name = name or next(iter(there))
    if chosen_name not in there:
        raise suggesting(failed("no-such-page", name=chosen_name, names=", ".join(there)), chosen_name, there)
    machine, page = there[chosen_name]
    schools = [school for school in plan.config.schools if machine in {one.name for one in school.machines}]
    clients = [one.name for school in schools or plan.config.schools for one in school.with_role(Role.WORKSTATION)]
    if not clients:
        raise failed("no-workstation-for-page", name=chosen_name, url=page.url)
    return LabPage(name=chosen_name, url=urlsplit(page.url), machine=machine, workstation=clients[0])


def refuse_unreachable(stack: Stack, page: LabPage, command: list[str], environment: dict[str, str]) -> None:
    """Try a connection that asks for nothing. Raises MaillabError: there is none."""
    from maillab.pages.inside import UNREACHED, UNTRUSTED  # noqa: PLC0415

    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            env=environment,
            timeout=LIMIT,
        )
    except FileNotFoundError as error:
        raise failed("no-docker-client") from error
    except subprocess.TimeoutExpired as error:
        raise failed("page-silent", url=page.url.geturl(), machine=page.machine, why=f"{LIMIT} s") from error
    why = naming(done.stderr.strip(), stack.name)
    if done.returncode == UNTRUSTED:
        raise failed("page-untrusted", url=page.url.geturl(), machine=page.machine, why=why)
    if done.returncode == UNREACHED:
        raise failed("page-silent", url=page.url.geturl(), machine=page.machine, why=why)
    if done.returncode:
        raise failed("machine-silent", stack=stack.name, words=f"{page.workstation}: {why}")


async def _serve(page: LabPage, command: list[str], environment: dict[str, str], port: int, *, browser: bool) -> None:
    from maillab.pages.forward import Forwarder, PortError  # noqa: PLC0415

    over, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup
            loop.add_signal_handler(number, over.set)

    def ready(number: int) -> None:
        here = page.url._replace(scheme="http", netloc=f"127.0.0.1:{number}").geturl()
        typer.echo(text("page-is-open", name=page.name, url=page.url.geturl(), here=here))
        sys.stdout.flush()
        if browser:  # in a thread: a browser in the terminal returns at its end
            threading.Thread(target=_show, args=(here,), daemon=True).start()

    said: set[str] = set()

    def complain(words: str) -> None:
        if words not in said:  # a page has many pictures
            said.add(words)
            line = text("page-has-no-answer", machine=page.machine, why=printable(" ".join(words.split())))
            typer.echo(line, err=True)

    forwarder = Forwarder(url=page.url.geturl(), command=command, complain=complain, environment=environment)
    try:
        await forwarder.serve(port, ready, over)
    except PortError as error:
        if error.taken:
            raise failed("local-port.taken", port=port) from error
        raise failed("local-port.other", port=port, why=error) from error


def _show(url: str) -> None:
    """In the person's browser. Not as root: students' pages are nothing for a browser with such rights."""
    if os.geteuid() == 0:
        typer.echo(text("no-browser-of-root"), err=True)
        return
    try:
        shown = webbrowser.open(url)
    except webbrowser.Error:
        shown = False
    if not shown:
        typer.echo(text("no-browser"), err=True)
