"""Logs that grow: what is shown, and how it ends; docker is a script."""

import io
import json
import os
import pathlib
import subprocess
from collections.abc import Iterator
from datetime import UTC

import pytest
from rich.console import Console
from typer.testing import CliRunner

from maillab.cli import trace_follow as module
from maillab.cli.app import app
from maillab.cli.choice import Choice
from maillab.cli.machines import MachineRow
from maillab.cli.reader import Reader
from maillab.cli.stack import Stack
from maillab.cli.trace_follow import Follower, Item, Overheard, Shown, ShownAsJson, follow
from maillab.trace.dialogue import Said
from maillab.trace.live import Live
from maillab.trace.machines import Machines
from maillab.trace.packets import EPOCH
from tests.unit.maillab.trace.captured import CAPTURED, OWNERS
from tests.unit.maillab.trace.test_dialogue import HEADER, whole

ENDS = 'tail -n +1 "$LOGS/$3.txt" 2>/dev/null; exit 1'


def row(name: str) -> MachineRow:
    return MachineRow(name=name, container=name, ipv4="", ipv6="", state="running", role="")


def follower(tmp_path: pathlib.Path, script: str, *names: str) -> Follower:
    path = tmp_path / "docker"
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "LOGS": str(CAPTURED)}
    rows = [row(name) for name in names]
    return Follower(rows=rows, machines=Machines(prefix="", environment=environment))


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    monkeypatch.setenv("MAILLAB_LANG", "en")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")


def test_lines_that_came_together_are_in_the_order_of_their_times(tmp_path: pathlib.Path) -> None:
    wanted = sum(len((CAPTURED / f"{name}.txt").read_text("utf-8").splitlines()) for name in ("mail", "tn"))
    found: list[Item] = []
    for batch in follower(tmp_path, f"{ENDS.removesuffix('; exit 1')}; exec cat", "mail", "tn").lines():
        stamps = [str(line).partition(" ")[0] for _, line in batch]
        assert stamps == sorted(stamps)
        found += batch
        if len(found) >= wanted:
            break
    assert {name for name, _ in found} == {"mail", "tn"}


def test_machine_that_ends_is_named_once_and_tried_again(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "AGAIN", 0)
    one = follower(tmp_path, f'echo x >>{tmp_path}/tries; [ "$(wc -l <{tmp_path}/tries)" -lt 4 ] || exec cat', "mail")
    lines = one.lines()
    while len((tmp_path / "tries").read_text().split() if (tmp_path / "tries").exists() else []) < 4:
        next(lines)
    assert capsys.readouterr().err.splitlines() == ["mail: its log can't be read now; it is tried again and again"]


def test_end_ends_the_docker_clients(tmp_path: pathlib.Path) -> None:
    one = follower(tmp_path, "echo; exec cat", "mail", "tn")
    lines = one.lines()
    next(lines)
    running = [followed.running for followed in one._open.values()]
    lines.close()
    assert len(running) == 2
    assert all(each.process.returncode is not None for each in running)


