"""Facts that stand in several places, because those who need them can't import each other: they are the same."""

import re
from pathlib import Path

import pytest
import yaml

from components.config.folder import STATE_FOLDER
from components.config.mail import USER_NAME
from components.network.topology import PROBE
from components.resources import images
from components.resources import ownership as made
from maillab.offline import docker_engine
from maillab.offline.project import Project
from maillab.where import known, power
from maillab.where import ownership as looked_at

ROOT = Path(__file__).resolve().parents[2]


def text(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def test_labels_of_what_a_lab_has() -> None:
    assert (looked_at.OWNER_LABEL, looked_at.STACK_LABEL) == (made.OWNER_LABEL, made.STACK_LABEL)
    assert docker_engine.STACK_LABEL == made.STACK_LABEL


def test_folder_of_the_states() -> None:
    project = Project(root=ROOT, name="maillab", stack="dc1es", config={}, secret_keys=[], salt="")
    assert project.state_dir == ROOT / STATE_FOLDER
    assert str(known.STATE) == STATE_FOLDER
    backend = yaml.safe_load(text("Pulumi.yaml"))["backend"]["url"]
    assert backend.partition("?")[0] == f"file://./{STATE_FOLDER}"


@pytest.mark.parametrize("path", ["setup/image.sh", "setup/lib.sh"])
def test_base_image(path: str) -> None:
    assert power.BASE == images.BASE_IMAGE
    assert set(re.findall(r"debian:[\w.-]+", text(path))) == {images.BASE_IMAGE}


def test_address_that_a_mail_server_asks_itself_from() -> None:
    assert re.findall(r"(?m)\bprobe_source=([0-9.]+)", text("files/mail/image/roles/postfix")) == [PROBE]


def test_form_of_a_user_name() -> None:
    (form,) = re.findall(r"=~ \^(\S+)\$ ", text("files/machine/image/roles/users"))
    assert USER_NAME.pattern == rf"{form}\Z"


def test_pulumi_install_takes_the_same_packages_as_the_setup() -> None:
    """The file is pip's, and the only one that `pulumi install` looks for with this toolchain."""
    assert yaml.safe_load(text("Pulumi.yaml"))["runtime"]["options"]["toolchain"] == "pip"
    assert text("requirements.txt").split() == ["-r", "requirements.lock"]
    assert "ensure_lock requirements.lock" in text("setup/python.sh")


def test_tests_use_the_versions_that_a_lab_has() -> None:
    """Who only has a lab gets no browser's driver and no type checker."""
    lab, tools = (
        dict(re.findall(r"(?m)^([a-z0-9-]+)==([^ ]+)", text(name)))
        for name in ("requirements.lock", "requirements-dev.lock")
    )
    assert {name: version for name, version in tools.items() if lab.get(name, version) != version} == {}
    assert {"playwright", "mypy", "pytest"} & lab.keys() == set()
    assert {"playwright", "mypy", "pytest"} <= tools.keys()
