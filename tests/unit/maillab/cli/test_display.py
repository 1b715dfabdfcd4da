"""What people see of a run of the offline engine."""

import io

import pytest

from maillab.cli.display import ForPeople, readable
from maillab.offline.schema import Change
from maillab.offline.values import OfflineError

MAIL = "urn:pulumi:test::kit::command:local:Command::mail-config"


def shown() -> tuple[ForPeople, io.StringIO]:
    out = io.StringIO()
    return ForPeople(out=out), out


@pytest.mark.parametrize(
    "script", ["set -o pipefail; env -0", "printf '.end\\0'", """both ' and " and \\ """, "own", "two\nlines"]
)
def test_script_of_a_command_is_not_shown(script: str) -> None:
    display, _ = shown()
    display.diagnostic("error", MAIL, f"mail-config: exit status 1: running {script!r}:\npostfix: fatal: x")
    assert display.diagnostics[0]["message"] == "mail-config: exit status 1:\npostfix: fatal: x"


def test_other_quotes_stay() -> None:
    display, _ = shown()
    display.diagnostic("error", MAIL, "it was running 'x' and ended")
    assert display.diagnostics[0]["message"] == "it was running 'x' and ended"


def test_words_of_a_step_that_fails_are_shown_once() -> None:
    display, out = shown()

    def fail() -> None:
        with display.step(MAIL, "update") as log:
            log("postfix: fatal: x")
            raise OfflineError("mail-config: exit status 1")

    with pytest.raises(OfflineError):
        fail()
    display.diagnostic("error", MAIL, "mail-config: exit status 1: running 'a':\npostfix: fatal: x")
    display.diagnostic("error", "", "update failed")
    display.summary({}, 1.0, dry_run=False)
    assert out.getvalue().count("postfix: fatal: x") == 1
    assert "update failed" not in out.getvalue()
    assert "1 errored" in out.getvalue()


def test_words_of_a_step_that_goes_well_are_shown() -> None:
    display, out = shown()
    with display.step(MAIL, "update") as log:
        log("dc1es.tnc.edu.tw 2006030802")
    assert out.getvalue().splitlines()[1] == "    command:local:Command mail-config: dc1es.tnc.edu.tw 2006030802"


def test_log_of_a_build_that_goes_well_is_not_shown() -> None:
    display, out = shown()
    with display.step(MAIL.replace("command:local:Command", "docker:index/image:Image"), "create") as log:
        log("Step 1/7 : FROM base")
    assert "Step" not in out.getvalue()
    assert len(out.getvalue().splitlines()) == 2


def test_error_of_the_program_is_shown() -> None:
    display, out = shown()
    display.diagnostic("error", "", "the configuration has a problem")
    display.summary({"secret": 1}, 1.0, dry_run=False)
    assert "  program:\n    error: the configuration has a problem\n" in out.getvalue()
    assert "secret" not in out.getvalue()


OLD, NEW = "a\n- list\nb\n", "a\n- list\nc\n"


class Terminal(io.StringIO):
    """A terminal, as far as anybody asks."""

    def isatty(self) -> bool:
        return True


def diff_of(out: io.StringIO) -> list[str]:
    display = ForPeople(out=out, diff=True)
    change = Change(path=["environment", "/etc/motd"], old=OLD, new=NEW)
    display.planned(MAIL, "update", [change])
    return out.getvalue().splitlines()


def test_diff_has_the_path_and_no_urn() -> None:
    assert diff_of(io.StringIO()) == [
        " ~  command:local:Command mail-config update",
        "      ~ /etc/motd:",
        "          ...",
        "            a",
        "            - list",
        "          - b",
        "          + c",
    ]


def test_names_of_the_pieces_of_a_long_file_are_not_shown() -> None:
    out = io.StringIO()
    names = Change(path=["environment", "/etc/aliases#"], old="5f3c\n", new="5f3c\n77aa\n")
    piece = Change(path=["environment", "/etc/aliases#77aa"], old=None, new="new: chen")
    ForPeople(out=out, diff=True).planned(MAIL, "update", [names, piece])
    assert out.getvalue().splitlines()[1:] == ['      + /etc/aliases: "new: chen"']


def test_diff_on_a_terminal_has_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unchanged lines have none, whatever they begin with."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert diff_of(Terminal())[1:] == [
        "\x1b[33m      ~ /etc/motd:\x1b[0m",
        "          ...",
        "            a",
        "            - list",
        "\x1b[31m          - b\x1b[0m",
        "\x1b[32m          + c\x1b[0m",
    ]


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_nobody_gets_colours_who_wants_none(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv(name, value)
    assert "\x1b" not in "".join(diff_of(Terminal()))


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ('~ environment["/etc/rc.local"]:', "~ /etc/rc.local:"),
        ('~ environment["/etc/aliases#5f3c"]:', "~ /etc/aliases:"),
        ('+- environment["ZONES"]: "a" => output<string>', '+- ZONES: "a" => (known when it is made)'),
        (f'~ image: "sha256:{"0a" * 32}"', '~ image: "sha256:0a0a0a0a0a0a"'),
        ('~ parent: "urn:pulumi:lab::maillab::maillab:lab:Lab$docker:index/network:Network::lan"', '~ parent: "lan"'),
        ('~ restart: "no" => "always"', '~ restart: "no" => "always"'),
    ],
)
def test_properties_are_readable(line: str, shown: str) -> None:
    assert readable(line) == shown


def test_no_part_of_a_secret_is_shown() -> None:
    """One that looks like an id is hidden, not made short."""
    out = io.StringIO()
    display = ForPeople(out=out, diff=True)
    display.secrets.add("5f" * 32)
    display.planned(MAIL, "update", [Change(path=["environment", "KEY"], old="x", new="5f" * 32)])
    assert out.getvalue().splitlines()[1] == '      ~ KEY: "x" => "[secret]"'


def test_what_a_command_has_to_say_stays_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    out = Terminal()
    display = ForPeople(out=out)
    with display.progress(), display.step(MAIL, "update") as log:
        log("dc1es.tnc.edu.tw 2006030802")
        log("mail: messages that wait in Postfix' queue: 1", "stderr")
    assert "mail-config: mail: messages that wait in Postfix' queue: 1" in out.getvalue()
    assert "mail-config: dc1es.tnc.edu.tw 2006030802" not in out.getvalue()
