"""Queues as postqueue(1) lists them."""

import json
from datetime import UTC, datetime

import pytest

from components.mail.postfix import postfix_service
from maillab.postman.queues import LIST, Queued, Waiting, queues, read_queue
from maillab.trace.machines import MachineError
from tests.unit.maillab.verify.fakes import Asked, FakeMachines

SAID = {
    "queue_name": "deferred",
    "queue_id": "4jd9p82sBMz5w47",
    "arrival_time": 1796012512,
    "message_size": 700,
    "forced_expire": False,
    "sender": "friend@example.com",
    "recipients": [
        {"address": "chen@dc1es.tnc.edu.tw", "delay_reason": "Connection refused"},
        {"address": "lin@dc1es.tnc.edu.tw"},
    ],
}


def test_message() -> None:
    (found,) = read_queue("mail", json.dumps(SAID) + "\n")
    assert found == Queued(
        machine="mail",
        queue_id="4jd9p82sBMz5w47",
        state="deferred",
        arrived=datetime.fromtimestamp(1796012512, UTC),
        size=700,
        sender="friend@example.com",
        recipients=(
            Waiting(address="chen@dc1es.tnc.edu.tw", reason="Connection refused"),
            Waiting(address="lin@dc1es.tnc.edu.tw"),
        ),
    )


@pytest.mark.parametrize(
    "line",
    ['{"queue_name": "hold", "queue_', "[]", "3", "{}", '{"recipients": 3}', json.dumps(SAID | {"arrival_time": 1e30})],
)
def test_line_that_is_none_is_left_out(line: str) -> None:
    assert len(list(read_queue("mail", f"{json.dumps(SAID)}\n{line}"))) == 1


def test_every_machine_is_asked_and_the_oldest_come_first() -> None:
    newer = SAID | {"arrival_time": 1796012600, "queue_id": "newer"}

    def answer(asked: Asked) -> str:
        if asked.machine == "tn":
            raise MachineError("tn: it is off")
        return f"{json.dumps(newer)}\n{json.dumps(SAID)}\n" if asked.machine == "mail" else ""

    machines = FakeMachines(answer=answer)
    found, silent = queues(machines, dict.fromkeys(("mail", "mail2", "tn"), postfix_service("127.0.0.0/8")))
    assert {name: [one.queue_id for one in each] for name, each in found.items()} == {
        "mail": ["4jd9p82sBMz5w47", "newer"],
        "mail2": [],
    }
    assert silent == {"tn": "tn: it is off"}
    assert {asked.command for asked in machines.asked} == {("bash", "-c", LIST, "list", "postqueue", "-j")}
