"""A lab in a virtual machine that its stack made: mail goes both ways, and nothing of it is open to others."""

import json
import os
import re
import socket
import subprocess
from collections.abc import Iterator

import pytest

from driver.lab import Lab
from driver.mail import find, new_message, post
from maillab.where.home import Home
from maillab.where.ssh import to_machine
from tests.support.delivered import deliver
from tests.support.program import put_back, run, unrestarted, up

WENDY, ADMIN, TNUSER = "wendy@moe.edu.tw", "admin@dc1es.tnc.edu.tw", "tnuser@tn.edu.tw"
YH = "yh@dc1es.tnc.edu.tw"


def test_message_comes_in(lab: Lab) -> None:
    assert deliver(lab, "outside", WENDY, ADMIN).path == ["outside", "mail"]


def test_message_goes_out(lab: Lab) -> None:
    mail = new_message(ADMIN, TNUSER)
    hops = lab.wait_for_delivery("mail", post(lab, "mail", ADMIN, TNUSER, mail), TNUSER)
    assert [hop.machine for hop in hops] == ["mail", "tn"]
    assert len(find(lab["tn"], "tnuser", mail.message_id)) == 1


def test_engine_in_it_is_of_the_newer_generation(lab: Lab) -> None:
    info = lab.client.info()
    assert int(info["ServerVersion"].split(".")[0]) >= 26
    assert info["CgroupVersion"] == "2"


def test_nothing_to_do_afterwards(lab: Lab) -> None:
    assert run(lab, "preview", "--expect-no-changes").ok
    assert run(lab, "refresh").steps == {}


@pytest.fixture(scope="module")
def workbench(lab: Lab) -> Iterator[Lab]:
    """For edits that do not touch each other: put back once, when the last test here has ended."""
    with put_back(lab):
        yield lab


def test_alias_takes_effect_while_everything_runs(workbench: Lab) -> None:
    workbench.edit("- 'yh: admin'", "- 'yh: chen'")
    with unrestarted(workbench):
        assert up(workbench) == {"mail-config": "update"}
    mail = new_message(WENDY, YH)
    workbench.wait_for_delivery("outside", post(workbench, "outside", WENDY, YH, mail), YH)
    assert len(find(workbench["mail"], "chen", mail.message_id)) == 1


def test_link_slows_the_wire(workbench: Lab) -> None:
    """The kernel in it has netem."""
    workbench.edit("  maillab:schools:\n", "  maillab:links:\n    outside: {delay: 300ms}\n  maillab:schools:\n")
    assert up(workbench) == {"outside-config": "update"}
    pings = workbench["mail"].succeed(f"ping -n -c 3 -i 0.2 {workbench['outside'].ipv4}")
    fastest = min(float(one) for one in re.findall(r"time=([\d.]+)", pings))
    assert 300 <= fastest < 1000


def test_machine_runs_without_the_rights_of_root(home: Home) -> None:
    owner = int(re.findall(r"^Uid:\s+(\d+)", _status(home), re.MULTILINE)[0])
    assert owner == (os.getuid() or 65534)
    assert re.findall(r"^CapEff:\s+(\w+)", _status(home), re.MULTILINE) == ["0" * 16]


def _status(home: Home) -> str:
    with open(f"/proc/{home.pid()}/status", encoding="ascii") as file:  # noqa: PTH123 (no file of a disk)
        return file.read()


def test_it_is_as_large_as_the_configuration_says(home: Home) -> None:
    """The file system has grown over its disk."""
    settings = home.settings()
    assert settings
    cpus, memory, disk = (
        to_machine(home)
        .run("nproc; awk '/MemTotal/ {print int($2 / 1024)}' /proc/meminfo; df -BM --output=size / | tail -n 1")
        .split()
    )
    assert int(cpus) == settings.cpus
    assert 0.9 * settings.memory < int(memory) <= settings.memory
    assert 0.9 * settings.disk * 1024 < int(disk.removesuffix("M")) <= settings.disk * 1024


def test_containers_are_confined(lab: Lab) -> None:
    """By Docker's own profile, which needs no service of AppArmor."""
    containers = lab.client.containers.list(filters={"label": f"maillab.stack={lab.stack}"})
    assert {container.attrs["AppArmorProfile"] for container in containers} == {"docker-default"}


def test_only_this_computer_reaches_it(home: Home) -> None:
    heard = subprocess.run(["ss", "-Hltnp"], capture_output=True, text=True, check=True).stdout
    sockets = [line.split()[3] for line in heard.splitlines() if f"pid={home.pid()}," in line]
    assert sockets == [f"127.0.0.1:{home.read('port')}"]


def test_nothing_in_it_reaches_this_computer(home: Home) -> None:
    """Its images came from outside: it needs no network (qemu's own address for the host is 10.0.2.2)."""
    with socket.create_server(("127.0.0.1", 0)) as service:
        service.settimeout(8)
        port = service.getsockname()[1]
        tried = f"timeout 5 bash -c 'exec 3<>/dev/tcp/10.0.2.2/{port}' && echo reached || echo refused"
        assert to_machine(home).run(tried).strip() == "refused"


def test_nobody_comes_in_with_a_password(home: Home) -> None:
    options = ["-o", "PubkeyAuthentication=no", "-o", "PreferredAuthentications=password,keyboard-interactive"]
    command = to_machine(home).command("true", options=options)
    refused = subprocess.run(command, capture_output=True, text=True, check=False)
    assert refused.returncode == 255
    assert "Permission denied (publickey)" in refused.stderr


def test_host_key_is_known_before_the_first_connection(home: Home) -> None:
    """ssh asks nobody, and no other key would do."""
    (home.folder / "wrong_hosts").write_text(
        (home.folder / "known_hosts").read_text("utf-8").split(" ")[0]
        + " "
        + (home.folder / "key.pub").read_text("utf-8"),
        encoding="utf-8",
    )
    options = ["-o", f"UserKnownHostsFile={home.folder}/wrong_hosts"]
    refused = subprocess.run(
        to_machine(home).command("true", options=options), capture_output=True, text=True, check=False
    )
    assert refused.returncode == 255
    assert "Host key verification failed" in refused.stderr
    assert to_machine(home).run("echo in").strip() == "in"


def test_every_step_of_making_it_is_a_resource(lab: Lab) -> None:
    state = json.loads(lab.engine("outputs", "--json").stdout)
    assert state["machines"]
    resources = json.loads((lab.folder / ".pulumi-state" / "offline" / f"{lab.stack}.json").read_text("utf-8"))
    names = [one["urn"].rpartition("::")[2] for one in resources["deployment"]["resources"]]
    assert [name for name in names if name.startswith("vm")] == [
        "vm", "vm-check", "vm-disk", "vm-keys", "vm-machine", "vm-engine",
    ]  # fmt: skip
