"""What is broken, which command repairs it, and how both are shown."""

import io
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from rich.console import Console

from maillab.cli.diagnosis import Finding
from maillab.cli.machines import MachineRow, next_steps
from maillab.cli.networks import EngineNetwork
from maillab.cli.report import Disk, Edit, NoProgramError, Report, ReportError, Service
from maillab.cli.stack import Stack
from maillab.cli.status import LabStatus, MachineStatus, judge
from maillab.cli.status_table import SHOWN_EDITS, show, status_json, watch_output

NOW = datetime(2026, 11, 29, 23, 50, tzinfo=UTC)
UP, RESET = "bin/maillab --stack lab up", "bin/maillab --stack lab reset mail"
ROW = MachineRow(
    name="mail",
    container="lab-mail",
    ipv4="163.26.182.2",
    ipv6="2001:db8:182::2",
    state="running",
    role="mail server",
    school="dc1es",
    networks=("lab-dc1es",),
)
NETWORK = EngineNetwork(id="1", name="lab-dc1es", lab="lab", subnets=(), containers=("lab-mail",))
GOOD = Report(
    state="configured",
    services=(Service(name="bind", well=True), Service(name="postfix", well=True)),
    disk=Disk(used=24, free=70_000_000, where="/"),
    queue={"active": 0, "deferred": 12, "hold": 3},
    updated=datetime(2026, 11, 29, 12, 34, tzinfo=UTC),
)
DEAF = replace(GOOD, services=(Service(name="postfix", well=False, why="master is not running"),))


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILLAB_LANG", "en")


def judged(
    stack: Stack,
    report: Report | ReportError | None = GOOD,
    there: Mapping[str, EngineNetwork] | None = None,
    **row: str,
) -> MachineStatus:
    return judge(replace(ROW, **row), report, {"lab-dc1es": NETWORK} if there is None else there, stack)  # type: ignore[arg-type]


def lab(*machines: MachineStatus, findings: tuple[Finding, ...] = ()) -> LabStatus:
    return LabStatus(stack="lab", machines=machines, findings=findings)


def text(status: LabStatus, width: int = 80) -> str:
    console = Console(file=io.StringIO(), width=width)
    show(status, console, NOW)
    file = console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue()


def test_machine_that_is_well_has_no_problem(stack: Stack) -> None:
    assert judged(stack) == MachineStatus(row=ROW, state="well", reset=RESET, report=GOOD)


@pytest.mark.parametrize(
    ("state", "what"),
    [
        ("missing", "the container does not exist"),
        ("exited", "the container does not run (exited)"),
        ("created", "the container does not run (created)"),
        ("paused", "the container is paused"),
        ("restarting", "the container restarts again and again (docker logs lab-mail)"),
    ],
)
def test_container_that_does_not_run(stack: Stack, state: str, what: str) -> None:
    found = judged(stack, None, state=state)
    assert found.state == state
    assert [(one.what, one.repair) for one in found.problems] == [(what, UP)]


@pytest.mark.parametrize(
    ("there", "what"),
    [
        ({}, "its network lab-dc1es does not exist"),
        ({"lab-dc1es": replace(NETWORK, containers=())}, "not connected to its network lab-dc1es"),
    ],
    ids=["removed", "disconnected"],
)
def test_network_that_is_lost(stack: Stack, there: dict[str, EngineNetwork], what: str) -> None:
    found = judged(stack, there=there)
    assert found.state == "disconnected"
    assert [(one.what, one.repair) for one in found.problems] == [(what, UP)]


def test_lab_from_before_networks_were_noted_is_not_called_disconnected(stack: Stack) -> None:
    assert judge(replace(ROW, networks=()), GOOD, {}, stack).state == "well"


def test_service_that_is_broken(stack: Stack) -> None:
    found = judged(stack, DEAF)
    assert found.state == "broken"
    assert [(one.what, one.repair) for one in found.problems] == [("postfix: master is not running", RESET)]


@pytest.mark.parametrize(("state", "repair"), [("waiting", RESET), ("unfinished", UP), ("unbooted", RESET)])
def test_machine_that_is_not_configured(stack: Stack, state: str, repair: str) -> None:
    found = judged(stack, Report(state=state))
    assert (found.state, [one.repair for one in found.problems]) == (state, [repair])


@pytest.mark.parametrize("state", ["booting", "updating"])
def test_machine_that_is_worked_on_is_no_problem(stack: Stack, state: str) -> None:
    found = judged(stack, replace(GOOD, state=state))
    assert (found.state, found.problems) == (state, ())


@pytest.mark.parametrize("state", ["booting", "updating"])
def test_service_that_is_on_its_way_is_no_fault(stack: Stack, state: str) -> None:
    found = lab(judged(stack, replace(DEAF, state=state)))
    assert (found.broken, [one.row.name for one in found.unready], found.well) == ([], ["mail"], True)
    assert text(found).splitlines()[0].rstrip() == "lab: nothing is broken; not ready yet: mail"


