"""A machine's folder, a process that stands in for its qemu, and what it prints meanwhile."""

import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from maillab.where import power
from maillab.where import snapshots as snapshots_module
from maillab.where.disk import FILES
from maillab.where.home import Home, Settings
from maillab.where.qemu import this_arch
from maillab.where.snapshots import Snapshot
from tests.unit.conftest import Program

SETTINGS = Settings(name="lab", base="base", cpus=2, memory=1024, disk=8, ssh_port=0, accelerator="tcg")
Runs = Callable[[], int]
QEMU = this_arch().program


def settings(**changes: str | int) -> Settings:
    """What a machine is started with, but for `changes`."""
    return replace(SETTINGS, **changes)  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project's folder, which paths are relative to; no setting of the person's."""
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    for name in ("MAILLAB_SSH_CONFIG", "DOCKER_HOST", "DOCKER_CONTEXT"):
        monkeypatch.delenv(name, raising=False)
    return folder


@pytest.fixture
def home(project: Path) -> Home:
    """The folder of a machine, empty."""
    folder = project / ".vm" / "lab"
    folder.mkdir(parents=True)
    return Home(folder)


@pytest.fixture
def said() -> list[str]:
    """The lines of progress: give its `append`."""
    return []


def pretend_qemu(*words: str) -> subprocess.Popen[bytes]:
    """A process with these words in its command line; it ends with its stdin."""
    pipe = subprocess.PIPE
    process = subprocess.Popen(["/bin/sh", "-c", "echo; read -r _; exit 0", *words], stdin=pipe, stdout=pipe)
    assert process.stdout
    process.stdout.readline()  # from now on it has its words
    return process


@pytest.fixture
def runs(home: Home) -> Iterator[Runs]:
    """Call it: the machine runs from then on, as a process that does nothing. Answers its number."""
    started: list[subprocess.Popen[bytes]] = []

    def start() -> int:
        started.append(pretend_qemu("qemu", "-name", f"maillab-{home.id}"))
        home.write("qemu.pid", f"{started[-1].pid}\n")
        return started[-1].pid

    yield start
    for process in started:
        process.communicate()


@pytest.fixture
def orders(monkeypatch: pytest.MonkeyPatch, home: Home) -> list[str]:
    """What qemu, which says that the machine is running, was ordered; `quit` ends it."""
    given: list[str] = []

    def order(_home: Home, command: str) -> None:
        given.append(command)
        if command == "quit":
            (home.folder / "qemu.pid").unlink()

    monkeypatch.setattr(power, "order", order)
    monkeypatch.setattr(power, "run_state", lambda _: "running")
    return given


@dataclass
class Monitor:
    """A qemu's monitor: `lines` were given to it, `kept` are its snapshots.

    With a `refusal` it says that; `loses`: it has removed an older snapshot by then.
    """

    lines: list[str] = field(default_factory=list)
    kept: dict[str, Snapshot] = field(default_factory=dict)
    refusal: str = ""
    loses: bool = False
    clock: float = 1000

    def obey(self, line: str) -> str:
        """As qemu does: savevm removes an older one first."""
        self.lines.append(line)
        verb, _, name = line.partition(" ")
        if self.refusal and not self.loses:
            return self.refusal
        if verb in ("savevm", "delvm"):
            self.kept.pop(name, None)
        if verb == "savevm" and not self.refusal:
            self.clock += 0.125
            self.kept[name] = Snapshot(name=name, made=self.clock, size=5 << 20)
        return self.refusal


@pytest.fixture
def monitor(home: Home, runs: Runs, program: Program, monkeypatch: pytest.MonkeyPatch) -> Monitor:
    """Of a machine that runs, with two processors, emulated, and two snapshots."""
    qemu = Monitor(kept={name: Snapshot(name=name, made=1, size=5 << 20) for name in ("before", "x")})
    monkeypatch.setattr(snapshots_module, "snapshots", lambda _: list(qemu.kept.values()))
    monkeypatch.setattr(snapshots_module, "monitor", lambda _, line: qemu.obey(line))
    monkeypatch.setattr(snapshots_module, "order", lambda _, line: qemu.lines.append(line))
    program("ssh", 'echo "$*" >>ssh.calls')
    runs()
    home.save(settings())
    home.write("accelerator", "tcg\n")
    return qemu


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that does not shut down is not waited for."""
    monkeypatch.setattr(power, "SHUTDOWN_SECONDS", 0)
    monkeypatch.setattr(power, "ORDER_SECONDS", 0.2)


# Its disks have the size that they were made with.
QEMU_IMG = """
if [ "$1" = info ]; then
  for disk; do :; done
  echo "{\\"virtual-size\\": $(($(cat "$disk") << 30))}"
  exit
fi
echo "$*" >>qemu-img.calls
for word; do case $word in *.new) new=$word ;; esac; done
[ -z "$new" ] || echo "${word%G}" >"$new"
"""


@pytest.fixture
def programs(program: Program) -> None:
    """A qemu that starts, a qemu-img that makes what it is to make; both remember their words."""
    program(QEMU, f'echo "$*" >>{Path.cwd()}/qemu.calls')
    program("qemu-img", QEMU_IMG)
    program("ssh", 'echo "$*" >>ssh.calls')


@pytest.fixture
def bases(project: Path) -> None:
    """Two disks that machines start from."""
    for name in ("base", "other"):
        (project / name).mkdir()
        for file in FILES:
            (project / name / file).write_text(name, "utf-8")


@pytest.fixture
def made(programs: None, bases: None, home: Home) -> Home:  # noqa: ARG001 (which it is made with)
    """A machine that was started once, and is off."""
    power.start(home, settings(), print)
    Path("qemu-img.calls").unlink()
    return home


def calls(program: str) -> list[str]:
    """With which words `program` was called."""
    path = Path(f"{program}.calls")
    return path.read_text("utf-8").splitlines() if path.exists() else []
