"""What each container may do, as the running engine has it: no more than its machine needs."""

import pytest
from docker.models.containers import Container

from components.load import parse
from components.plan import plan_of
from driver.lab import ROOT, Lab
from tests.support.stacks import stack_data

PLANS = plan_of(parse(stack_data(ROOT, "dc1es"), "dc1es")).machines
MACHINES = ["dns", "internet", "mail", "mail2", "outside", "router", "spamfilter", "tn", "workstation"]
# capabilities(7). None of these lets a machine out of its container, as SYS_ADMIN, SYS_PTRACE or SYS_MODULE would.
HARMLESS = {
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "KILL",
    "NET_ADMIN",
    "NET_BIND_SERVICE",
    "NET_RAW",
    "SETGID",
    "SETUID",
    "SYS_CHROOT",
}
NUMBERS = {"CHOWN": 0, "DAC_OVERRIDE": 1, "FOWNER": 3, "KILL": 5, "SETGID": 6, "SETUID": 7}
NUMBERS |= {"NET_BIND_SERVICE": 10, "NET_ADMIN": 12, "NET_RAW": 13, "SYS_CHROOT": 18}
USERS_LOG_IN = {"mail", "mail2", "tn", "outside"}


def host_config(lab: Lab, machine: str) -> dict[str, object]:
    """The engine's own account of a container's rights."""
    lab[machine].container.reload()
    return dict(lab[machine].container.attrs["HostConfig"])


def test_these_are_all_machines(lab: Lab) -> None:
    assert sorted(lab.machines) == MACHINES
    assert sorted(PLANS) == MACHINES


@pytest.mark.parametrize("machine", MACHINES)
def test_capabilities_are_the_blueprints(lab: Lab, machine: str) -> None:
    host = host_config(lab, machine)
    assert host["CapDrop"] == ["ALL"]
    added = host["CapAdd"]
    assert isinstance(added, list)
    wanted = PLANS[machine].part.capabilities
    assert {name.removeprefix("CAP_") for name in added} == wanted
    assert wanted <= HARMLESS


@pytest.mark.parametrize("machine", MACHINES)
def test_kernel_grants_no_more_than_that(lab: Lab, machine: str) -> None:
    """The bounding set of the first process: nothing in the container can get more."""
    (line,) = [line for line in lab[machine].read("/proc/1/status").splitlines() if line.startswith("CapBnd")]
    wanted = sum(1 << NUMBERS[name] for name in PLANS[machine].part.capabilities)
    assert int(line.split()[1], 16) == wanted


@pytest.mark.parametrize("machine", MACHINES)
def test_never_privileged_and_nothing_of_the_host(lab: Lab, machine: str) -> None:
    host = host_config(lab, machine)
    assert host["Privileged"] is False
    assert not host["Devices"]
    assert host["PidMode"] == host["UTSMode"] == host["UsernsMode"] == ""
    assert host["IpcMode"] in ("private", "shareable")
    assert not host["PublishAllPorts"]


@pytest.mark.parametrize("machine", MACHINES)
def test_only_volumes_of_the_lab_are_mounted(lab: Lab, machine: str) -> None:
    lab[machine].container.reload()
    mounts = {mount["Destination"]: mount for mount in lab[machine].container.attrs["Mounts"]}
    assert {mount["Type"] for mount in mounts.values()} <= {"volume"}
    wanted = {path: f"{lab.stack}-{machine}-{short}" for short, path in PLANS[machine].part.volumes.items()}
    assert {path: mount["Name"] for path, mount in mounts.items()} == wanted


@pytest.mark.parametrize("machine", MACHINES)
def test_no_new_privileges_where_no_user_needs_setgid_programs(lab: Lab, machine: str) -> None:
    """sendmail(1) and postqueue(1) of ordinary users are setgid: not where such users are."""
    wanted = machine not in USERS_LOG_IN
    assert PLANS[machine].part.no_new_privileges == wanted
    assert ("no-new-privileges:true" in (host_config(lab, machine)["SecurityOpt"] or [])) == wanted  # type: ignore[operator]
    assert f"NoNewPrivs:\t{int(wanted)}\n" in lab[machine].read("/proc/1/status")


def published(container: Container) -> set[str]:
    """The ports of a container that somebody can reach at the computer, as it was made and as it runs: `25/tcp`."""
    container.reload()
    attributes = container.attrs
    tables = (attributes["HostConfig"]["PortBindings"], attributes["NetworkSettings"]["Ports"])
    return {port for table in tables for port, bindings in (table or {}).items() if bindings}


@pytest.mark.parametrize("machine", MACHINES)
def test_no_port_is_published(lab: Lab, machine: str) -> None:
    assert published(lab[machine].container) == set()


def test_a_published_port_would_be_seen(lab: Lab) -> None:
    """The control: a container like the mail server, not started, so that nothing is published in earnest."""
    image = lab["mail"].container.attrs["Image"]
    made = lab.client.containers.create(image, ports={"25/tcp": ("127.0.0.1", 2525)})
    try:
        assert published(made) == {"25/tcp"}
    finally:
        made.remove()


@pytest.mark.parametrize("machine", MACHINES)
def test_networks_are_as_planned(lab: Lab, machine: str) -> None:
    """Above all not on Docker's own bridge, which leads to the real Internet."""
    networks = lab[machine].container.attrs["NetworkSettings"]["Networks"]
    wanted = {f"{lab.stack}-{interface.segment}" for interface in PLANS[machine].host.interfaces}
    assert set(networks) == wanted


@pytest.mark.parametrize("segment", ["internet", "dc1es"])
def test_networks_give_the_host_no_address_and_translate_nothing(lab: Lab, segment: str) -> None:
    attributes = lab.client.networks.get(f"{lab.stack}-{segment}").attrs
    assert attributes["EnableIPv6"] is False
    options = attributes["Options"]
    assert options["com.docker.network.bridge.inhibit_ipv4"] == "true"
    assert options["com.docker.network.bridge.enable_ip_masquerade"] == "false"