def test_line_without_an_end_is_not_kept(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONGEST_LINE", 10)
    one = follower(tmp_path, "head -c 3000000 /dev/zero; echo; echo ready; exec cat", "mail")
    lines = one.lines()
    while ("mail", "ready") not in next(lines):
        assert all(len(followed.rest) <= 10 for followed in one._open.values())


def shown(name: str, console_width: int = 80) -> str:
    file = io.StringIO()
    lines = (CAPTURED / f"{name}.txt").read_text("utf-8").splitlines()
    live, out = Live(owners=OWNERS), Shown(console=Console(file=file, width=console_width), width=10)
    for heard in (heard for line in lines for heard in live.take(name, line)):
        out.show(heard)
    return file.getvalue()


@pytest.mark.parametrize("name", [path.stem for path in sorted(CAPTURED.glob("*.txt"))])
def test_fits_into_80_columns(name: str) -> None:
    assert max(map(len, shown(name).splitlines())) <= 80


def test_message_with_its_name_and_number() -> None:
    assert shown("spamfilter").startswith(
        """\
              #1   <plain@trace.invalid>
08:42:11.946  #1   spamfilter  connection from outside:
"""
    )


def test_what_a_log_says_gives_the_terminal_no_orders(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "event_text", lambda _: "held \x1b]0;title\x07 \x9b2J")
    assert not [one for one in shown("mail") if not one.isprintable() and one != "\n"]


@pytest.mark.parametrize("as_json", [False, True])
def test_ctrl_c_ends_it_well(
    as_json: bool,
    tmp_path: pathlib.Path,
    stack: Stack,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    whole = follower(tmp_path, f"{ENDS.removesuffix('; exit 1')}; exec cat", "mail")

    def lines(self: Follower) -> Iterator[list[Item]]:
        yield next(given(self))
        raise KeyboardInterrupt

    given = Follower.lines
    monkeypatch.setattr(module, "of_stack", lambda _: whole.rows)
    monkeypatch.setattr(module, "environment", lambda: whole.machines.environment)
    monkeypatch.setattr(Follower, "lines", lines)
    follow(stack, as_json=as_json)
    out, err = capsys.readouterr()
    assert err.startswith("what happens to messages from now on, until Ctrl-C")
    if as_json:
        first = json.loads(out.splitlines()[0])
        assert (first["message"]["number"], first["machine"], first["kind"]) == (1, "mail", "connected")
    else:
        assert "<plain@trace.invalid>" in out


def test_reader_that_has_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    read, write = os.pipe()
    with os.fdopen(write, "w") as file:
        monkeypatch.setattr("sys.stdout", file)
        reader = Reader.of_stdout()
        assert not reader.has_gone()
        os.close(read)
        assert reader.has_gone()


@pytest.mark.parametrize("words", [["<1@a>"], ["--last"], ["--to", "a@b.tw"]])
def test_follow_is_of_all_messages(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Choice, "reach_engine", lambda _self: pytest.fail("asked the engine"))
    assert CliRunner().invoke(app, ["trace", "--follow", *words], catch_exceptions=False).exit_code == 2


def talk(tmp_path: pathlib.Path, *packets: bytes) -> Overheard:
    """Machine `mail`, whose packets are these."""
    path = tmp_path / "mail.pcap"
    path.write_bytes(HEADER + b"".join(packets))
    return Overheard(name="mail", process=subprocess.Popen(["cat", str(path)], stdout=subprocess.PIPE))


def test_what_is_said_to_a_server_comes_too_and_its_end_is_named(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = follower(tmp_path, "date +%z; exec cat", "mail")
    one.overheard.append(talk(tmp_path, *whole().packets))
    found: list[Item] = []
    for batch in one.lines():
        found += batch
        if not one.overheard:
            break
    said = [line for _, line in found if isinstance(line, Said)]
    assert (said[0].text, said[-1].text) == ("220 mail ESMTP", "221 Bye")
    assert capsys.readouterr().err == "mail: its packets can't be read any more\n"


def test_what_is_said_fits_into_80_columns_and_gives_the_terminal_no_orders() -> None:
    file = io.StringIO()
    words = Said(when=EPOCH, client="10.0.0.7", server="10.0.0.2", by_client=True, text="MAIL \x1b[2J " + "a" * 99)
    Shown(console=Console(file=file, width=80), width=10).say("spamfilter", words, "outside", UTC)
    lines = file.getvalue().splitlines()
    assert lines[0].startswith("00:00:00.000       spamfilter  outside → MAIL ?[2J")
    assert max(map(len, lines)) <= 80


def test_what_is_said_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    words = Said(when=EPOCH, client="10.0.0.7", server="10.0.0.2", by_client=True, size=20)
    ShownAsJson().say("mail", words, "tn", UTC)
    found = json.loads(capsys.readouterr().out)
    assert found == {
        "machine": "mail", "time": "1970-01-01T00:00:00+00:00", "kind": "said", "client": "tn", "by": "client",
        "size": 20,
    }  # fmt: skip


def test_dialogue_is_of_what_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Choice, "reach_engine", lambda _self: pytest.fail("asked the engine"))
    assert CliRunner().invoke(app, ["trace", "--dialogue"], catch_exceptions=False).exit_code == 2
