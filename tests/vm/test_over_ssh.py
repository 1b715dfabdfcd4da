"""`where: ssh://…` with the same virtual machine as if it were any other computer, and what can go wrong there."""

import pathlib
import shutil
import subprocess
from collections.abc import Iterator

import pytest

from driver import place
from driver.lab import Lab, make_lab, remove_lab
from maillab.where.home import Home
from maillab.where.ssh import to_machine
from tests.support.delivered import deliver
from tests.support.program import Run, run
from tests.vm.conftest import keep_core_machines

WENDY, ADMIN = "wendy@moe.edu.tw", "admin@dc1es.tnc.edu.tw"


@pytest.fixture(scope="module")
def guest(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A second lab, beside the first on the same engine."""
    guest = make_lab(tmp_path_factory.mktemp("ssh"), "dc1es", place=place.inside_of(lab.folder, lab.stack))
    keep_core_machines(guest.stack_file)
    try:
        guest.up()
        yield guest
    finally:
        remove_lab(guest)


def test_message_is_delivered(guest: Lab) -> None:
    assert deliver(guest, "outside", WENDY, ADMIN).path == ["outside", "mail"]


def test_nothing_to_do_afterwards(guest: Lab) -> None:
    assert run(guest, "preview", "--expect-no-changes").ok


def test_lab_is_not_moved_by_a_changed_place(guest: Lab) -> None:
    before = guest.stack_file.read_text(encoding="utf-8")
    containers = {container.id for container in guest.client.containers.list()}
    guest.stack_file.write_text(
        before.replace("maillab:where: ssh://vm", "maillab:where: local").replace("  maillab:build: here\n", "")
    )
    try:
        failed = run(guest, "up", "--yes")
    finally:
        guest.stack_file.write_text(before, encoding="utf-8")
    assert not failed.ok
    assert "this lab is at ssh://vm, and the configuration says local unix://" in failed.words
    assert "bin/maillab down" in failed.words
    assert {container.id for container in guest.client.containers.list()} == containers
    assert run(guest, "preview", "--expect-no-changes").ok


def refused(folder: pathlib.Path, config: pathlib.Path | None, where: str = "ssh://vm") -> Run:
    """An `up` at a place that can't be: nothing must have been made but what says where the lab is."""
    lab = make_lab(folder, "dc1es", place=place.over_ssh(where, config))
    done = run(lab, "up", "--yes")
    assert not done.ok
    assert done.made == {"where"}
    return done


@pytest.fixture
def other_key(home: Home, lab: Lab, tmp_path: pathlib.Path) -> pathlib.Path:
    """An ssh configuration like the machine's, with a key of its own that the machine does not know."""
    assert lab.machines
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    config = tmp_path / "ssh_config"
    config.write_text(home.ssh_config.read_text("utf-8").replace(f"{home.folder.resolve()}/key", str(key)), "utf-8")
    return config


def test_wrong_key(other_key: pathlib.Path, tmp_path: pathlib.Path) -> None:
    words = refused(tmp_path / "lab", other_key).words
    assert "ssh://vm: it refuses the key" in words
    assert "ssh-copy-id vm" in words


def test_host_without_docker(home: Home, other_key: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """The key may come in, but `docker` is not on that account's PATH."""
    public = other_key.with_name("key.pub").read_text("utf-8").strip()
    restricted = f'command="PATH=/nowhere; eval \\"$SSH_ORIGINAL_COMMAND\\"" {public}'
    machine = to_machine(home)
    keys = machine.run("cat /root/.ssh/authorized_keys")
    add = machine.command("cat >>/root/.ssh/authorized_keys")
    subprocess.run(add, input=f"{restricted}\n".encode(), check=True)
    try:
        words = refused(tmp_path / "lab", other_key).words
    finally:
        subprocess.run(machine.command("cat >/root/.ssh/authorized_keys"), input=keys.encode(), check=True)
    assert "ssh://vm: there is no Docker on it" in words
    assert "sudo apt install docker.io" in words


def test_nobody_at_that_port(tmp_path: pathlib.Path) -> None:
    words = refused(tmp_path, None, "ssh://root@127.0.0.1:1").words
    assert "ssh://root@127.0.0.1:1: no SSH server answers there" in words
    assert shutil.which("ssh")
