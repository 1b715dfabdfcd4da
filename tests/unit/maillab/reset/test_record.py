"""What a state says of machines, and how it reads after a reset."""

import pytest

from maillab.offline.schema import COMMAND, CONTAINER
from maillab.offline.values import secret
from maillab.reset.record import HalfMadeError, configured, machines_of, swapped
from tests.unit.maillab.reset.states import SERVED, lab, of, urn


def test_a_machine_has_its_parts_from_the_state() -> None:
    mail = machines_of(lab())["mail"]
    assert mail.container.id == "old-mail"
    assert mail.container.target.host == "unix:///engine"
    assert [one.id for one in mail.volumes] == ["lab-mail-spool"]
    assert [one.id for one in mail.networks] == ["net-id"]
    assert mail.roles == ["syslog", "postfix"]
    assert mail.by_hand is not None


def test_secret_files_are_open() -> None:
    known = lab()
    of(known, "mail-config")["inputs"]["environment"]["/etc/x.secret"] = secret("word")
    assert machines_of(known)["mail"].config.inputs["environment"]["/etc/x.secret"] == "word"


def test_machine_that_never_got_its_files_can_not_be_reset() -> None:
    known = [one for one in lab() if not one["urn"].endswith("::mail-config")]
    with pytest.raises(HalfMadeError, match=r"^mail$"):
        machines_of(known)


def test_machine_that_is_to_be_replaced_can_not_be_reset() -> None:
    known = lab()
    of(known, "mail")["pendingReplacement"] = True
    with pytest.raises(HalfMadeError, match=r"^mail$"):
        machines_of(known)


def test_what_waits_for_its_deletion_is_no_machine() -> None:
    condemned = {**of(lab(), "mail"), "urn": urn(CONTAINER, "gone"), "delete": True}
    assert set(machines_of([*lab(), condemned])) == {"dns", "mail"}


def test_new_container_is_known_everywhere_but_where_it_is_not_configured_yet() -> None:
    now = swapped(lab(), {"old-mail": "new-mail"}, {urn(COMMAND, "mail-config")})
    assert of(now, "mail")["id"] == "new-mail"
    by_hand = of(now, "mail-by-hand")
    assert by_hand["inputs"]["triggers"] == ["new-mail"]
    assert by_hand["outputs"]["environment"]["CONTAINER"] == "new-mail"
    assert of(now, "mail-config") == of(lab(), "mail-config")
    assert of(now, "dns") == of(lab(), "dns")


def test_new_serial_is_known_everywhere() -> None:
    after = "school.tw 2006030802"
    now = configured(lab(), {urn(COMMAND, "dns-config"): ("new-dns", after)})
    assert of(now, "maillab-lab")["outputs"]["serials"] == {"school": after}
    assert of(now, "school-flush")["inputs"]["environment"]["ZONES"] == after
    config = of(now, "dns-config")
    assert config["outputs"]["stdout"] == after
    assert config["inputs"]["environment"]["CONTAINER"] == config["outputs"]["environment"]["CONTAINER"] == "new-dns"
    assert SERVED not in str(now)


def test_environment_that_pulumi_marked_as_a_secret_stays_one() -> None:
    known = lab()
    config = of(known, "mail-config")
    config["outputs"] = {**config["outputs"], "environment": secret(config["inputs"]["environment"])}
    now = of(configured(known, {urn(COMMAND, "mail-config"): ("new-mail", "")}), "mail-config")
    assert now["outputs"]["environment"] == secret(now["inputs"]["environment"])


def test_machine_without_words_changes_nobody_elses() -> None:
    """An empty stdout stands for nothing: nothing else that is empty gets another value."""
    now = configured(lab(), {urn(COMMAND, "mail-config"): ("new-mail", "ready")})
    assert of(now, "dns-config") == of(lab(), "dns-config")
    assert of(now, "mail-config")["outputs"]["stderr"] == ""