def test_machine_that_can_not_be_asked(stack: Stack) -> None:
    (problem,) = judged(stack, ReportError("no answer within 42 s")).problems
    assert problem.what == "it can't be asked: no answer within 42 s"
    assert problem.repair == RESET


def test_old_image_or_a_program_that_was_removed(stack: Stack) -> None:
    assert [one.repair for one in judged(stack, NoProgramError("none")).problems] == [UP, RESET]


@pytest.mark.parametrize(
    ("disk", "full"),
    [
        (Disk(used=94, free=10, where="/"), False),
        (Disk(used=99, free=2_000_000, where="/"), False),
        (Disk(used=95, free=1_000_000, where="/"), True),
    ],
    ids=str,
)
def test_disk_is_full_when_little_is_free(stack: Stack, disk: Disk, full: bool) -> None:
    problems = judged(stack, replace(GOOD, disk=disk)).problems
    assert [one.repair for one in problems] == (["bin/maillab --stack lab shell mail df -h"] if full else [])


def test_files_that_were_edited_leave_a_lab_well(stack: Stack) -> None:
    edited = replace(GOOD, edits=(Edit(how="edited", path="/etc/aliases"),))
    status = lab(judged(stack, edited))
    assert status.well
    assert "/etc/aliases (edited)" in text(status)


def test_broken_service_makes_the_lab_broken(stack: Stack) -> None:
    assert not lab(judged(stack), judged(stack, DEAF)).well
    assert lab(judged(stack)).well


@pytest.mark.parametrize(("id_", "well"), [("ipv6-dropped", False), ("neighbour-drops", False), ("neighbour", True)])
def test_what_is_wrong_around_the_lab(stack: Stack, id_: str, well: bool) -> None:
    finding = Finding(id=id_, what="something", remedy=("do that",))
    assert lab(judged(stack), findings=(finding,)).well is well


# The tutorial's school, and how long its names are.
SCHOOL = {"dns": "1", "mail": "2", "mail2": "8", "workstation": "100", "spamfilter": "249"}
INTERNET = {
    "outside": "198.51.100.10 198.51.100.66 140.111.2.10 140.111.8.10 140.111.34.10 140.116.2.10 203.68.102.10",
    "internet": "203.0.113.53",
    "router": "203.0.113.254 163.26.182.254",
    "tn": "203.68.102.25",
}


def tutorials(stack: Stack, report: Report = GOOD) -> LabStatus:
    own = {name: (f"163.26.182.{number}", "dc1es") for name, number in SCHOOL.items()}
    others = {name: (addresses, "") for name, addresses in INTERNET.items()}
    rows = [
        replace(ROW, name=name, ipv4=ipv4, school=school, networks=())
        for name, (ipv4, school) in (own | others).items()
    ]
    return lab(*(judge(row, report, {}, stack) for row in rows))


def test_tutorials_school_fits_a_terminal(stack: Stack) -> None:
    """80 columns and 24 lines, no name cut, busy queues too; one line left for the prompt."""
    busy = replace(
        GOOD, queue={"active": 120, "deferred": 999, "hold": 100}, edits=(), disk=Disk(used=100, free=9**9, where="/")
    )
    lines = text(tutorials(stack, busy)).splitlines()
    assert len(lines) <= 23
    assert max(map(len, lines)) <= 80
    assert "…" not in "".join(lines)
    for word in [*SCHOOL, *INTERNET, "163.26.182.100", "198.51.100.10 +6", "120/999/100", "100%"]:
        assert word in "".join(lines)


def test_first_screen_has_room_for_what_to_try_next(stack: Stack) -> None:
    status = tutorials(stack)
    steps = next_steps("school2", [one.row for one in status.machines], somebody="admin@dc1es.tnc.edu.tw")
    lines = [line for command, meaning in steps for line in (*f"  {command}".splitlines(), f"      {meaning}")]
    assert len(steps) == 3
    assert max(map(len, lines)) <= 80
    assert len(text(status).splitlines()) + len(["", "Try next:", *lines]) <= 23


def test_schools_machines_stand_before_the_internets(stack: Stack) -> None:
    words = text(tutorials(stack)).split()
    assert words.index("dc1es") < words.index("workstation") < words.index("Internet") < words.index("tn")


def test_wide_terminal_shows_what_each_machine_does(stack: Stack) -> None:
    assert "mail server" in text(tutorials(stack), 140)
    assert "mail server" not in text(tutorials(stack), 80)


def test_time_of_today_and_day_of_before(stack: Stack) -> None:
    assert "12:34" in text(lab(judged(stack)))
    assert "11-02" in text(lab(judged(stack, replace(GOOD, updated=datetime(2026, 11, 2, 12, 34, tzinfo=UTC)))))


