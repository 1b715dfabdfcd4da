"""Queues in one table, and the command for what to do about them."""

import io
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from rich.cells import cell_len
from rich.console import Console

from components.log import Log
from maillab.cli import queue as module
from maillab.cli.machines import MachineRow
from maillab.cli.problem import MaillabError
from maillab.cli.queue import age, queues_json, show, show_queues
from maillab.cli.stack import Stack
from maillab.postman.queues import Queued, Waiting
from tests.unit.labs import Model

NOW = datetime(2026, 11, 30, 4, 22, tzinfo=UTC)
REFUSED = "connect to 163.26.182.2[163.26.182.2]:25: Connection refused"


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILLAB_LANG", "en")
    monkeypatch.delenv("MAILLAB_STACK", raising=False)


def queued(state: str = "deferred", *recipients: Waiting, sender: str = "friend@example.com") -> Queued:
    return Queued(
        machine="spamfilter",
        queue_id="4jd9p82sBMz5w47",
        state=state,
        arrived=NOW - timedelta(minutes=12),
        size=700,
        sender=sender,
        recipients=recipients or (Waiting(address="chen@dc1es.tnc.edu.tw", reason=REFUSED),),
    )


def table(*messages: Queued, silent: dict[str, str] | None = None, stack: str = "dc1es") -> str:
    file = io.StringIO()
    found = {"mail": [], "spamfilter": list(messages)}
    show(Stack(name=stack), found, silent or {}, Console(file=file, width=80), NOW)
    return file.getvalue()


def test_table() -> None:
    assert (
        table(queued())
        == """\
machine     queue id         state     age     size
spamfilter  4jd9p82sBMz5w47  deferred  12 min  0.7 KB
    friend@example.com → chen@dc1es.tnc.edu.tw
    connect to 163.26.182.2[163.26.182.2]:25: Connection refused

What to do:
  spamfilter, deferred: 1
    try all now:  bin/maillab shell spamfilter postqueue -f
    route again:  bin/maillab shell spamfilter postsuper -r ALL deferred
    read it:      bin/maillab shell spamfilter postcat -q 4jd9p82sBMz5w47
    delete it:    bin/maillab shell spamfilter postsuper -d 4jd9p82sBMz5w47
"""
    )


def test_sendmail_has_other_commands() -> None:
    files = "bin/maillab shell spamfilter find /var/spool/mqueue -name '?f4jd9p82sBMz5w47'"
    assert table(replace(queued(), log=Log.SENDMAIL)).partition("deferred: 1\n")[2].splitlines() == [
        "    try all now:  bin/maillab shell spamfilter sendmail -q",
        f"    read it:      {files} -exec cat {{}} +",
        f"    delete it:    {files} -delete",
    ]


def test_message_on_hold_can_go_on() -> None:
    said = table(queued("hold"))
    assert "bin/maillab shell spamfilter postsuper -H 4jd9p82sBMz5w47" in said
    assert "postqueue -f" not in said, "it does nothing about what is on hold"


def test_command_names_the_stack_that_is_not_the_usual_one() -> None:
    assert "bin/maillab --stack other shell spamfilter postsuper -H" in table(queued("hold"), stack="other")


def test_nothing_waits() -> None:
    assert table() == "Nothing waits on mail, spamfilter.\n"


def test_machine_that_could_not_be_asked_is_named() -> None:
    assert table(silent={"tn": "exited"}).startswith("tn could not be asked: exited\n")


@pytest.mark.parametrize("language", ["en", "zh-TW"])
@pytest.mark.parametrize("state", ["active", "deferred", "hold", "incoming"])
def test_fits_into_80_columns(language: str, state: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILLAB_LANG", language)
    many = [Waiting(address=f"user{number}@dc1es.tnc.edu.tw", reason=f"{REFUSED} {number}") for number in range(30)]
    assert max(map(cell_len, table(queued(state, *many)).splitlines())) <= 80


def test_many_recipients_and_messages_are_counted() -> None:
    many = [Waiting(address=f"user{number}@b.tw", reason=REFUSED) for number in range(30)]
    said = table(*[queued("hold", *many)] * 60)
    assert "user4@b.tw, and 25 more" in " ".join(said.split())
    assert "spamfilter: and 10 more" in said


def test_what_a_server_says_gives_the_terminal_no_orders() -> None:
    said = table(queued("hold", Waiting(address="a@b.tw", reason="\x1b]0;title\x07"), sender="\x9b2J@b.tw"))
    assert "?]0;title?" in said
    assert not [one for one in said if not one.isprintable() and one != "\n"]


def test_bounce_has_the_null_sender() -> None:
    assert "    <> → chen@" in table(queued(sender=""))


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-3, "0 s"), (59.9, "59 s"), (60, "1 min"), (3599, "59 min"), (3600, "1 h"), (86400, "1 d"), (1e6, "11 d")],
)
def test_age(seconds: float, words: str) -> None:
    assert age(seconds) == words


def test_json() -> None:
    found = {"mail": [], "spamfilter": [queued("hold", Waiting(address="a@b.tw"))]}
    said = json.loads(json.dumps(queues_json(Stack(name="dc1es"), found, {"tn": "exited"})))
    assert [one["machine"] for one in said["servers"]] == ["mail", "spamfilter"]
    (message,) = said["servers"][1]["messages"]
    assert (message["state"], message["recipients"]) == ("hold", [{"address": "a@b.tw", "reason": None}])
    assert said["unread"] == [{"machine": "tn", "why": "exited"}]
    assert said["next"][0]["commands"][1] == "bin/maillab shell spamfilter postsuper -H 4jd9p82sBMz5w47"


@pytest.fixture
def asked(tutorial: Model, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The servers that were asked; `tn` does not run."""
    names: list[str] = []

    def look(_: object, servers: Mapping[str, object]) -> tuple[dict[str, list[Queued]], dict[str, str]]:
        names.extend(servers)
        return {name: [] for name in servers}, {}

    rows = [
        MachineRow(name=name, container=name, ipv4="", ipv6="", role="", state="exited" if name == "tn" else "running")
        for name in tutorial.plans
    ]
    monkeypatch.setattr(module, "stack_plan", lambda _: tutorial.plan)
    monkeypatch.setattr(module, "of_stack", lambda _: rows)
    monkeypatch.setattr(module, "queues", look)
    return names


def test_all_servers_that_run_are_asked(asked: list[str], stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    show_queues(stack, None, as_json=False)
    assert asked == ["mail", "mail2", "spamfilter", "outside"]
    assert "tn could not be asked: exited" in capsys.readouterr().out


def test_one_server_is_asked(asked: list[str], stack: Stack) -> None:
    show_queues(stack, "mail2", as_json=True)
    assert asked == ["mail2"]


@pytest.mark.parametrize(
    ("name", "words"),
    [("mial", "there is no machine mial"), ("dns", "dns has no mail server"), ("tn", "no mail server could be asked")],
)
@pytest.mark.usefixtures("asked")
def test_server_that_is_none(stack: Stack, name: str, words: str) -> None:
    with pytest.raises(MaillabError, match=words):
        show_queues(stack, name, as_json=False)
