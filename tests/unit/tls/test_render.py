"""Certificates: which machines have a part in them."""

import pytest

from tests.unit.labs import Data, Model, machine, model


def roles(given: Model) -> dict[str, set[str]]:
    """Machine to its roles about certificates."""
    found = {name: {"tls", "authority"} & set(plan.part.roles) for name, plan in given.plans.items()}
    return {name: some for name, some in found.items() if some}


def test_server_and_those_who_trust_it() -> None:
    assert roles(model(stack="standalone")) == {"mail": {"tls"}, "workstation": {"tls"}, "internet": {"authority"}}


@pytest.mark.parametrize("stack", ["dc1es", "onehost"])
def test_lab_without_logins_has_nothing_of_it(stack: str) -> None:
    given = model(stack=stack)
    assert roles(given) == {}
    assert [name for name, plan in given.plans.items() if {"tls", "sasl"} & set(plan.part.recipes)] == []


def test_certificate_has_the_servers_names() -> None:
    files = model(stack="standalone").plans["mail"].part.files
    assert files["/etc/maillab/certificate"] == "mail.yaes.example\nyaes.example\n"


def test_client_has_no_names() -> None:
    assert "/etc/maillab/certificate" not in model(stack="standalone").plans["workstation"].part.files


def test_single_host_that_is_a_workstation_too_has_one_part() -> None:
    def both(data: Data) -> None:
        machine(data, "mail")["roles"].append("workstation")

    part = model(both, "standalone").plans["mail"].part
    assert part.files["/etc/maillab/certificate"] == "mail.yaes.example\nyaes.example\n"


def test_keys_are_on_volumes() -> None:
    plans = model(stack="standalone").plans
    assert plans["mail"].part.volumes["tls"] == plans["workstation"].part.volumes["tls"] == "/etc/ssl/maillab"
    assert plans["internet"].part.volumes["authority"] == "/var/lib/maillab-authority"
