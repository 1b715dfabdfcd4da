"""The mail client's settings."""

import copy
import pathlib

import pytest

from components.config.lab import SchoolConfig
from components.load import parse
from components.workstation.render import workstation_files
from tests.support.stacks import stack_data

ROOT = pathlib.Path(__file__).resolve().parents[3]


def files_of(stack: str, without: tuple[str, ...] = ()) -> dict[str, str]:
    data = copy.deepcopy(stack_data(ROOT, stack))
    lab = parse(data, stack)
    school = lab.schools[0]
    kept = tuple(machine for machine in school.machines if machine.name not in without)
    machine = next(machine for machine in school.machines if machine.name == "workstation")
    smaller = SchoolConfig(
        name=school.name, domain=school.domain, network=school.network, zone=school.zone, machines=kept
    )
    return workstation_files(lab, smaller, machine)


def test_mail_goes_through_the_schools_server() -> None:
    files = files_of("dc1es")
    assert "\n--server mail.dc1es.tnc.edu.tw\n" in files["/root/.swaksrc"]
    assert files["/etc/pop3-fetch.conf"] == "mail.dc1es.tnc.edu.tw\n"


def test_single_host_is_the_mail_server() -> None:
    assert files_of("onehost")["/etc/pop3-fetch.conf"] == "dns.dc1es.tnc.edu.tw\n"


def test_second_server_serves_a_school_that_has_no_other() -> None:
    assert files_of("dc1es", without=("mail",))["/etc/pop3-fetch.conf"] == "mail2.dc1es.tnc.edu.tw\n"


def test_school_without_mail_server_has_no_settings() -> None:
    assert files_of("dc1es", without=("mail", "mail2")) == {}


@pytest.mark.parametrize(("stack", "has_login"), [("dc1es", False), ("standalone", True)])
def test_mail_program_encrypts_where_it_logs_in(stack: str, has_login: bool) -> None:
    lines = files_of(stack)["/root/.swaksrc"].splitlines()
    assert ({"--port 587", "--tls", "--tls-verify"} <= set(lines)) is has_login
    assert any(line.startswith("--port") for line in lines) is has_login
