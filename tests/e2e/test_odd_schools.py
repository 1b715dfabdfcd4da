"""Schools that are allowed, and that no server may take for a fault of its configuration."""

from collections.abc import Mapping
from typing import Any

import pytest

from driver.lab import Lab
from tests.support.delivered import deliver
from tests.support.edits import REMOVED, edited
from tests.support.program import up
from tests.support.sendmail import set_mail
from tests.support.stacks import change_school

MAIL, MAIL2, FILTER = "machines.1.mail", "machines.2.mail", "machines.3.spamfilter"


@pytest.mark.parametrize(
    ("changes", "machines"),
    [
        pytest.param(
            {f"{MAIL}.mydestination": ["$mydomain", "dns.$mydomain"]}, {"mail"}, id="no-host-name-among-destinations"
        ),
        pytest.param({f"{MAIL}.main_cf": {"inet_protocols": "ipv6"}}, {"mail"}, id="ipv6-only"),
        pytest.param({f"{MAIL}.main_cf": {"inet_interfaces": "loopback-only"}}, {"mail"}, id="loopback-only"),
        pytest.param(
            {f"{MAIL2}.users": [], f"{MAIL2}.aliases": REMOVED, f"{FILTER}.domains.2": REMOVED},
            {"mail2", "spamfilter"},
            id="server-without-users",
        ),
        pytest.param({f"{FILTER}.domains": []}, {"spamfilter"}, id="filter-for-nobody"),
    ],
)
def test_update_is_taken(workshop: Lab, changes: Mapping[str, Any], machines: set[str]) -> None:
    change_school(workshop.stack_file, lambda school: edited(school, changes))
    assert up(workshop) == {f"{name}-config": "update" for name in machines}


def test_new_machine_listens_on_an_address_that_it_gets_after_its_files_are_checked(workshop: Lab) -> None:
    set_mail(workshop, main_cf={"inet_interfaces": f"{workshop['mail'].ipv4}, localhost"})
    workshop["mail"].container.remove(force=True)
    workshop.up()
    listening = workshop["mail"].succeed("ss -Hltn sport = :25 | awk '{print $4}'").split()
    assert sorted(listening) == ["127.0.0.1:25", f"{workshop['mail'].ipv4}:25", "[::1]:25"]
    assert deliver(workshop, "outside", "wendy@example.com", "chen@dc1es.tnc.edu.tw").path == [
        "outside",
        "spamfilter",
        "mail",
    ]
