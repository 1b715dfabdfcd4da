"""Mail logs as they grow, read by one command a machine; docker is a script that runs it here."""

import pathlib
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from driver.machine import wait_until
from maillab.trace import growing
from maillab.trace.growing import GrowingLogs
from maillab.trace.machines import MachineError, Machines
from maillab.trace.maillog import LOG


@pytest.fixture
def log(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """The only machine's mail log; `docker exec` of it runs commands here, of another machine fails."""
    docker = tmp_path / "docker"
    docker.write_text(
        '#!/bin/sh\n[ "$3" = x-mail ] || { echo "No such container: $3" >&2; exit 1; }\nshift 3; exec "$@"\n', "utf-8"
    )
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    path = tmp_path / "mail.log"
    path.write_text("before\n", "utf-8")
    monkeypatch.setattr(growing, "FOLLOW", (*growing.FOLLOW[:2], growing.FOLLOW[2].replace(LOG, str(path))))
    return path


@pytest.fixture
def logs(log: pathlib.Path) -> Iterator[GrowingLogs]:
    assert log.exists()
    with GrowingLogs(machines=Machines(prefix="x-"), names=["mail", "mail2"]) as found:
        yield found


def has(logs: GrowingLogs, words: str) -> Callable[[], bool]:
    return lambda: logs.read("mail") == words


def append(path: pathlib.Path, text: str) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(text)


def test_lines_come_that_were_written_since(log: pathlib.Path, logs: GrowingLogs) -> None:
    append(log, "one\n")
    wait_until("one line", has(logs, "one\n"), 10)
    append(log, "two\nthree")
    wait_until("two lines, and no half one", has(logs, "one\ntwo\n"), 10)
    append(log, "\n")
    wait_until("three lines", has(logs, "one\ntwo\nthree\n"), 10)


def test_file_that_was_moved_away_is_followed_by_the_new_one(log: pathlib.Path, logs: GrowingLogs) -> None:
    append(log, "one\n")
    wait_until("the old file's line", has(logs, "one\n"), 10)
    log.rename(log.with_suffix(".1"))
    append(log, "two\n")
    wait_until("the new file's line", has(logs, "one\ntwo\n"), 10)


def test_machine_that_is_not_there_is_told_when_it_is_read(logs: GrowingLogs) -> None:
    assert logs.read("mail") == ""
    for _ in range(2):
        with pytest.raises(MachineError, match="No such container: x-mail2"):
            logs.read("mail2")
    assert set(logs.failed) == {"mail2"}


def test_log_that_grows_too_much_is_an_error(
    log: pathlib.Path, logs: GrowingLogs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(growing, "MOST", 10)
    append(log, "x" * 100 + "\n")
    with pytest.raises(MachineError, match="has grown by more than"):
        wait_until("too much", lambda: logs.read("mail"), 10)


def test_nothing_goes_on_running_afterwards(log: pathlib.Path) -> None:
    def followers() -> list[bytes]:
        found = []
        for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
            with suppress(OSError):  # it has ended
                found.append(path.read_bytes())
        return [words for words in found if str(log).encode() in words]

    with GrowingLogs(machines=Machines(prefix="x-"), names=["mail"]) as logs:
        assert logs.read("mail") == ""
        assert followers()
    deadline = time.monotonic() + 10
    while followers() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert followers() == []
