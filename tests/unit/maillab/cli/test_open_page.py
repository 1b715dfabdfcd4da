"""`maillab open`; docker is a script that runs what it is given here, to a server here."""

import os
import pathlib
import signal
import sys
import threading
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from typer.testing import CliRunner

from components.config.lab import Role
from components.part import pages
from maillab.cli.app import app
from maillab.cli.choice import Choice
from maillab.cli.machines import MachineRow
from maillab.cli.open_page import find_page
from maillab.cli.problem import MaillabError
from maillab.cli.stack import Stack
from tests.unit.labs import Data, Model, model

URL = "https://mail.yaes.example/"


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILLAB_LANG", "en")


@pytest.fixture(scope="module")
def standalone() -> Model:
    """The school that has webmail."""
    return model(stack="standalone")


class Hello(BaseHTTPRequestHandler):
    """A page."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"{self.headers['Host']}{self.path} says hello".encode())

    def log_message(self, *_: object) -> None:
        """Nothing: nobody reads it."""


@pytest.fixture
def server() -> Iterator[int]:
    """The port of a web server here."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Hello) as found:
        threading.Thread(target=found.serve_forever, daemon=True).start()
        yield found.server_address[1]
        found.shutdown()


@pytest.fixture
def docker(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, standalone: Model) -> pathlib.Path:
    """A script; the lab of `standalone` runs."""
    path = tmp_path / "docker"
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    row = MachineRow(name="mail", container="lab-mail", ipv4="", ipv6="", state="running", role="")
    monkeypatch.setattr("maillab.cli.send.find", lambda _stack, _name: row)
    monkeypatch.setattr("maillab.cli.configuration.stack_plan", lambda _: standalone.plan)
    monkeypatch.setattr(Choice, "reach_engine", lambda _self: None)
    return path


def does(docker: pathlib.Path, script: str) -> None:
    docker.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    docker.chmod(0o755)


def open_it(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["--stack", "standalone", "open", *words], catch_exceptions=False)
    return done.exit_code, done.output


def failure(*words: str) -> str:
    with pytest.raises(MaillabError) as raised:
        open_it(*words)
    return str(raised.value)


def visit(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a browser saw, which a person then ends the command with Ctrl-C."""
    seen: list[str] = []

    def browser(url: str) -> bool:
        with urllib.request.urlopen(url) as answer:
            seen.append(answer.read().decode())
        os.kill(os.getpid(), signal.SIGINT)
        return True

    monkeypatch.setattr("webbrowser.open", browser)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    return seen


def test_page_is_shown_until_ctrl_c(docker: pathlib.Path, server: int, monkeypatch: pytest.MonkeyPatch) -> None:
    does(docker, f'exec {sys.executable} -ISc "$6" 127.0.0.1 {server} http')
    seen = visit(monkeypatch)
    code, said = open_it("webmail")
    assert (code, seen) == (0, ["mail.yaes.example/ says hello"])
    assert said.startswith(f"webmail ({URL}) is at http://127.0.0.1:")


def test_page_without_a_name_is_the_only_one(
    docker: pathlib.Path, server: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    does(docker, f'exec {sys.executable} -ISc "$6" 127.0.0.1 {server} http')
    assert (visit(monkeypatch), open_it()[0]) == (["mail.yaes.example/ says hello"], 0)


def test_workstation_connects_to_the_server(docker: pathlib.Path, standalone: Model) -> None:
    does(docker, f'echo "$1 $2 $3 $4 $5 $7 $8 $9" >{docker.parent}/asked; echo no >&2; exit 3')
    failure("webmail")
    expected = f"exec -i {standalone.lab.prefix}workstation python3 -ISc mail.yaes.example 443 https\n"
    assert (docker.parent / "asked").read_text() == expected


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("echo Connection refused >&2; exit 3", f"mail does not answer for {URL}: Connection refused"),
        ("echo 'no such name' >&2; exit 4", f"the certificate of mail is not good for {URL}: no such name"),
        ("echo 'is not running' >&2; exit 1", "workstation: is not running"),
    ],
)
def test_what_is_wrong_is_said_before_a_browser_is_opened(
    docker: pathlib.Path, monkeypatch: pytest.MonkeyPatch, script: str, words: str
) -> None:
    does(docker, script)
    seen = visit(monkeypatch)
    assert (failure("webmail"), seen) == (words, [])


def test_port_that_is_taken(docker: pathlib.Path, server: int) -> None:
    does(docker, "exit 0")
    assert failure("--port", str(server)) == f"another program has the port {server} on 127.0.0.1"


def test_machine_that_does_not_run(docker: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    does(docker, "exit 0")
    row = MachineRow(name="workstation", container="lab-workstation", ipv4="", ipv6="", state="exited", role="")
    monkeypatch.setattr("maillab.cli.send.find", lambda _stack, _name: row)
    assert "workstation of lab standalone does not run (exited)" in failure("webmail")


def test_browser_that_is_not_there(docker: pathlib.Path, server: int, monkeypatch: pytest.MonkeyPatch) -> None:
    does(docker, f'exec {sys.executable} -ISc "$6" 127.0.0.1 {server} http')

    def browser(_: str) -> bool:
        threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()
        return False

    monkeypatch.setattr("webbrowser.open", browser)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert "no browser could be opened" in open_it()[1]


def test_root_gets_no_browser(docker: pathlib.Path, server: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """What students have written is nothing for one with root's rights."""
    does(docker, f'exec {sys.executable} -ISc "$6" 127.0.0.1 {server} http')
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)

    def root() -> int:
        threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()
        return 0

    monkeypatch.setattr(os, "geteuid", root)
    assert "open the address as yourself" in open_it()[1]
    assert opened == []


def test_page_that_is_not_there(standalone: Model, stack: Stack) -> None:
    with pytest.raises(MaillabError, match="no page webmial") as raised:
        find_page(stack, standalone.plan, "webmial")
    assert raised.value.remedy == ("did you mean webmail?", "one of: webmail")


def test_lab_without_pages(tutorial: Model, stack: Stack) -> None:
    with pytest.raises(MaillabError, match="the lab lab has no web pages"):
        find_page(stack, tutorial.plan, None)


def test_school_without_a_workstation(stack: Stack) -> None:
    def without(data: Data) -> None:
        (school,) = data["schools"]
        school["machines"] = [one for one in school["machines"] if Role.WORKSTATION not in one["roles"]]

    with pytest.raises(MaillabError, match="from a workstation of its school"):
        find_page(stack, model(without, stack="standalone").plan, "webmail")


def two_with_webmail(data: Data) -> None:
    """A second mail server with webmail."""
    (school,) = data["schools"]
    (first,) = [one for one in school["machines"] if one["name"] == "mail"]
    second = {**first, "name": "mail3", "ipv4": "163.32.182.3", "ipv6": "2001:db8:3282::3"}
    school["machines"].append(second)
    school["zone"]["records"] += ["mail3 A 163.32.182.3", "mail3 AAAA 2001:db8:3282::3"]


def test_pages_of_one_name_are_called_by_their_machines(stack: Stack) -> None:
    plan = model(two_with_webmail, stack="standalone").plan
    assert sorted(pages(plan.machines)) == ["mail/webmail", "mail3/webmail"]
    with pytest.raises(MaillabError, match="several pages"):
        find_page(stack, plan, None)
    assert find_page(stack, plan, "mail3/webmail").machine == "mail3"
