"""The configuration with which ssh goes into the machine: it follows the port and the folder."""

from pathlib import Path

import pytest

from maillab.where.home import Home
from maillab.where.ssh import to_machine


@pytest.fixture
def written(home: Home) -> Home:
    """A machine whose configuration was written once."""
    home.write("port", "40022\n")
    to_machine(home)
    return home


def lines(home: Home) -> list[str]:
    return [line.strip() for line in home.ssh_config.read_text("utf-8").splitlines()]


def test_it_is_written_when_there_is_none(written: Home) -> None:
    assert lines(written)[:3] == ["Host vm", "HostName 127.0.0.1", "Port 40022"]


def test_the_host_key_is_known_before_the_first_connection(written: Home) -> None:
    assert "StrictHostKeyChecking yes" in lines(written)
    assert f'UserKnownHostsFile "{written.folder}/known_hosts"' in lines(written)


def test_it_follows_another_port(written: Home) -> None:
    written.write("port", "40023\n")
    to_machine(written)
    assert "Port 40023" in lines(written)


def test_it_follows_a_folder_that_is_moved(written: Home) -> None:
    moved = Home(written.folder.rename(written.folder.with_name("moved")))
    to_machine(moved)
    assert f'IdentityFile "{moved.folder}/key"' in lines(moved)
    assert str(written.folder) + "/" not in moved.ssh_config.read_text("utf-8")


def test_it_is_left_alone_when_nothing_changed(written: Home) -> None:
    """Another command may be reading it."""
    before = written.ssh_config.stat()
    to_machine(written)
    after = written.ssh_config.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_percent_sign_of_the_path_is_no_token_of_ssh(project: Path) -> None:
    home = Home(project / "100%h" / ".vm" / "lab")
    home.folder.mkdir(parents=True)
    to_machine(home)
    assert f'IdentityFile "{project}/100%%h/.vm/lab/key"' in lines(home)


def test_without_a_machine_no_folder_is_made(home: Home) -> None:
    home.folder.rmdir()
    to_machine(home)
    assert not home.folder.exists()
