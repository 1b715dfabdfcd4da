"""Where a lab runs and what its virtual machine is like: what the check takes, and what it refuses."""

import pathlib
from collections.abc import Mapping
from typing import Any

import pytest

from components.config.place import Accelerator, Build, VmConfig
from components.config.problem import ConfigurationError, Problem
from components.load import parse
from tests.support.edits import edited
from tests.support.problems import ids
from tests.support.stacks import stack_data

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent.parent


def configuration(changes: Mapping[str, Any]) -> dict[str, Any]:
    return edited(stack_data(ROOT, "dc1es"), changes)


def refused(changes: Mapping[str, Any]) -> list[Problem]:
    with pytest.raises(ConfigurationError) as caught:
        parse(configuration(changes), "dc1es")
    return list(caught.value.problems)


@pytest.mark.parametrize(
    "where",
    [
        "local",
        "vm",
        "ssh://host",
        "ssh://teacher@host",
        "ssh://teacher@host:2222",
        "ssh://Lab-Server",
        "ssh://lab_user.x@lab.tnc.edu.tw:65535",
        "ssh://root@192.0.2.7:1",
        "ssh://[2001:db8::5]",
        "ssh://teacher@[2001:db8::5]:2222",
    ],
)
def test_good_place(where: str) -> None:
    assert parse(configuration({"where": where}), "dc1es").where == where


@pytest.mark.parametrize(
    "where",
    [
        pytest.param("host", id="no scheme"),
        pytest.param("Local", id="a capital"),
        pytest.param("tcp://host:2375", id="an engine without SSH"),
        pytest.param("ssh://", id="no host"),
        pytest.param("ssh://teacher@", id="a user only"),
        pytest.param("ssh://-oProxyCommand=x", id="an option of ssh for a host"),
        pytest.param("ssh://-oProxyCommand=x@host", id="an option of ssh for a user"),
        pytest.param("ssh://teacher@-oProxyCommand=x", id="an option of ssh behind a user"),
        pytest.param("ssh://a host", id="a space"),
        pytest.param("ssh://host ", id="a space at the end"),
        pytest.param("ssh://host/", id="a path"),
        pytest.param("ssh://host/var/run/docker.sock", id="a long path"),
        pytest.param("ssh://user:password@host", id="a password"),
        pytest.param("ssh://host;reboot", id="a second command"),
        pytest.param("ssh://host:", id="no port"),
        pytest.param("ssh://host:ssh", id="a port's name"),
        pytest.param("ssh://host:0", id="port 0"),
        pytest.param("ssh://host:65536", id="more than the last port"),
        pytest.param("ssh://2001:db8::5", id="IPv6 without brackets"),
        pytest.param("ssh://[2001:db8::5", id="half a bracket"),
        pytest.param("ssh://[2001:db8:::5]", id="no address of IPv6"),
        pytest.param("ssh://[192.0.2.5]", id="IPv4 in brackets"),
    ],
)
def test_bad_place(where: str) -> None:
    assert ids(refused({"where": where})) == ["unknown-where"]


@pytest.mark.parametrize("build", list(Build))
@pytest.mark.parametrize("where", ["vm", "ssh://host"])
def test_images_may_be_built_here_or_there(where: str, build: Build) -> None:
    assert parse(configuration({"where": where, "build": build}), "dc1es").build is build


def test_here_and_there_are_one_at_a_local_lab() -> None:
    assert ids(refused({"where": "local", "build": "here"})) == ["build-here"]


def test_a_bad_place_is_not_blamed_on_build_too() -> None:
    assert ids(refused({"where": "moon", "build": "here"})) == ["unknown-where"]


def test_a_machine_without_wishes() -> None:
    expected = VmConfig(cpus=2, memory=2048, disk=16, ssh_port=0, accelerator=Accelerator.AUTO)
    assert parse(configuration({"where": "vm"}), "dc1es").vm == expected


@pytest.mark.parametrize(
    "vm",
    [
        pytest.param({"cpus": 1, "memory": 1024, "disk": 6, "ssh_port": 1024}, id="the least"),
        pytest.param({"cpus": 64, "memory": 262_144, "disk": 2048, "ssh_port": 65535}, id="the most"),
    ],
)
def test_good_sizes(vm: dict[str, int]) -> None:
    assert parse(configuration({"where": "vm", "vm": vm}), "dc1es").vm == VmConfig(**vm)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("key", "value", "limits"),
    [
        ("cpus", 0, "1 to 64"),
        ("cpus", 65, "1 to 64"),
        ("memory", 1023, "1024 to 262144"),
        ("memory", 262_145, "1024 to 262144"),
        ("disk", 5, "6 to 2048"),
        ("disk", 2049, "6 to 2048"),
    ],
)
def test_a_size_that_can_not_be(key: str, value: int, limits: str) -> None:
    problem, *more = refused({"where": "vm", "vm": {key: value}})
    assert not more
    assert (problem.id, problem.where) == ("vm-size", f"maillab:vm.{key}")
    assert limits in problem.remedy


@pytest.mark.parametrize("port", [-1, 22, 1023, 65536])
def test_a_port_that_can_not_be(port: int) -> None:
    problem, *more = refused({"where": "vm", "vm": {"ssh_port": port}})
    assert not more
    assert (problem.id, problem.where) == ("vm-port", "maillab:vm.ssh_port")


def test_all_that_can_not_be_is_told_at_once() -> None:
    found = ids(refused({"where": "moon", "vm": {"cpus": 0, "memory": 1, "disk": 0, "ssh_port": 80}}))
    assert found == ["unknown-where", "vm-port", "vm-size", "vm-size", "vm-size"]


@pytest.mark.parametrize(("key", "value"), [("vm", {"accelerator": "xen"}), ("build", "elsewhere")])
def test_a_word_that_is_none(key: str, value: object) -> None:
    assert ids(refused({"where": "vm", key: value})) == ["unknown-value"]
