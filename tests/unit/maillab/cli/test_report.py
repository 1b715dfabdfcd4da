"""What a machine says of itself."""

from datetime import UTC, datetime

import pytest

from maillab.cli.report import (
    Disk,
    Edit,
    NoProgramError,
    Report,
    ReportError,
    Service,
    ask_machines,
    read_report,
)
from tests.unit.conftest import Program

SAID = """\
state\tconfigured
updated\t1795995291
queue\tactive\t1
role\tpostfix\twell
queue\thold\t2
edited\tmode\t/etc/mailname
edited\tedited\t/etc/a b
role\tbind\tbroken\tno answer\tat all
disk\t24\t73057280\t/var/spool/a b
end
"""
UNDERSTOOD = Report(
    state="configured",
    services=(Service(name="bind", well=False, why="no answer at all"), Service(name="postfix", well=True)),
    edits=(Edit(how="edited", path="/etc/a b"), Edit(how="mode", path="/etc/mailname")),
    disk=Disk(used=24, free=73057280, where="/var/spool/a b"),
    queue={"active": 1, "hold": 2},
    updated=datetime(2026, 11, 29, 23, 34, 51, tzinfo=UTC),
)


def test_report_is_read_in_any_order() -> None:
    assert read_report(SAID) == UNDERSTOOD
    *lines, end = SAID.splitlines()
    assert read_report("\n".join([*reversed(lines), end])) == UNDERSTOOD


def test_only_what_is_not_well_is_broken() -> None:
    assert [service.name for service in UNDERSTOOD.broken] == ["bind"]


def test_logins_are_counted() -> None:
    assert read_report("logins\tsent\t7\nlogins\trefused\t3\nend").logins == {"sent": 7, "refused": 3}


def test_queues_of_two_servers_are_added() -> None:
    assert read_report("queue\tactive\t1\nqueue\tactive\t3\nend").queue == {"active": 4}


@pytest.mark.parametrize("text", ["", "state\tconfigured\n", SAID.removesuffix("end\n"), "end\nstate\tconfigured\n"])
def test_report_that_was_cut_off_is_none(text: str) -> None:
    with pytest.raises(ReportError, match="ends early"):
        read_report(text)


@pytest.mark.parametrize(
    "line",
    [
        "disk\t24",
        "disk\tx\t1\t/",
        "queue\tactive",
        "updated\tlong ago",
        "updated\t9" + 30 * "9",
        "role\tbind",
        "edited\tby me\t/etc/x",
    ],
)
def test_line_that_is_not_understood(line: str) -> None:
    with pytest.raises(ReportError, match="not understood"):
        read_report(f"{line}\nend\n")


def test_each_machine_is_asked_for_itself(program: Program) -> None:
    program(
        "docker",
        """case "$2" in one) printf 'state\\tconfigured\\nend\\n';; *) echo "no such thing: $2" >&2; exit 1; esac""",
    )
    answers = ask_machines(["one", "two"])
    assert answers["one"] == Report(state="configured")
    assert str(answers["two"]) == "no such thing: two"


def test_report_gives_a_terminal_no_orders(program: Program) -> None:
    program(
        "docker",
        r"""case "$2" in
          one) printf 'state\tconfigured\nrole\tbind\tbroken\t\033[2J中文\302\233m\342\200\256\nend\n';;
          *) printf '\033[31mno\nsuch' >&2; exit 1;;
        esac""",
    )
    answers = ask_machines(["one", "two"])
    assert answers["one"] == Report(state="configured", services=(Service(name="bind", well=False, why="?[2J中文?m?"),))
    assert str(answers["two"]) == "?[31mno such"


@pytest.mark.parametrize("where", ["1", "2"])
def test_answer_without_an_end_is_not_read_for_ever(program: Program, where: str) -> None:
    program("docker", f"exec yes 'role' >&{where}")
    error = ask_machines(["one"], seconds=0, patience=60)["one"]
    assert isinstance(error, ReportError)
    assert "no answer" not in str(error)


def test_seconds_of_a_try_are_passed_on(program: Program) -> None:
    program("docker", """printf 'state\\t%s\\nend\\n' "$4" """)
    assert ask_machines(["one"], seconds=20) == {"one": Report(state="20")}


@pytest.mark.parametrize("status", [126, 127])
def test_image_without_the_program_is_told_apart(program: Program, status: int) -> None:
    program("docker", f"echo 'exec: not found' >&2; exit {status}")
    assert isinstance(ask_machines(["one"])["one"], NoProgramError)


def test_machine_that_hangs_is_not_waited_for_forever(program: Program) -> None:
    program("docker", "exec tail -f /dev/null")
    assert str(ask_machines(["one"], seconds=0, patience=1)["one"]) == "no answer within 1 s"


def test_nobody_is_asked(program: Program) -> None:
    program("docker", "exit 1")
    assert ask_machines([]) == {}
