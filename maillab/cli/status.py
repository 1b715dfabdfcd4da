"""How a lab is: what Docker says of it, what its machines say of themselves, what is broken."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from maillab.cli.diagnosis import Finding, diagnose
from maillab.cli.docker import RUNNING
from maillab.cli.machines import MachineRow, of_stack
from maillab.cli.networks import EngineNetwork, networks
from maillab.cli.report import CONFIGURED, Disk, NoProgramError, Report, ReportError, ask_machines
from maillab.cli.stack import Stack
from maillab.cli.text import text
from maillab.exercises.progress import Book

# A disk is full with so many per cent used and so many KiB free: Postfix takes no mail then.
FULL, SPARE = 95, 1024 * 1024
EMULATED = 20  # seconds for one try of one service, where a processor is emulated
# What a machine may say instead of CONFIGURED, and the command that helps.
WORKED_ON = ("booting", "updating")  # services may be on their way: that they do not answer is no fault
HELP = {"waiting": "reset", "unfinished": "up", "unbooted": "reset"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What is broken, and the command that repairs it."""

    what: str
    repair: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineStatus:
    """A machine: `state` is one word for the table, `report` what it said of itself (None: not asked, or no answer).

    `reset`: the command that brings it to its configuration again.
    """

    row: MachineRow
    state: str
    reset: str
    report: Report | None = None
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LabStatus:
    """A lab: its machines (the schools' first), and what is wrong around it.

    `exercise`: the name of the one that runs, about which the rest says nothing; `pages`: name to its URL in the lab.
    """

    stack: str
    machines: tuple[MachineStatus, ...]
    findings: tuple[Finding, ...] = ()
    exercise: str = ""
    pages: Mapping[str, str] = field(default_factory=dict)

    @property
    def broken(self) -> list[MachineStatus]:
        """The machines that have a problem."""
        return [machine for machine in self.machines if machine.problems]

    @property
    def unready(self) -> list[MachineStatus]:
        """The machines that boot, or that an update works on."""
        return [machine for machine in self.machines if machine.state in WORKED_ON]

    @property
    def well(self) -> bool:
        """Is nothing broken? Files that somebody edited by hand are not; nor is what only may come to harm."""
        return not self.broken and not any(finding.is_harm for finding in self.findings)


def status_of(stack: Stack) -> LabStatus:
    """How the stack's lab is now. Raises MaillabError: there is none, or its engine can't be asked."""
    rows = of_stack(stack)
    with ThreadPoolExecutor(1) as pool:
        looking = pool.submit(diagnose, stack, rows)
        machines = ask(stack, rows)
        findings = tuple(looking.result())
    found = LabStatus(stack=stack.name, machines=machines, findings=findings, pages=_pages(stack))
    exercise = running_exercise(stack)
    return concealed(found, exercise) if exercise else found


def _pages(stack: Stack) -> dict[str, str]:
    urls = stack.outputs().get("urls")
    return {str(name): str(url) for name, url in sorted(urls.items())} if isinstance(urls, Mapping) else {}


def running_exercise(stack: Stack) -> str:
    """The name of the exercise that runs in the stack's lab and is not solved; empty when none does."""
    found = Book(root=stack.root, stack=stack.name).current()
    return found.name if found and not found.solved else ""


def concealed(status: LabStatus, exercise: str) -> LabStatus:
    """The status without what would give an exercise away: services and disks are the student's to look at."""
    return replace(status, machines=tuple(map(_concealed, status.machines)), exercise=exercise)


def _concealed(machine: MachineStatus) -> MachineStatus:
    if machine.row.state != RUNNING or machine.state == "disconnected":
        return machine
    report = machine.report and replace(machine.report, state=CONFIGURED, services=(), disk=None, logins={})
    return replace(machine, state="running", report=report, problems=())


def ask(stack: Stack, rows: Iterable[MachineRow]) -> tuple[MachineStatus, ...]:
    """How these machines of the stack are now. Raises MaillabError: their engine can't be asked."""
    rows = list(rows)
    running = [row.container for row in rows if row.state == RUNNING]
    with ThreadPoolExecutor(1) as pool:
        listing = pool.submit(networks)
        reports = ask_machines(running, seconds=_seconds(stack))
        there = {network.name: network for network in listing.result()}
    return tuple(judge(row, reports.get(row.container), there, stack) for row in rows)


def _seconds(stack: Stack) -> int:
    if stack.setting("where") != "vm":
        return 2
    from maillab.cli.where import home_of  # noqa: PLC0415 (only a lab in a virtual machine has one)

    return EMULATED if home_of(stack).read("accelerator") == "tcg" else 2


def judge(
    row: MachineRow, report: Report | ReportError | None, there: Mapping[str, EngineNetwork], stack: Stack
) -> MachineStatus:
    """What is to be said of one machine, when `there` are the engine's networks by name."""
    up, reset = f"{stack.maillab} up", f"{stack.maillab} reset {row.name}"
    if row.state != RUNNING:
        why = Problem(what=_why_still(row), repair=up)
        return MachineStatus(row=row, state=row.state, reset=reset, problems=(why,))
    problems = [Problem(what=what, repair=up) for what in _lost_networks(row, there)]
    state = "disconnected" if problems else ""
    if not isinstance(report, Report):
        problems += _no_report(report, up, reset)
        return MachineStatus(row=row, state=state or "no-answer", reset=reset, problems=tuple(problems))
    if report.state in HELP:
        repair = up if HELP[report.state] == "up" else reset
        problems.append(Problem(what=text(f"unready-{report.state}"), repair=repair))
    if report.state not in WORKED_ON:
        problems += [Problem(what=f"{service.name}: {service.why}", repair=reset) for service in report.broken]
    problems += _full_disk(row, report.disk, stack)
    if not state:
        state = report.state if report.state != CONFIGURED else "broken" if problems else "well"
    return MachineStatus(row=row, state=state, reset=reset, report=report, problems=tuple(problems))


def _no_report(error: ReportError | None, up: str, reset: str) -> list[Problem]:
    if isinstance(error, NoProgramError):  # from here both look the same
        return [Problem(what=text("image-too-old"), repair=up), Problem(what=text("program-removed"), repair=reset)]
    return [Problem(what=text("no-report", why=error), repair=reset)]


def _why_still(row: MachineRow) -> str:
    match row.state:
        case "missing":
            return text("container-missing")
        case "paused":
            return text("container-paused")
        case "restarting":
            return text("container-restarting", container=row.container)
        case _:
            return text("container-stopped", state=row.state)


def _lost_networks(row: MachineRow, there: Mapping[str, EngineNetwork]) -> Iterable[str]:
    gone = [name for name in row.networks if name not in there]
    lost = [name for name in row.networks if name in there and row.container not in there[name].containers]
    if gone:
        yield text("network-missing", networks=", ".join(gone))
    if lost:
        yield text("network-lost", networks=", ".join(lost))


def _full_disk(row: MachineRow, disk: Disk | None, stack: Stack) -> list[Problem]:
    if disk is None or disk.used < FULL or disk.free > SPARE:
        return []
    what = text("disk-is-full", used=disk.used, where=disk.where, free=disk.free // 1024)
    return [Problem(what=what, repair=f"{stack.maillab} shell {row.name} df -h")]
