"""A receiver that checks the names of its clients (`checks_client_names`): who has none waits, and arrives later."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from driver.lab import Lab
from tests.support.program import ROOT, up
from tests.support.stacks import stack_data

FORWARD, REVERSE = "/etc/bind/db.dc1es.tnc.edu.tw", "/etc/bind/db.182.26.163.in-addr.arpa"
SENDER, RECIPIENT = "chen@dc1es.tnc.edu.tw", "tnuser@tn.edu.tw"


@pytest.fixture(scope="module")
def strict(workbench: Lab) -> Lab:
    """The lab whose `tn` checks them."""
    internet = stack_data(ROOT, "dc1es")["internet"]
    assert isinstance(internet, dict)
    internet["mail"]["checks_client_names"] = True
    workbench.edit("config:\n", f"config:\n  maillab:internet: {json.dumps(internet)}\n")
    up(workbench)
    return workbench