def test_problems_stand_below_with_one_command_each(stack: Stack) -> None:
    two = replace(DEAF, services=(*DEAF.services, Service(name="users", well=False, why="no account: chen")))
    words = text(lab(judged(stack, two)))
    assert words.index("postfix: master is not running") < words.index("users: no account: chen") < words.index(RESET)
    assert words.count(RESET) == 1
    assert "2 broken" in words


def test_command_is_not_broken_in_a_narrow_terminal(stack: Stack) -> None:
    assert RESET in text(lab(judged(stack, DEAF)), 40)


@pytest.mark.parametrize("width", [20, 40, 60])
def test_narrow_terminal_leaves_columns_out_and_cuts_no_name(stack: Stack, width: int) -> None:
    words = text(tutorials(stack), width)
    assert "…" not in words
    assert "workstation" in words


def test_words_of_a_machine_are_no_markup(stack: Stack) -> None:
    odd = replace(DEAF, services=(Service(name="bind", well=False, why="[red]no[/] answer from 2001:100:"),))
    assert "[red]no[/] answer from 2001:100:" in text(lab(judged(stack, odd)))


@pytest.mark.parametrize(("logins", "seen"), [({"sent": 7, "refused": 3}, True), ({"sent": 7, "refused": 0}, False)])
def test_wrong_passwords_are_said_and_leave_a_lab_well(stack: Stack, logins: dict[str, int], *, seen: bool) -> None:
    found = lab(judged(stack, replace(GOOD, logins=logins)))
    assert found.well
    lines = (
        "mail: Wrong passwords when sending, in the last hour: 3.",
        "    bin/maillab --stack lab trace --logins",
    )
    assert [any(line.startswith(one) for line in text(found).splitlines()) for one in lines] == [seen, seen]


def test_many_edits_are_counted(stack: Stack) -> None:
    edits = tuple(Edit(how="added", path=f"/etc/postfix/{number}") for number in range(SHOWN_EDITS + 5))
    assert "and 5 more" in text(lab(judged(stack, replace(GOOD, edits=edits))))


def test_json_says_everything(stack: Stack) -> None:
    edited = replace(DEAF, edits=(Edit(how="edited", path="/etc/aliases"),))
    said = json.loads(json.dumps(status_json(lab(judged(stack, edited)))))
    assert said["well"] is False
    assert said["machines"] == [
        {
            "name": "mail",
            "school": "dc1es",
            "container": "lab-mail",
            "container_state": "running",
            "ipv4": ["163.26.182.2"],
            "ipv6": ["2001:db8:182::2"],
            "does": "mail server",
            "state": "broken",
            "problems": [{"what": "postfix: master is not running", "repair": RESET}],
            "configured": True,
            "services": {"postfix": {"well": False, "why": "master is not running"}},
            "edited": [{"path": "/etc/aliases", "how": "edited"}],
            "disk": {"used_percent": 24, "free_kib": 70_000_000, "where": "/"},
            "queue": {"active": 0, "deferred": 12, "hold": 3},
            "logins": {},
            "updated": "2026-11-29T12:34:00+00:00",
        }
    ]


def test_json_of_a_machine_that_is_gone(stack: Stack) -> None:
    (said,) = json.loads(json.dumps(status_json(lab(judged(stack, None, state="missing")))))["machines"]
    assert (said["state"], said["configured"], said["queue"]) == ("missing", None, None)


def test_findings_stand_below(stack: Stack) -> None:
    assert "the host drops it" in text(
        lab(judged(stack), findings=(Finding(id="x", what="the host drops it", remedy=("do that",)),))
    )


def test_pages_are_named_with_the_command_that_opens_each(stack: Stack) -> None:
    status = replace(lab(judged(stack, GOOD)), pages={"webmail": "https://mail.school.example/"})
    assert "page webmail: https://mail.school.example/  (bin/maillab --stack lab open webmail)\n" in text(status)
    assert status_json(status)["pages"] == {"webmail": "https://mail.school.example/"}


def test_watching_ends_with_ctrl_c(
    stack: Stack, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two looks, a line of JSON each; no traceback."""
    looks = iter([lab(judged(stack)), lab(judged(stack, DEAF))])

    def look() -> LabStatus:
        try:
            return next(looks)
        except StopIteration:
            raise KeyboardInterrupt from None

    monkeypatch.setattr("maillab.cli.status_table.PAUSE", 0)
    watch_output(look, as_json=True)
    assert [json.loads(line)["well"] for line in capsys.readouterr().out.splitlines()] == [True, False]


def test_chinese_table_fits_too(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILLAB_LANG", "zh-TW")
    words = text(tutorials(stack))
    assert "9 台機器全部正常" in words
    assert "…" not in words
